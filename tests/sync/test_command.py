"""What a sync and a plan need is found before anything is opened; a program gets a report and nothing is printed."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.server import Emulator
from provisioner.errors import ConfigurationError, OutputError, RosterError, UsageError
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import AuthTokens
from provisioner.run.job import Target
from provisioner.settings.tables import Api, Output, Run, Settings, Sync, load
from provisioner.stop import Stopper
from provisioner.sync.command import files_of, make_plan, plan_job, refuse_other_than_planned, sync, sync_job
from provisioner.sync.keptplan import read_plan, readable_in
from provisioner.sync.plan.report import PlanReport
from tests.rig.work import APP, with_emulator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMETCHAT_API_KEY", "key")
    (tmp_path / "hr.csv").write_text("uid,name\nann,Ann\n")
    with SyncState(tmp_path / "hr.db", APP, make=True):
        pass
    return tmp_path


def the_settings(folder: Path, output: str | None = None) -> Settings:
    file = folder / output if output else None
    api = Api(app_id="app1", region="eu")
    return Settings(api=api, sync=Sync(state=folder / "hr.db"), output=Output(file=file))


def planned(folder: Path, output: str | None = None, options: Mapping[str, Any] | None = None) -> PlanReport:
    settings = the_settings(folder, output)
    settings = settings.model_copy(update={"sync": settings.sync.model_copy(update=options or {})})

    async def main() -> PlanReport:
        with plan_job([str(folder / "hr.csv")], settings) as job:
            async with asyncio.timeout(60):
                return await make_plan(job, Stopper())

    return asyncio.run(main())


def test_a_plan_is_reported_and_nothing_is_left_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a file nor a word; the report outlives what it was made of."""
    before = sorted(path.name for path in folder.iterdir())
    assert planned(folder).document["create"] == 1
    after = sorted(path.name for path in folder.iterdir() if not path.name.startswith("hr.db"))
    assert after == [name for name in before if not name.startswith("hr.db")]
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_plan_makes_no_state_of_what_holds_nothing(folder: Path) -> None:
    """Or a sync that was not told to adopt would find one in it, and nobody known."""
    (folder / "hr.db").write_bytes(b"")

    async def main(target: Target, _: Emulator) -> int:
        settings = the_settings(folder)
        settings = settings.model_copy(update={"sync": Sync(state=folder / "hr.db", adopt=True)})
        with plan_job([str(folder / "hr.csv")], settings) as job:
            report = await make_plan(replace(job, target=target), Stopper())
        return report.assessment.rows

    assert with_emulator(main) == 1
    assert (folder / "hr.db").read_bytes() == b""


def test_no_folder_for_temporary_files_is_told_with_what_names_another_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "nowhere"))
    with pytest.raises(OutputError) as caught:
        planned(folder)
    message = (
        "no temporary folder can be made (No such file or directory); make room, or name another place for it in TMPDIR"
    )
    assert str(caught.value) == message


def test_a_kept_plan_is_what_a_sync_is_given(folder: Path) -> None:
    """Its roster and the settings it was made with, wherever the sync is started."""
    planned(folder, "plan.json")
    night, target = sync_job([str(folder / "plan.json")], the_settings(folder, "out.csv"))
    assert night.kept == read_plan(folder / "plan.json")
    assert list(night.job.roster.names) == [str(folder / "hr.csv")]
    assert target.identity == APP


WITH: dict[str, Any] = {"deactivate_leavers": True, "grace_nights": 2}


def test_what_can_be_no_plan_is_told_before_anything_is_read(folder: Path) -> None:
    """The app's users may be a million, and take minutes to be listed."""
    (folder / "hr.csv").write_text("no roster")
    with pytest.raises(OutputError, match=r"plan.txt: a plan is kept as .json; choose another --output"):
        planned(folder, "plan.txt")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"sync": {"state": "b.db"}}, "--state=b.db: {plan} was made with --state {folder}/hr.db"),
        ({"sync": {"deactivate_leavers": False}}, "--deactivate-leavers=false: {plan} was made with it"),
        ({"sync": {"keep_sessions": True}}, "--keep-sessions: {plan} was made without it"),
        ({"sync": {"grace_nights": 0}}, "--grace-nights=0: {plan} was made with --grace-nights 2"),
        ({"sync": {"grace_nights": 3}}, "--grace-nights=3: {plan} was made with --grace-nights 2"),
        ({"sync": {"adopt": True}}, "--adopt: {plan} was made without it"),
        ({"sync": {"refresh": True}}, "--refresh: {plan} was made without it"),
        ({"sync": {"approve": "ok.csv"}}, "--approve: {plan} was made without it"),
        ({"run": {"auth_tokens": "none"}}, "--auth-tokens=none: {plan} was made with --auth-tokens created"),
        ({"run": {"create_roles": True}}, "--create-roles: {plan} was made without it"),
        ({"run": {"query": "SELECT 1"}}, "--query: {plan} was made without it"),
        ({"run": {"database": "sqlite:///hr.db"}}, "--database: {plan} was made without it"),
    ],
)
def test_a_flag_that_asks_for_something_else_than_a_kept_plan_is_refused(
    folder: Path, flags: dict[str, dict[str, Any]], said: str
) -> None:
    """What is carried out was looked at: just that, or nothing; one that says the same, or nothing of it, is heard."""
    planned(folder, "plan.json", WITH)
    plan = str(folder / "plan.json")
    with pytest.raises(UsageError) as error:
        refuse_other_than_planned([plan], load(flags, {}), flags)
    cure = "and just that is carried out; leave the option out, or make a new plan; nothing was changed"
    assert str(error.value) == f"{said.format(plan=plan, folder=folder)}, {cure}"
    refuse_other_than_planned([str(folder / "hr.csv")], load(flags, {}), flags)
    same = {"sync": {"state": folder / "hr.db", **WITH, "max_rejected": "1"}, "run": {"auth_tokens": "created"}}
    refuse_other_than_planned([plan], load(same, {}), same)


def test_a_kept_plan_goes_before_what_stands_in_a_config(folder: Path) -> None:
    """A flag may have gone before it when the plan was made, and nobody sees that of it any more."""
    planned(folder, "plan.json", WITH)
    settings = the_settings(folder, "out.csv")
    other = settings.model_copy(update={"run": Run(create_roles=True, auth_tokens=AuthTokens.NONE, query="SELECT 1")})
    taken = sync_job([str(folder / "plan.json")], other)[0].job.settings
    assert (taken.run.create_roles, taken.run.auth_tokens, taken.run.query) == (False, AuthTokens.CREATED, None)
    assert (taken.sync.deactivate_leavers, taken.sync.grace_nights) == (True, 2)


def test_a_kept_plan_is_carried_out_in_the_app_that_it_was_made_for(folder: Path) -> None:
    """A first one has no state yet that would tell; how an address is spelled is no matter."""
    planned(folder, "plan.json")
    settings, plan = the_settings(folder, "out.csv"), [str(folder / "plan.json")]
    same = settings.model_copy(update={"api": Api(base_url="https://APP1.api-eu.cometchat.io:443/v3")})
    assert sync_job(plan, same)[0].kept is not None
    other = settings.model_copy(update={"api": Api(app_id="app2", region="eu")})
    with pytest.raises(UsageError) as error:
        sync_job(plan, other)
    assert str(error.value) == (
        "the plan was made for https://app1.api-eu.cometchat.io/v3, not for https://app2.api-eu.cometchat.io/v3; "
        "check app id, region and base URL, or make a new plan; nothing was changed"
    )


def test_a_state_is_wanted_and_the_whole_roster(folder: Path) -> None:
    """Without the one nothing can be compared; behind a limit everybody would have left."""
    settings = the_settings(folder, "out.csv")
    with pytest.raises(ConfigurationError, match="no state file"):
        sync_job([str(folder / "hr.csv")], settings.model_copy(update={"sync": Sync()}))
    with pytest.raises(ConfigurationError, match=r"run\.limit"):
        sync_job([str(folder / "hr.csv")], settings.model_copy(update={"run": Run(limit=1)}))


def test_nothing_is_written_over_the_state(folder: Path) -> None:
    """Nor is the roster taken for it."""
    settings = the_settings(folder, "out.csv")
    over = settings.model_copy(update={"sync": Sync(state=folder / "out.csv")})
    with pytest.raises(OutputError, match="would overwrite the state"):
        sync_job([str(folder / "hr.csv")], over)
    same = settings.model_copy(update={"sync": Sync(state=folder / "hr.csv")})
    with pytest.raises(OutputError, match="is the roster; check --state"):
        sync_job([str(folder / "hr.csv")], same)


@pytest.mark.parametrize(("name", "what"), [("a.json", "the roster"), ("s.json", "the state")])
def test_no_plan_is_kept_over_what_it_is_made_of(folder: Path, name: str, what: str) -> None:
    """Whatever the roster and the state are called."""
    (folder / "a.json").write_text('[{"uid": "ann", "name": "Ann"}]')
    (folder / "hr.db").rename(folder / "s.json")
    settings = the_settings(folder, name).model_copy(update={"sync": Sync(state=folder / "s.json")})
    kept = (folder / name).read_bytes()
    with (
        pytest.raises(OutputError, match=f"{name}: would overwrite {what}; choose another --output"),
        plan_job([str(folder / "a.json"), str(folder / "hr.csv")], settings),
    ):
        pass
    assert (folder / name).read_bytes() == kept


def test_the_list_that_was_approved_may_be_the_one_that_is_written_and_a_key_may_not(folder: Path) -> None:
    """A night leaves that list as it is."""
    listed = the_settings(folder, "out.csv")
    approved = listed.sync.model_copy(update={"approve": folder / "out.leavers.csv"})
    assert sync_job([str(folder / "hr.csv")], listed.model_copy(update={"sync": approved}))
    key = listed.api.model_copy(update={"api_key_file": folder / "out.leavers.csv"})
    with pytest.raises(
        OutputError, match=r"out\.leavers\.csv: would overwrite the file of the API key; choose another"
    ):
        sync_job([str(folder / "hr.csv")], listed.model_copy(update={"api": key}))


def test_a_plan_tells_its_state_and_its_roster_and_a_roster_nothing(folder: Path) -> None:
    """So that nothing is put in their place; one that cannot be read says so when it is carried out."""
    planned(folder, "plan.json")
    kept = readable_in([str(folder / "plan.json")])
    assert kept is not None
    assert (kept.state, *kept.roster) == (folder / "hr.db", str(folder / "hr.csv"))
    (folder / "plan.json").write_text((folder / "plan.json").read_text() + " ")
    assert readable_in([str(folder / "plan.json")]) is readable_in([str(folder / "hr.csv")]) is None


def test_the_files_of_a_night_are_its_metrics_too(folder: Path) -> None:
    """The log does not go where they are written whole in the morning; of a plan that is carried out just as well."""
    planned(folder, "plan.json")
    settings = the_settings(folder, "out.csv")
    settings = settings.model_copy(
        update={"sync": settings.sync.model_copy(update={"metrics_file": folder / "m.prom"})}
    )
    for roster in ("hr.csv", "plan.json"):
        names = {each.name for each in files_of([str(folder / roster)], settings)}
        assert {"hr.csv", "hr.db", "out.csv", "out.summary.json", "out.leavers.csv", "m.prom"} <= names


def test_a_folder_in_the_place_of_what_a_night_or_a_plan_writes_is_told_before_anything_is_opened(folder: Path) -> None:
    """With the option that gives it another name."""
    for name in ("out.leavers.csv", "plan.json"):
        (folder / name).mkdir()
    with pytest.raises(OutputError, match=r"out\.leavers\.csv: is a folder; choose another --output"):
        sync_job([str(folder / "hr.csv")], the_settings(folder, "out.csv"))
    with (
        pytest.raises(OutputError, match=r"plan\.json: is a folder; choose another --output"),
        plan_job([str(folder / "hr.csv")], the_settings(folder, "plan.json")),
    ):
        pass


def test_a_link_that_leads_nowhere_is_no_place_for_what_a_night_or_a_plan_writes(folder: Path) -> None:
    """A disk is not mounted: a file in the place of the link would hide what is on it."""
    for name in ("out.leavers.csv", "plan.json"):
        (folder / name).symlink_to("/nowhere/x")
    with pytest.raises(OutputError, match=r"out\.leavers\.csv: is a link that leads nowhere; mount the disk"):
        sync_job([str(folder / "hr.csv")], the_settings(folder, "out.csv"))
    with (
        pytest.raises(OutputError, match=r"plan\.json: is a link that leads nowhere; mount the disk"),
        plan_job([str(folder / "hr.csv")], the_settings(folder, "plan.json")),
    ):
        pass


def test_metrics_of_a_kept_plan_are_about_its_state(folder: Path) -> None:
    """Whatever state is set besides."""
    planned(folder, "plan.json")
    (folder / "hr.csv").write_text("uid,name\nzoe,Zoe\n", encoding="utf-8")
    settings = the_settings(folder, "out.csv")

    given = Sync(state=folder / "other.db", metrics_file=folder / "m.prom")
    settings = settings.model_copy(update={"sync": given})
    work = sync([str(folder / "plan.json")], settings, Stopper(), confirm=None, drawn=False)
    with pytest.raises(UsageError, match="the plan no longer fits: the roster"):
        asyncio.run(work)
    assert f'provisioner_sync_exit_code{{state="{folder / "hr.db"}"}} 2' in (folder / "m.prom").read_text().splitlines()


def test_a_roster_of_json_that_is_not_there_is_no_plan_to_plan(folder: Path) -> None:
    """A plan is made of a roster: that is what is missing."""
    with (
        plan_job([str(folder / "people.json")], the_settings(folder, "plan.json")) as job,
        pytest.raises(RosterError, match=r"people\.json: no such file"),
    ):
        asyncio.run(make_plan(job, Stopper()))

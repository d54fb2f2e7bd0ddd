"""A kept plan: written for people, read back for the sync that carries it out, refused when it no longer fits."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from provisioner import __version__
from provisioner.errors import OutputError, UsageError
from provisioner.journal.header import Identity
from provisioner.journal.state.syncstate import SyncState
from provisioner.run.job import Run, make_job
from provisioner.settings.tables import Output, Rate, Settings, Sync
from provisioner.stop import Stopper
from provisioner.sync.keptplan import KeptPlan, PlanSource, StateMark, check_plan, is_plan, read_plan, write_plan
from provisioner.sync.plan.assessment import Preflight, preflight
from provisioner.sync.plan.changeset import PlannedChange
from provisioner.sync.plan.report import PlanReport

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hr.csv").write_text("uid,name\nann,Ann\nbob,Bob\n")
    with SyncState(tmp_path / "hr.db", IDENTITY, make=True):
        pass
    return tmp_path


def with_preflight(folder: Path, look: Callable[[Preflight, Settings], Any]) -> Any:
    sync = Sync(state=folder / "hr.db", grace_nights=2, approve=None)
    settings = Settings(sync=sync, output=Output(file=folder / "out.csv"))
    job = make_job([str(folder / "hr.csv")], settings)
    job = replace(job, outputs=replace(job.outputs, journal=folder / "hr.db"))

    async def main() -> Any:
        async with asyncio.timeout(60), preflight(Run.begin(job, Stopper()), None, IDENTITY) as ready:
            return await ready.recorder.run(lambda: look(ready, settings))

    return asyncio.run(main())


def keep(folder: Path, name: str = "plan.json", more: Sequence[PlannedChange] = ()) -> Path:
    """Make a plan, of more changes than are needed, and keep it."""
    path = folder / name

    def look(ready: Preflight, settings: Settings) -> None:
        ready.planner.plan.add(more)
        report = PlanReport(ready.assessment, Rate(), 0, str(path))
        source = PlanSource([str(folder / "hr.csv")], settings.sync.model_dump(), IDENTITY.base_url)
        write_plan(path, source, report, ready.planner.plan, StateMark.of(ready.state))

    with_preflight(folder, look)
    return path


def test_a_plan_is_told_from_a_roster_by_its_name() -> None:
    """One argument that ends in .json."""
    assert [is_plan(each) for each in (["p.json"], ["P.JSON"], ["hr.csv"], ["a.json", "b.json"], [])] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize(
    "edit",
    [
        lambda _: "notes of mine\n",
        lambda text: text.replace('"ann"', '"an"', 1),
        lambda text: text + "\n",
        lambda text: text[: len(text) // 2],
        lambda _: "",
    ],
)
def test_only_a_plan_as_it_was_written_is_overwritten(folder: Path, edit: Callable[[str], str]) -> None:
    """It holds its own digest, for there is no summary that would; anything else of its name is set aside."""
    path = keep(folder)
    assert keep(folder) == path
    assert list(folder.glob("plan.2*")) == []
    edited = edit(path.read_text())
    path.write_text(edited)
    keep(folder)
    assert [each.read_text() for each in folder.glob("plan.2*.json")] == [edited]
    before, _, end = path.read_bytes().rpartition(b',\n  "sha256": ')
    assert end == b'"' + hashlib.sha256(before).hexdigest().encode() + b'"\n}\n'
    assert read_plan(path).roster == (str(folder / "hr.csv"),)


def test_a_pipe_that_comes_into_the_place_of_a_plan_is_set_aside(folder: Path) -> None:
    """Whoever opens it would wait for who writes into it."""
    os.mkfifo(folder / "plan.json")
    path = keep(folder)
    assert (path.is_file(), [each.is_fifo() for each in folder.glob("plan.2*.json")]) == (True, [True])


def test_a_plan_lists_its_changes_for_people(folder: Path) -> None:
    """Every change by row and uid, nobody's data; paths are whole, so that it can be carried out from anywhere."""
    document = json.loads(keep(folder, "deep/er/plan.json").read_text())
    assert document["changes"] == [
        {"row": 1, "uid": "ann", "action": "create", "fields": []},
        {"row": 2, "uid": "bob", "action": "create", "fields": []},
    ]
    assert {name: document[name] for name in ("provisioner_plan", "made_by", "app", "roster", "state", "options")} == {
        "provisioner_plan": 3,
        "made_by": __version__,
        "app": IDENTITY.base_url,
        "roster": [str(folder / "hr.csv")],
        "state": str(folder / "hr.db"),
        "options": {
            "deactivate_leavers": False, "keep_sessions": False, "grace_nights": 2, "adopt": False,
            "refresh": False, "approve": None,
        },
    }  # fmt: skip
    assert (document["auth_tokens"], document["create_roles"]) == ("created", False)
    assert document["summary"]["create"] == 2
    assert "Ann" not in json.dumps(document)


def test_a_plan_without_changes_can_be_kept(folder: Path) -> None:
    """An empty list."""
    (folder / "hr.csv").write_text("uid,name\n")
    assert json.loads(keep(folder).read_text())["changes"] == []


def test_a_plan_is_read_back(folder: Path) -> None:
    """What decides whether it still fits."""
    path = keep(folder)
    document = json.loads(path.read_text())
    assert read_plan(path) == KeptPlan(
        (str(folder / "hr.csv"),),
        folder / "hr.db",
        document["options"],
        document["digest"],
        document["rows"],
        document["mark"],
        {"ann": "create", "bob": "create"},
        tokens=2,
        app=IDENTITY.base_url,
    )


def check(kept: KeptPlan, ready: Preflight) -> None:
    changes = chain.from_iterable(ready.planner.plan.pieces(1))
    check_plan(kept, ready.assessment, StateMark.of(ready.state), changes)


def test_a_plan_that_fits_is_let_through(folder: Path) -> None:
    """Nothing has moved."""
    kept = read_plan(keep(folder))
    with_preflight(folder, lambda ready, _: check(kept, ready))


def refused(folder: Path, kept: KeptPlan) -> str:
    with pytest.raises(UsageError) as caught:
        with_preflight(folder, lambda ready, _: check(kept, ready))
    return str(caught.value)


def test_a_roster_that_has_changed_is_refused(folder: Path) -> None:
    """Also in rows for which nothing would be done."""
    kept = read_plan(keep(folder))
    (folder / "hr.csv").write_text("uid,name\nann,Ann\nbob,Rob\n")
    assert refused(folder, kept) == (
        "the plan no longer fits: the roster, or how it is read, has changed since; "
        "make a new one with plan -o, nothing was changed"
    )


def test_a_state_that_has_moved_is_refused(folder: Path) -> None:
    """By any other night."""
    kept = read_plan(keep(folder))
    with SyncState(folder / "hr.db", IDENTITY) as state:
        state.end_night(state.begin_night(1.0), 2.0, 0, {}, good=True)
    assert "the state has moved since" in refused(folder, kept)


def test_a_plan_for_something_else_is_refused(folder: Path) -> None:
    """The same rows and state, other changes."""
    assert "something else would be done now" in refused(folder, replace(read_plan(keep(folder)), digest="other"))


def test_a_sync_of_this_plan_that_was_cut_short_goes_on(folder: Path) -> None:
    """It moved the state itself; another plan's did not."""
    kept = read_plan(keep(folder))
    with SyncState(folder / "hr.db", IDENTITY) as state:
        state.begin_night(1.0, kept.digest)
    with_preflight(folder, lambda ready, _: check(kept, ready))
    assert "the state has moved" in refused(folder, replace(kept, digest="other"))


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("kept", "fits"),
    [
        ({}, True),
        ({"changes": {"ann": "update", "bob": "create", "done": "create"}}, True),
        ({"tokens": 9}, True),
        ({"tokens": 1}, False),
        ({"tokens": 1, "changes": {"ann": "update", "bob": "create"}}, True),
        ({"changes": {"ann": "create"}}, False),
        ({"changes": {"ann": "create", "bob": "deactivate"}}, False),
        ({"changes": {"ann": "create", "bob": "create", "cy": "deactivate"}}, False),
    ],
    ids=["all", "some of it", "fewer tokens", "more tokens", "found deleted", "somebody else", "back", "nobody leaves"],
)
def test_what_is_left_of_a_plan_is_carried_out_and_nothing_else(folder: Path, kept: dict[str, Any], fits: bool) -> None:
    """After an attempt that was cut short: what is done already is not wanting, and what is new is refused."""
    plan = replace(read_plan(keep(folder)), digest="another", **kept)
    with SyncState(folder / "hr.db", IDENTITY) as state:
        state.begin_night(1.0, "another")
    if fits:
        with_preflight(folder, lambda ready, _: check(plan, ready))
    else:
        assert "something else would be done now; make a new one with plan -o" in refused(folder, plan)


def test_a_plan_of_which_a_change_was_taken_out_is_refused(folder: Path) -> None:
    """Whoever edits the list of changes has not edited what would be carried out."""
    path = keep(folder)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "changes": document["changes"][:1]}))
    with pytest.raises(UsageError, match="is a plan that was changed by hand; make a new one with plan -o"):
        read_plan(path)


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_plan_is_read_back_whatever_its_numbers(folder: Path, digits: int) -> None:
    """Whole numbers beyond all doubles stand in it as they are in the roster."""
    number, update = (
        "9" * digits,
        PlannedChange(1, "cy", "update", ["metadata"], "", "h", token=False, payload="", digests=b""),
    )
    path = keep(folder, more=[update._replace(payload=f'{{"metadata":{{"n":{number}}}}}')])
    assert f'"new": {{"n": {number}}}' in path.read_text()
    assert read_plan(path).changes["cy"] == "update"


def test_a_plan_is_kept_as_json_only(folder: Path) -> None:
    """Or sync would take it for a roster."""
    with pytest.raises(OutputError, match=r"plan.txt: a plan is kept as .json; choose another --output"):
        keep(folder, "plan.txt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read as a plan"),
        (b"{", "cannot be read as a plan"),
        (b"\xff", "cannot be read as a plan"),
        (b"[" * 100_000, "cannot be read as a plan"),
        (b"[]", "is no plan of provisioner; make one with plan -o"),
        (b'[{"uid":"ann"}]', "is no plan of provisioner; make one with plan -o"),
        (b'{"uid":"ann"}', "is no plan of provisioner; make one with plan -o"),
        (b'{"provisioner_plan":1}', "is a plan of another version of provisioner; make a new one with plan -o"),
        (b'{"provisioner_plan":3}', "is a plan that was changed by hand; make a new one with plan -o"),
        (b'{"provisioner_plan":3,"options":7}', "is a plan that was changed by hand; make a new one with plan -o"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """In one sentence."""
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_plan(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("options", {"grace_nights": "two"}),
        ("options", {"deactivate_leavers": "maybe"}),
        ("options", {"yes": True}),
        ("options", {"max_deactivations": 1000}),
        ("options", {}),
        ("roster", 7),
        ("roster", []),
        ("state", 7),
    ],
)
def test_a_plan_that_was_changed_by_hand_is_refused(folder: Path, member: str, value: object) -> None:
    """Its options are those a plan has, of the kinds they have: no guard can be widened through it."""
    path = keep(folder)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, member: value}))
    with pytest.raises(UsageError, match="is a plan that was changed by hand; make a new one with plan -o"):
        read_plan(path)


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the command that makes one."""
    path = tmp_path / "plan.json"
    with pytest.raises(UsageError) as caught:
        read_plan(path)
    said = f"{path}: no such file; a plan is made with: provisioner plan ROSTER --state FILE -o {path}"
    assert str(caught.value) == f"{said}; of a roster, check the name"

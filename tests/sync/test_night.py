"""A night from the roster to the results, inside one event loop and against the emulator."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from provisioner.emulator.server import Emulator
from provisioner.errors import ExitCode, UsageError
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, Change, Live, Outcome, Settlement, Standing, State, UserRequest
from provisioner.run.job import Target
from provisioner.settings.tables import Output, Sync
from provisioner.settings.values import Allowance
from provisioner.stop import Stop, Stopper
from provisioner.sync.keptplan import KeptPlan
from provisioner.sync.night import SyncJob, sync
from provisioner.sync.plan.assessment import Assessment
from provisioner.sync.summary import NightSummary
from provisioner.wording import iso_time
from tests.rig.work import APP, Place, with_emulator

AFTERWARDS = 4e9  # UNIX seconds, later than any night that a test carries out
FOUR = "uid,name\nann,Ann\nbob,Bob\ncy,Cy\ndi,Di\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    with SyncState(tmp_path / "hr.db", APP, make=True):
        pass
    return place


def nights(
    place: Place, *rosters: str, confirmed: bool = True, kept: KeptPlan | None = None, **options: object
) -> list[NightSummary]:
    """Carry out a night for each roster, one after the other."""

    async def work(target: Target, _: Emulator) -> list[NightSummary]:
        summaries = []
        for roster in rosters:
            place.write(roster)
            job = place.night(sync=Sync.model_validate({"state": place.folder / "hr.db", **options}))
            night = SyncJob(job, place.folder / "leavers.csv", kept, lambda _: confirmed)
            summaries.append(await sync(night, target, Stopper()))
        return summaries

    return with_emulator(work)


def cut_short(place: Place, *uids: str) -> None:
    """Leave a night after its first attempt, which has created these, and failed to update the last."""
    with SyncState(place.folder / "hr.db", APP) as state:
        number = state.begin_night(AFTERWARDS)
        live = Live("", None, Standing.ACTIVE)
        requests = [
            UserRequest(state.new_key(), 9, uid, b"{}", "", token=True, change=Change(Action.CREATE, b"", None, live))
            for uid in uids
        ]
        state.sent(requests, AFTERWARDS + 1)
        state.settle(Settlement(each.key, State.SETTLED, Outcome.CREATED, 1, 200, live=live) for each in requests)
        again = requests[-1]._replace(change=Change(Action.UPDATE, b"", live, live))
        state.sent([again], AFTERWARDS + 1)
        state.settle([Settlement(again.key, State.SETTLED, Outcome.FAILED, 1, 400, "ERR", "no", live=live)])
        state.end_night(number, AFTERWARDS + 2, 6, {"stopped_by": "sigint"}, good=False)


def leavers_lines(place: Place) -> list[tuple[str, str]]:
    with (place.folder / "out.csv").open(encoding="utf-8") as file:
        return [(each["uid"], each["outcome"]) for each in csv.DictReader(file) if not each["row"]]


@pytest.mark.parametrize("refused", [True, False])
def test_whom_an_earlier_attempt_created_is_a_pending_leaver(place: Place, refused: bool) -> None:
    """By another roster, in a night that is refused, or stopped before it deactivates them: the sum holds."""
    nights(place, FOUR)
    cut_short(place, "eva", "fay")
    interrupted, stopper = Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT), Stopper()
    options = {"max_deactivations": Allowance(1 if refused else 9), "deactivate_leavers": True}

    async def work(target: Target, _: Emulator) -> NightSummary:
        job = place.night(sync=Sync.model_validate({"state": place.folder / "hr.db", **options}))
        return await sync(SyncJob(job, place.folder / "leavers.csv", None, interrupting), target, stopper)

    def interrupting(_: Assessment) -> bool:
        stopper.request(interrupted)
        return True

    summary = with_emulator(work)
    assert summary.exit_code == (ExitCode.SAFETY if refused else ExitCode.SIGINT)
    assert summary.document["leavers"] == {
        "found": 2, "deactivated": 0, "failed": 0, "pending": 2, "in_grace": 0, "reported": 0,
    }  # fmt: skip
    console = Console(width=200)
    with console.capture() as captured:
        summary.show(console)
    assert "2 leavers: 2 pending; see " in captured.get()
    listed = (place.folder / "leavers.csv").read_text(encoding="utf-8").splitlines()
    assert listed == [
        "uid,name,nights_absent,last_seen,will_be",
        *(f"{uid},,1,{iso_time(AFTERWARDS, 'seconds')},deactivated" for uid in ("eva", "fay")),
    ]
    assert refused or leavers_lines(place) == [("eva", "pending"), ("fay", "pending")]


def test_only_what_changed_costs_a_request(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody is created, then nobody is asked about, then the one whose name is another one is updated."""
    documents = [each.document for each in nights(place, FOUR, FOUR, FOUR.replace("Bob", "Rob"))]
    assert [(each["created"], each["unchanged"], each["updated"], each["requests"]) for each in documents] == [
        (4, 0, 0, 5), (0, 4, 0, 0), (0, 3, 1, 2),
    ]  # fmt: skip
    assert capsys.readouterr().err == ""


def test_who_is_gone_is_listed_and_deactivated_when_that_is_wanted(place: Place) -> None:
    """A leaver has a line in the results and one in the list."""
    _, last = nights(place, FOUR, FOUR.replace("di,Di\n", ""), deactivate_leavers=True)
    assert last.document["leavers"]["deactivated"] == 1
    listed = (place.folder / "leavers.csv").read_text().splitlines()[1]
    assert (listed.startswith("di,Di,1,20"), listed.endswith("Z,deactivated")) == (True, True)


def test_a_guard_keeps_the_night_from_changing_anything(place: Place) -> None:
    """Exit 3, with the reason as the stop; the users are as they were."""
    _, refused, after = nights(place, FOUR, "uid,name\n", FOUR)
    assert (refused.exit_code, refused.document["stopped_by"]) == (ExitCode.SAFETY, "empty_roster")
    assert refused.document["requests"] == 0
    assert after.document["unchanged"] == 4


def test_a_plan_that_nobody_confirms_is_not_carried_out(place: Place) -> None:
    """Nothing is sent, and the results of the night before stand."""
    [night] = nights(place, FOUR, confirmed=False)
    assert (night.document["stopped_by"], night.document["requests"]) == ("not_confirmed", 0)
    assert not (place.folder / "out.csv").exists()


def test_a_kept_plan_for_another_roster_is_refused(place: Place) -> None:
    """Before the night begins: the state has no night of it."""
    kept = KeptPlan((), place.folder / "hr.db", {}, "digest", "other rows", "mark")
    with pytest.raises(UsageError, match="the plan no longer fits"):
        nights(place, FOUR, kept=kept)
    with SyncState(place.folder / "hr.db", APP) as state:
        assert state.nights.last() == []


@pytest.mark.parametrize(
    ("roster", "options"),
    [(FOUR + 'ed,"Ed\n', {}), (FOUR, {"approve": "approved.csv"})],
    ids=["a defect of the roster", "nobody of the list is a leaver"],
)
def test_a_first_night_that_cannot_begin_leaves_no_state(tmp_path: Path, roster: str, options: dict[str, str]) -> None:
    """The next one has to be told --adopt again, and begins as the first one."""
    place = Place(tmp_path)
    (tmp_path / "approved.csv").write_text("uid\nzoe\n")
    given: dict[str, Any] = {name: tmp_path / value for name, value in options.items()}
    with pytest.raises(UsageError):
        nights(place, roster, adopt=True, **given)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["approved.csv", "r.csv"]


def test_tokens_stand_apart_night_after_night(tmp_path: Path) -> None:
    """The file has those of everybody whom the state knows one of; a night that is refused leaves it, and owns it."""
    place, tokens = Place(tmp_path), tmp_path / "tokens.csv"

    def told(path: Path) -> list[str]:
        with path.open(newline="") as file:
            return [line["auth_token"][:3] for line in csv.DictReader(file)]

    async def work(target: Target, _: Emulator) -> list[tuple[ExitCode, list[str], list[str]]]:
        nights = []
        for roster, adopt in ((FOUR, True), (FOUR + "b b,B\n", False), (FOUR + "ed,Ed\n", False)):
            place.write(roster)
            asked = Sync(state=tmp_path / "hr.db", adopt=adopt, max_rejected=Allowance(number=0))
            output = Output(file=tmp_path / "out.csv", tokens_to=tokens)
            summary = await sync(SyncJob(place.night(sync=asked, output=output), tmp_path / "l.csv"), target, Stopper())
            nights.append((summary.exit_code, told(tmp_path / "out.csv"), told(tokens)))
        return nights

    assert with_emulator(work) == [
        (ExitCode.OK, [""] * 4, ["ann", "bob", "cy_", "di_"]),
        (ExitCode.SAFETY, [""] * 4, ["ann", "bob", "cy_", "di_"]),
        (ExitCode.OK, [""] * 5, ["ann", "bob", "cy_", "di_", "ed_"]),
    ]
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("tokens*")] == ["tokens.csv"]

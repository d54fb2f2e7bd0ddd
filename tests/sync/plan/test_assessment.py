"""Roster and state are compared and judged before anything is changed; what is told of it outlives them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from provisioner.emulator.server import Emulator
from provisioner.errors import ExitCode, JournalError, UsageError
from provisioner.journal.state.managed import Adoption
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, Live, Standing
from provisioner.run.job import Run, Target
from provisioner.settings.tables import Sync
from provisioner.settings.values import Allowance
from provisioner.stop import InterruptedEarlyError, Stop, Stopper
from provisioner.sync.plan.assessment import Assessment, preflight
from tests.rig.work import APP, Place, with_emulator


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\nbob,\n")
    with SyncState(tmp_path / "hr.db", APP, make=True):
        pass
    return place


async def assessed(
    place: Place, target: Target | None = None, stopper: Stopper | None = None, **sync: object
) -> Assessment:
    run = Run.begin(place.night(sync=Sync.model_validate(sync)), stopper or Stopper())
    async with asyncio.timeout(60), preflight(run, target, APP) as ready:
        return ready.assessment


def test_what_is_told_is_of_plain_values(place: Place) -> None:
    """It can be read when roster, state and plan are closed."""
    found = asyncio.run(assessed(place, max_rejected=Allowance(number=0)))
    assert (found.rows, found.rejected, found.plan.actions[Action.CREATE], found.drift) == (2, 1, 1, None)
    assert found.report.rejected_by_code == {"name.missing": 1}
    assert [each.reason for each in found.refused] == ["too_many_rejected"]


def test_who_another_hand_created_is_found_in_the_directory(place: Place) -> None:
    """A user that is there needs no create; strangers are counted."""
    place.write("uid,name\nann,Ann\n")

    async def work(target: Target, emulator: Emulator) -> Assessment:
        emulator.seed([b'{"uid":"ann","name":"Ann"}', b'{"uid":"stranger","name":"S"}'])
        return await assessed(place, target, adopt=True)

    found = with_emulator(work)
    assert (found.plan.adopted, found.plan.unchanged) == (1, 1)
    assert found.drift == {"deleted": 0, "deactivated": 0, "reactivated": 0, "replaced": 0, "strangers": 2}


def test_a_state_that_is_not_there_is_not_made(place: Place) -> None:
    """Only `--adopt` begins one."""
    (place.folder / "hr.db").unlink()
    with pytest.raises(JournalError, match="no such state file"):
        asyncio.run(assessed(place))


def test_an_approval_of_strangers_is_refused(place: Place) -> None:
    """Only leavers of tonight can be approved of."""
    (place.folder / "go.csv").write_text("uid\nann\n")
    with pytest.raises(UsageError, match="1 of its uids is no leaver of tonight"):
        asyncio.run(assessed(place, approve=place.folder / "go.csv"))


def test_leavers_who_are_approved_of_do_not_count_as_lacking(place: Place) -> None:
    """Four of twelve are gone: a broken export, unless a person says that they have left, of enough of them by name."""
    live = Live(None, None, Standing.ACTIVE)
    with SyncState(place.folder / "hr.db", APP) as state:
        state.adopt([Adoption(f"u{n}", n + 1, live, None) for n in range(12)], 1.0)
    place.write("uid,name\n" + "".join(f"u{n},N\n" for n in range(4, 12)))

    def lacks_too_many(approved: Sequence[str]) -> bool:
        (place.folder / "go.csv").write_text("\n".join(["uid", *approved]))
        approve = place.folder / "go.csv" if approved else None
        found = asyncio.run(assessed(place, approve=approve))
        return "shrunken_roster" in {each.reason for each in found.refused}

    assert [lacks_too_many(each) for each in ([], ["u0"], ["u0", "u1"], ["u0", "u1", "u2", "u3"])] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_stop_ends_it_early(place: Place) -> None:
    """Nothing was sent, and the state is free again."""
    stopper = Stopper()
    stopper.request(Stop("sigint", "interrupted", ExitCode.SIGINT))
    with pytest.raises(InterruptedEarlyError):
        asyncio.run(assessed(place, stopper=stopper))
    with SyncState(place.folder / "hr.db", APP):
        pass

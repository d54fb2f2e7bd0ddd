"""Rows that say whether their user is deactivated: against a small API, with a kill before and after every step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.journal.columns import MADE, MadeRow
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.model import OnExisting, Outcome, Settlement, State, UserRequest
from provisioner.run.admission import admit
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.parting import Parting
from provisioner.sending.life.steps import Policy
from provisioner.sending.users.failures import DEACTIVATED, GONE
from provisioner.stop import Stopper
from provisioner.tally import Tally
from tests.rig import clock
from tests.rig.clock import START, Told
from tests.rig.slots import an_exchanger

NOW = int(START)
BODY = '{"uid":"ada","name":"Ada"}'
EDITED = '{"uid":"ada","name":"Ada II"}'
SKIP, UPDATE, FAIL = (Policy(each) for each in (OnExisting.SKIP, OnExisting.UPDATE, OnExisting.FAIL))
NOT_FOUND = Reply(status=404, code="ERR_UID_NOT_FOUND", message="There is none.")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Api:
    """One user at most. `did` is what was asked, in order; `name` is null while there is no user."""

    name: str | None = None
    active: bool = True
    created_at: int = NOW + 5
    tokens: int = 0
    did: list[Operation] = field(default_factory=list)
    refuses: Operation | None = None

    def answer(self, operation: Operation, request: UserRequest) -> Reply:
        self.did.append(operation)
        if operation is self.refuses:
            return Reply(status=400, code="ERR_NO", message="No.")
        if operation in {Operation.DEACTIVATE, Operation.REACTIVATE}:
            return self._turn(active=operation is Operation.REACTIVATE)
        if operation is Operation.CREATE:
            return self._create(request)
        if operation is Operation.LIST:
            return Reply(status=200, data={"items": [self.shown] if self.name and not self.active else []})
        if self.name is None or not self.active:
            return NOT_FOUND
        if operation is Operation.FLUSH:
            self.tokens = 0
            return Reply(status=200, data={"success": True})
        if operation is Operation.UPDATE:
            self.name = name_in(request.body.decode())
        if operation is Operation.MINT:
            self.tokens += 1
        return Reply(status=200, data={**self.shown, "authToken": "minted"})

    @property
    def shown(self) -> dict[str, Any]:
        return {"uid": "ada", "name": self.name, "createdAt": self.created_at}

    def _create(self, request: UserRequest) -> Reply:
        if self.name is not None:
            return Reply(status=400, code="ERR_UID_ALREADY_EXISTS", message="It exists.")
        self.name, self.active, self.created_at = name_in(request.body.decode()), True, NOW + 5
        self.tokens += request.token
        return Reply(status=200, data=self.shown | ({"authToken": "first"} if request.token else {}))

    def _turn(self, *, active: bool) -> Reply:
        if self.name is None:
            return Reply(status=200, data={"notFound": ["ada"]})
        done, before = (
            ("reactivatedUids", "nonDeactivatedUids") if active else ("deactivatedUids", "alreadyDeactivatedUids")
        )
        names, self.active = [done if self.active is not active else before], active
        return Reply(status=200, data={names[0]: ["ada"]})


def name_in(body: str) -> str:
    return body.split('"name":"')[1].split('"')[0]


@dataclass
class Job:
    """One row, one journal, one API. Each step of a run may be the one before or after which it is killed."""

    path: Path
    api: Api = field(default_factory=Api)
    policy: Policy = SKIP
    step: int = 0
    killed_at: int = -1

    def run(self, body: str, *, deactivated: bool | None, token: bool = True) -> Settlement | None:
        """Run once: what the row was settled with, None when there was nothing to do for it."""
        self.step = 0
        row = {"row": 1, "uid": "ada", "body": body, "token": token and not deactivated, "deactivated": deactivated}
        row["filled"] = 1
        valid = pl.DataFrame([row], schema_overrides={"deactivated": pl.Boolean})
        with Journal(self.path, Identity("app", "http://h/v3")) as journal:
            (admitted,) = admit(valid, journal, self.policy)
            if not admitted.requests:
                return None
            (request,) = admitted.requests
            journal.sent([request], float(NOW))
            settlement = clock.run(self._settle(request, journal))
            self._point()
            journal.settle([settlement])
            return settlement

    async def _settle(self, request: UserRequest, journal: Journal) -> Settlement:
        async def send(operation: Operation, request: UserRequest, _: str = "") -> Reply:
            self._point()
            reply = self.api.answer(operation, request)
            self._point()
            return reply

        async def confirm(there: Settlement) -> None:
            self._point()
            ours = there.outcome is Outcome.CREATED
            journal.note([MadeRow(there.key, ours, there.attempts, there.created_at, there.mark)], MADE)
            self._point()

        tally = Tally()
        exchanger = an_exchanger(send, Stopper(), tally.requests, 8)
        lifecycle = Lifecycle(exchanger, self.policy, Told(), tally.outcomes)
        async with asyncio.timeout(1000):
            return await Parting(exchanger, lifecycle, self.policy, confirm).settle(request)

    def _point(self) -> None:
        self.step += 1
        if self.step == self.killed_at:
            self.killed_at = -1
            raise Killed


def told(settlement: Settlement | None) -> tuple[str, str | None] | None:
    return settlement and (settlement.outcome.value, settlement.error_code)


def killed_everywhere(path: Path) -> Iterator[Job]:
    """A job for each step before which it is killed, and a last one that is not."""
    for number in range(1, 20):
        folder = path / str(number)
        folder.mkdir()
        yield Job(folder / "j.db", killed_at=number)


def run_to_the_end(job: Job, body: str, *, deactivated: bool) -> tuple[Settlement | None, bool]:
    """Run, and once more after a kill."""
    try:
        return job.run(body, deactivated=deactivated), False
    except Killed:
        return job.run(body, deactivated=deactivated), True


def test_a_user_is_created_and_deactivated_in_one_go(tmp_path: Path) -> None:
    """Without a token, told as created and as deactivated; done once it is done."""
    job = Job(tmp_path / "j.db")
    settlement = job.run(BODY, deactivated=True)
    assert settlement is not None
    assert (told(settlement), settlement.auth_token) == (("created", DEACTIVATED), None)
    assert settlement.error_message == "the user is deactivated, as the roster says"
    assert (job.api.did, job.api.active) == ([Operation.CREATE, Operation.DEACTIVATE], False)
    assert job.run(BODY, deactivated=True) is None


@pytest.mark.slow
def test_a_kill_at_any_step_changes_nothing_of_it(tmp_path: Path) -> None:
    """Created is told as created, though the API finds nobody who is deactivated; and nobody is brought to life."""
    kills = 0
    for job in killed_everywhere(tmp_path):
        settlement, killed = run_to_the_end(job, BODY, deactivated=True)
        kills += killed
        assert (told(settlement), job.api.name, job.api.active) == (("created", DEACTIVATED), "Ada", False)
        assert Operation.REACTIVATE not in job.api.did
        assert job.run(BODY, deactivated=True) is None
    assert kills > 5


@pytest.mark.slow
def test_an_edit_between_two_runs_is_carried_out_whatever_is_killed(tmp_path: Path) -> None:
    """Back with a token and the new name; or deactivated with it, and the token flushed."""
    for number in range(1, 20):
        for first, second in ((True, False), (False, True), (True, True)):
            folder = tmp_path / f"{number}-{first}-{second}"
            folder.mkdir()
            job = Job(folder / "j.db")
            job.run(BODY, deactivated=first)
            job.killed_at = number
            settlement, _ = run_to_the_end(job, EDITED, deactivated=second)
            assert told(settlement) == ("created", DEACTIVATED if second else None)
            assert (job.api.name, job.api.active) == ("Ada II", not second)
            assert (job.api.tokens > 0, bool(settlement and settlement.auth_token)) == (not second, not second)
            assert job.run(EDITED, deactivated=second) is None


def test_the_cell_alone_is_an_edit_too(tmp_path: Path) -> None:
    """The profile is not sent again; without a column nothing is changed of it."""
    job = Job(tmp_path / "j.db")
    job.run(BODY, deactivated=False)
    job.api.did.clear()
    assert told(job.run(BODY, deactivated=True)) == ("created", DEACTIVATED)
    assert job.api.did == [Operation.READ, Operation.FLUSH, Operation.DEACTIVATE]
    assert job.run(BODY, deactivated=None) is None
    assert told(job.run(BODY, deactivated=False)) == ("created", None)
    assert (job.api.active, job.api.tokens) == (True, 1)


@pytest.mark.parametrize(
    ("policy", "expected", "active"),
    [(SKIP, ("existing", None), True), (FAIL, ("failed", "ERR_UID_ALREADY_EXISTS"), True)],
)
def test_a_user_who_was_there_stays_as_the_policy_says(
    tmp_path: Path, policy: Policy, expected: tuple[str, str | None], active: bool
) -> None:
    """It is somebody else's: not deactivated, unless it is to be brought up to date."""
    job = Job(tmp_path / "j.db", Api("Old", created_at=NOW - 10**6, tokens=2), policy)
    assert told(job.run(BODY, deactivated=True)) == expected
    assert (job.api.active, job.api.tokens) == (active, 2)


@pytest.mark.slow
def test_a_user_who_was_there_is_deactivated_by_an_update_and_comes_back_by_one(tmp_path: Path) -> None:
    """Its auth tokens are flushed first; a kill at any step changes nothing of what is told."""
    for number in range(1, 20):
        folder = tmp_path / str(number)
        folder.mkdir()
        job = Job(folder / "j.db", Api("Old", created_at=NOW - 10**6, tokens=2), UPDATE, killed_at=number)
        settlement, _ = run_to_the_end(job, BODY, deactivated=True)
        assert (told(settlement), job.api.active, job.api.tokens) == (("updated", DEACTIVATED), False, 0)
        assert job.run(BODY, deactivated=True) is None
        job.killed_at = number
        settlement, _ = run_to_the_end(job, BODY, deactivated=False)
        assert (told(settlement), job.api.active) == (("updated", None), True)
        assert job.run(BODY, deactivated=False) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "body", "expected"),
    [
        (SKIP, BODY, ("updated", None)),
        (SKIP, EDITED, ("existing", None)),
        (FAIL, BODY, ("failed", "ERR_UID_ALREADY_EXISTS")),
    ],
)
def test_whom_this_job_has_deactivated_comes_back_whatever_is_asked_for_users_of_others(
    tmp_path: Path, policy: Policy, body: str, expected: tuple[str, str | None]
) -> None:
    """The cell says so, and the profile stays; a kill at any step leaves nobody deactivated."""
    for number in range(1, 10):
        folder = tmp_path / str(number)
        folder.mkdir()
        job = Job(folder / "j.db", Api("Old", created_at=NOW - 10**6), UPDATE)
        assert told(job.run(BODY, deactivated=True)) == ("updated", DEACTIVATED)
        job.policy, job.killed_at = policy, number
        settlement, killed = run_to_the_end(job, body, deactivated=False)
        # After a kill nothing but a create tells whose user it is.
        assert told(settlement) == (("existing", None) if killed and policy is SKIP else expected)
        assert (job.api.name, job.api.active) == ("Ada", True)
        job.api.did.clear()
        assert told(job.run(body, deactivated=False)) == (None if policy is SKIP else expected)
        assert Operation.REACTIVATE not in job.api.did


@pytest.mark.parametrize("policy", [SKIP, UPDATE])
def test_whom_another_hand_had_deactivated_is_as_the_roster_says(tmp_path: Path, policy: Policy) -> None:
    """Nothing is done, and it is no advice to reactivate anybody; asked for as active, it is told as ever."""
    job = Job(tmp_path / "j.db", Api("Old", active=False, created_at=NOW - 10**6), policy)
    settlement = job.run(BODY, deactivated=True)
    if policy is UPDATE:
        assert told(settlement) == ("existing", DEACTIVATED)
        assert settlement is not None
        assert settlement.error_message == "the user is deactivated, as the roster says"
    else:
        assert told(settlement) == ("existing", None)
    assert job.api.active is False


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (Operation.DEACTIVATE, "the user is there, but could not be deactivated: No."),
        (
            Operation.FLUSH,
            "the user is there, but its auth tokens could not be flushed, so it is not deactivated yet: No.",
        ),
    ],
)
def test_what_is_refused_is_tried_again_by_the_next_run(tmp_path: Path, refused: Operation, words: str) -> None:
    """Failed in the API's words, the user created all the same; the next run does the rest and no more."""
    job = Job(tmp_path / "j.db")
    if refused is Operation.FLUSH:
        job.run(BODY, deactivated=False)
    job.api.refuses = refused
    settlement = job.run(BODY, deactivated=True)
    assert settlement is not None
    assert (settlement.state, settlement.outcome, settlement.error_message) == (State.SETTLED, Outcome.FAILED, words)
    job.api.refuses = None
    job.api.did.clear()
    assert told(job.run(BODY, deactivated=True)) == ("created", DEACTIVATED)
    assert job.api.did == [Operation.READ, Operation.FLUSH, Operation.DEACTIVATE]


def test_a_user_who_is_gone_by_then_is_told(tmp_path: Path) -> None:
    """Another hand has deleted it between the create and the deactivation."""
    job = Job(tmp_path / "j.db", killed_at=5)
    with pytest.raises(Killed):
        job.run(BODY, deactivated=True)
    job.api.name = None
    assert told(job.run(BODY, deactivated=True)) == ("failed", GONE)

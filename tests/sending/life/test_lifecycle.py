"""Every way through the drawing in lifecycle.py, and exchange.py under it, with a scripted API and a virtual clock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from enum import Enum, auto
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import ExitCode
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.model import AuthTokens, OnExisting, Outcome, Past, Settlement, State, UserRequest
from provisioner.run.admission import admit
from provisioner.sending import attempts
from provisioner.sending import serverclock as server_clock
from provisioner.sending.attempts import Exchanger, OutageTimer
from provisioner.sending.calls import Failure, Operation, Reply
from provisioner.sending.life import row as life_row
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.steps import Policy
from provisioner.sending.retry import Waits
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users import failures
from provisioner.sending.users.reading import Shown
from provisioner.sending.verdicts import Verdict
from provisioner.stop import Stop, Stopper
from provisioner.tally import Tally
from tests.rig import clock
from tests.rig.clock import START, Told
from tests.rig.sampling import examples
from tests.rig.slots import enough_slots

CREATE, READ, UPDATE, MINT = Operation.CREATE, Operation.READ, Operation.UPDATE, Operation.MINT
# Where the wall clock stands when a test begins, UNIX seconds: late in a second, where roundings show.
NOW = int(START)
LONG_AGO = NOW - 86_400

ADA = UserRequest(key=7, row=3, uid="ada", body=b'{"uid":"ada","name":"Ada"}', body_hash="0" * 16, token=False)
ADA_WITH_TOKEN = ADA._replace(token=True)

LOST = Reply(failure=Failure.LOST, message="connection lost")
UNREACHED = Reply(failure=Failure.UNREACHED, message="cannot connect")
OOPS = Reply(status=500, code="ERR_EXCEPTION", message="Oops.")
LIMITED = Reply(status=429, code="ERR_TOO_MANY_REQUESTS", message="Slow.", retry_after=1.0)
EXISTS = Reply(status=400, code="ERR_UID_ALREADY_EXISTS", message="The uid ada already exists.")
NOT_FOUND = Reply(status=404, code="ERR_UID_NOT_FOUND", message="The UID ada does not exist.")
WRONG_KEY = Reply(status=401, code="AUTH_ERR_APIKEY_NOT_FOUND", message="The key *** does not exist.")
REFUSED = Reply(
    status=400,
    code="ERR_BAD_REQUEST",
    message="Failed to validate.",
    details={"role": ["The role is invalid.", "Bad."]},
)

SKIP, UPDATING, FAIL = (Policy(on_existing=each) for each in (OnExisting.SKIP, OnExisting.UPDATE, OnExisting.FAIL))


def user(created_at: int | None = NOW, token: str | None = None) -> Reply:
    data: dict[str, Any] = {"uid": "ada", "name": "Ada"}
    data |= {} if created_at is None else {"createdAt": created_at}
    return Reply(status=200, data=data | ({} if token is None else {"authToken": token}))


MINTED = Reply(status=201, data={"uid": "ada", "authToken": "minted", "createdAt": NOW + 50})


@dataclass
class Noting:
    """Keeps nothing but what it was told, and what had been sent by then."""

    world: World
    noted: list[tuple[str, list[Operation]]] = field(default_factory=list)

    async def before_update(
        self, request: UserRequest, *, own: bool, shown: Shown | None = None
    ) -> tuple[Verdict | None, Reply]:
        assert shown is None or shown.verdict is Verdict.DONE
        self._note("own" if own else "kept", request)
        return Verdict.DONE, Reply()

    async def begin_anew(self, request: UserRequest) -> None:
        self._note("anew", request)

    async def begin_back(self, request: UserRequest, *, away: bool) -> None:
        self._note("begun" if away else "begun there", request)

    def _note(self, what: str, request: UserRequest) -> None:
        assert request.uid == ADA.uid
        self.noted.append((what, self.world.operations))


@dataclass
class World:
    """One run: what the API answers in turn, and what the run did. Times are seconds since its beginning."""

    answers: Sequence[Reply] = ()
    policy: Policy = SKIP
    waits: Waits = field(default_factory=Waits)
    max_attempts: int = 8
    jitter: float = 1.0
    per_minute: float = 60_000
    server_clock: ServerClock = field(default_factory=Told)
    stopper: Stopper = field(default_factory=Stopper)
    tally: Tally = field(default_factory=Tally)
    sent: list[tuple[float, Operation]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    began: float = 0.0
    keeper: Noting | None = None

    @property
    def operations(self) -> list[Operation]:
        return [operation for _, operation in self.sent]

    @property
    def elapsed(self) -> float:
        return clock.now() - self.began

    async def send(self, operation: Operation, request: UserRequest, _: str = "") -> Reply:
        assert request.uid == ADA.uid
        self.sent.append((round(self.elapsed, 2), operation))
        self.bodies.append(request.body)
        return self.answers[len(self.sent) - 1]

    def open(self) -> Lifecycle:
        """Put a lifecycle together as the pipeline does."""
        self.pacing = enough_slots(self.per_minute, self.jitter, self.waits)
        outage = OutageTimer(60.0, self.stopper)
        exchanger = Exchanger(
            self.send,
            self.pacing,
            self.stopper,
            self.tally.requests,
            self.waits,
            outage,
            lambda: self.jitter,
            self.max_attempts,
        )
        return Lifecycle(exchanger, self.policy, self.server_clock, self.tally.outcomes, self.keeper)

    def settle(self, request: UserRequest = ADA, *, stop_after: float | None = None) -> Settlement:
        """Carry one row as far as it goes; `settled_at` and `doubt_since` come back as seconds since START."""
        return clock.run(self.settle_all([request], stop_after=stop_after))[0]

    async def settle_all(self, requests: Sequence[UserRequest], *, stop_after: float | None = None) -> list[Settlement]:
        self.began = clock.now()
        rows = self.open()
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, self.stopper.request, INTERRUPTED)
        async with asyncio.timeout(100_000):
            with self.stopper.on_stop(lambda _: self.pacing.close()):
                return [_relative(each) for each in await asyncio.gather(*(rows.settle(each) for each in requests))]


INTERRUPTED = Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT)


def _relative(settlement: Settlement) -> Settlement:
    def since_start(moment: float | None) -> float | None:
        return None if moment is None else round(moment - START, 2)

    times = since_start(settlement.settled_at), since_start(settlement.doubt_since)
    return settlement._replace(settled_at=times[0], doubt_since=times[1])


@pytest.fixture(autouse=True)
def _virtual_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (attempts, failures, life_row, server_clock):
        monkeypatch.setattr(module, "time", clock.clocks())


def settled(outcome: Outcome, **more: Any) -> Settlement:
    return Settlement(ADA.key, State.SETTLED, outcome, **{"attempts": 1, "settled_at": 0.0, **more})


def pending(**more: Any) -> Settlement:
    return Settlement(ADA.key, State.PENDING, Outcome.PENDING, **{"attempts": 0, **more})


# --- created, refused, in doubt ----------------------------------------------------------------------------------


def test_a_create_that_is_answered_is_created() -> None:
    """One request; the server's time of creation, ours of the settling."""
    world = World([user(created_at=NOW + 2)])
    assert world.settle() == settled(Outcome.CREATED, http_status=200, created_at=NOW + 2)
    assert world.sent == [(0.0, CREATE)]
    assert (world.tally.requests.sent, world.tally.requests.retries) == (1, 0)


def test_the_token_comes_with_the_create() -> None:
    """No second request for it."""
    world = World([user(token="ada_1")])
    expected = settled(Outcome.CREATED, http_status=200, created_at=NOW, auth_token="ada_1")
    assert (world.settle(ADA_WITH_TOKEN), world.operations) == (expected, [CREATE])


@pytest.mark.parametrize("created_at", [2**63, 2**64 - 1, 1e300])
def test_a_time_of_creation_that_cannot_be_is_left_out(created_at: Any) -> None:
    """A number the journal cannot hold is no time; the user is created all the same."""
    assert World([user(created_at)]).settle() == settled(Outcome.CREATED, http_status=200)


@pytest.mark.parametrize(
    ("reply", "code", "message", "drift"),
    [
        (REFUSED, "ERR_BAD_REQUEST", "Failed to validate. [role: The role is invalid. Bad.]", {"role": 1}),
        (REFUSED._replace(details={"role": "bad"}), "ERR_BAD_REQUEST", "Failed to validate. [role: bad]", {"role": 1}),
        (Reply(status=413, code="ERR_X", message="Too big."), "ERR_X", "Too big.", {"body": 1}),
        (Reply(status=422, code="ERR_X", message="No."), "ERR_X", "No.", {"unknown": 1}),
        (Reply(status=418, code="ERR_X", message="Teapot."), "ERR_X", "Teapot.", {}),
        (Reply(status=410, code="ERR_GONE"), "ERR_GONE", "", {}),
        (
            Reply(
                status=400, code="ERR_BAD_REQUEST", message="No.", details={"tags.0": ["x"], "tags.1": "y", "name": []}
            ),
            "ERR_BAD_REQUEST",
            "No. [tags.0: x; tags.1: y; name: ]",
            {"name": 1, "tags": 1},
        ),
    ],
)
def test_a_refused_row_has_failed_with_the_servers_words(
    reply: Reply, code: str, message: str, drift: dict[str, int]
) -> None:
    """No retry; and what our rules should have caught counts as drift, by field."""
    world = World([reply])
    expected = settled(Outcome.FAILED, http_status=reply.status, error_code=code, error_message=message)
    assert (world.settle(), world.operations) == (expected, [CREATE])
    assert world.tally.outcomes.drift == drift


BARE = Reply(status=400, message="HTTP 400 without an explanation")


@pytest.mark.parametrize("lost", [LOST, OOPS, Reply(status=502, message="HTTP 502"), user()._replace(data={}), BARE])
def test_an_answer_in_doubt_is_asked_for_again(lost: Reply) -> None:
    """After the back-off; what was in doubt is settled by a create that is answered."""
    world = World([lost, lost, user()])
    assert world.settle() == settled(Outcome.CREATED, attempts=3, http_status=200, created_at=NOW, settled_at=3.0)
    assert world.sent == [(0.0, CREATE), (1.0, CREATE), (3.0, CREATE)]
    assert (world.tally.requests.sent, world.tally.requests.retries) == (3, 2)


def test_doubt_ends_after_eight_attempts_and_is_kept() -> None:
    """Failed, and in doubt since the first of them: the next run can still tell whose user it is."""
    world = World([LOST] * 7 + [OOPS])
    assert world.settle() == settled(
        Outcome.FAILED,
        attempts=8,
        http_status=500,
        error_code="ERR_EXCEPTION",
        error_message="no believable answer in 8 attempts (Oops.); run again",
        settled_at=91.0,
        doubt_since=0.0,
    )
    assert [at for at, _ in world.sent] == [0, 1, 3, 7, 15, 31, 61, 91]


def test_doubt_without_a_code_has_a_code_of_ours() -> None:
    """So that failed rows can be counted by it."""
    expected = settled(
        Outcome.FAILED,
        error_code="in_doubt",
        error_message="no believable answer in 1 attempts (connection lost); run again",
        doubt_since=0.0,
    )
    assert World([LOST], max_attempts=1).settle() == expected


def test_an_answer_that_was_not_believed_is_told_with_the_reason() -> None:
    """Not with nothing: such an answer has no words of its own."""
    expected = settled(
        Outcome.FAILED,
        http_status=200,
        error_code="in_doubt",
        error_message="no believable answer in 1 attempts (the answer is about another uid); run again",
        doubt_since=0.0,
    )
    assert World([Reply(status=200, data={"uid": "somebody"})], max_attempts=1).settle() == expected


def test_a_refusal_after_doubt_keeps_the_doubt() -> None:
    """The first attempt may have created the user, whatever is said of the second."""
    settlement = World([LOST, REFUSED]).settle()
    assert (settlement.outcome, settlement.doubt_since, settlement.attempts) == (Outcome.FAILED, 0.0, 2)


def test_doubt_dates_from_the_first_attempt_that_was_in_doubt() -> None:
    """Not from a request that was turned away or never left before it."""
    settlement = World([LIMITED, UNREACHED, LOST, REFUSED]).settle()
    assert settlement.doubt_since == 2.0


# --- exists: whose is it? ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [LOST, OOPS])
def test_a_user_of_ours_whose_answer_was_lost_is_created(lost: Reply) -> None:
    """The retry says it exists, reading it back says since when: since our attempt."""
    world = World([lost, EXISTS, user()])
    expected = settled(Outcome.CREATED, attempts=2, http_status=200, created_at=NOW, settled_at=1.0)
    assert (world.settle(), world.operations) == (expected, [CREATE, CREATE, READ])


def test_a_token_that_was_lost_is_minted() -> None:
    """The create that got through has made one, but its answer is gone."""
    world = World([LOST, EXISTS, user(), MINTED])
    assert world.settle(ADA_WITH_TOKEN) == settled(
        Outcome.CREATED, attempts=2, http_status=201, created_at=NOW, auth_token="minted", settled_at=1.0
    )
    assert world.operations == [CREATE, CREATE, READ, MINT]


@pytest.mark.parametrize(
    ("created_at", "outcome"),
    [(NOW - 1, Outcome.EXISTING), (NOW, Outcome.CREATED), (NOW + 1, Outcome.CREATED), (None, Outcome.EXISTING)],
)
def test_the_second_of_the_first_attempt_decides(created_at: int | None, outcome: Outcome) -> None:
    """The server counts whole seconds: a user made in the one in which we began is ours."""
    world = World([LOST, EXISTS, user(created_at)])
    settlement = world.settle()
    assert (settlement.outcome, settlement.created_at, settlement.doubt_since) == (outcome, created_at, None)


def a_clock(offset: float) -> ServerClock:
    clock = ServerClock()
    there = math.floor(START)
    clock.learn(formatdate(there, usegmt=True), there - offset - START + 1000.0)
    return clock


@pytest.mark.parametrize("ahead", [-3600.0, -300.0, 0.0, 300.0, 3600.0])
@pytest.mark.parametrize("behind_by", [0.0, 0.99])
def test_two_clocks_may_stand_minutes_apart(ahead: float, behind_by: float) -> None:
    """Ours and older users are told apart by the server's clock, known to the second."""
    outcomes = []
    for age in (-1, 0, 3):
        # A Date cut to whole seconds, read a little late: the bound is that much low.
        clock = a_clock(ahead - behind_by)
        created_at = math.floor(START + ahead) - age
        outcomes.append(World([LOST, EXISTS, user(created_at)], server_clock=clock).settle().outcome)
    assert outcomes == [Outcome.CREATED, Outcome.CREATED, Outcome.EXISTING]


DOUBTFUL = Past(State.SENT, Outcome.PENDING, attempts=2, doubt_since=START - 600)


@pytest.mark.parametrize(
    ("created_at", "outcome"), [(NOW - 600, Outcome.CREATED), (NOW - 601, Outcome.EXISTING), (NOW, Outcome.CREATED)]
)
def test_doubt_of_an_earlier_run_counts(created_at: int, outcome: Outcome) -> None:
    """A run that was killed with the request on the wire: its first attempt is the mark, and its attempts count."""
    world = World([EXISTS, user(created_at)])
    settlement = world.settle(ADA._replace(past=DOUBTFUL))
    assert (settlement.outcome, settlement.attempts, world.operations) == (outcome, 3, [CREATE, READ])


def test_an_earlier_doubt_is_not_replaced_by_a_later_one() -> None:
    """In doubt then, in doubt now: since then."""
    settlement = World([LOST], max_attempts=1).settle(ADA._replace(past=DOUBTFUL))
    assert (settlement.doubt_since, settlement.attempts) == (-600.0, 3)


def test_a_connection_that_was_never_made_leaves_no_doubt() -> None:
    """Nor does a 429: who exists after it was there before."""
    world = World([UNREACHED, LIMITED, EXISTS])
    assert world.settle() == settled(Outcome.EXISTING, http_status=400, settled_at=2.0)
    assert world.operations == [CREATE, CREATE, CREATE]


def test_an_older_user_is_treated_as_on_existing_says() -> None:
    """Doubt resolved to "not ours" goes the way of any user that was there before."""
    older = [LOST, EXISTS, user(LONG_AGO)]
    settlements = [World([*older, user(LONG_AGO)], policy).settle() for policy in (SKIP, UPDATING, FAIL)]
    assert [(each.outcome, each.doubt_since) for each in settlements] == [
        (Outcome.EXISTING, None),
        (Outcome.UPDATED, None),
        (Outcome.FAILED, None),
    ]


DEACTIVATED = "the uid belongs to a deactivated user; reactivate it, or delete it for good and feed this row in anew"


def test_a_taken_uid_that_cannot_be_read_belongs_to_a_deactivated_user() -> None:
    """Existing, with a code to find such rows by; no doubt is left."""
    assert World([LOST, EXISTS, NOT_FOUND]).settle() == settled(
        Outcome.EXISTING,
        attempts=2,
        http_status=400,
        error_code="deactivated",
        error_message=DEACTIVATED,
        settled_at=1.0,
    )


def test_a_deactivated_user_fails_a_row_where_existing_ones_do() -> None:
    """With `--on-existing fail` no row is settled as existing, whatever told that the user is there."""
    settlement = World([LOST, EXISTS, NOT_FOUND], Policy(OnExisting.FAIL)).settle()
    assert (settlement.outcome, settlement.error_code) == (Outcome.FAILED, "deactivated")


@pytest.mark.parametrize(
    ("policy", "token"),
    [(UPDATING, False), (Policy(auth_tokens=AuthTokens.ALL), True)],
    ids=["updating", "minting"],
)
def test_a_deactivated_user_is_found_by_updating_and_minting_too(policy: Policy, token: bool) -> None:
    """The 404 says it wherever it comes."""
    settlement = World([EXISTS, NOT_FOUND], policy).settle(ADA._replace(token=token))
    assert settlement == settled(
        Outcome.EXISTING, attempts=settlement.attempts, http_status=404, error_code="deactivated",
        error_message=DEACTIVATED,
    )  # fmt: skip


@pytest.mark.parametrize("last", [LOST, REFUSED, Reply(status=404, message="HTTP 404")])
def test_a_user_that_cannot_be_read_stays_in_doubt(last: Reply) -> None:
    """Failed for now; a page of a proxy is no proof that the user is not there."""
    settlement = World([EXISTS, last], max_attempts=1).settle(ADA._replace(past=DOUBTFUL))
    assert (settlement.outcome, settlement.doubt_since) == (Outcome.FAILED, -600.0)


# --- was there before --------------------------------------------------------------------------------------------

ALL = AuthTokens.ALL


@pytest.mark.parametrize(
    ("policy", "answers", "expected", "operations"),
    [
        (SKIP, [EXISTS], settled(Outcome.EXISTING, http_status=400), [CREATE]),
        (
            UPDATING,
            [EXISTS, user(LONG_AGO)],
            settled(Outcome.UPDATED, attempts=2, http_status=200, created_at=LONG_AGO),
            [CREATE, UPDATE],
        ),
        (
            FAIL,
            [EXISTS],
            settled(
                Outcome.FAILED,
                http_status=400,
                error_code="ERR_UID_ALREADY_EXISTS",
                error_message="the uid exists already, and --on-existing is fail",
            ),
            [CREATE],
        ),
        (
            Policy(auth_tokens=ALL),
            [EXISTS, MINTED],
            settled(Outcome.EXISTING, http_status=201, auth_token="minted"),
            [CREATE, MINT],
        ),
        (
            Policy(OnExisting.UPDATE, ALL),
            [EXISTS, user(LONG_AGO), MINTED],
            settled(Outcome.UPDATED, attempts=2, http_status=201, created_at=LONG_AGO, auth_token="minted"),
            [CREATE, UPDATE, MINT],
        ),
    ],
    ids=["skip", "update", "fail", "skip, all tokens", "update, all tokens"],
)
def test_a_user_that_was_there_before(
    policy: Policy, answers: list[Reply], expected: Settlement, operations: list[Operation]
) -> None:
    """Without doubt nothing is read back, and only `--auth-tokens all` mints for it."""
    world = World(answers, policy)
    assert (world.settle(ADA_WITH_TOKEN), world.operations) == (expected, operations)


@pytest.mark.parametrize(
    "exists", [EXISTS, Reply(status=409), REFUSED._replace(details={"uid": ["already been taken"]})]
)
def test_every_form_of_the_duplicate_answer_is_understood(exists: Reply) -> None:
    """Today's, the older one, and the 409 that everyone expects."""
    assert World([exists]).settle() == settled(Outcome.EXISTING, http_status=exists.status)


@pytest.mark.parametrize("policy", [Policy(OnExisting.SKIP, ALL), Policy(OnExisting.UPDATE, ALL)])
def test_no_token_is_minted_for_a_row_that_wants_none(policy: Policy) -> None:
    """A row's own "no" wins over `--auth-tokens all`."""
    world = World([EXISTS, user()], policy)
    world.settle(ADA)
    assert MINT not in world.operations


WITH_TOKEN = Past(State.PENDING, Outcome.PENDING, attempts=1, auth_token="old", doubt_since=START - 600)


@pytest.mark.parametrize(
    ("answers", "past"),
    [
        ([EXISTS, user()], WITH_TOKEN),
        ([EXISTS, user(LONG_AGO)], WITH_TOKEN),
        ([EXISTS], Past(State.SETTLED, Outcome.FAILED, attempts=1, auth_token="old")),
        (
            [user(), user()],
            Past(State.SETTLED, Outcome.CREATED, attempts=1, auth_token="old", changed=True, ours=True),
        ),
    ],
    ids=["ours", "another's", "was there before", "edited"],
)
def test_a_token_that_is_recorded_is_never_minted_again(answers: list[Reply], past: Past) -> None:
    """It stays recorded, whatever the row's outcome, and takes no second of its user's hundred slots."""
    world = World(answers, Policy(auth_tokens=ALL))
    settlement = world.settle(ADA_WITH_TOKEN._replace(past=past))
    assert (settlement.auth_token, MINT in world.operations) == ("old", False)


def test_a_create_after_a_recorded_token_keeps_the_newer_one() -> None:
    """The user had gone meanwhile: the token of the new one counts."""
    past = Past(State.PENDING, Outcome.PENDING, auth_token="old")
    assert World([user(token="new")]).settle(ADA_WITH_TOKEN._replace(past=past)).auth_token == "new"


def test_a_mint_that_fails_leaves_the_row_to_the_next_run() -> None:
    """The user is there, and said to be; the doubt stays, so that the next run still calls it created."""
    world = World([LOST, EXISTS, user(), REFUSED])
    assert world.settle(ADA_WITH_TOKEN) == settled(
        Outcome.FAILED,
        attempts=2,
        http_status=400,
        error_code="ERR_BAD_REQUEST",
        error_message="the user is there, but no auth token could be minted: "
        "Failed to validate. [role: The role is invalid. Bad.]",
        settled_at=1.0,
        doubt_since=0.0,
    )
    again = World([EXISTS, user(NOW), MINTED])
    past = Past(State.SETTLED, Outcome.FAILED, attempts=2, doubt_since=START)
    assert again.settle(ADA_WITH_TOKEN._replace(past=past)).outcome is Outcome.CREATED


def test_a_user_of_ours_stays_ours_when_the_mint_does_not_find_it() -> None:
    """Promise 3: it has just been read back as ours, so whatever the 404 means, `existing` is not true."""
    settlement = World([LOST, EXISTS, user(), NOT_FOUND]).settle(ADA_WITH_TOKEN)
    assert settlement.outcome is not Outcome.EXISTING


@pytest.mark.parametrize("lost", [LOST, user()])
def test_a_mint_without_a_token_in_its_answer_is_tried_again(lost: Reply) -> None:
    """It counts no attempt of the row: those are creates and updates."""
    world = World([EXISTS, lost, MINTED], Policy(auth_tokens=ALL))
    settlement = world.settle(ADA_WITH_TOKEN)
    assert (settlement.auth_token, settlement.attempts) == ("minted", 1)
    assert world.operations == [CREATE, MINT, MINT]


def test_an_update_in_doubt_is_tried_again_and_leaves_no_doubt() -> None:
    """To update twice is to update once; whose user it is was known before. An undo is told that it may come late."""
    settlement = World([EXISTS, LOST, user(LONG_AGO)], UPDATING).settle()
    assert (settlement.outcome, settlement.doubt_since, settlement.doubted) == (Outcome.UPDATED, None, True)
    assert World([EXISTS, user(LONG_AGO)], UPDATING).settle().doubted is False
    failed = World([EXISTS, LOST, LOST], UPDATING, max_attempts=2).settle()
    assert (failed.outcome, failed.error_code, failed.doubt_since) == (Outcome.FAILED, "in_doubt", None)


@pytest.mark.parametrize(
    "reply", [REFUSED, Reply(status=409, code="ERR_X"), Reply(status=404, code="ERR_ROLE_NOT_FOUND")]
)
def test_an_update_that_is_refused_has_failed(reply: Reply) -> None:
    """With the server's code."""
    settlement = World([EXISTS, reply], UPDATING).settle()
    assert (settlement.outcome, settlement.error_code) == (Outcome.FAILED, reply.code)


# --- settled before, changed since -------------------------------------------------------------------------------


def changed(**more: Any) -> UserRequest:
    past = Past(State.SETTLED, Outcome.EXISTING, attempts=1, created_at=LONG_AGO, changed=True, **more)
    return ADA_WITH_TOKEN._replace(past=past)


@pytest.mark.parametrize(
    ("policy", "answers", "expected", "operations"),
    [
        (SKIP, [], settled(Outcome.EXISTING, created_at=LONG_AGO), []),
        (
            UPDATING,
            [user(LONG_AGO)],
            settled(Outcome.UPDATED, attempts=2, http_status=200, created_at=LONG_AGO),
            [UPDATE],
        ),
        (UPDATING, [user(None)], settled(Outcome.UPDATED, attempts=2, http_status=200, created_at=LONG_AGO), [UPDATE]),
        (
            FAIL,
            [EXISTS],
            settled(
                Outcome.FAILED,
                attempts=2,
                http_status=400,
                error_code="ERR_UID_ALREADY_EXISTS",
                error_message="the uid exists already, and --on-existing is fail",
                created_at=LONG_AGO,
            ),
            [CREATE],
        ),
        (
            Policy(auth_tokens=ALL),
            [MINTED],
            settled(Outcome.EXISTING, http_status=201, created_at=LONG_AGO, auth_token="minted"),
            [MINT],
        ),
    ],
    ids=["skip", "update", "update, no time told", "fail", "skip, all tokens"],
)
def test_a_row_that_was_settled_as_there_before_is_not_created_again(
    policy: Policy, answers: list[Reply], expected: Settlement, operations: list[Operation]
) -> None:
    """We know, so there is nothing to ask; only who wants such a row to fail has it tried once more."""
    world = World(answers, policy)
    assert (world.settle(changed()), world.operations) == (expected, operations)


def test_a_row_in_doubt_that_has_changed_since_is_brought_up_to_date(tmp_path: Path) -> None:
    """Killed while creating Ada, the roster then mended to Ada Lovelace: it is ours, but still called Ada there."""
    with Journal(tmp_path / "j.db", Identity("app", "http://127.0.0.1/v3")) as journal:
        journal.sent([ADA], now=START - 600)
    mended = '{"uid":"ada","name":"Ada Lovelace"}'
    valid = pl.DataFrame({"row": [3], "uid": ["ada"], "body": [mended], "token": [False], "deactivated": [None]})
    valid = valid.with_columns(filled=1)
    with Journal(tmp_path / "j.db", Identity("app", "http://127.0.0.1/v3")) as journal:
        [part] = admit(valid, journal, SKIP)
    world = World([EXISTS, user(NOW - 600), user(NOW - 600)])
    assert world.settle(part.requests[0]).outcome is Outcome.CREATED
    assert (world.operations, world.tally.outcomes.edited) == ([CREATE, READ, UPDATE], 1)


def ours(state: State = State.SETTLED, outcome: Outcome = Outcome.CREATED, **more: Any) -> UserRequest:
    """A row whose user an earlier run of the job created."""
    past = Past(state, outcome, 1, created_at=LONG_AGO, ours=True, **{"auth_token": "old", **more})
    return ADA_WITH_TOKEN._replace(past=past)


EDITED = settled(Outcome.CREATED, attempts=2, http_status=200, created_at=LONG_AGO, auth_token="old")


@pytest.mark.parametrize("policy", [SKIP, UPDATING, FAIL, Policy(auth_tokens=ALL)])
@pytest.mark.parametrize(
    "request_",
    [
        ours(changed=True),
        # An edit that was cut short by a kill, failed or was stopped; whatever is thought to be in doubt then.
        ours(State.SENT, Outcome.PENDING, doubt_since=START - 60, changed=True),
        ours(State.SETTLED, Outcome.FAILED, changed=True),
        ours(State.PENDING, Outcome.PENDING, changed=True),
    ],
    ids=["edited", "killed", "failed", "stopped"],
)
def test_a_user_of_ours_whose_row_was_edited_is_brought_up_to_date(policy: Policy, request_: UserRequest) -> None:
    """By one PUT whatever `--on-existing` says, once it is seen that it is that user still: it stays created."""
    world = World([user(LONG_AGO), user(NOW)], policy)
    assert (world.settle(request_), world.operations) == (EDITED, [READ, UPDATE])
    assert world.tally.outcomes.edited == 1


def listed(*users: Reply) -> Reply:
    """A list of the deactivated."""
    return Reply(status=200, data={"items": [each.data for each in users]})


def shown(created_at: int, *times: int) -> Reply:
    """Ada as the API shows her: created, changed, deactivated."""
    there = user(created_at)
    return there._replace(data={**(there.data or {}), **dict(zip(("updatedAt", "deactivatedAt"), times, strict=False))})


EMPTYING = Policy(managed=frozenset({"uid", "name", "avatar", "role"}))
BACK = Reply(status=200, data={"reactivatedUids": [ADA.uid]})
EMPTIED = ADA.body[:-1] + b',"role":"default","unset":["avatar"]}'


@pytest.mark.parametrize(
    ("answers", "request_", "bodies"),
    [
        ([user(LONG_AGO), user(NOW)], ours(changed=True), [ADA.body, EMPTIED]),
        ([user(LONG_AGO), user(NOW)], ours(State.SENT, Outcome.PENDING, changed=True), [ADA.body, EMPTIED]),
        (
            [listed(user(LONG_AGO)), BACK, user(NOW), MINTED],
            ours(State.PENDING, Outcome.PENDING, withdrawn=True),
            [ADA.body, ADA.body, EMPTIED, ADA.body],
        ),
        # Deleted for good since: there is nothing to be emptied.
        (
            [listed(), NOT_FOUND, NOT_FOUND, user(NOW, "new")],
            ours(State.PENDING, Outcome.PENDING, withdrawn=True),
            [ADA.body] * 4,
        ),
    ],
    ids=["edited", "killed", "undone", "deleted"],
)
def test_what_was_emptied_goes_from_a_user_of_ours(
    answers: list[Reply], request_: UserRequest, bodies: list[bytes]
) -> None:
    """The update says so of every field that the roster has a source for and the row nothing."""
    world = World(answers, EMPTYING)
    assert world.settle(request_).outcome is Outcome.CREATED
    assert world.bodies == bodies


@pytest.mark.parametrize(
    ("before", "filled", "body", "left"),
    [
        # name, avatar, link, role, statusMessage, metadata, tags: from the lowest bit on
        (0b0000001, 0b0000001, ADA.body, ("", 0b0000001)),
        (0b0000011, 0b0000001, ADA.body[:-1] + b',"unset":["avatar"]}', ("", 0b0000001)),
        (0b0001001, 0b0000001, ADA.body[:-1] + b',"role":"default"}', ("", 0b0000001)),
        (0b1100001, 0b0000001, ADA.body, ("+56", 0b1100001)),
        (0b0010001, 0b0000001, ADA.body, ("", 0b0010001)),
    ],
    ids=["nothing", "the avatar", "the role", "fields without a column", "what cannot be emptied"],
)
def test_only_what_this_job_has_filled_is_emptied(before: int, filled: int, body: bytes, left: tuple[str, int]) -> None:
    """A photo, a role or tags that somebody has given the user since stay; that is remembered for the next edit."""
    world = World([user(LONG_AGO), user(NOW)], EMPTYING)
    world.keeper = Noting(world)
    settlement = world.settle(ours(changed=True, filled=before)._replace(filled=filled))
    assert world.bodies == [ADA.body, body]
    assert (settlement.besides, settlement.filled) == left


@pytest.mark.parametrize(
    ("answers", "filled"),
    [([user(LONG_AGO), REFUSED], 1), ([NOT_FOUND], 1), ([user(LONG_AGO), *[LOST] * 8], None)],
    ids=["refused", "gone", "in doubt"],
)
def test_what_was_refused_has_filled_nothing(answers: list[Reply], filled: int | None) -> None:
    """What somebody gives the user then is not taken for ours; an update in doubt may have been carried out."""
    world = World(answers, EMPTYING)
    world.keeper = Noting(world)
    settlement = world.settle(ours(changed=True, filled=1)._replace(filled=3))
    assert (settlement.outcome, settlement.filled) == (Outcome.FAILED, filled)


@pytest.mark.parametrize(("answers", "filled"), [([REFUSED], 1), ([LOST, REFUSED], None), ([LOST] * 8, None)])
def test_a_create_in_doubt_may_have_filled_what_it_sets(answers: list[Reply], filled: int | None) -> None:
    """Also where an earlier one was in doubt, which had set less: what both may have filled stays known."""
    world = World(answers, EMPTYING)
    settlement = world.settle(ADA._replace(past=replace(DOUBTFUL, filled=1), filled=3))
    assert (settlement.outcome, settlement.filled) == (Outcome.FAILED, filled)


LIST, REACTIVATE = Operation.LIST, Operation.REACTIVATE
WITHDRAWN = ours(State.PENDING, Outcome.PENDING, withdrawn=True, mark=LONG_AGO, auth_token=None)
STRANGER, BY_HAND, ASLEEP = shown(NOW - 60), shown(LONG_AGO, NOW - 60), shown(LONG_AGO, LONG_AGO, NOW - 99)
LEFT = "another hand has changed the user since; its profile was left as it is"
TAKEN = "the uid belongs to a deactivated user; reactivate it, or delete it for good and feed this row in anew"


def again(**past: Any) -> UserRequest:
    """The row of a user whom an undo has deactivated."""
    assert WITHDRAWN.past is not None
    return WITHDRAWN._replace(past=replace(WITHDRAWN.past, **past))


@pytest.mark.parametrize(
    ("request_", "answers", "operations", "outcome", "code"),
    [
        (again(), [listed(ASLEEP), BACK, user(), MINTED], [LIST, REACTIVATE, UPDATE, MINT], Outcome.CREATED, None),
        # Reactivated by another hand, and not changed.
        (again(), [listed(), shown(LONG_AGO), user(), MINTED], [LIST, READ, UPDATE, MINT], Outcome.CREATED, None),
        (again(), [listed(), BY_HAND, MINTED], [LIST, READ, MINT], Outcome.CREATED, "changed"),
        (
            again(),
            [listed(shown(LONG_AGO, NOW - 60, NOW - 50)), BACK, MINTED],
            [LIST, REACTIVATE, MINT],
            Outcome.CREATED,
            "changed",
        ),
        # A run before was killed, or failed, before it sent anything that changes the user.
        (again(doubt_since=START - 90), [listed(), BY_HAND, MINTED], [LIST, READ, MINT], Outcome.CREATED, "changed"),
        (again(outcome=Outcome.FAILED), [listed(), BY_HAND, MINTED], [LIST, READ, MINT], Outcome.CREATED, "changed"),
        # The row was edited since, or such a request of a run before may have left.
        (again(changed=True), [listed(), BY_HAND, user(), MINTED], [LIST, READ, UPDATE, MINT], Outcome.CREATED, None),
        (
            again(begun=True),
            [listed(), BY_HAND, user(), MINTED],
            [LIST, READ, UPDATE, MINT],
            Outcome.CREATED,
            None,
        ),
        (again(), [listed(), STRANGER], [LIST, READ], Outcome.EXISTING, None),
        (again(doubt_since=START - 90), [listed(), STRANGER], [LIST, READ], Outcome.EXISTING, None),
        (again(), [listed(STRANGER)], [LIST], Outcome.EXISTING, "deactivated"),
        # A list that is behind.
        (
            again(),
            [listed(), NOT_FOUND, BACK, shown(LONG_AGO), user(), MINTED],
            [LIST, READ, REACTIVATE, READ, UPDATE, MINT],
            Outcome.CREATED,
            None,
        ),
    ],
)
def test_whom_an_undo_has_deactivated_is_looked_at_before_anything_is_changed(
    request_: UserRequest, answers: list[Reply], operations: list[Operation], outcome: Outcome, code: str | None
) -> None:
    """A stranger of that uid is none of ours, and what another hand has made of ours stays and is named."""
    world = World(answers)
    settlement = world.settle(request_)
    messages = {None: None, "changed": LEFT, "deactivated": TAKEN}
    assert (settlement.outcome, settlement.error_code, settlement.error_message, world.operations) == (
        outcome, code, messages[code], operations,
    )  # fmt: skip
    assert settlement.auth_token == ("minted" if outcome is Outcome.CREATED else None)
    if code == "changed":
        assert settlement.mark == LONG_AGO, "a later undo has to see the change, though a token was minted after it"


@pytest.mark.parametrize(("answer", "code"), [(listed(STRANGER), "deactivated"), (listed(), "ERR_UID_ALREADY_EXISTS")])
def test_a_stranger_in_the_place_of_whom_an_undo_has_deactivated_fails_where_that_is_asked(
    answer: Reply, code: str
) -> None:
    """`--on-existing fail` is about every user of others."""
    settlement = World([answer, STRANGER], FAIL).settle(WITHDRAWN)
    assert (settlement.outcome, settlement.error_code, settlement.created_at) == (Outcome.FAILED, code, None)


def test_a_stop_while_a_user_is_brought_back_is_not_forgotten() -> None:
    """What the next run finds may be what this one has left there: that is recorded before anything leaves."""
    world = World([listed(ASLEEP), BACK, WRONG_KEY])
    world.keeper = Noting(world)
    assert world.settle(WITHDRAWN) == pending(attempts=2, created_at=LONG_AGO, mark=LONG_AGO)
    assert world.keeper.noted == [("begun", [LIST]), ("own", [LIST, REACTIVATE])]


def test_a_user_of_others_keeps_what_the_row_has_nothing_for() -> None:
    """`--on-existing update` sets what the row says."""
    world = World([EXISTS, user(LONG_AGO)], replace(EMPTYING, on_existing=OnExisting.UPDATE))
    assert world.settle().outcome is Outcome.UPDATED
    assert world.bodies == [ADA.body, ADA.body]


@pytest.mark.parametrize(("avatar", "emptied"), [({"avatar": "https://a.b/1"}, True), ({}, False)])
def test_a_row_in_doubt_that_was_emptied_since_is_brought_up_to_date(avatar: dict[str, str], *, emptied: bool) -> None:
    """Killed while creating Ada with an avatar, which is then taken out: it is looked for in what is there."""
    there = user(NOW - 600)
    there = there._replace(data={**(there.data or {}), "role": "default", **avatar})
    world = World([EXISTS, there, user(NOW)], EMPTYING)
    past = Past(State.SENT, Outcome.PENDING, doubt_since=START - 600, edited=True)
    assert world.settle(ADA._replace(past=past)).outcome is Outcome.CREATED
    assert world.bodies == [ADA.body, ADA.body, *([EMPTIED] if emptied else [])]
    assert world.tally.outcomes.edited == emptied


def test_a_user_of_ours_without_the_token_that_is_wanted_now_gets_one() -> None:
    """It was created when none was asked for; its row is as it was, so it is only seen to be that user still."""
    world = World([user(LONG_AGO), MINTED])
    expected = settled(Outcome.CREATED, http_status=201, created_at=LONG_AGO, auth_token="minted")
    assert (world.settle(ours(auth_token=None)), world.operations) == (expected, [READ, MINT])
    assert world.tally.outcomes.edited == 0


@pytest.mark.parametrize(
    ("reply", "code"),
    [(REFUSED, "ERR_BAD_REQUEST"), (NOT_FOUND, "gone")],
)
def test_a_user_of_ours_that_cannot_be_brought_up_to_date_has_failed(reply: Reply, code: str) -> None:
    """It is never called existing; token and time stay recorded, and the next run tries again."""
    world = World([user(LONG_AGO), reply])
    settlement = world.settle(ours(changed=True))
    assert (settlement.outcome, settlement.error_code) == (Outcome.FAILED, code)
    assert (settlement.auth_token, settlement.created_at, settlement.doubt_since) == ("old", LONG_AGO, None)
    assert (world.operations, world.tally.outcomes.edited) == ([READ, UPDATE], 0)


STRANGE = shown(NOW - 1, NOW - 1)
SINCE = shown(LONG_AGO, NOW)


@pytest.mark.parametrize(
    ("answers", "past", "policy", "outcome", "code", "operations"),
    [
        # Edited, or without the token that is wanted, and meanwhile deleted and created anew.
        ([STRANGE], {"changed": True}, FAIL, Outcome.FAILED, "ERR_UID_ALREADY_EXISTS", [READ]),
        ([STRANGE], {"auth_token": None}, FAIL, Outcome.FAILED, "ERR_UID_ALREADY_EXISTS", [READ]),
        ([STRANGE], {"auth_token": None}, SKIP, Outcome.EXISTING, None, [READ]),
        ([STRANGE, user(NOW - 1)], {"changed": True}, UPDATING, Outcome.UPDATED, None, [READ, UPDATE]),
        # Changed by another hand, and nothing asks for it to be otherwise.
        ([SINCE, MINTED], {"auth_token": None}, SKIP, Outcome.CREATED, "changed", [READ, MINT]),
        ([SINCE, MINTED], {"auth_token": None, "state": State.SENT}, FAIL, Outcome.CREATED, "changed", [READ, MINT]),
        ([SINCE, user(LONG_AGO)], {"changed": True}, SKIP, Outcome.CREATED, None, [READ, UPDATE]),
        ([NOT_FOUND], {"auth_token": None}, SKIP, Outcome.FAILED, "gone", [READ]),
    ],
    ids=["edited, fail", "token, fail", "token, skip", "edited, update", "by hand", "killed", "edited", "gone"],
)
def test_a_user_of_ours_is_looked_at_before_anything_is_sent(
    answers: list[Reply],
    past: dict[str, Any],
    policy: Policy,
    outcome: Outcome,
    code: str | None,
    operations: list[Operation],
) -> None:
    """A stranger of that uid is none of ours, and a token tells nothing of what another hand has changed."""
    world = World(answers, policy)
    world.keeper = Noting(world)
    settlement = world.settle(ours(**{"mark": LONG_AGO, **past}))
    assert (settlement.outcome, settlement.error_code, world.operations) == (outcome, code, operations)
    if code == "changed":
        assert (settlement.auth_token, settlement.mark) == ("minted", LONG_AGO)
    if answers[0] is STRANGE:
        assert settlement.auth_token is None
        assert world.keeper.noted[0] == ("anew", [READ])


@pytest.mark.parametrize(
    ("answers", "past", "outcome", "code", "operations"),
    [
        ([user(LONG_AGO), user(LONG_AGO)], {}, Outcome.UPDATED, None, [READ, UPDATE]),
        ([STRANGE, user(NOW - 1)], {}, Outcome.UPDATED, None, [READ, UPDATE]),
        ([NOT_FOUND, listed(user(LONG_AGO))], {}, Outcome.EXISTING, "deactivated", [READ, LIST]),
        ([NOT_FOUND, listed(), user(NOW, "new")], {}, Outcome.CREATED, None, [READ, LIST, CREATE]),
        ([NOT_FOUND, listed(), user(NOW, "new")], {"noted": 0}, Outcome.CREATED, None, [READ, LIST, CREATE]),
        (
            [NOT_FOUND, listed(), EXISTS, NOT_FOUND],
            {"noted": 0},
            Outcome.EXISTING,
            "deactivated",
            [READ, LIST, CREATE, UPDATE],
        ),
    ],
    ids=["the same", "another", "deactivated", "gone", "gone, not kept", "a list that is behind"],
)
def test_of_whom_a_profile_is_kept_it_is_seen_who_that_is(
    answers: list[Reply], past: dict[str, Any], outcome: Outcome, code: str | None, operations: list[Operation]
) -> None:
    """What was kept of one who is gone would be put back onto another; and the row of one who is gone is created."""
    world = World(answers, UPDATING)
    world.keeper = Noting(world)
    there = Past(State.SETTLED, Outcome.UPDATED, 1, created_at=LONG_AGO, **{"noted": 0xFF, "changed": True, **past})
    settlement = world.settle(ADA_WITH_TOKEN._replace(past=there))
    assert (settlement.outcome, settlement.error_code, world.operations) == (outcome, code, operations)
    gone = answers[0] is STRANGE or answers[1:2] == [listed()]
    assert any(what == "anew" for what, _ in world.keeper.noted) == gone
    if code == "deactivated" and not gone:
        assert settlement.created_at == LONG_AGO


def test_a_stop_in_an_edit_keeps_token_and_time() -> None:
    """Pending, and ours: what was recorded stays."""
    settlement = World([user(LONG_AGO), WRONG_KEY]).settle(ours(changed=True))
    assert settlement == pending(attempts=2, auth_token="old", created_at=LONG_AGO)


def test_a_row_that_was_updated_stays_so_when_only_its_token_is_missing() -> None:
    """`--auth-tokens all` later on, with `--on-existing skip` again: nobody undoes the update."""
    past = Past(State.SETTLED, Outcome.UPDATED, attempts=2, created_at=LONG_AGO)
    world = World([MINTED], Policy(auth_tokens=ALL))
    settlement = world.settle(ADA_WITH_TOKEN._replace(past=past))
    assert (settlement.outcome, settlement.auth_token, world.operations) == (Outcome.UPDATED, "minted", [MINT])


# --- the rate, the network ---------------------------------------------------------------------------------------


def test_a_429_is_no_attempt() -> None:
    """Twenty of them, more than the attempts allowed: each is waited out, none is counted or leaves doubt."""
    world = World([LIMITED] * 20 + [user()])
    assert world.settle() == settled(Outcome.CREATED, http_status=200, created_at=NOW, settled_at=20.0)
    assert [at for at, _ in world.sent] == [float(n) for n in range(21)]
    assert (world.tally.requests.sent, world.tally.requests.rate_limited, world.tally.requests.retries) == (21, 20, 0)


def test_a_429_holds_up_every_row() -> None:
    """The second row was not told off, and waits all the same."""

    async def main() -> list[Settlement]:
        return await world.settle_all([ADA, ADA._replace(key=8)])

    world = World([LIMITED._replace(retry_after=30.0), user(), user(), user()], per_minute=60)
    clock.run(main())
    assert [at >= 30.0 for at, _ in world.sent] == [False, True, True]


def test_what_could_not_be_reached_is_tried_again_and_is_no_attempt() -> None:
    """A restart of the network costs some back-off; attempts are what may have arrived."""
    world = World([UNREACHED] * 5 + [user()])
    assert world.settle() == settled(Outcome.CREATED, http_status=200, created_at=NOW, settled_at=31.0)
    assert (world.tally.requests.sent, world.tally.requests.retries) == (1, 0), "what never left is no request"


@pytest.mark.parametrize("jitter", [1.0, 0.5, 0.1])
def test_when_nothing_gets_through_for_a_minute_the_run_ends(jitter: float) -> None:
    """Exit 4, the row pending and not in doubt; not before 60 s, and at most one back-off later."""
    world = World([UNREACHED] * 1000, jitter=jitter)
    assert world.settle() == pending()
    said = "the API could not be reached for 60 s; check the network and the base URL, then resume (cannot connect)"
    assert world.stopper.stop == Stop("unreachable", said, ExitCode.API)
    assert 60.0 <= world.sent[-1][0] <= 90.0


def test_one_request_that_gets_through_keeps_the_run_alive() -> None:
    """Half a minute of nothing, a connection that breaks, a minute of waiting: that is no minute of nothing."""
    world = World([UNREACHED] * 5 + [LOST] + [UNREACHED] * 2 + [user()])
    settlement = world.settle()
    assert (settlement.outcome, settlement.attempts, world.stopper.stop) == (Outcome.CREATED, 2, None)
    assert [at for at, _ in world.sent] == [0, 1, 3, 7, 15, 31, 32, 62, 92]


# --- stops -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "reason", "doubt"),
    [
        (WRONG_KEY, "key", None),
        (Reply(status=402, code="ERR_PLAN_QUOTA_RESTRICTION"), "plan", None),
        (Reply(status=403, code="AUTH_ERR_NO_ACCESS"), "scope", None),
        (Reply(status=404, code="ERR_API_NOT_FOUND"), "endpoint", None),
        (Reply(failure=Failure.UNTRUSTED, message="self-signed certificate"), "tls", None),
        (Reply(failure=Failure.BARRED, status=407, message="log in"), "proxy", None),
        (Reply(status=302), "endpoint", 0.0),
        (Reply(status=307), "endpoint", 0.0),
        (Reply(status=401), "key", 0.0),
        (Reply(status=402), "plan", 0.0),
        (Reply(status=403), "scope", 0.0),
        (Reply(status=404), "endpoint", 0.0),
        (Reply(status=405), "endpoint", 0.0),
        (Reply(status=407), "proxy", 0.0),
    ],
)
def test_an_answer_that_no_other_row_will_fare_better_with_ends_the_run(
    reply: Reply, reason: str, doubt: float | None
) -> None:
    """After one request; the row stays pending, it has done nothing wrong.

    Only the API's own refusal, or a request that never left, proves that nobody was created.
    """
    world = World([reply])
    settlement = world.settle()
    assert settlement == pending(attempts=settlement.attempts, doubt_since=doubt)
    assert world.operations == [CREATE]
    assert world.stopper.stop is not None
    assert (world.stopper.stop.reason, world.stopper.stop.exit_code) == (reason, 4)


@pytest.mark.parametrize(
    ("answers", "policy", "doubt"),
    [
        ([LOST, WRONG_KEY], SKIP, 0.0),
        ([LOST, EXISTS, WRONG_KEY], SKIP, 0.0),
        ([LOST, EXISTS, user(), WRONG_KEY], SKIP, 0.0),
        ([LOST, EXISTS, user(LONG_AGO), WRONG_KEY], UPDATING, None),
        ([EXISTS, WRONG_KEY], UPDATING, None),
        ([EXISTS, WRONG_KEY], Policy(auth_tokens=ALL), None),
    ],
    ids=["creating again", "reading", "minting for ours", "updating an older one", "updating", "minting for another's"],
)
def test_a_stop_in_the_middle_of_a_row_keeps_what_is_known(
    answers: list[Reply], policy: Policy, doubt: float | None
) -> None:
    """Pending at any stage of it; the doubt is kept as long as it is not resolved."""
    world = World(answers, policy)
    settlement = world.settle(ADA_WITH_TOKEN)
    assert settlement == pending(attempts=settlement.attempts, doubt_since=doubt)
    assert len(world.sent) == len(answers)


def test_a_stop_ends_a_nap() -> None:
    """The row is pending at once, its attempt counted, its doubt kept; nothing more is sent."""

    async def main() -> tuple[list[Settlement], float]:
        return await world.settle_all([ADA], stop_after=0.4), world.elapsed

    world = World([LOST, user()])
    [settlement], seconds = clock.run(main())
    assert settlement == pending(attempts=1, doubt_since=0.0)
    assert (world.operations, round(seconds, 2)) == ([CREATE], 0.4)


@pytest.mark.parametrize("answers", [[UNREACHED, user()], [LIMITED._replace(retry_after=100.0), user()]])
def test_a_stop_ends_every_other_wait(answers: list[Reply]) -> None:
    """For the network and for the rate: pending, no attempt, no doubt."""
    world = World(answers)
    assert (world.settle(stop_after=0.4), world.operations) == (pending(), [CREATE])


def test_a_stop_while_waiting_for_a_slot_sends_nothing() -> None:
    """One request a minute: the second row has not had its turn, and what was known of it stays known."""

    async def main() -> list[Settlement]:
        waiting = ADA._replace(key=8, past=replace(DOUBTFUL, auth_token="old"))
        return await world.settle_all([ADA, waiting], stop_after=5.0)

    world = World([user(), user()], per_minute=1)
    first, second = clock.run(main())
    assert first.outcome is Outcome.CREATED
    assert second == pending(attempts=2, auth_token="old", doubt_since=-600.0)._replace(key=8)
    assert world.operations == [CREATE]


def test_a_run_that_was_stopped_sends_nothing_more() -> None:
    """Also when a slot was free."""
    world = World([user()])
    world.stopper.request(INTERRUPTED)
    assert (world.settle(), world.sent) == (pending(), [])


def test_an_answer_on_the_wire_when_the_run_is_stopped_still_counts() -> None:
    """The request had left; its answer settles the row."""

    class Slow(World):
        async def send(self, operation: Operation, request: UserRequest, _: str = "") -> Reply:
            await asyncio.sleep(5.0)
            return await super().send(operation, request)

    world = Slow([user()])
    assert world.settle(stop_after=1.0) == settled(Outcome.CREATED, http_status=200, created_at=NOW, settled_at=5.0)


# --- all of it, against a model of the server ------------------------------------------------------------------


class Fate(Enum):
    """What happens to one request."""

    FINE = auto()
    LIMITED = auto()
    UNREACHED = auto()
    LOST_BEFORE = auto()  # the server never got it
    LOST_AFTER = auto()  # carried out, and the answer was lost
    OOPS_AFTER = auto()  # carried out, and then a 500
    KILLED_BEFORE = auto()  # we were killed; the server never got it
    KILLED_AFTER = auto()  # we were killed; the server carried it out
    STOPPED = auto()  # carried out, and the run is stopped at this moment


class KilledError(Exception):
    """`kill -9`: whatever was not on disk is gone."""


class Server(World):
    """The least that can be said of the API: users, when they were made, and their tokens.

    ahead  seconds its clock is ahead of ours
    """

    def __init__(self, fates: list[Fate], ahead: float, existing_for: float | None) -> None:
        super().__init__(jitter=0.7, server_clock=ServerClock())
        self.fates, self.ahead, self.existing_for = list(fates), ahead, existing_for
        self.made_at: float | None = None
        self.tokens: list[str] = []
        self.creations = 0

    @property
    def wall(self) -> float:
        return START - 1000.0 + clock.now()

    async def send(self, operation: Operation, request: UserRequest, _: str = "") -> Reply:
        fate = self.fates.pop(0) if self.fates else Fate.FINE
        await asyncio.sleep(0.3)
        if fate is Fate.KILLED_BEFORE:
            raise KilledError
        if fate in _UNDONE:
            return _UNDONE[fate]
        reply = self.carry_out(operation, request)
        await asyncio.sleep(0.4)
        if fate is Fate.KILLED_AFTER:
            raise KilledError
        if fate is Fate.STOPPED:
            self.stopper.request(INTERRUPTED)
        if fate in _DONE_AND_LOST:
            return _DONE_AND_LOST[fate]
        self.tell_time(0.4)
        return reply

    def tell_time(self, ago: float = 0.0) -> None:
        """Have the client learn the server's time from an answer that was so many seconds on its way."""
        date = formatdate(math.floor(self.wall - ago + self.ahead), usegmt=True)
        self.server_clock.learn(date, clock.now())

    def carry_out(self, operation: Operation, request: UserRequest) -> Reply:
        if operation is CREATE:
            if self.made_at is not None:
                return EXISTS
            self.made_at = self.wall + self.ahead
            self.creations += 1
        if operation is MINT or (operation is CREATE and request.token):
            self.tokens.append(f"token-{len(self.tokens)}")
        made_at = None if self.made_at is None else math.floor(self.made_at)
        return user(made_at, token=self.tokens[-1] if operation in {CREATE, MINT} and self.tokens else None)

    async def resume_until_settled(self, request: UserRequest) -> Settlement:
        """Run, and whenever the run was killed or stopped run again with what the journal would know."""
        if self.existing_for is not None:
            self.made_at = self.wall + self.ahead - self.existing_for
        while True:
            self.stopper = Stopper()
            self.tell_time()
            sent_at = self.server_clock.server_time(clock.now())
            try:
                settlement = await self.open().settle(request)
            except KilledError:
                past = request.past or Past(State.PENDING, Outcome.PENDING)
                doubt = sent_at if past.doubt_since is None else past.doubt_since
                known = Past(State.SENT, Outcome.PENDING, past.attempts, past.auth_token, None, doubt)
            else:
                if settlement.state is State.SETTLED:
                    return settlement
                known = Past(
                    settlement.state, settlement.outcome, settlement.attempts, settlement.auth_token,
                    settlement.created_at, settlement.doubt_since,
                )  # fmt: skip
            request = request._replace(past=known)
            await asyncio.sleep(3.0)


_UNDONE = {Fate.LIMITED: LIMITED, Fate.UNREACHED: UNREACHED, Fate.LOST_BEFORE: LOST}
_DONE_AND_LOST = {Fate.LOST_AFTER: LOST, Fate.OOPS_AFTER: OOPS}


@given(
    fates=st.lists(st.sampled_from(Fate), max_size=7),
    ahead=st.floats(-10_000, 10_000),
    existing_for=st.none() | st.floats(4, 1e6),
    token=st.booleans(),
)
@settings(deadline=None, max_examples=examples(200))
def test_nobody_is_created_twice_or_taken_for_another(
    fates: list[Fate], ahead: float, existing_for: float | None, token: bool
) -> None:
    """Whatever is lost, refused, killed or stopped on the way, the last outcome is the truth and its token is real."""
    server = Server(fates, ahead, existing_for)
    settlement = clock.run(server.resume_until_settled(ADA._replace(token=token)))
    created = existing_for is None
    assert settlement.outcome is (Outcome.CREATED if created else Outcome.EXISTING)
    assert server.creations == (1 if created else 0)
    assert settlement.doubt_since is None
    assert (settlement.auth_token in server.tokens) is (created and token)

"""The life of one change: each action with each kind of answer, with a scripted API and a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from provisioner.errors import ExitCode
from provisioner.model import (
    Action,
    Change,
    Live,
    OnExisting,
    Outcome,
    Past,
    Settlement,
    Standing,
    State,
    UserRequest,
)
from provisioner.sending import attempts
from provisioner.sending.attempts import Exchanger, OutageTimer
from provisioner.sending.calls import Budget, Failure, Operation, Reply
from provisioner.sending.client import Client, Timeouts
from provisioner.sending.life import row as life_row
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.steps import Policy
from provisioner.sending.pacing import Gate, Pacing
from provisioner.sending.retry import Waits
from provisioner.sending.users import failures, profile
from provisioner.sending.users.failures import DEACTIVATED, GONE
from provisioner.stop import Stop, Stopper
from provisioner.sync import changes
from provisioner.sync.changes import Changes
from provisioner.tally import Tally
from tests.rig import clock, deadline
from tests.rig.clock import START, Told
from tests.rig.server import Behaviour, Line, answering, resetting, saying_and_hanging_up, serving, silent
from tests.rig.slots import an_exchanger, enough_slots

CREATE, READ, UPDATE, MINT = Operation.CREATE, Operation.READ, Operation.UPDATE, Operation.MINT
DEACTIVATE, REACTIVATE, FLUSH = Operation.DEACTIVATE, Operation.REACTIVATE, Operation.FLUSH
NOW = int(START)

BEFORE = Live("old", b"\1" * 56, Standing.ACTIVE)
# Of whoever was there already only that is known which the update says: all else may be anything.
FOUND = Live("new+12356", profile.with_besides(b"\2" * 56, "+12356"), Standing.ACTIVE)
NAMED = {"name": '"Ada"'}
MADE = Live("new", profile.digests(NAMED), Standing.ACTIVE, profile.packed(NAMED))
AWAY = BEFORE._replace(standing=Standing.DEACTIVATED)
AFTER = Live("new", b"\2" * 56, Standing.ACTIVE)
GONE_BY = BEFORE._replace(standing=Standing.DEACTIVATED)
PAST = Past(State.SETTLED, Outcome.CREATED, 3, "ada_token", NOW - 500)
ADA = UserRequest(7, 3, "ada", b'{"uid":"ada","name":"Ada"}', "new", token=True, past=PAST)

CREATING = ADA._replace(past=None, change=Change(Action.CREATE, b'{"name":"Ada"}', None, AFTER))
UPDATING = ADA._replace(change=Change(Action.UPDATE, b'{"name":"Ada"}', BEFORE, AFTER))
LEAVING = ADA._replace(change=Change(Action.DEACTIVATE, b"", BEFORE, GONE_BY))
LEAVING_FOR_GOOD = ADA._replace(change=Change(Action.DEACTIVATE, b"", BEFORE, GONE_BY, flush=True))
LEAVING_IN_DOUBT = ADA._replace(
    past=replace(PAST, auth_token=None), change=Change(Action.DEACTIVATE, b"", None, GONE_BY, flush=True, flushed=True)
)
RETURNING = ADA._replace(change=Change(Action.REACTIVATE, b"", AWAY, AFTER))
RETURNING_CHANGED = ADA._replace(change=Change(Action.REACTIVATE, b'{"name":"Ada"}', AWAY, AFTER))

RETURNING_FLUSHED = ADA._replace(
    past=replace(PAST, auth_token=None), change=Change(Action.REACTIVATE, b'{"name":"Ada"}', AWAY, AFTER, mint=True)
)

OK = Reply(status=200, data={"uid": "ada", "name": "Ada", "createdAt": NOW})
OK_WITH_TOKEN = Reply(status=200, data={"uid": "ada", "createdAt": NOW, "authToken": "new_token"})
LEFT = Reply(status=200, data={"deactivatedUids": ["ada"]})
LEFT_BEFORE = Reply(status=200, data={"alreadyDeactivatedUids": ["ada"]})
FLUSHED = Reply(status=200, data={"success": True, "message": "Cleared Auth Tokens successfully for uid ada."})
NOT_FLUSHED = Reply(status=200, data={"success": False, "message": "No."})
NO_TOKENS = Reply(status=404, code="ERR_AUTH_TOKEN_NOT_FOUND", message="There is none.")
NO_FLUSH = Reply(status=400, code="ERR_AUTH_TOKENS_DELETE_FAILED", message="Failed to delete.")
BACK = Reply(status=200, data={"reactivatedUids": ["ada"]})
NEVER_AWAY = Reply(status=200, data={"nonDeactivatedUids": ["ada"]})
NOBODY = Reply(status=200, data={"notFound": ["ada"]})
NONSENSE = Reply(status=200, data={"deactivatedUids": ["bob"], "reactivatedUids": "ada"})
LOST = Reply(failure=Failure.LOST, message="connection lost")
OOPS = Reply(status=500, code="ERR_EXCEPTION", message="Oops.")
LIMITED = Reply(status=429, code="ERR_TOO_MANY_REQUESTS", message="Slow.", retry_after=1.0)
UNREACHED = Reply(failure=Failure.UNREACHED, message="cannot connect")
EXISTS = Reply(status=400, code="ERR_UID_ALREADY_EXISTS", message="The uid ada already exists.")
NOT_FOUND = Reply(status=404, code="ERR_UID_NOT_FOUND", message="The UID ada does not exist.")
WRONG_KEY = Reply(status=401, code="AUTH_ERR_APIKEY_NOT_FOUND", message="The key *** does not exist.")
REFUSED = Reply(status=400, code="ERR_BAD_REQUEST", message="No.", details={"name": ["Bad."]})

INTERRUPTED = Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT)


@dataclass
class World:
    """One night: what the API answers in turn, and what was sent."""

    answers: Sequence[Reply]
    stopper: Stopper = field(default_factory=Stopper)
    tally: Tally = field(default_factory=Tally)
    sent: list[Operation] = field(default_factory=list)
    bodies: list[UserRequest] = field(default_factory=list)
    anew: list[tuple[int, UserRequest]] = field(default_factory=list)
    everyone: bool = False
    kept: bool = False

    async def send(self, operation: Operation, request: UserRequest, _: str = "") -> Reply:
        self.sent.append(operation)
        self.bodies.append(request)
        return self.answers[len(self.sent) - 1]

    async def send_anew(self, request: UserRequest) -> None:
        self.anew.append((len(self.sent), request))

    def settle(self, request: UserRequest, *, stop_after: float | None = None) -> Settlement:
        async def main() -> Settlement:
            pacing = enough_slots()
            exchanger = an_exchanger(self.send, self.stopper, self.tally.requests, 8, pacing)
            life = Lifecycle(exchanger, Policy(OnExisting.UPDATE), Told(), self.tally.outcomes)
            rows = Changes(exchanger, life, self.send_anew, everyone=self.everyone, kept=self.kept)
            if stop_after is not None:
                asyncio.get_running_loop().call_later(stop_after, self.stopper.request, INTERRUPTED)
            async with asyncio.timeout(100_000):
                with self.stopper.on_stop(lambda _: pacing.close()):
                    return await rows.settle(request)

        settlement = clock.run(main())
        assert len(self.sent) == len(self.answers)
        at = settlement.settled_at
        return settlement._replace(settled_at=None if at is None else round(at - START, 2))


@pytest.fixture(autouse=True)
def _virtual_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (changes, attempts, failures, life_row):
        monkeypatch.setattr(module, "time", clock.clocks())


def settled(outcome: Outcome, live: Live | None, attempts: int = 1, **more: Any) -> Settlement:
    known = {"auth_token": "ada_token", "created_at": NOW - 500, "http_status": 200, "settled_at": 0.0}
    return Settlement(ADA.key, State.SETTLED, outcome, attempts, live=live, **{**known, **more})


def pending(live: Live | None, attempts: int) -> Settlement:
    return Settlement(
        ADA.key, State.PENDING, Outcome.PENDING, attempts, auth_token="ada_token", created_at=NOW - 500, live=live
    )


# --- carried out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answers", "outcome", "live"),
    [
        (UPDATING, [OK], Outcome.UPDATED, AFTER),
        (LEAVING, [LEFT], Outcome.DEACTIVATED, GONE_BY),
        (LEAVING, [LEFT_BEFORE], Outcome.DEACTIVATED, GONE_BY),
        (RETURNING, [BACK], Outcome.REACTIVATED, AFTER),
        (RETURNING, [NEVER_AWAY], Outcome.REACTIVATED, AFTER),
        (RETURNING_CHANGED, [BACK, OK], Outcome.REACTIVATED, AFTER),
        (UPDATING, [NOT_FOUND, BACK, OK], Outcome.REACTIVATED, AFTER),
    ],
)
def test_a_change_that_is_carried_out(
    request_: UserRequest, answers: list[Reply], outcome: Outcome, live: Live
) -> None:
    """What is known then is what it was meant to be; token and time of creation stay."""
    assert World(answers).settle(request_) == settled(outcome, live, len(answers))


@pytest.mark.parametrize(
    ("request_", "done", "outcome"),
    [(UPDATING, OK, Outcome.UPDATED), (LEAVING, LEFT, Outcome.DEACTIVATED), (RETURNING, BACK, Outcome.REACTIVATED)],
)
@pytest.mark.parametrize("trouble", [[LOST], [OOPS, NONSENSE], [LIMITED, UNREACHED], [LOST] * 7])
def test_what_is_lost_is_simply_done_again(
    request_: UserRequest, done: Reply, outcome: Outcome, trouble: list[Reply]
) -> None:
    """All three are idempotent: no reading back, and the outcome is what was asked for."""
    world = World([*trouble, done])
    settlement = world.settle(request_)
    assert (settlement.outcome, settlement.live) == (outcome, request_.change and request_.change.after)
    assert len(set(world.sent)) == 1


def test_a_leaver_that_is_gone_already_is_told() -> None:
    """Deleted by another hand: nothing to do, and it is known not to be able to log in."""
    expected = settled(Outcome.DEACTIVATED, GONE_BY, error_code=GONE, error_message="there was no such user any more")
    assert World([NOBODY]).settle(LEAVING) == expected


def test_a_create_that_is_answered() -> None:
    """As in a run, and what is known is the whole row."""
    expected = settled(Outcome.CREATED, AFTER, auth_token="new_token", created_at=NOW)
    assert World([OK_WITH_TOKEN]).settle(CREATING) == expected


def test_a_create_that_meets_a_user_brings_it_up_to_date() -> None:
    """With the update of the change."""
    world = World([EXISTS, OK])
    settlement = world.settle(CREATING)
    assert (settlement.outcome, settlement.live, world.sent) == (Outcome.UPDATED, FOUND, [CREATE, UPDATE])


def test_a_create_that_meets_a_deactivated_user_reactivates_it() -> None:
    """And brings it up to date."""
    world = World([EXISTS, NOT_FOUND, BACK, OK])
    settlement = world.settle(CREATING)
    assert (settlement.outcome, settlement.live, settlement.error_code) == (Outcome.REACTIVATED, FOUND, None)
    assert world.sent == [CREATE, UPDATE, REACTIVATE, UPDATE]


def test_a_deactivated_user_whom_a_create_meets_gets_a_token_when_everyone_does() -> None:
    """Its attempts are those of the create and of what followed; a mint is none."""
    answers = [EXISTS, NOT_FOUND, BACK, OK, OK_WITH_TOKEN]
    # A night that was lost may have created it, and deactivated it later.
    joined = CREATING._replace(change=CREATING.change and CREATING.change._replace(mint=True))
    for world, creating in ((World(answers, everyone=True), CREATING), (World(answers), joined)):
        settlement = world.settle(creating)
        told = (settlement.outcome, settlement.auth_token, settlement.attempts, settlement.live)
        assert (told, world.sent) == (
            (Outcome.REACTIVATED, "new_token", 4, FOUND), [CREATE, UPDATE, REACTIVATE, UPDATE, MINT],
        )  # fmt: skip


def test_a_user_as_wanted_gets_a_token_and_nothing_else() -> None:
    """An update without a profile: only the token is wanting, and nothing is known until it is there."""
    wanting = ADA._replace(past=None, change=Change(Action.UPDATE, b"", None, AFTER, mint=True))
    world = World([OK_WITH_TOKEN])
    settlement = world.settle(wanting)
    assert (settlement.outcome, settlement.auth_token, world.sent) == (Outcome.UPDATED, "new_token", [MINT])
    assert World([REFUSED]).settle(wanting).live is None


@pytest.mark.parametrize(
    ("request_", "operations"),
    [(UPDATING, [UPDATE, REACTIVATE, CREATE]), (RETURNING, [REACTIVATE, CREATE])],
)
def test_a_user_that_was_deleted_is_created_anew(request_: UserRequest, operations: list[Operation]) -> None:
    """With a token of its own, and of its row alone: what the user that is gone had is worth nothing."""
    answers = {UPDATE: NOT_FOUND, REACTIVATE: NOBODY, CREATE: OK_WITH_TOKEN}
    world = World([answers[each] for each in operations])
    settlement = world.settle(request_)
    assert (settlement.outcome, settlement.auth_token) == (Outcome.CREATED, "new_token")
    assert (settlement.live, world.sent) == (MADE, operations)


@pytest.mark.parametrize(("request_", "answers"), [(UPDATING, [NOT_FOUND, NOBODY]), (RETURNING, [NOBODY])])
def test_a_create_anew_is_recorded_before_it_leaves(request_: UserRequest, answers: list[Reply]) -> None:
    """Without the token and the outcome of the user that is gone, and without an older doubt."""
    assert request_.past is not None
    old = replace(request_.past, doubt_since=5.0, edited=True)
    world = World([*answers, OK_WITH_TOKEN])
    world.settle(request_._replace(past=old))
    new = Past(State.PENDING, Outcome.PENDING, old.attempts)
    assert world.anew == [(len(answers), request_._replace(past=new))]
    assert world.sent[len(answers) :] == [CREATE]


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.UPDATED, Outcome.EXISTING, Outcome.UNCHANGED])
def test_whatever_became_of_a_user_that_is_gone_another_is_created(outcome: Outcome) -> None:
    """Brought up to date the night before, then deleted by another hand: that it was there once is no reason."""
    past = replace(PAST, outcome=outcome)
    world = World([NOT_FOUND, NOBODY, OK_WITH_TOKEN])
    settlement = world.settle(UPDATING._replace(past=past))
    assert (settlement.outcome, world.sent) == (Outcome.CREATED, [UPDATE, REACTIVATE, CREATE])


def test_the_token_of_a_user_that_was_created_anew_survives_a_lost_answer() -> None:
    """It is minted, though a token of the deleted user is recorded; and it is brought up to date, whosever it is."""
    minted = Reply(status=200, data={"uid": "ada", "authToken": "minted"})
    world = World([NOT_FOUND, NOBODY, LOST, EXISTS, OK, OK, minted])
    settlement = world.settle(UPDATING)
    assert (settlement.outcome, settlement.auth_token) == (Outcome.CREATED, "minted")
    assert world.sent == [UPDATE, REACTIVATE, CREATE, CREATE, READ, UPDATE, MINT]


UNTOLD = Past(State.SETTLED, Outcome.CREATED, ours=True)
MINTED = Reply(status=200, data={"uid": "ada", "authToken": "minted"})


@pytest.mark.parametrize(
    ("request_", "answers"), [(UPDATING, [OK]), (RETURNING, [BACK]), (RETURNING_CHANGED, [BACK, OK])]
)
def test_whoever_is_ours_and_was_in_no_results_yet_is_created_when_it_comes_back(
    request_: UserRequest, answers: list[Reply]
) -> None:
    """Its create's answer was lost, and it was in no roster when it turned out to be ours; the token is minted."""
    world = World([*answers, MINTED])
    settlement = world.settle(request_._replace(past=UNTOLD))
    created_at = OK.data["createdAt"] if OK in answers and OK.data else None
    expected = settled(Outcome.CREATED, AFTER, len(answers), auth_token="minted", created_at=created_at)
    assert (settlement, world.sent[len(answers) :]) == (expected, [MINT])


def test_whoever_comes_back_and_wants_no_token_gets_none() -> None:
    """It is created nevertheless: nobody was told of it so far."""
    settlement = World([BACK]).settle(RETURNING._replace(past=UNTOLD, token=False))
    assert settlement == settled(Outcome.CREATED, AFTER, auth_token=None, created_at=None)


def test_a_token_that_cannot_be_minted_is_for_the_next_night() -> None:
    """Nothing is known of the user then, so that it is not left alone as one who is as the roster has it."""
    settlement = World([BACK, NOT_FOUND]).settle(RETURNING._replace(past=UNTOLD))
    assert (settlement.outcome, settlement.live, settlement.auth_token) == (Outcome.FAILED, None, None)


@pytest.mark.parametrize(
    ("again", "expected"), [(None, Outcome.UPDATED), (Outcome.CREATED, Outcome.CREATED), (Outcome.REACTIVATED,) * 2]
)
def test_what_became_of_a_user_earlier_in_the_night_is_told(again: Outcome | None, expected: Outcome) -> None:
    """Created before the kill, updated after it because the roster was mended: created."""
    change = UPDATING.change._replace(again=again) if UPDATING.change else None
    assert World([OK]).settle(UPDATING._replace(change=change)).outcome is expected


def test_whoever_was_created_left_and_came_back_within_one_night_is_created() -> None:
    """Also when the attempt in between was killed with the deactivation recorded and not sent."""
    change = RETURNING.change._replace(again=Outcome.CREATED) if RETURNING.change else None
    assert World([NEVER_AWAY]).settle(RETURNING._replace(change=change)).outcome is Outcome.CREATED


# --- sessions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flushed", [[FLUSHED], [NO_TOKENS], [LOST, OOPS, NOT_FLUSHED, FLUSHED], [LIMITED, FLUSHED]])
@pytest.mark.parametrize("left", [[LEFT], [LEFT_BEFORE], [LOST, LEFT_BEFORE]])
def test_a_leaver_is_deactivated_once_no_auth_token_is_left(flushed: list[Reply], left: list[Reply]) -> None:
    """Flushed first, for the API does not find the tokens of one who is deactivated; the token is forgotten."""
    world = World([*flushed, *left])
    settlement = world.settle(LEAVING_FOR_GOOD)
    expected = settled(Outcome.DEACTIVATED, GONE_BY, auth_token=None, flushed=True)
    assert settlement._replace(attempts=1, settled_at=0.0) == expected
    assert world.sent == [FLUSH] * len(flushed) + [DEACTIVATE] * len(left)


@pytest.mark.parametrize(
    ("answers", "live"), [([NO_FLUSH], BEFORE), ([LOST, NO_FLUSH], None), ([LOST] * 8, None), ([NOT_FLUSHED] * 8, None)]
)
def test_a_leaver_whose_tokens_cannot_be_flushed_stays_until_they_can(answers: list[Reply], live: Live | None) -> None:
    """Failed, with what can be done; the next night it is a leaver again."""
    settlement = World(answers).settle(LEAVING_FOR_GOOD)
    assert (settlement.outcome, settlement.live, settlement.flushed) == (Outcome.FAILED, live, False)
    assert (settlement.error_message or "").startswith(
        "the auth tokens could not be flushed, so the user is not deactivated yet (--keep-sessions does without): "
    )
    assert settlement.auth_token == ("ada_token" if live else None)
    planned = World(answers, kept=True).settle(LEAVING_FOR_GOOD)
    assert "(--keep-sessions of a new plan does without)" in (planned.error_message or "")


def test_a_token_that_was_flushed_is_forgotten_though_the_user_stays() -> None:
    """Whatever became of the deactivation: it opens nothing any more, and nobody who comes back is as before."""
    settlement = World([FLUSHED, REFUSED]).settle(LEAVING_FOR_GOOD)
    assert (settlement.outcome, settlement.live, settlement.auth_token) == (Outcome.FAILED, None, None)


def test_whoever_is_deactivated_after_an_attempt_of_ours_has_no_token() -> None:
    """The deactivation left when the tokens were gone, so its lost answer leaves nothing open."""
    expected = settled(Outcome.DEACTIVATED, GONE_BY, 2, auth_token=None, flushed=True)
    assert World([NOT_FOUND, LEFT_BEFORE]).settle(LEAVING_IN_DOUBT) == expected


def test_whoever_another_hand_deactivated_may_have_tokens_left() -> None:
    """It is said that this is not known; there is no more to be done about it."""
    settlement = World([NOT_FOUND, LEFT_BEFORE]).settle(LEAVING_FOR_GOOD)
    assert (settlement.outcome, settlement.live, settlement.flushed) == (Outcome.DEACTIVATED, GONE_BY, False)
    assert (settlement.error_code, settlement.auth_token) == (changes.SESSIONS_UNKNOWN, None)


def test_a_leaver_that_is_gone_has_no_token_left() -> None:
    """They went with the user."""
    settlement = World([NOT_FOUND, NOBODY]).settle(LEAVING_FOR_GOOD)
    assert (settlement.error_code, settlement.flushed, settlement.auth_token) == (GONE, True, None)


def test_who_comes_back_gets_a_token_for_the_one_that_was_flushed() -> None:
    """Minted once the user is as the roster has it; told as reactivated."""
    world = World([BACK, OK, OK_WITH_TOKEN])
    settlement = world.settle(RETURNING_FLUSHED)
    assert (settlement.outcome, settlement.live, settlement.auth_token) == (Outcome.REACTIVATED, AFTER, "new_token")
    assert world.sent == [REACTIVATE, UPDATE, MINT]


@pytest.mark.parametrize("last", [[REFUSED], [OK, REFUSED], [OK, NOT_FOUND], [OK, *[OK] * 8]])
def test_who_comes_back_without_a_token_is_in_doubt(last: list[Reply]) -> None:
    """Failed, and done again the next night: nothing but the doubt would remember that a token is wanting."""
    settlement = World([BACK, *last]).settle(RETURNING_FLUSHED)
    assert (settlement.outcome, settlement.live, settlement.auth_token) == (Outcome.FAILED, None, None)


@pytest.mark.parametrize(("answers", "live"), [([], BEFORE), ([LIMITED], BEFORE), ([LOST], None)])
def test_a_stop_before_the_tokens_are_flushed(answers: list[Reply], live: Live | None) -> None:
    """Pending; a token that may be gone is not kept."""
    world = World(answers)
    if not answers:
        world.stopper.request(INTERRUPTED)
    settlement = world.settle(LEAVING_FOR_GOOD, stop_after=0.4 if answers else None)
    token = "ada_token" if live else None
    assert settlement == pending(live, len(answers) if not live else 0)._replace(auth_token=token)


def test_a_stop_between_flush_and_deactivation() -> None:
    """Pending: the user is active, and has no token; both are done again, or a token is minted for who comes back."""

    class Stopping(World):
        async def send(self, operation: Operation, request: UserRequest, _: str = "") -> Reply:
            reply = await super().send(operation, request)
            self.stopper.request(INTERRUPTED)
            return reply

    assert Stopping([FLUSHED]).settle(LEAVING_FOR_GOOD) == pending(None, 1)._replace(auth_token=None)


# --- not carried out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "known"), [(UPDATING, BEFORE), (LEAVING, BEFORE), (RETURNING, AWAY), (RETURNING_CHANGED, AWAY)]
)
def test_a_change_that_is_refused_leaves_what_was_known(request_: UserRequest, known: Live) -> None:
    """Failed in the server's words, and tried again the next night."""
    expected = settled(
        Outcome.FAILED, known, http_status=400, error_code="ERR_BAD_REQUEST", error_message="No. [name: Bad.]"
    )
    assert World([REFUSED]).settle(request_) == expected


@pytest.mark.parametrize("answers", [[NOT_FOUND, REFUSED], [NOT_FOUND, WRONG_KEY]])
def test_whoever_turned_out_not_to_be_active_is_not_known_as_before(answers: list[Reply]) -> None:
    """The update met nobody, and more could not be done: should the roster be again as it was, there is work left."""
    assert World(answers).settle(UPDATING).live is None


@pytest.mark.parametrize("answer", [REFUSED, WRONG_KEY])
def test_a_token_that_is_owed_stays_owed(answer: Reply) -> None:
    """Another hand woke the user, whose token is gone; giving it a new one was refused, or cut short."""
    woken = BEFORE._replace(sessions="flushed")
    change = Change(Action.REACTIVATE, b"", woken, AFTER, mint=True)
    assert World([answer]).settle(ADA._replace(change=change)).live == woken


def test_a_returner_whose_update_is_refused_is_back_all_the_same() -> None:
    """Only the other half is left for the next night."""
    settlement = World([BACK, REFUSED]).settle(RETURNING_CHANGED)
    known = AWAY._replace(standing=Standing.ACTIVE)
    assert (settlement.outcome, settlement.live, settlement.attempts) == (Outcome.FAILED, known, 2)


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        (UPDATING, [LOST] * 8),
        (LEAVING, [LOST, OOPS] * 4),
        (RETURNING, [NONSENSE] * 8),
        (RETURNING_CHANGED, [BACK, *[LOST] * 8]),
    ],
)
def test_a_change_that_is_given_up_is_in_doubt(request_: UserRequest, answers: list[Reply]) -> None:
    """Failed, and nothing is known of the user any more but that it is there."""
    settlement = World(answers).settle(request_)
    assert (settlement.outcome, settlement.live, settlement.attempts) == (Outcome.FAILED, None, len(answers))
    assert settlement.auth_token == "ada_token"


@pytest.mark.parametrize("request_", [UPDATING, LEAVING, RETURNING])
@pytest.mark.parametrize("last", [REFUSED, WRONG_KEY])
def test_a_refusal_does_not_undo_what_may_have_been_carried_out(request_: UserRequest, last: Reply) -> None:
    """The answer before it was lost: what is known of the user stays open."""
    assert World([LOST, last]).settle(request_).live is None


@pytest.mark.parametrize(("request_", "known"), [(UPDATING, BEFORE), (LEAVING, BEFORE), (RETURNING, AWAY)])
@pytest.mark.parametrize("answers", [[], [LIMITED], [UNREACHED]])
def test_a_stop_before_anything_was_carried_out(request_: UserRequest, known: Live, answers: list[Reply]) -> None:
    """Pending, and what is known stays known."""
    world = World(answers)
    if not answers:
        world.stopper.request(INTERRUPTED)
    assert world.settle(request_, stop_after=0.4 if answers else None) == pending(known, 0)


@pytest.mark.parametrize("request_", [UPDATING, LEAVING, RETURNING])
def test_a_stop_with_an_answer_lost(request_: UserRequest) -> None:
    """Pending, and in doubt."""
    assert World([LOST]).settle(request_, stop_after=0.4) == pending(None, 1)


def test_a_stop_between_the_halves_of_a_return() -> None:
    """Back but not up to date: nothing is known for certain, so both are done again."""

    class Stopping(World):
        async def send(self, operation: Operation, request: UserRequest, _: str = "") -> Reply:
            reply = await super().send(operation, request)
            self.stopper.request(INTERRUPTED)
            return reply

    assert Stopping([BACK]).settle(RETURNING_CHANGED) == pending(None, 1)


def test_a_wrong_key_ends_the_night() -> None:
    """Exit 4, the change pending."""
    world = World([WRONG_KEY])
    assert world.settle(UPDATING) == pending(BEFORE, 1)
    assert world.stopper.stop is not None
    assert (world.stopper.stop.reason, world.stopper.stop.exit_code) == ("key", 4)


def test_a_create_in_doubt_keeps_its_doubt() -> None:
    """The next night can still tell whose user it is."""
    settlement = World([LOST] * 8).settle(CREATING)
    assert (settlement.outcome, settlement.live) == (Outcome.FAILED, None)
    assert round(settlement.doubt_since or 0.0, 2) == START


def test_a_deactivated_user_whose_return_is_refused_is_not_known() -> None:
    """It met another's user, and could not wake it."""
    settlement = World([EXISTS, NOT_FOUND, REFUSED]).settle(CREATING)
    assert (settlement.outcome, settlement.live) == (Outcome.FAILED, None)
    assert settlement.error_code != DEACTIVATED


def test_a_request_without_a_change_is_a_bug() -> None:
    """A sync carries out changes only."""
    with pytest.raises(ValueError, match="changes only"):
        World([]).settle(ADA)


# --- over a real wire ----------------------------------------------------------------------------------------------


class Once:
    """Misbehaves once, then answers as it should."""

    def __init__(self, first: Behaviour, then: bytes) -> None:
        self._behaviours = [first, answering(then)]

    async def __call__(self, line: Line) -> None:
        await (self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0])(line)


HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"data":{"uid":'


@pytest.mark.parametrize(
    "first",
    [
        resetting,
        saying_and_hanging_up(b""),
        saying_and_hanging_up(HALF),
        silent,
        answering(b"<html>Bad gateway</html>", "502 Bad Gateway", content_type="text/html"),
        answering(b"{}"),
        answering(b'{"data":{"deactivatedUids":null,"reactivatedUids":[1,null],"uid":7}}'),
        answering(b'{"data":[]}'),
    ],
)
@pytest.mark.parametrize(
    ("request_", "done", "asked"),
    [
        (UPDATING, b'{"data":{"uid":"ada"}}', ("PUT", "/v3/users/ada", b'{"name":"Ada"}')),
        (LEAVING, b'{"data":{"deactivatedUids":["ada"]}}', ("DELETE", "/v3/users", b'{"uidsToDeactivate":["ada"]}')),
        (RETURNING, b'{"data":{"reactivatedUids":["ada"]}}', ("PUT", "/v3/users", b'{"uidsToActivate":["ada"]}')),
    ],
)
def test_a_server_that_misbehaves_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, first: Behaviour, request_: UserRequest, done: bytes, asked: tuple[str, str, bytes]
) -> None:
    """The very same request; whatever came first is not believed."""
    monkeypatch.undo()  # the clocks of this one are real

    async def main() -> None:
        async with (
            serving(Once(first, done)) as wire,
            Client(wire.url, "key", timeouts=Timeouts(1.0, 0.2, 0.2), in_flight=1, agent="test") as client,
        ):
            stopper, tally, waits = Stopper(), Tally(), Waits(backoff_base=0.001)
            pacing = Pacing(
                dict.fromkeys(Budget, 60_000),
                1.0,
                Gate(waits, asyncio.get_running_loop().time, lambda: 1.0),
                lowered=lambda *_: None,
                paused=lambda _: None,
            )
            outage = OutageTimer(60.0, stopper)
            exchanger = Exchanger(client.send, pacing, stopper, tally.requests, waits, outage, lambda: 0.0, 3)
            life = Lifecycle(exchanger, Policy(OnExisting.UPDATE), client.clock, tally.outcomes)
            rows = Changes(exchanger, life, World([]).send_anew)
            settlement = await rows.settle(request_)
            assert request_.change is not None
            assert (settlement.state, settlement.live) == (State.SETTLED, request_.change.after)
            assert [(each.method, each.path, each.body) for each in wire.asked] == [asked, asked]
            pacing.close()

    deadline.run(main())

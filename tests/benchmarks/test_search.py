"""The search itself: a seed replays, a kill at any step is survived, a case that fails is made smaller."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from benchmarks.search import case as cases
from benchmarks.search.case import Act, Ask, Before, Case, Edit, Fault, Life, Op, Row, Stranger, Trouble
from benchmarks.search.drawing import draw, draw_nights, draw_run
from benchmarks.search.hunt import quiet
from benchmarks.search.judge import Judge, Line, enough
from benchmarks.search.process import Ended
from benchmarks.search.server import Asked
from benchmarks.search.shrink import as_code, as_test, shrink
from benchmarks.search.trial import trial
from benchmarks.search.world import World

# A process that is killed closes nothing.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True, scope="module")
def _collected_here() -> Iterator[None]:
    """What the killed ones left open is closed while that is no error."""
    yield
    gc.collect()


@pytest.mark.slow
def test_a_seed_replays_exactly() -> None:
    """The same seed draws the same case, and the same case goes the same way, step by step."""
    for seed in range(6):
        assert draw(seed) == draw(seed)
        assert trial(draw(seed)) == trial(draw(seed))


def test_another_order_is_another_life() -> None:
    """The order of events is drawn: what two seeds have in common is not how they went."""
    one = Case(1, (Row(0), Row(1), Row(2)), (Life(order=1),))
    assert len({trial(replace(one, lives=(Life(order=order),))).trace for order in range(5)}) == 5


@pytest.mark.sampled
@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_kill_before_any_step_is_survived(order: int) -> None:
    """Two rows, one of them a stranger's, and a kill before many a step: the next life finishes the job."""
    for kill in range(1 + order, 130, 9):
        lives = (Life(order, kill=kill), Life(order))
        assert trial(Case(kill, (Row(0), Row(1)), lives, before=(Before(1, 500.0),))).offences == ()


@pytest.mark.sampled
@pytest.mark.parametrize("first", range(0, 100, 20))
def test_lives_of_runs_break_no_promise(first: int) -> None:
    """Kills, lost answers, strangers, edits and clocks that are wrong, as they are drawn."""
    seeds = range(first, first + 20)
    assert {seed: trial(draw_run(seed)).offences for seed in seeds} == dict.fromkeys(seeds, ())


@pytest.mark.sampled
@pytest.mark.parametrize("first", range(0, 12, 4))
def test_nights_of_syncs_break_no_promise(first: int) -> None:
    """People who come, change, leave and come back besides."""
    seeds = range(first, first + 4)
    assert {seed: trial(draw_nights(seed)).offences for seed in seeds} == dict.fromkeys(seeds, ())


FOUND = {
    "stopped between the flush and the deactivation, and back the next night": Case(
        244331,
        (Row(3), Row(5)),
        (Life(), Life(stop=139), Life()),
        edits=(Edit(1, 3, -1), Edit(1, 5, 1), Edit(2, 3, 0)),
        workers=3,
        rate=60,
        sync=True,
    ),
    "an edit that is taken back between two kills": Case(
        248,
        (Row(1), Row(6)),
        (Life(kill=67), Life(kill=104), Life()),
        edits=(Edit(1, 1, 1), Edit(2, 1, 0)),
        rate=60,
        sync=True,
    ),
    "deleted by another hand after an update": Case(
        293,
        (Row(3),),
        (Life(), Life(), Life(), Life()),
        strangers=(Stranger(2, -0.061, 3, Act.DELETE),),
        edits=(Edit(1, 3, 1),),
        sync=True,
        refreshes=(3,),
    ),
    "a deactivated user in doubt, and --on-existing fail": Case(
        301,
        (Row(1),),
        (Life(kill=22), Life(), Life()),
        before=(Before(1, 330.152, deactivated=True, same=True),),
        on_existing="fail",
    ),
    "more than one slot at the same instant": Case(
        340,
        (Row(0), Row(2), Row(3)),
        (Life(),),
        edits=(Edit(0, 3, 2),),
        before=(Before(3, 10.749, deactivated=True, same=True),),
        workers=4,
        rate=60,
        sync=True,
    ),
    "in doubt, and in no later roster": Case(
        97, (Row(0), Row(1)), (Life(kill=68), Life()), edits=(Edit(1, 1, -1),), sync=True
    ),
    "created in a night that is killed twice": Case(
        20108,
        (Row(1),),
        (Life(kill=95), Life(kill=58), Life()),
        edits=(Edit(1, 1, 2),),
        workers=4,
        sync=True,
    ),
    "a stranger's user, taken for ours in doubt": Case(
        248,
        (Row(6),),
        (Life(kill=64), Life()),
        strangers=(Stranger(0, 0.09, 6, Act.CREATE),),
        sync=True,
    ),
    "created, left and came back within one night": Case(
        1000226,
        (Row(0), Row(4)),
        (Life(kill=77), Life(911567474, kill=76), Life()),
        edits=(Edit(1, 0, -1), Edit(2, 0, 0)),
        sync=True,
    ),
    "deactivated by another hand before it left, and back again": Case(
        1436,
        (Row(2), Row(4)),
        (Life(), Life(), Life()),
        strangers=(Stranger(1, -3.245, 2, Act.DEACTIVATE),),
        edits=(Edit(1, 2, -1), Edit(2, 2, 0)),
        sync=True,
        refreshes=(0, 2, 3),
    ),
    "created by a night that was killed, and named as deactivated by the next": Case(
        329,
        (Row(0),),
        (Life(order=956453361, kill=129), Life()),
        edits=(Edit(1, 0, 1, left=True),),
        sync=True,
    ),
    "a stranger's user named as deactivated, killed on the way": Case(
        401,
        (Row(3),),
        (Life(kill=72), Life()),
        edits=(Edit(0, 3, 1, left=True),),
        before=(Before(3, 500.0),),
        sync=True,
    ),
    "deactivated and reactivated by another hand while the lists are read": Case(
        255479,
        (Row(3), Row(4), Row(5)),
        (Life(order=1186161040, stop=224), Life(), Life(), Life()),
        strangers=(Stranger(1, 0.133, 3, Act.REACTIVATE), Stranger(1, -0.243, 3, Act.DEACTIVATE)),
        edits=(Edit(2, 3, -1), Edit(3, 3, 1)),
        rate=60,
        sync=True,
        refreshes=(0, 3),
    ),
    "a flush that arrives after the next night has minted a token": Case(
        302303,
        (Row(3), Row(6)),
        (Life(), Life(order=148020445, after=0.28), Life(after=28.009), Life(after=29.66), Life()),
        faults=(Fault(1, 3, Op.FLUSH, 1, Trouble.LATE, 5.722),),
        edits=(Edit(1, 3, -1), Edit(2, 3, 2)),
        sync=True,
    ),
    "changed by another hand, left in a night that saw it, and came back": Case(
        338567,
        (Row(0),),
        (Life(), Life(), Life(kill=1), Life(), Life(kill=1), Life()),
        strangers=(Stranger(2, -0.036, 0, Act.CHANGE),),
        edits=(Edit(3, 0, 1, left=True), Edit(4, 0, 0)),
        sync=True,
        refreshes=(2, 3, 4),
    ),
    "changed by another hand, absent from a night that saw it, and came back": Case(
        338567,
        (Row(0), Row(1)),
        (Life(), Life(), Life(), Life()),
        strangers=(Stranger(1, -0.036, 0, Act.CHANGE),),
        edits=(Edit(1, 0, -1), Edit(2, 0, 0)),
        sync=True,
        refreshes=(1,),
    ),
    "a create that arrives after another hand has deleted the user": Case(
        743723,
        (Row(4), Row(5), Row(6)),
        (Life(), Life(order=448646421), Life(after=10.863)),
        faults=(
            Fault(0, 6, Op.CREATE, 1, Trouble.GATEWAY_AFTER),
            Fault(0, 6, Op.CREATE, 2, Trouble.UNREACHED),
            Fault(0, 6, Op.CREATE, 3, Trouble.LATE, 4.953),
            Fault(0, 6, Op.UPDATE, 1, Trouble.FOREIGN_422),
            Fault(0, 6, Op.UPDATE, 2, Trouble.TIMEOUT),
        ),
        strangers=(Stranger(1, -0.655, 6, Act.DELETE),),
        sync=True,
    ),
    "left, and then seen to have been changed by another hand before": Case(
        613718,
        (Row(6),),
        (Life(), Life(after=50.003), Life(), Life(), Life()),
        strangers=(Stranger(0, 30.014, 6, Act.CHANGE),),
        edits=(Edit(2, 6, 0, left=True), Edit(4, 6, 0)),
        sync=True,
        refreshes=(3,),
    ),
    "gone, and then seen to have been changed by another hand before": Case(
        613718,
        (Row(6), Row(1)),
        (Life(), Life(), Life(), Life()),
        strangers=(Stranger(1, -3.0, 6, Act.CHANGE),),
        edits=(Edit(1, 6, -1), Edit(3, 6, 0)),
        sync=True,
        refreshes=(2,),
    ),
    "deleted and created anew by another hand": Case(
        373433,
        (Row(4), Row(5)),
        (Life(stop=96), Life(), Life()),
        strangers=(Stranger(1, -1.5, 4, Act.DELETE), Stranger(1, -0.5, 4, Act.CREATE)),
        sync=True,
    ),
    "left, woken by another hand, and back in a night that sees it": Case(
        519299,
        (Row(0), Row(5)),
        (Life(kill=114), Life(stop=167), Life(), Life()),
        strangers=(Stranger(2, -4.909, 0, Act.REACTIVATE),),
        edits=(Edit(1, 0, 0, left=True), Edit(2, 0, 1)),
        rate=60,
        sync=True,
    ),
    "updated by a killed night, in the next one's roster no more, and back as it was updated": Case(
        909164,
        (Row(2), Row(3), Row(5)),
        (Life(kill=128), Life(stop=165), Life()),
        edits=(Edit(1, 2, 1), Edit(1, 3, 1, left=True), Edit(2, 3, 0)),
        before=(Before(3, 18.579), Before(5, 515.255, deactivated=True, same=True)),
        rate=60,
        sync=True,
    ),
    "deactivated when the night looked, and woken by another hand before the night was at it": Case(
        931229,
        (Row(0), Row(3), Row(4)),
        (Life(order=1279003986), Life()),
        faults=(Fault(0, 0, Op.CREATE, 1, Trouble.KEY_REVOKED),),
        strangers=(Stranger(1, -1.251, 4, Act.REACTIVATE),),
        before=(Before(4, 9.23, deactivated=True),),
        sync=True,
    ),
    "a user of others, on the wire when the night was killed, whom the next roster names as deactivated": Case(
        1055966,
        (Row(0), Row(1)),
        (Life(), Life(kill=82), Life(stop=31), Life()),
        edits=(Edit(0, 1, -1), Edit(1, 1, 1), Edit(2, 1, 1, left=True)),
        before=(Before(1, 723.619),),
        sync=True,
    ),
    "in doubt, in no later roster, and back again": Case(
        97, (Row(0), Row(1)), (Life(kill=72), Life(), Life()), edits=(Edit(1, 1, -1), Edit(2, 1, 0)), sync=True
    ),
}
"""What the search has found, as small as it was made."""


@pytest.mark.sampled
@pytest.mark.parametrize("kill", range(80, 120, 5))
def test_whom_a_killed_night_woke_is_deactivated_when_the_next_roster_says_so(kill: int) -> None:
    """A user of others, whom the state does not know: that the roster names it is enough once it is seen active."""
    edits = (Edit(0, 0, 1, left=True), Edit(1, 0, 0), Edit(2, 0, 1, left=True))
    asleep = Before(0, 589.352, deactivated=True, same=True)
    lives = (Life(), Life(kill=kill), Life())
    assert trial(Case(212123, (Row(0),), lives, edits=edits, before=(asleep,), sync=True)).offences == ()


@pytest.mark.sampled
@pytest.mark.parametrize("kill", range(140, 152, 3))
@pytest.mark.parametrize("stop", range(122, 138, 4))
def test_an_update_of_a_night_that_was_cut_short_is_told_by_the_one_that_ends_it(kill: int, stop: int) -> None:
    """Also when the row was edited in between, and edited back: nothing is to be done for it any more."""
    edits = tuple(Edit(life, who, 2 - life) for life in (1, 2) for who in range(3))
    before = tuple(Before(who, 500.0) for who in range(3))
    lives = (Life(kill=kill), Life(stop=stop), Life())
    rows = tuple(map(Row, range(3)))
    assert trial(Case(909164, rows, lives, edits=edits, before=before, rate=60, sync=True)).offences == ()


@pytest.mark.sampled
@pytest.mark.parametrize("case", FOUND.values(), ids=FOUND)
def test_what_was_found_once_is_found_no_more(case: Case) -> None:
    """Each is a case that once broke a promise."""
    assert trial(case).offences == ()


@pytest.mark.slow
def test_a_leaver_whom_another_hand_reactivated_goes_again() -> None:
    """On a night that looks at the app's users; drawn so rarely that it is tried here."""
    lives, strangers = (Life(), Life(), Life(), Life()), (Stranger(2, -1.0, 0, Act.REACTIVATE),)
    case = Case(1, (Row(0), Row(1)), lives, edits=(Edit(1, 0, -1),), strangers=strangers, sync=True, refreshes=(2,))
    assert trial(case).offences == ()


@pytest.mark.sampled
@pytest.mark.parametrize("version", [0, 1], ids=["as before", "changed"])
@pytest.mark.parametrize("kill", [1, 80, None])
def test_a_leaver_whom_another_hand_woke_has_a_token_when_back(kill: int | None, version: int) -> None:
    """The token was flushed when the user left; whoever woke the user, the results of the return hold a new one."""
    edits, strangers = (Edit(1, 0, -1), Edit(3, 0, version)), (Stranger(2, -1.0, 0, Act.REACTIVATE),)
    lives = (Life(), Life(), Life(kill=kill), Life(), Life())
    case = Case(1, (Row(0), Row(1)), lives, edits=edits, strangers=strangers, sync=True, refreshes=(2, 3))
    assert trial(case).offences == ()


@pytest.mark.sampled
@pytest.mark.parametrize("kill", range(80, 130, 7))
def test_a_kill_while_somebody_is_created_anew_leaves_no_dead_token(kill: int) -> None:
    """Another hand deleted a user whose row was edited; at most kills in this range the create is on the wire."""
    edits, strangers = (Edit(1, 0, 1),), (Stranger(1, -1.0, 0, Act.DELETE),)
    case = Case(2, (Row(0),), (Life(), Life(kill=kill), Life()), edits=edits, strangers=strangers, sync=True)
    assert trial(case).offences == ()


def said(outcome: str, token: str | None = None, code: str | None = None, state: str = "settled") -> Line:
    """What a journal could say of the first row."""
    return Line("u0", state, outcome, code, None, token, "")


@pytest.mark.parametrize(
    ("line", "ours", "offence"),
    [
        (said("created", "u0_1"), True, None),
        (said("created"), True, "no token"),
        (said("created", "u0_9"), True, "a token of nobody"),
        (said("existing"), True, "ours became existing"),
        (said("existing"), False, None),
        (said("created", "u0_1"), False, "a stranger became created"),
        (said("created"), None, "created, and nobody is there"),
        (said("existing", code="deactivated"), False, "said to be deactivated"),
        (said("failed", code="HTTP_400"), True, "failed though nobody refused it"),
        (said("pending", state="sent"), True, "row without an outcome"),
        (None, None, "row without an outcome"),
    ],
)
def test_what_breaks_a_promise_is_an_offence(line: Line | None, ours: bool | None, offence: str | None) -> None:
    """A claim is held against the model's users: whose they are, and which tokens were given for them."""
    case = Case(0, (Row(0),), (Life(),), before=() if ours is not False else (Before(0, 500.0),))
    world = World(case)
    if ours:
        body = b'{"uid":"u0","name":"Person 0","withAuthToken":true}'
        world.server.carry_out(Asked.of("POST", "/users", {}, body), 0)
    elif ours is False:
        world.server.carry_out(Asked.of("POST", "/users/u0/auth_tokens", {}, b"{}"), 0)
    found = Judge(case, world).after(0, Ended(), {} if line is None else {"u0": line})
    assert [each.split(":")[0] for each in found][:1] == ([] if offence is None else [offence])


@pytest.mark.parametrize(
    ("line", "asked", "expected"),
    [
        (said("created", "u0_1"), Ask(0, "fail", "all"), True),
        (said("created"), Ask(0, "skip", "created"), False),
        (said("created"), Ask(0, "skip", "none"), True),
        (said("existing"), Ask(0, "skip", "created"), True),
        (said("existing"), Ask(0, "update", "created"), False),
        (said("updated"), Ask(0, "update", "created"), True),
        (said("updated"), Ask(0, "update", "all"), False),
        (said("updated", "u0_1"), Ask(0, "fail", "all"), False),
        (said("existing", code="deactivated"), Ask(0, "update", "all"), True),
    ],
)
def test_what_was_settled_is_held_against_what_is_asked_now(line: Line, asked: Ask, expected: bool) -> None:
    """A run may ask for more than the one before it did; only of the deactivated no more can be had."""
    assert enough(Row(0), line, asked) is expected


def test_a_failure_is_made_smaller() -> None:
    """Everything goes that the failure can do without."""
    striking = Fault(1, 3, Op.READ, 2, Trouble.CUT)
    large = replace(draw(4), rows=tuple(map(Row, range(6))), lives=(Life(7, kill=80), Life(9, kill=90), Life(3)))
    large = replace(large, faults=(*large.faults, striking))

    def fails(case: Case) -> bool:
        kills = [life.kill for life in case.lives[:-1] if life.kill]
        return (
            any(each.trouble is Trouble.CUT and each.op is Op.READ for each in case.faults)
            and max(kills, default=0) > 40
        )

    small = shrink(large, fails)
    assert small == Case(large.seed, (Row(3),), (Life(kill=41), Life()), (Fault(0, 3, Op.READ, 2, Trouble.CUT),))


def test_a_case_is_printed_as_it_is() -> None:
    """What is printed can be put into a test file, and is the same case."""
    names = {name: getattr(cases, name) for name in dir(cases)}
    for seed in range(20):
        code = as_code(draw(seed))
        assert eval(code, names) == draw(seed)
        assert code in as_test(draw(seed), "ours became existing")

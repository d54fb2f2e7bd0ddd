"""One operation until there is an answer to go by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from provisioner.errors import ExitCode
from provisioner.model import UserRequest
from provisioner.sending import attempts
from provisioner.sending.attempts import Exchanger, Guard, OutageTimer
from provisioner.sending.calls import NOBODY, Failure, Operation, Reply
from provisioner.sending.retry import Waits
from provisioner.sending.verdicts import Verdict
from provisioner.stop import Stop, Stopper
from provisioner.tally import RequestTally
from tests.rig import clock
from tests.rig.slots import enough_slots

ADA = UserRequest(1, 1, "ada", b"{}", "0" * 16, token=False)
DONE = Reply(status=200, data={"uid": "ada"})
OOPS = Reply(status=500, message="Oops.")
LIMITED = Reply(status=429, retry_after=2.0)
UNREACHED = Reply(failure=Failure.UNREACHED, message="cannot connect")


@pytest.fixture(autouse=True)
def _virtual_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "time", SimpleNamespace(time=clock.now, monotonic=clock.now))


def exchanged(
    answers: Sequence[Reply],
    operation: Operation = Operation.UPDATE,
    *,
    stop_after: float | None = None,
    query: str = "",
    guard: Guard | None = None,
) -> tuple[Verdict | None, RequestTally, list[Verdict], list[str], Stop | None]:
    """Carry out one operation: its end, what was counted, what was noted, the queries, what stopped the run."""
    notes: list[Verdict] = []
    queries: list[str] = []

    async def main() -> tuple[Verdict | None, RequestTally, list[Verdict], list[str], Stop | None]:
        stopper, counted = Stopper(), RequestTally()

        async def send(_: Operation, __: UserRequest, sent_query: str) -> Reply:
            queries.append(sent_query)
            return answers[len(queries) - 1]

        pacing = enough_slots()
        exchanger = Exchanger(
            send, pacing, stopper, counted, Waits(), OutageTimer(60, stopper), lambda: 1.0, 3, guard=guard
        )
        if stop_after is not None:
            over = Stop("sigint", "interrupted", ExitCode.SIGINT)
            asyncio.get_running_loop().call_later(stop_after, stopper.request, over)
        async with asyncio.timeout(10_000):
            with stopper.on_stop(lambda _: pacing.close()):
                about = NOBODY if operation is Operation.LIST else ADA
                verdict, _ = await exchanger(
                    operation, about, token=False, note=lambda each, _: notes.append(each), query=query
                )
        return verdict, counted, notes, queries, stopper.stop

    return clock.run(main())


def test_an_answer_to_go_by_ends_it() -> None:
    """One request, counted once."""
    verdict, counted, notes, _, stop = exchanged([DONE])
    assert (verdict, counted.sent, counted.retries, notes, stop) == (Verdict.DONE, 1, 0, [Verdict.DONE], None)


def test_doubt_is_tried_again_so_often_and_no_more() -> None:
    """Each answer in doubt is noted; the last one is what there is to go by."""
    verdict, counted, notes, _, _ = exchanged([OOPS] * 3)
    assert (verdict, counted.sent, counted.retries) == (Verdict.IN_DOUBT, 3, 2)
    assert notes == [Verdict.IN_DOUBT] * 3


def test_being_turned_away_is_no_attempt_and_nothing_to_note() -> None:
    """Neither a 429 nor a connection that was not made was processed; the latter is no request either."""
    verdict, counted, notes, _, _ = exchanged([LIMITED, UNREACHED, LIMITED, DONE])
    assert (verdict, counted.sent, counted.rate_limited, notes) == (Verdict.DONE, 3, 2, [Verdict.DONE])


def test_a_stop_leaves_it_without_a_verdict() -> None:
    """While it waits to try again."""
    verdict, counted, _, _, stop = exchanged([LIMITED] * 9, stop_after=1.0)
    assert (verdict, counted.sent) == (None, 1)
    assert stop is not None


def test_an_api_that_cannot_be_reached_for_a_minute_stops_the_run() -> None:
    """Exit 4, with the network's own words."""
    verdict, _, _, _, stop = exchanged([UNREACHED] * 99)
    assert verdict is None
    assert stop is not None
    assert (stop.reason, stop.exit_code) == ("unreachable", ExitCode.API)
    assert "cannot connect" in stop.message


def test_an_api_that_turns_requests_away_can_be_reached() -> None:
    """However long it has everyone wait: the minute begins anew with the next connection that cannot be made."""
    verdict, *_, stop = exchanged([UNREACHED, LIMITED._replace(retry_after=100.0), UNREACHED, DONE])
    assert (verdict, stop) == (Verdict.DONE, None)


def test_a_proxy_that_is_dead_for_a_minute_is_named_in_the_end() -> None:
    """The API and the network are not what is to be looked at."""
    dead = "the proxy http://proxy:3128 cannot be reached (refused); check HTTPS_PROXY in the environment"
    *_, stop = exchanged([Reply(failure=Failure.PROXY, message=dead)] * 99)
    assert stop == Stop("unreachable", f"{dead}, then resume (nothing got through for 60 s)", ExitCode.API)


@pytest.mark.parametrize(("failure", "reason"), [(Failure.BARRED, "proxy"), (Failure.UNTRUSTED, "tls")])
def test_a_connection_that_will_never_be_made_stops_the_run_at_once(failure: Failure, reason: str) -> None:
    """The proxy or the certificate stands between: the request never left, so it does not count."""
    verdict, counted, _, _, stop = exchanged([Reply(failure=failure, message="No.")])
    assert (verdict, counted.sent, stop and stop.reason) == (Verdict.STOP, 0, reason)


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        (Reply(status=403, code="AUTH_ERR_NO_ACCESS"), Verdict.STOP),
        (Reply(status=403), Verdict.IN_DOUBT),
        (Reply(status=302), Verdict.IN_DOUBT),
        (Reply(failure=Failure.BARRED), Verdict.STOP),
    ],
)
def test_a_stop_that_the_api_did_not_ask_for_leaves_doubt(reply: Reply, left: Verdict) -> None:
    """The run ends all the same, after one request."""
    verdict, _, notes, _, _ = exchanged([reply])
    assert (verdict, notes) == (Verdict.STOP, [left])


def test_a_query_goes_with_each_request() -> None:
    """Also when it is sent again; nobody's body carries it."""
    page = Reply(status=200, data={"items": []})
    verdict, _, _, queries, _ = exchanged([OOPS, page], Operation.LIST, query="page=2")
    assert (verdict, queries) == (Verdict.DONE, ["page=2", "page=2"])


def test_each_mint_is_counted_before_it_leaves() -> None:
    """One whose answer is in doubt counts as well, one that was not processed does not; one too many is refused."""
    counted: list[str] = []

    async def guard(request: UserRequest) -> Reply | None:
        counted.append(request.uid)
        return Reply(code="too_many_tokens") if len(counted) > 2 else None

    verdict, requests, *_ = exchanged([LIMITED, OOPS, UNREACHED, OOPS], Operation.MINT, guard=guard)
    assert (verdict, len(counted), requests.sent) == (Verdict.REFUSED, 3, 3)
    verdict, requests, *_ = exchanged([], Operation.MINT, guard=guard)
    assert (verdict, requests.sent) == (Verdict.REFUSED, 0)
    assert exchanged([DONE], Operation.UPDATE, guard=guard)[0] is Verdict.DONE
    assert len(counted) == 4

"""Everything around our process that is not ours: time, clocks, strangers and the wire to the server.

It is the only place that has the time. What happens in it happens in order of time, whether a process of ours is alive
or not: a request that has left is carried out after the process that sent it was killed, or never.
"""

from __future__ import annotations

import asyncio
import heapq
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import aiohttp

from benchmarks.search.answers import Answer, answer
from benchmarks.search.case import Case, Fault, Op, Stranger, Trouble
from benchmarks.search.server import Asked, Server
from benchmarks.search.users import uid_of

PATIENCE: Final = 30.0
"""Seconds that the client waits for an answer."""

_BEGINNING: Final = 1000.0
_EPOCH: Final = 1_800_000_000.0
"""What clocks that are right show when the time is 0."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of ours: in which life it left, and at what true time."""

    life: int
    at: float
    op: Op
    uid: str
    nth: int
    trouble: Trouble | None


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A request on its way, and who waits for its answer."""

    request: Request
    asked: Asked
    future: asyncio.Future[Answer]
    alive: int
    seconds: float


_NONE: Final = Fault(0, 0, Op.CREATE, 0, None)
_NOT_CARRIED_OUT: Final = frozenset(
    {
        Trouble.UNREACHED,
        Trouble.LOST_BEFORE,
        Trouble.GATEWAY_BEFORE,
        Trouble.FOREIGN_400,
        Trouble.LIMITED,
        Trouble.LIMITED_UNTIL,
        Trouble.KEY_REVOKED,
    }
)
_NO_DOUBT: Final = frozenset(
    {
        None,
        Trouble.SLOW,
        Trouble.REPEATED,
        Trouble.DATELESS,
        Trouble.OLD_FORM,
        Trouble.UNREACHED,
        Trouble.LIMITED,
        Trouble.LIMITED_UNTIL,
        Trouble.KEY_REVOKED,
    }
)


class World:
    """Everything outside of our process.

    now      true time, seconds
    doubted  uid → the server's time from which one of our creates may have been carried out without our knowing
    shaken   uids about which a request arrived after its process had given it up: what it wrote may be out of date
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.now = _BEGINNING
        self.requests: list[Request] = []
        self.doubted: dict[str, float] = {}
        self.shaken: set[str] = set()
        self.life = -1
        self._ours = 0.0
        self._alive = 0
        self._counts: Counter[tuple[str, Op]] = Counter()
        self._faults = {(each.life, uid_of(each.who), each.op, each.nth): each for each in case.faults}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.server = Server(self.theirs, {uid_of(row.who) for row in case.rows if row.refused})
        for each in case.before:
            self.server.there_before(each)

    # --- time ---

    def wall(self) -> float:
        """UNIX seconds by our machine's clock."""
        return _EPOCH + self.now + self._ours

    def theirs(self) -> float:
        """UNIX seconds by the server's clock."""
        return _EPOCH + self.now + self.case.theirs

    def due(self) -> float:
        """When something happens next; infinity when nothing does."""
        return self._events[0][0] if self._events else float("inf")

    def advance(self, to: float) -> None:
        """Let everything happen until then."""
        while self._events and self._events[0][0] <= to:
            at, _, event = heapq.heappop(self._events)
            self.now = max(self.now, at)
            event()
        self.now = max(self.now, to)

    def _at(self, when: float, event: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (max(when, self.now), self._number, event))

    # --- lives ---

    def begin(self, life: int) -> None:
        """Begin a life of our process."""
        here = self.case.lives[min(life, len(self.case.lives) - 1)]
        start = self.now + here.after
        for each in self.case.strangers:
            if each.life == life:
                self._at(start + each.at, partial(self._act, each))
        self.advance(start)
        self.life, self._ours = life, here.ours
        self._alive += 1
        self._counts.clear()
        if here.jumps is not None:
            after, seconds = here.jumps
            self._at(start + after, partial(self._jump, self._alive, seconds))

    def end(self) -> None:
        """End it: no answer finds anyone any more."""
        self._alive += 1

    def _jump(self, alive: int, seconds: float) -> None:
        if alive == self._alive:
            self._ours += seconds

    def _act(self, stranger: Stranger) -> None:
        self.server.act(stranger, self.life)

    # --- the wire ---

    def send(
        self, loop: asyncio.AbstractEventLoop, method: str, path: str, query: Mapping[str, str], body: bytes | None
    ) -> asyncio.Future[Answer]:
        """Take a request off our hands; the answer, or the error of the network, comes in time."""
        future: asyncio.Future[Answer] = loop.create_future()
        asked = Asked.of(method, path, query, body)
        self._counts[asked.uid, asked.op] += 1
        nth = self._counts[asked.uid, asked.op]
        fault = self._faults.get((self.life, asked.uid, asked.op, nth)) or _NONE
        request = Request(self.life, self.now, asked.op, asked.uid, nth, fault.trouble)
        self.requests.append(request)
        if asked.op is Op.CREATE and fault.trouble not in _NO_DOUBT:
            self._doubt(asked.uid, self.theirs())
        self._on_its_way(_Call(request, asked, future, self._alive, fault.seconds))
        return future

    def _on_its_way(self, call: _Call) -> None:
        there, back = self._latencies(call.request)
        arrives, given_up = self.now + there, self.now + PATIENCE
        match call.request.trouble:
            case Trouble.UNREACHED | Trouble.LOST_BEFORE:
                self._at(arrives, partial(self._fail, call))
            case Trouble.LATE:
                self.shaken.add(call.request.uid)
                self._at(given_up, partial(self._fail, call))
                self._at(given_up + 10 * call.seconds, partial(self._arrive, call, None))
            case Trouble.TIMEOUT:
                self._at(arrives, partial(self._arrive, call, given_up))
            case Trouble.SLOW:
                self._at(arrives, partial(self._arrive, call, arrives + min(call.seconds, PATIENCE / 2)))
            case _:
                self._at(arrives, partial(self._arrive, call, arrives + back))

    def doubt(self, marked: Iterable[tuple[str, float]]) -> None:
        """Note uids that are left behind as sent, each with the server's time at which it was recorded."""
        for uid, since in marked:
            self._doubt(uid, since)

    def _doubt(self, uid: str, since: float) -> None:
        self.doubted[uid] = min(since, self.doubted.get(uid, since))

    def _latencies(self, request: Request) -> tuple[float, float]:
        text = f"{self.case.seed} {request.life} {request.uid} {request.op} {request.nth}"
        drawn = zlib.crc32(text.encode())
        return 0.002 + (drawn & 0xFFFF) / 0xFFFF * 0.2, 0.002 + (drawn >> 16) / 0xFFFF * 0.2

    def _arrive(self, call: _Call, back: float | None) -> None:
        """Let a request reach the server; those of a process that is no more may have been lost with it."""
        request = call.request
        if call.alive != self._alive:
            if zlib.crc32(repr(request).encode()) & 1:
                return
            self.shaken.add(request.uid)
        trouble = request.trouble
        status, document = 0, dict[str, Any]()
        if trouble not in _NOT_CARRIED_OUT:
            status, document = self.server.carry_out(call.asked, request.life, old_form=trouble is Trouble.OLD_FORM)
        if trouble is Trouble.REPEATED:
            self.server.carry_out(call.asked, request.life)
        if back is None:
            return
        if trouble in {Trouble.LOST_AFTER, Trouble.TIMEOUT}:
            self._at(back, partial(self._fail, call))
        else:
            came = answer(status, document, self.theirs(), trouble, call.seconds)
            self._at(back, partial(self._come_back, call, came))

    def _come_back(self, call: _Call, came: Answer) -> None:
        if call.alive == self._alive and not call.future.done():
            call.future.set_result(came)

    def _fail(self, call: _Call) -> None:
        if call.alive != self._alive or call.future.done():
            return
        match call.request.trouble:
            case Trouble.UNREACHED:
                call.future.set_exception(aiohttp.ConnectionTimeoutError("no way there"))
            case Trouble.LATE | Trouble.TIMEOUT:
                call.future.set_exception(TimeoutError())
            case _:
                call.future.set_exception(aiohttp.ServerDisconnectedError())

"""An event loop without a network or threads: time jumps, and chance says which of the ready callbacks is next.

A call for an executor is carried out in the loop, each executor's one after the other as one thread would, at an
instant that chance draws; what it gives arrives at another. So every order of events that threads and a network could
bring about is one seed away, and the same seed brings it about again. The loop can be cut off before any step, as a
process is killed: nothing of it runs after that.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import warnings
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from random import Random
from typing import Any, Protocol, TypeVar, TypeVarTuple, Unpack

from provisioner.journal.journal import Journal

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_ENDLESS = 60_000
"""Steps after which a life is taken for one that never ends."""


class Outside(Protocol):
    """What goes on beside the process."""

    now: float

    def due(self) -> float:
        """When something happens next; infinity when nothing does."""

    def advance(self, to: float) -> None:
        """Let everything happen until then."""


class KilledError(Exception):
    """The process was killed before a step."""


class StuckError(Exception):
    """Everything waits for ever, or nothing comes to an end."""


class _Thread:
    """The calls of one executor, in order."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], None]] = deque()
        self.busy = False


class SearchLoop(asyncio.BaseEventLoop):
    """Runs one life.

    chance   draws the order of what is ready and how long threads take; None for the order in which it became ready
    outside  what has the time, and happens when the time has come
    """

    def __init__(self, chance: Random | None, outside: Outside) -> None:
        super().__init__()
        self._chance, self._outside = chance, outside
        self._able: list[asyncio.Handle] = []
        self._later: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._threads: dict[Executor | None, _Thread] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self._journals: list[Journal] = []
        self._number = 0
        self._signals: dict[int, Callable[[], object]] = {}
        self._buried = False
        self.steps = 0
        self.errors: list[str] = []

    # --- what a life uses of a loop ---

    def time(self) -> float:
        """Give the true time, seconds."""
        return self._outside.now

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back when chance picks it."""
        handle = asyncio.Handle(callback, args, self, context)
        self._able.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Do the same: there are no threads."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back after some seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back when the time has come."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._number += 1
        heapq.heappush(self._later, (when, self._number, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it: it is passed over when its time has come."""

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> asyncio.Task[Any]:
        """Make a task, to be taken apart with the rest."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=str(name), context=context)
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Carry out a call in the loop, behind the others of its executor."""
        future: asyncio.Future[T] = self.create_future()
        thread = self._threads.setdefault(executor, _Thread())
        thread.calls.append(lambda: self._carry_out(thread, lambda: func(*args), future))
        if not thread.busy:
            self._next_call(thread)
        return future

    def is_closed(self) -> bool:
        """Whether it was taken apart."""
        return self._buried

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody has caught."""
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    # --- threads ---

    def _next_call(self, thread: _Thread) -> None:
        thread.busy = bool(thread.calls)
        if thread.calls:
            self._in_a_while(thread.calls.popleft())

    def _carry_out(self, thread: _Thread, call: Callable[[], T], future: asyncio.Future[T]) -> None:
        try:
            result = call()
        except BaseException as error:
            self._in_a_while(partial(_give, future, future.set_exception, error))
        else:
            if isinstance(result, Journal):
                self._journals.append(result)
            self._in_a_while(partial(_give, future, future.set_result, result))
        self._next_call(thread)

    def _in_a_while(self, call: Callable[[], object]) -> None:
        """Nearly always as soon as its turn comes; now and then much later."""
        slow = self._chance.random() if self._chance is not None else 1.0
        if slow > 0.1 or self._chance is None:
            self.call_soon(call)
        else:
            self.call_later(self._chance.random() * (0.2 if slow > 0.02 else 5.0), call)

    # --- running ---

    def at_step(self, step: int, call: Callable[[], object]) -> None:
        """Call something before that step, as a signal would."""
        self._signals[step] = call

    def live(self, work: Coroutine[Any, Any, T], kill: int | None = None) -> T:
        """Run to the end; raises `KilledError` before step number `kill`, and `StuckError`."""
        with _running(self):
            main: asyncio.Task[T] = self.create_task(work)
            while not main.done():
                if self.steps == kill:
                    raise KilledError
                if (signal := self._signals.pop(self.steps, None)) is not None:
                    signal()
                self._step()
        return main.result()

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _ENDLESS:
            raise StuckError(f"no end after {self.steps} steps")
        if not self._able:
            self._wait()
        else:
            self._pass(1e-6 if self._chance is None else self._chance.random() * 1e-4)
        self._wake()
        if self._able:
            at = self._chance.randrange(len(self._able)) if self._chance is not None else 0
            handle = self._able.pop(at)
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - what a loop does with it

    def _wait(self) -> None:
        while self._later and self._later[0][2].cancelled():
            heapq.heappop(self._later)
        timer = self._later[0][0] if self._later else float("inf")
        until = min(timer, self._outside.due())
        if until == float("inf"):
            raise StuckError("everything waits and nothing will happen")
        # A little at least: a timer that rounding set for this very instant would else be set again for ever.
        self._outside.advance(max(until, self.time() + 1e-6))

    def _pass(self, seconds: float) -> None:
        self._outside.advance(self.time() + seconds)

    def _wake(self) -> None:
        now = self.time()
        while self._later and self._later[0][0] <= now:
            handle = heapq.heappop(self._later)[2]
            if not handle.cancelled():
                self._able.append(handle)

    def bury(self) -> None:
        """Take the life's coroutines apart, so that nothing of it is heard of again."""
        with _running(self), _quiet():
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
                    _close(task)
            self._able.clear()
            self._later.clear()
            self._threads.clear()
            for journal in self._journals:
                journal._database.close()  # noqa: SLF001 - as a killed process lets go of its files
            self._buried = True


def _give(future: asyncio.Future[T], give: Callable[[Any], None], what: Any) -> None:
    if not future.cancelled():
        give(what)


def _close(task: asyncio.Task[Any]) -> None:
    coroutine = task.get_coro()
    for _ in range(20):
        try:
            coroutine.close()
        except BaseException:
            continue
        return


@contextmanager
def _running(loop: SearchLoop) -> Iterator[None]:
    events._set_running_loop(loop)  # noqa: SLF001
    try:
        yield
    finally:
        events._set_running_loop(None)  # noqa: SLF001


@contextmanager
def _quiet() -> Iterator[None]:
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # a process that is killed closes nothing
            yield
    finally:
        sys.unraisablehook = before

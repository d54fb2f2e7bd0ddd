"""Which tests start processes, and a guard that keeps processes out of all others: those take milliseconds."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import CodeType, FunctionType, ModuleType
from typing import Any

_STARTS = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "pty.spawn", "subprocess.Popen"})
"""The interpreter's audit events of a process that is about to start."""

_OURS = ("tests.", "benchmarks.")

_harmless: dict[int, object] = {}
"""What was looked through before, and starts none; kept, so that its number is nobody else's."""

_forbidden = False


class ProcessStartedError(AssertionError):
    """A test that is not marked `process` was about to start one."""


@contextmanager
def no_process() -> Iterator[None]:
    """Inside the block nothing can start a process: neither a command nor a child of ours."""
    global _forbidden  # the hook is the interpreter's, and stays
    before, _forbidden = _forbidden, True
    try:
        yield
    finally:
        _forbidden = before


def starts_processes(things: Iterable[object]) -> bool:
    """Whether one of these functions, or anything of the tests that it names, starts a process.

    Read from the code, not tried: what a function names, what those functions and classes name, and so on.
    """
    known: dict[int, object] = {}
    open_ends = list(things)
    while open_ends:
        thing = open_ends.pop()
        if thing is subprocess or isinstance(thing, BaseContext):
            return True
        if id(thing) not in known and id(thing) not in _harmless:
            known[id(thing)] = thing
            open_ends.extend(_named_by(thing))
    _harmless.update(known)
    return False


def _named_by(thing: object) -> Iterator[object]:
    if isinstance(thing, partial):
        yield thing.func
    elif isinstance(thing, property):
        yield thing.fget
    elif isinstance(thing, type) and thing.__module__.startswith(_OURS):
        yield from vars(thing).values()
    elif isinstance(thing, FunctionType) and thing.__module__.startswith(_OURS):
        inner = inspect.unwrap(thing)
        yield inner
        yield from (cell.cell_contents for cell in thing.__closure__ or ())
        names = set(_names(inner.__code__))
        for found in (inner.__globals__.get(name) for name in names):
            yield found
            if isinstance(found, ModuleType) and found.__name__.startswith(_OURS):
                yield from (vars(found).get(name) for name in names)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _watch(event: str, _arguments: object) -> None:
    if _forbidden and event in _STARTS:
        raise ProcessStartedError(f"{event}: mark this test with `@pytest.mark.process`")


def _guarded(self: BaseProcess) -> None:
    # The first start of a fork server raises no audit event, the later ones are a message to it.
    _watch("os.fork", None)
    _start(self)


_start: Any = BaseProcess.start
BaseProcess.start = _guarded  # type: ignore[method-assign]
sys.addaudithook(_watch)

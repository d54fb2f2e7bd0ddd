"""The real command in processes that are forked from one which has its imports done: a tenth of a second, not one.

To it, nothing is different: arguments, folder, variables, descriptors and signals are its own. What depends on how the
interpreter itself is started (closed descriptors, `PYTHONIOENCODING`, `python -m`) has to be tried on one that is.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any

from tests.rig import closing

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "provisioner.cli.commands.run",
        "provisioner.cli.commands.sync",
        "provisioner.sync.command",
        "provisioner.emulator.command",
        "provisioner.emulator.server",
        "polars",
        "uvloop",
        "aiohttp",
    ]
)


@dataclass(frozen=True)
class Start:
    """What the command is started with.

    streams   descriptors of the three standard streams; None is nothing, as of `/dev/null`
    ahead     seconds by which the clock of its machine is ahead of the right time
    terminal  whether its standard input is the terminal of a session of its own
    """

    arguments: Sequence[str]
    folder: str
    variables: dict[str, str]
    streams: tuple[int | None, int | None, int | None]
    ahead: float = 0.0
    terminal: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the descriptors along with their numbers."""
        streams = tuple(None if number is None else DupFd(number) for number in self.streams)
        return _received, (self.arguments, self.folder, self.variables, streams, self.ahead, self.terminal)


def _received(arguments: Any, folder: Any, variables: Any, streams: Sequence[Any], *more: Any) -> Start:
    numbers = [None if each is None else each.detach() for each in streams]
    return Start(arguments, folder, variables, (numbers[0], numbers[1], numbers[2]), *more)


def _carry_out(start: Start) -> None:
    right = time.time
    time.time = lambda: right() + start.ahead
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.variables)
    for number, given in enumerate(start.streams):
        opened = os.open(os.devnull, os.O_RDWR) if given is None else given
        os.dup2(opened, number)
        os.close(opened)
    if start.terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.argv = ["provisioner", *start.arguments]
    # The arguments are read before the settings are loaded. Where pydantic is there by then, cyclopts has it make a
    # validator for each option, which takes longer than all else of it.
    sys.modules.pop("pydantic", None)
    from provisioner.__main__ import main

    closing.watch()
    main()


def fork(start: Start) -> ForkServerProcess:
    """Start the command."""
    process = _SERVER.Process(target=_carry_out, args=(start,))
    process.start()
    return process


@dataclass
class Forked:
    """The command while it runs; used like a `subprocess.Popen`."""

    _process: ForkServerProcess

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None as long as it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Tell whether it has ended, and how."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Wait for its end and give the exit code; raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("provisioner", timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


@dataclass
class Piped(Forked):
    """The command while it runs, what it says coming through pipes, as text."""

    stdout: IO[str]
    stderr: IO[str]
    _read: tuple[str, str] | None = field(default=None, init=False)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Read both streams to their ends and wait for that of the process; one that hangs is killed."""
        if self._read is None:
            watch = threading.Timer(timeout, self.kill)
            watch.start()
            said: list[str] = []
            beside = threading.Thread(target=lambda: said.append(self.stderr.read()))
            beside.start()
            told = self.stdout.read()
            beside.join()
            watch.cancel()
            self.stdout.close()
            self.stderr.close()
            self._read = told, said[0]
        self.wait(timeout)
        return self._read


def started(arguments: Sequence[str], cwd: Path, variables: dict[str, str], stdin: int | None = None) -> Piped:
    """Start the command with pipes for what it says."""
    (told, stdout), (said, stderr) = os.pipe(), os.pipe()
    try:
        process = fork(Start(arguments, str(cwd), variables, (stdin, stdout, stderr)))
    finally:
        os.close(stdout)
        os.close(stderr)
    return Piped(process, os.fdopen(told, encoding="utf-8"), os.fdopen(said, encoding="utf-8"))


def victim(command: Sequence[str], cwd: Path, env: Mapping[str, str], out: IO[bytes], err: IO[bytes]) -> Forked:
    """Start what a campaign starts, as `benchmarks.rig.victim.started` does."""
    words = command[1:] if command[1] != "-m" else command[3:]
    ahead, arguments = (float(words[0]), words[1:]) if "benchmarks.rig.elsewhen" in command else (0.0, words)
    return Forked(fork(Start(arguments, str(cwd), dict(env), (None, out.fileno(), err.fileno()), ahead)))

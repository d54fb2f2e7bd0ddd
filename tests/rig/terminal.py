"""The real command at a terminal of its own, with somebody at its keyboard."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

from tests.rig.command import COMMAND, PATIENCE, environment


def at_a_terminal(
    *arguments: object, cwd: Path, asked: str = "", typed: str = "", columns: int = 100, **variables: str
) -> tuple[int, str]:
    """Run the command; when `asked` has been printed, type what a person would. Exit code, and all that was printed."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {name: value for name, value in environment(**variables).items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**given, "TERM": "xterm-256color"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=_take_the_terminal,
    )
    os.close(terminal)
    try:
        printed = _watched(main, process, asked, typed)
        return process.wait(timeout=PATIENCE), printed.replace("\r\n", "\n")
    finally:
        process.kill()
        os.close(main)


def _take_the_terminal() -> None:
    """Make the terminal the one whose Ctrl-C ends the process, also where whoever started the tests ignores it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _watched(main: int, process: subprocess.Popen[bytes], asked: str, typed: str) -> str:
    printed, deadline = b"", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([main], [], [], 0.05)[0]:
            chunk = b""
            with contextlib.suppress(OSError):  # the other end is closed
                chunk = os.read(main, 65536)
            if not chunk:
                break
            printed += chunk
        elif process.poll() is not None:
            break
        if typed and asked.encode() in printed:
            os.write(main, typed.encode())
            typed = ""
    return printed.decode(errors="replace")

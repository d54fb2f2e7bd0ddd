"""The real command at a terminal of its own, with somebody at its keyboard."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.rig.command import PATIENCE, environment
from tests.rig.forking import Start, fork


def at_a_terminal(
    *arguments: object, cwd: Path, asked: str = "", typed: str = "", columns: int = 100, **variables: str
) -> tuple[int, str]:
    """Run the command; when `asked` has been printed, type what a person would. Exit code, and all that was printed."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {name: value for name, value in environment(**variables).items() if name != "COLUMNS"}
    variables = {**given, "TERM": "xterm-256color"}
    process = fork(Start([*map(str, arguments)], str(cwd), variables, (terminal, terminal, terminal), terminal=True))
    os.close(terminal)
    try:
        printed = _watched(main, process, asked, typed)
        process.join(PATIENCE)
        assert process.exitcode is not None, "it did not end"
        return process.exitcode, printed.replace("\r\n", "\n")
    finally:
        process.kill()
        os.close(main)


def _watched(main: int, process: ForkServerProcess, asked: str, typed: str) -> str:
    printed, deadline = b"", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([main], [], [], 0.05)[0]:
            chunk = b""
            with contextlib.suppress(OSError):  # the other end is closed
                chunk = os.read(main, 65536)
            if not chunk:
                break
            printed += chunk
        elif process.exitcode is not None:
            break
        if typed and asked.encode() in printed:
            os.write(main, typed.encode())
            typed = ""
    return printed.decode(errors="replace")

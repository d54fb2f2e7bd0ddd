"""Tests of where the command begins: signals, standard streams, and what is not imported yet."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import IO

import pytest

from tests.rig.command import COMMAND, deadline, environment, wait_until

PATIENCE = 60.0


@pytest.mark.parametrize("command", [[COMMAND], [sys.executable, "-m", "provisioner"]], ids=["script", "module"])
def test_the_script_and_the_module_are_the_same_command(command: list[str]) -> None:
    """Both say their version and end with 0."""
    run = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("provisioner ")


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_standard_stream_that_is_closed_is_opened_on_nothing(closed: int, tmp_path: Path) -> None:
    """Else the first file that is opened would take its place, and what is printed would end up in it."""
    code = (
        "import os, sys; import provisioner.__main__ as main; main._open_standard_streams(); "
        f"file = open({str(tmp_path / 'file')!r}, 'w'); "
        "print('printed'); print('told', file=sys.stderr); sys.exit(0 if file.fileno() > 2 else 9)"
    )
    run = subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {closed}>&-', sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert run.returncode == 0
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_all_of_a_long_text_is_printed_however_the_writing_is_interrupted(stream: str, unbuffered: str) -> None:
    """A slow reader gets the whole of it, also where Python is told to buffer nothing: what is short is written on."""
    other = "stderr" if stream == "stdout" else "stdout"
    code = (
        "import signal, sys; import provisioner.__main__ as main; main._open_standard_streams(); "
        f"signal.signal(signal.SIGUSR1, lambda *_: print('heard', file=sys.{other}, flush=True)); "
        f"print('x' * 500_000, file=sys.{stream}, flush=True)"
    )
    variables = {**environment(PYTHONUNBUFFERED=unbuffered), "PYTHONPATH": os.pathsep.join(sys.path)}
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=variables) as process, deadline(process):
        written: IO[str] = getattr(process, stream)
        wait_until(lambda: _waiting(written) >= 4096)
        process.send_signal(signal.SIGUSR1)
        heard = getattr(process, other).readline()
        read = written.read()
    assert (heard, len(read), process.returncode) == ("heard\n", 500_001, 0)


def _waiting(pipe: IO[str]) -> int:
    """How many bytes are in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize("loaded", ["sys", "polars"])
def test_an_interrupt_before_anything_has_begun_simply_ends_it(loaded: str) -> None:
    """By the signal, as a shell expects it, without a traceback; also once polars is loaded, which takes it as well."""
    code = (
        "import os, signal, sys; import provisioner.cli.app as app; import provisioner.__main__ as main; "
        f"app.main = lambda: (__import__({loaded!r}), os.kill(os.getpid(), signal.SIGINT), print('goes on')); "
        "main.main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize(("before", "code", "said"), [("", -signal.SIGTERM, ""), ("trap '' HUP; ", 0, "goes on\n")])
def test_a_terminal_that_is_closed_at_the_start_ends_it_as_sigterm_does(before: str, code: int, said: str) -> None:
    """Whoever looks at the exit code sees the same as later on (143); after nohup it goes on."""
    main = (
        "import os, signal; import provisioner.cli.app as app; import provisioner.__main__ as main; "
        "app.main = lambda: (os.kill(os.getpid(), signal.SIGHUP), print('goes on')); main.main()"
    )
    run = subprocess.run(
        ["sh", "-c", f'{before}exec "$0" "$@"', sys.executable, "-c", main],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (code, said, "")

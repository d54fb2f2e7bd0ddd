"""Standard input and pipes: read once, kept without a name, and otherwise rosters like all others. The real command."""

from __future__ import annotations

import gzip
import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from provisioner.files.cures import MAKE_ROOM
from tests.rig import forking
from tests.rig.command import COMMAND, PATIENCE, Finished, environment, rows

ROSTER = b"uid;name\nann;Ann\nb b;Bob\n"


def piped(data: bytes | int, *arguments: str, cwd: Path, before: str = "") -> Finished:
    """Run the command with bytes, or a descriptor, on standard input; `before` limits it by the shell's means."""
    if not before:
        return _forked(data, arguments, cwd)
    command = ["bash", "-c", f'{before}exec "$@"', "bash", COMMAND, *arguments]
    given: dict[str, Any] = {"input": data} if isinstance(data, bytes) else {"stdin": data}
    ended = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, timeout=PATIENCE, **given)
    return Finished(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def _forked(data: bytes | int, arguments: Sequence[str], cwd: Path) -> Finished:
    if isinstance(data, int):
        process = forking.started(arguments, cwd, environment(), data)
    else:
        end, begin = os.pipe()
        process = forking.started(arguments, cwd, environment(), end)
        os.close(end)
        with suppress(BrokenPipeError), os.fdopen(begin, "wb") as pipe:
            pipe.write(data)
    stdout, stderr = process.communicate(PATIENCE)
    return Finished(process.wait(PATIENCE), stdout, stderr)


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0"])
def test_a_roster_on_standard_input_is_read_twice_and_leaves_the_usual_files(tmp_path: Path, name: str) -> None:
    done = piped(ROSTER, "run", name, "--emulator", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["created"], done.summary["rejected"]) == (1, 1, 1), done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "stdin.results.csv",
        "stdin.results.journal.db",
        "stdin.results.rejected.csv",
        "stdin.results.summary.json",
    ]
    assert [row["outcome"] for row in rows(tmp_path / "stdin.results.csv")] == ["created", "rejected"]
    assert (tmp_path / "stdin.results.rejected.csv").read_text().startswith("uid;name;_row;_errors\nb b;Bob;2;")


@pytest.mark.slow
def test_a_run_from_standard_input_is_resumed_by_piping_the_same_again(tmp_path: Path) -> None:
    """Rows are matched by uid and body, so it does not matter that the file is another one."""
    for outcome in ("created", "created"):
        done = piped(b"uid,name\nann,Ann\n", "run", "-", "--emulator", "--json", cwd=tmp_path)
        assert (done.exit_code, done.summary[outcome]) == (0, 1), done.stderr
    assert done.summary["requests"] == 0


def test_a_file_as_standard_input_is_read_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_bytes(b"uid,name\nann,Ann\n")
    with (tmp_path / "users.csv").open("rb") as file:
        done = piped(file.fileno(), "validate", "-", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["rows"]) == (0, 1), done.stderr


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    """What the shell makes of `<(…)`, and pipes in the file system."""
    os.mkfifo(tmp_path / "users.tsv")
    writer = threading.Thread(target=(tmp_path / "users.tsv").write_bytes, args=[b"uid\tname\nann\tA, B\n"])
    writer.start()
    done = piped(b"", "validate", "users.tsv", "--json", cwd=tmp_path)
    writer.join(60)
    assert not writer.is_alive()
    assert (done.exit_code, done.summary["rows"]) == (0, 1), done.stderr


def test_a_terminal_is_no_roster(tmp_path: Path) -> None:
    """Somebody forgot the pipe: said at once instead of waiting for ever."""
    main, terminal = pty.openpty()
    try:
        done = piped(terminal, "validate", "-", "-q", cwd=tmp_path)
    finally:
        os.close(main)
        os.close(terminal)
    said = "error: standard input is a terminal; pipe a CSV into it, or name a file"
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, said)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("data", "before", "said"),
    [
        (b"", "", "standard input is empty: it has no bytes at all"),
        (ROSTER, "exec 0<&-; ", "standard input is empty: it has no bytes at all"),
        (ROSTER, "exec 0>/dev/null; ", "standard input cannot be read: Bad file descriptor"),
        (gzip.compress(ROSTER, mtime=0), "", "standard input is compressed with gzip; unpack it first"),
        (b"PAR1", "", "standard input is a Parquet file; save it in a file whose name ends in .parquet"),
        (b"uid,name\na,b,c\n", "", ("standard input: row 1 (line 2, byte 13): 3 cells, but the header has 2; "
         "put cells that hold a comma in quotes")),
    ],
)  # fmt: skip
def test_what_is_no_roster_is_told(tmp_path: Path, data: bytes, before: str, said: str) -> None:
    done = piped(data, "validate", "-", "-q", cwd=tmp_path, before=before)
    assert (done.exit_code, done.stdout, done.stderr.splitlines()[-1]) == (2, "", f"error: {said}")


@pytest.mark.slow
def test_no_room_for_standard_input_is_told(tmp_path: Path) -> None:
    data = b"uid,name\n" + b"ann,Ann\n" * 100_000
    done = piped(data, "validate", "-", "-q", "-o", "out/r.csv", cwd=tmp_path, before="ulimit -f 100; ")
    said = f"out: no room to keep standard input in (File too large); {MAKE_ROOM}"
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (3, f"error: {said}")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["r.check.summary.json"], "every exit leaves one"


# More than a pipe holds, so that it is written only once somebody reads it; and more may come.
BEGUN = b"uid;name\n" + b"ann;Ann\n" * 20_000


@pytest.mark.parametrize(
    ("command", "number", "code", "summary"),
    [
        (["run", "-", "--emulator"], signal.SIGTERM, 143, "stdin.results.summary.json"),
        (["validate", "-"], signal.SIGINT, 130, "stdin.results.check.summary.json"),
        (["init", "-"], signal.SIGINT, 130, None),
    ],
    ids=["run", "validate", "init"],
)
def test_a_signal_ends_a_command_that_waits_for_its_roster(
    tmp_path: Path, command: list[str], number: signal.Signals, code: int, summary: str | None
) -> None:
    """At once, with its summary, though whoever writes into the pipe has stalled and never ends."""
    given: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([COMMAND, *command], cwd=tmp_path, env=environment(), **given) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(BEGUN)
            process.stdin.flush()
            process.send_signal(number)
            assert process.wait(PATIENCE) == code
        finally:
            process.kill()
    found = [] if summary is None else [summary]
    assert [each.name for each in tmp_path.iterdir()] == found
    told = [json.loads((tmp_path / name).read_bytes()) for name in found]
    assert [each["stopped_by"] for each in told] == [number.name.lower()] * len(found)

"""Events: on stderr for whoever reads it, in the file as JSON lines; tracebacks stay in the file."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from provisioner.errors import ConfigurationError, OutputError
from provisioner.logs.events import chosen_format, set_up
from provisioner.logs.masking import MASK

KEY = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "ada_1700000000" + "0a1b2c" * 5


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave no configuration and no open log file behind."""
    yield
    *_, tee = structlog.get_config()["processors"]
    if getattr(tee, "_file", None) is not None:
        with suppress(OSError):  # /dev/full refuses what is still to be written
            tee._file.close()
    structlog.reset_defaults()


def events(text: str) -> list[dict[str, Any]]:
    """Every line as JSON, without the time."""
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        assert event.pop("timestamp").endswith("Z")
    return found


def test_without_a_terminal_every_event_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Cron, Kubernetes, Airflow: name, level, time in UTC and the facts as members; letters as they are."""
    set_up()
    log = structlog.get_logger()
    log.info("run.started", roster="Müller\n.csv", rows=3)
    log.debug("row.sent")
    log.error("run.stopped")
    told = capsys.readouterr().err
    assert "Müller" in told
    assert events(told) == [
        {"event": "run.started", "level": "info", "roster": "Müller\n.csv", "rows": 3},
        {"event": "run.stopped", "level": "error"},
    ]


def test_on_a_terminal_it_is_written_for_people() -> None:
    """The default on a terminal is a line that can be read; JSON when it is asked for."""
    with redirect_stderr(Terminal()) as terminal:
        set_up()
        structlog.get_logger().info("run.started", rows=3)
        formats = [chosen_format(asked) for asked in (None, "json", "console")]
    assert "run.started" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert formats == ["console", "json", "console"]


@pytest.mark.parametrize(
    ("verbose", "quiet", "shown", "kept"),
    [
        (False, False, "info warning error", "info warning error"),
        (True, False, "debug info warning error", "debug info warning error"),
        (False, True, "warning error", "info warning error"),
    ],
)
def test_the_file_gets_every_event_whatever_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verbose: bool, quiet: bool, shown: str, kept: str
) -> None:
    """`-q` is for the eyes, `-v` for both; the file is JSON lines whatever stderr is, appended to, its folder made."""
    path = tmp_path / "logs" / "run.log"
    path.parent.mkdir()
    path.write_text('{"event":"of the run before","timestamp":"Z"}\n')
    set_up(file=path, verbose=verbose, quiet=quiet)
    for level in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), level)("x")
    assert [event["level"] for event in events(capsys.readouterr().err)] == shown.split()
    before, *after = events(path.read_text())
    assert before == {"event": "of the run before"}
    assert [event["level"] for event in after] == kept.split()


def test_the_file_is_json_lines_under_a_console_too(tmp_path: Path) -> None:
    """A person looks at the terminal, a machine at the file, of the same run; the folder is made."""
    path = tmp_path / "new" / "run.log"
    with redirect_stderr(Terminal()) as terminal:
        set_up(file=path)
        structlog.get_logger().warning("rate.paused", seconds=2.0)
    assert events(path.read_text()) == [{"event": "rate.paused", "level": "warning", "seconds": 2.0}]
    assert "rate.paused" in terminal.getvalue()


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_is_for_the_file_alone_and_masked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: Any
) -> None:
    """The terminal says what happened; where in the code is in the file, without the key that was in the message."""
    path = tmp_path / "run.log"
    set_up(format_=format_, file=path, secrets=[KEY])
    try:
        raise ValueError(f"refused: {KEY}")
    except ValueError as error:
        structlog.get_logger().error("run.bug", exc_info=error)
    told = capsys.readouterr().err
    assert "run.bug" in told
    assert "Traceback" not in told
    (event,) = events(path.read_text())
    assert event["exception"].startswith("Traceback (most recent call last)")
    assert event["exception"].endswith(f"ValueError: refused: {MASK}")
    assert KEY not in told + path.read_text()


def test_the_stderr_of_the_moment_is_written_to() -> None:
    """While progress is drawn, stderr is another one; lines must go through it or they tear the drawing."""
    with redirect_stderr(io.StringIO()) as first:
        set_up()
        with redirect_stderr(io.StringIO()) as later:
            structlog.get_logger().info("x")
    assert (first.getvalue(), len(events(later.getvalue()))) == ("", 1)


@pytest.mark.parametrize("name", [".", "file/run.log"])
def test_a_log_file_that_cannot_be_opened_is_told_before_anything_begins(tmp_path: Path, name: str) -> None:
    """A folder in its place, a file in its folder's."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="the log file cannot be opened") as error:
        set_up(file=tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))
    assert str(error.value).endswith("; choose another --log-file")


def test_a_pipe_that_nobody_reads_is_told_and_not_waited_for(tmp_path: Path) -> None:
    """Opening it would wait for its reader, with no word to anybody; once it has one, it gets every event."""
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    with pytest.raises(ConfigurationError) as error:
        set_up(file=pipe)
    cure = "start what reads it first, or choose another --log-file"
    assert str(error.value) == f"{pipe}: the log file cannot be opened (nobody reads this pipe); {cure}"
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    set_up(file=pipe, quiet=True)
    structlog.get_logger().info("run.started")
    assert events(os.read(reader, 1000).decode()) == [{"event": "run.started", "level": "info"}]
    *_, tee = structlog.get_config()["processors"]
    assert os.get_blocking(tee._file.fileno())  # a reader who is slow is waited for
    os.close(reader)


@pytest.mark.parametrize("quiet", [False, True])
def test_a_log_file_that_takes_no_more_is_told_once(capsys: pytest.CaptureFixture[str], *, quiet: bool) -> None:
    """Otherwise nobody would know that the story is lost; the run goes on."""
    set_up(file=Path("/dev/full"), quiet=quiet, format_="json")
    for name in ("run.started", "run.finished"):
        structlog.get_logger().error(name)
    lost = {"file": "/dev/full", "reason": "No space left on device", "event": "log.not_written", "level": "error"}
    assert events(capsys.readouterr().err) == [
        lost,
        {"event": "run.started", "level": "error"},
        {"event": "run.finished", "level": "error"},
    ]


def test_a_log_that_cannot_be_written_does_not_end_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Users are being created: a full log partition is no reason to stop, least of all with requests on the wire."""
    set_up(file=Path("/dev/full"))
    structlog.get_logger().info("run.started")
    assert "run.started" in capsys.readouterr().err


def test_a_stderr_that_nobody_reads_any_more_does_not_end_the_run(tmp_path: Path) -> None:
    """The reader of the story may leave before the story ends; the file still gets it."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with redirect_stderr(Closed()):
        set_up(file=tmp_path / "run.log")
        structlog.get_logger().info("run.started")
    assert events((tmp_path / "run.log").read_text()) == [{"event": "run.started", "level": "info"}]


def test_a_process_without_stderr_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Daemons are started with stderr closed; the story does not turn up on stdout, among the results, instead."""
    monkeypatch.setattr("sys.stderr", None)
    set_up()
    structlog.get_logger().info("run.started")
    assert capsys.readouterr().out == ""


def test_a_file_name_that_is_not_utf8_can_be_logged(tmp_path: Path) -> None:
    """`run.started` names the roster, and a roster may have any name the file system allows."""
    set_up(file=tmp_path / "run.log")
    structlog.get_logger().info("run.started", roster="M\udcfcller.csv")
    assert "ller.csv" in (tmp_path / "run.log").read_text()


def test_the_gravest_level_is_shown_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """`-q` shows warnings and errors, and what is graver than an error."""
    set_up(quiet=True)
    structlog.get_logger().critical("x")
    assert len(events(capsys.readouterr().err)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"note of a person\n",
        b"SQLite format 3\x00" + bytes(5000),
        b"uid,name\nada,Ada",
        b'{"uid":"ada","event":"x","timestamp":"2026"}\n',
        b"\n",
        b"2026-01-01 meeting [room 4]\n",
        b"x" * 200_000,
    ],
)
def test_a_log_is_appended_to_nothing_that_is_no_log(tmp_path: Path, content: bytes) -> None:
    """Promise 10: another job's journal, results, a note: nothing of it is touched."""
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(OutputError) as error:
        set_up(file=file)
    assert str(error.value) == f"{file}: holds what is no log of provisioner; choose another --log-file"
    assert file.read_bytes() == content
    set_up()  # for the one who tidies up


@pytest.mark.parametrize("stream", [1, 2])
def test_a_log_goes_where_the_command_writes_anyway(tmp_path: Path, stream: int) -> None:
    """Whoever leads stdout or stderr into that file has decided it: a cron's own log begins with other lines."""
    file = tmp_path / "cron.log"
    file.write_bytes(b"backup done\n")
    log = "import sys; from pathlib import Path; from provisioner.logs.events import get_logger, set_up"
    script = f"{log}; set_up(file=Path(sys.argv[1]), quiet=True); get_logger().info('run.finished')"
    for name in (f"/dev/fd/{stream}", str(file)):
        with file.open("ab") as there:
            streams = {("stdout", "stderr")[stream - 1]: there}
            subprocess.run([sys.executable, "-c", script, name], check=True, **streams)  # type: ignore[call-overload]
    before, *told = file.read_text().splitlines()
    assert before == "backup done"
    assert events("\n".join(told)) == [{"event": "run.finished", "level": "info"}] * 2


@pytest.mark.parametrize("format_", ["console", "json"])
@pytest.mark.parametrize("terminal", [True, False])
def test_a_log_goes_on_in_a_log_whatever_else_went_there(tmp_path: Path, format_: Any, terminal: bool) -> None:
    """Also where stderr was led into it, a disk was full in the middle of a line, or somebody added a line."""
    with redirect_stderr(Terminal() if terminal else io.StringIO()) as told:
        set_up(format_=format_)
        structlog.get_logger().info("run.started", roster="Müller\n.csv")
    line = told.getvalue().encode()
    file = tmp_path / "file"
    for before in (
        b"",
        line,
        b"error: no key\n" + line,
        line + b"error: no key\n",
        b"x\n" + line + b'{"rows": 7, "eve',
    ):
        file.write_bytes(before)
        set_up(file=file, quiet=True)
        structlog.get_logger().info("run.finished")
        assert file.read_bytes().startswith(before)
        assert json.loads(file.read_bytes()[len(before) :])["event"] == "run.finished"
        structlog.get_config()["processors"][-1]._file.close()
    set_up(file=Path("/dev/null"))

"""Exceptions become exit codes; what is left of a bug of ours is one private file, secrets masked."""

from __future__ import annotations

import errno
import json
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

from provisioner.cli.app import carry_out
from provisioner.cli.boundary import boundary, write_crash_file
from provisioner.errors import ExitCode
from provisioner.logs.events import set_up
from provisioner.settings.apikey import API_KEY_VARIABLE

KEY = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "ada_1700000000" + "0a1b2c" * 5


def an_error(said: str) -> Exception:
    """An error with a cause, as it comes out of several layers."""
    try:
        try:
            raise KeyError(said)
        except KeyError as cause:
            raise ValueError(f"while {said}") from cause
    except ValueError as error:
        return error


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv(API_KEY_VARIABLE, f" {KEY}\n")
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another temporary folder than the machine's."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.usefixtures("open_umask")
def test_the_whole_traceback_is_kept_masked_and_private(here: Path) -> None:
    """Causes and lines are there; key and tokens are not; mode 0600 whatever the umask."""
    path = write_crash_file(an_error(f"sending {KEY} for {TOKEN}"))
    text = path.read_text()
    assert re.fullmatch(r"provisioner-crash-\d{8}T\d{6}\.log", str(path))
    assert list(here.iterdir()) == [path.absolute()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.startswith("Traceback (most recent call last):\n")
    assert "KeyError: 'sending *** for ada_***'" in text
    assert "The above exception was the direct cause" in text
    assert text.endswith("ValueError: while sending *** for ada_***\n")
    assert f'"{__file__}", line' in text


def test_a_folder_that_cannot_be_written_to_gives_way_to_the_temporary_one(here: Path, temporary: Path) -> None:
    """A read-only working folder (a container) still leaves a report."""
    here.rmdir()
    path = write_crash_file(an_error("x"))
    assert (path.parent, [path]) == (temporary, list(temporary.iterdir()))


def test_a_report_that_is_there_is_not_overwritten(here: Path, temporary: Path) -> None:
    """Two crashes leave two reports; a link planted under the name is not followed."""
    paths = [write_crash_file(an_error(f"number {n}")) for n in range(2)]
    assert [f"number {n}" in path.read_text() for n, path in enumerate(paths)] == [True, True]
    assert len({path.absolute() for path in paths}) == 2
    assert {path.absolute().parent for path in paths} <= {here, temporary}


def test_no_folder_at_all_is_an_error_that_the_command_can_tell(here: Path, temporary: Path) -> None:
    """The caller says that the traceback could not be written, instead of showing it."""
    here.rmdir()
    temporary.rmdir()
    with pytest.raises(OSError, match="no folder to write to"):
        write_crash_file(an_error("x"))


def test_a_key_from_a_file_is_masked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run knows its key, wherever it came from: what the log masks, the crash file masks."""
    monkeypatch.delenv(API_KEY_VARIABLE)
    set_up(secrets=[KEY])
    assert KEY not in write_crash_file(an_error(f"sending {KEY}")).read_text()


def test_a_text_that_is_not_utf8_is_written_all_the_same(here: Path) -> None:
    """File names of any encoding are part of many messages."""
    assert "while M" in write_crash_file(an_error("M\udcfcller.csv")).read_text(encoding="utf-8", errors="replace")
    assert len(list(here.iterdir())) == 1


def test_memory_that_runs_out_is_a_sentence_with_the_need(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no bug of ours: exit 3, no crash file, and what to give the process."""
    with pytest.raises(SystemExit) as ended, boundary():
        raise MemoryError("Unable to allocate 2 GiB")
    assert (ended.value.code, list(here.iterdir())) == (ExitCode.SAFETY, [])
    said = capsys.readouterr().err
    assert said.startswith("error: memory ran out (Unable to allocate 2 GiB); a run takes about 400 MB")
    assert said.endswith("1 GB, then run the same command again\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("can't start new thread"), "error: memory ran out (can't start new thread); a run takes about"),
        (
            OSError(errno.EMFILE, "Too many open files"),
            "error: no more files can be opened (Too many open files);",
        ),
    ],
)
def test_a_limit_of_the_process_is_a_sentence_with_its_cure(
    here: Path, capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    """It is no bug of ours either: exit 3, no crash file."""
    with pytest.raises(SystemExit) as ended, boundary():
        raise error
    assert (ended.value.code, list(here.iterdir())) == (ExitCode.SAFETY, [])
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("limit", [8, 16, 24, 63])
def test_too_few_files_are_refused_before_anything_begins(here: Path, limit: int) -> None:
    """In the middle, libraries would say all kinds of things about it."""
    run = f"exec {sys.executable} -c 'from provisioner.cli.app import main; main()'"
    command = ["sh", "-c", f"ulimit -n {limit}; {run} validate users.csv"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=60, check=False)
    cure = "raise the limit (ulimit -n 1024), then run the same command again"
    said = f"error: this process may open {limit} files at once, which is too few; {cure}\n"
    assert (done.returncode, done.stderr, list(here.iterdir())) == (2, said, [])


LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("status", LONG), "no file can be called so (File name too long); give another name"),
        (("report", LONG), "no file can be called so (File name too long); give another name"),
        (("validate", LONG, "--json"), ".results.csv: cannot be an output (File name too long); choose another"),
        (("merge", LONG), "no file can be called so (File name too long); give another name"),
        (("merge", "loop"), "give"),
        (("report", "/"), "error: /: is a folder; name a run's results file or a state"),
        (("report", ""), "error: OUT: is empty; name a file (a variable that is not set gives nothing)"),
        (("validate", "u.csv", "-c", "nul.toml"), "a path holds a NUL character, and no file can be called so"),
        (("validate", "u.csv", "-c", "big.toml"), "big.toml: run.limit: should be at most 1000000000000"),
        (
            ("run", "u.csv", "--emulator", "-o", f"{LONG}.csv", "--json"),
            "(File name too long); choose another",
        ),
    ],
)
def test_a_name_that_no_file_can_have_is_no_bug(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    """Whatever it is the name of: one sentence, exit 2, no crash file; the summary says the same."""
    (here / "u.csv").write_text("uid,name\na,A\n")
    (here / "loop").symlink_to("loop")
    (here / "nul.toml").write_text('[output]\nfile = "a\\u0000.csv"\n')
    (here / "big.toml").write_text(f"[run]\nlimit = {10**20}\n")
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out(arguments)
    out, err = capsys.readouterr()
    assert (ended.value.code, message in err) == (ExitCode.USAGE, True), err
    assert not list(here.glob("provisioner-crash-*"))
    if "--json" in arguments:
        assert json.loads(out)["exit_code"] == ExitCode.USAGE


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", "{there}/u.csv", "--json"),
        ("run", "{there}/u.csv", "--emulator", "-y", "--json"),
        ("run", "{there}/u.csv", "--dry-run", "--emulator"),
        ("sync", "{there}/u.csv", "--state", "s.db", "--adopt", "--base-url", "http://127.0.0.1:9/v3"),
        ("plan", "{there}/u.csv", "--state", "s.db", "--base-url", "http://127.0.0.1:9/v3"),
        ("doctor", "--base-url", "http://127.0.0.1:9/v3"),
        ("merge", "."),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_working_folder_that_was_deleted_is_no_bug(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    """Whoever comes upon it: one sentence, exit 2, and no crash file anywhere."""
    (tmp_path / "u.csv").write_text("uid,name\na,A\n")
    here.rmdir()
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out([each.format(there=tmp_path) for each in arguments])
    out, err = capsys.readouterr()
    said = "the current folder is not there any more; go to another one (cd), then run the command again"
    assert (ended.value.code, err.splitlines()[-1]) == (ExitCode.USAGE, f"error: {said}")
    if "--json" in arguments:
        assert json.loads(out)["message"] == said


def test_a_panic_of_polars_is_a_bug_and_no_exit_code_of_rows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no `Exception`: Python would end with 1, which says that rows were rejected."""
    with pytest.raises(SystemExit) as ended, boundary():
        raise pl.exceptions.PanicException("date out of range")
    assert ended.value.code == ExitCode.BUG
    assert "bug: RuntimeError" in capsys.readouterr().err
    (report,) = here.glob("provisioner-crash-*.log")
    assert "polars panicked: date out of range" in report.read_text()

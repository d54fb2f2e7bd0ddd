"""How a command ends: its own exit code whatever becomes of its streams, a summary always, each thing said once."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rig.command import COMMAND, PATIENCE, environment, provisioner, write_roster

PEOPLE = [{"uid": "ann", "name": "Łucja"}, {"uid": "b b", "name": "Bob"}]


def shell(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, `$P` being the command."""
    return subprocess.run(
        ["bash", "-c", script], cwd=cwd, env=environment(P=COMMAND, **variables), capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a roster of which one row is rejected."""
    write_roster(tmp_path / "u.csv", PEOPLE)
    return tmp_path


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("streams", "told"),
    [
        (">/dev/full", "summary.not_printed"),
        (">&-", ""),
        ("2>/dev/full", ""),
        ("2>&-", ""),
        (">/dev/full 2>/dev/full", ""),
        ("| true; exit ${PIPESTATUS[0]}", ""),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_job_is_done_so_it_ends_with_its_own_exit_code(
    folder: Path, streams: str, told: str, unbuffered: str
) -> None:
    """A stream that is full, closed or dead is no bug of ours: never 70, no crash file, and the summary is filed."""
    ended = shell(f"$P run u.csv --emulator --json {streams}", folder, PYTHONUNBUFFERED=unbuffered)
    assert ended.returncode == 1, ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert json.loads((folder / "u.results.summary.json").read_text())["created"] == 1
    assert list(folder.glob("*crash*")) == []


@pytest.mark.slow
def test_letters_that_stdout_lacks_are_escaped_and_json_stays_json(folder: Path) -> None:
    """As under a C locale: told, and nothing is lost."""
    ended = shell("$P validate u.csv --show 1 --json", folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.returncode == 1, ended.stderr
    assert json.loads(ended.stdout)["shown_requests"][0]["body"]["name"] == "Łucja"
    assert "summary.escaped" in ended.stderr
    assert shell("$P constraints", folder, PYTHONIOENCODING="ascii").returncode == 0


@pytest.mark.slow
def test_a_look_whose_answer_nobody_gets_is_an_error_and_no_bug(folder: Path) -> None:
    """`doctor` keeps its own exit code, which is what a scheduler asks for."""
    ended = shell("$P constraints >/dev/full", folder)
    assert (ended.returncode, ended.stderr) == (1, "error: not printed (No space left on device)\n")
    assert shell("$P doctor --emulator >/dev/full", folder).returncode == 0


@pytest.mark.slow
def test_a_config_that_is_not_printed_is_told(folder: Path) -> None:
    """`init u.csv >provisioner.toml` on a full disk; a reader that has left needs no telling."""
    ended = shell("$P init u.csv >/dev/full", folder)
    message = "error: the config file is not printed (No space left on device); name a file with -o"
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (2, message)
    left = shell("$P init u.csv | true; exit ${PIPESTATUS[0]}", folder)
    assert (left.returncode, "error" in left.stderr) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "code", "reason", "message"),
    [
        (("run", "u.csv"), 2, "configuration", "no API key"),
        (("validate", "gone.csv", "-o", "u.results.csv"), 2, "roster", "gone.csv: no such file"),
        (("run", "u.csv", "--emulator", "--share", "700%"), 2, "configuration", "--share"),
    ],
)
def test_a_command_that_cannot_begin_leaves_a_summary_all_the_same(
    folder: Path, arguments: tuple[str, ...], code: int, reason: str, message: str
) -> None:
    """In the file and with `--json` on stdout, with the sentence that was said: no alert reads an older one."""
    ended = provisioner(*arguments, "--json", cwd=folder, COMETCHAT_APP_ID="a", COMETCHAT_REGION="us")
    filed = "u.results.check.summary.json" if arguments[0] == "validate" else "u.results.summary.json"
    assert (ended.exit_code, ended.summary["exit_code"], ended.summary["stopped_by"]) == (code, code, reason)
    assert message in ended.summary["message"]
    assert f"error: {ended.summary['message']}" in ended.stderr
    assert json.loads((folder / filed).read_text()) == ended.summary


@pytest.mark.skipif(sys.platform == "darwin", reason="its filesystems take no such names")
@pytest.mark.parametrize(
    ("place", "output"), [(b"caf\xe9.csv", b"o.csv"), (b"d\xe9/u.csv", b"o.csv"), (b"u.csv", b"\xe9.csv")]
)
def test_a_name_that_is_not_utf8_is_refused_before_anything_is_sent(
    tmp_path: Path, place: bytes, output: bytes
) -> None:
    """No summary can hold it: of a file or of a folder, of the roster or of the results."""
    roster, nowhere = tmp_path / os.fsdecode(place), ("--base-url", "http://127.0.0.1:9/v3")
    roster.parent.mkdir(exist_ok=True)
    roster.write_text("uid,name\nann,Ann\n")
    for command in (("run", "--emulator"), ("validate",), ("sync", "--state", "s.db", "--adopt", *nowhere)):
        ended = provisioner(
            *command, os.fsdecode(place), "-o", os.fsdecode(output), cwd=tmp_path, COMETCHAT_API_KEY="k"
        )
        assert (ended.exit_code, "is not UTF-8; rename it" in ended.stderr, "\\xe9" in ended.stderr) == (2, True, True)
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} <= {".csv", ".json"}
    assert list(tmp_path.glob("*.csv")) == [path for path in (roster,) if path.parent == tmp_path]


def test_an_option_that_does_not_exist_is_told_to_programs_too(folder: Path) -> None:
    """There is no file that could be named; a slip of the hand in the roster's name leaves none either."""
    ended = provisioner("run", "u.csv", "--jason", "--json", cwd=folder)
    assert (ended.exit_code, ended.summary["stopped_by"]) == (2, "usage")
    assert provisioner("run", "v.csv", "--emulator", "--json", cwd=folder).summary["outputs"] == {"summary": None}
    assert [path.name for path in folder.iterdir()] == ["u.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("named", [(), ("-o", "out.csv")], ids=["by the roster", "by an option"])
def test_the_summary_of_an_earlier_run_gives_way_to_that_of_one_whose_options_make_no_sense(
    folder: Path, named: tuple[str, ...]
) -> None:
    """Nobody reads that all went well; what the run before left is kept in it, and a check has a file of its own."""
    run = ("run", "u.csv", *named)
    assert provisioner(*run, "--emulator", cwd=folder).exit_code == 1
    summary = folder / ("out.summary.json" if named else "u.results.summary.json")
    before = summary.read_bytes()
    ended = provisioner("validate", *run[1:], "-q", "--sharee", cwd=folder)
    assert (ended.exit_code, summary.read_bytes()) == (2, before)
    for slip in (("--max-in-flight", "6x4"), ("--on-existing=x",), ("--sharee",), ("--emulator", "--share")):
        ended = provisioner(*run, *slip, cwd=folder)
        told = json.loads(summary.read_bytes())
        assert (ended.exit_code, told["exit_code"], told["stopped_by"]) == (2, 2, "usage")
        assert (told["last_run"]["exit_code"], told["last_run"]["created"]) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "slip",
    [
        ("run", "-oout.csv", "u.csv", "--limit", "x"),
        ("run", "u.csv", "--shard", "1/2", "--limit", "x"),
        ("run", "u.csv", "--dry-run=true", "--limit", "x"),
        ("run", "u.csv", "-o", "mine.csv", "--nope"),
        ("sync", "b/u.csv", "--nope"),
        ("sync", "v.csv", "--nope"),
    ],
    ids=["joined", "a shard", "a dry run", "somebody's file", "another roster", "a new one"],
)
def test_options_that_make_no_sense_leave_what_is_of_another_run_or_of_nobody(
    folder: Path, slip: tuple[str, ...]
) -> None:
    """Where it cannot be told for certain which summary is meant, none is written; nor is there a new one."""
    provisioner("run", "u.csv", "--emulator", cwd=folder)
    (folder / "b").mkdir()
    for other in ("b/u.csv", "v.csv"):
        (folder / other).write_bytes((folder / "u.csv").read_bytes())
    (folder / "mine.summary.json").write_text("{}")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert provisioner(*slip, cwd=folder).exit_code == 2
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "options", "gives_way"),
    [
        ("dry_run = true", (), False), ("dry_run = true", ("--dry-run=false",), True),
        ('shard = "1/2"', (), False), ('shard = "1/2"', ("-o", "u.results.csv"), False), ("limit = 9", (), True),
    ],
)  # fmt: skip
def test_which_summary_options_that_make_no_sense_mean_is_for_the_config_to_say_too(
    folder: Path, config: str, options: tuple[str, ...], gives_way: bool
) -> None:
    """A dry run and a shard have summaries of their own; a flag comes before the config."""
    provisioner("run", "u.csv", "--emulator", cwd=folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    (folder / "c.toml").write_text(f"[run]\n{config}\n")
    assert provisioner("run", "u.csv", "-c", "c.toml", *options, "--nope", cwd=folder).exit_code == 2
    changed = [path.name for path, data in before.items() if path.read_bytes() != data]
    assert changed == ["u.results.summary.json"] * gives_way


@pytest.mark.slow
def test_what_a_run_wrote_is_remembered_by_the_summary_of_one_that_could_not_begin(folder: Path) -> None:
    """So its own rejected file is not taken for one that somebody has mended; another roster's summary is left."""
    provisioner("run", "u.csv", "--emulator", cwd=folder)
    assert provisioner("run", "u.csv", cwd=folder).exit_code == 2
    again = provisioner("run", "u.csv", "--emulator", "--json", cwd=folder)
    assert (again.exit_code, again.events("file.set_aside")) == (1, [])
    before = (folder / "u.results.summary.json").read_bytes()
    (folder / "sub").mkdir()
    write_roster(folder / "sub/u.csv", PEOPLE)
    assert provisioner("run", "sub/u.csv", cwd=folder).exit_code == 2
    assert (folder / "u.results.summary.json").read_bytes() == before


def test_a_sync_that_cannot_begin_leaves_tonights_summary(folder: Path) -> None:
    """Not last night's, also where the roster is called otherwise every night."""
    (folder / "night.summary.json").write_text('{"roster": ["/hr/yesterday.csv"], "digests": {}, "exit_code": 0}')
    command = ("sync", "gone.csv", "--state", "s.db", "-o", "night.csv", "--json", "--base-url", "http://127.0.0.1:9")
    ended = provisioner(*command, cwd=folder, COMETCHAT_API_KEY="k")
    assert (ended.exit_code, ended.summary["stopped_by"]) == (2, "roster")
    assert json.loads((folder / "night.summary.json").read_text()) == ended.summary


def on_a_terminal(*arguments: str, cwd: Path) -> tuple[int, str]:
    """Run with stderr on a terminal; the exit code and what is seen there."""
    main, terminal = pty.openpty()
    try:
        process = subprocess.Popen(
            [COMMAND, *arguments], cwd=cwd, env=environment(TERM="dumb", NO_COLOR="1"), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=terminal,
        )  # fmt: skip
        os.close(terminal)
        seen = b""
        while piece := _read(main):
            seen += piece
        return process.wait(PATIENCE), seen.decode()
    finally:
        os.close(main)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody holds the other end any more
        return b""


@pytest.mark.slow
def test_on_a_terminal_an_error_is_one_text(folder: Path) -> None:
    """Not a log line and a text; the log file gets its event."""
    code, seen = on_a_terminal("run", "gone.csv", "--emulator", "--no-progress", "--log-file", "log", cwd=folder)
    assert (code, seen.count("gone.csv: no such file")) == (2, 1)
    assert "run.refused" not in seen
    events: list[Any] = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    assert [event["message"] for event in events if event["event"] == "run.refused"] == ["gone.csv: no such file"]
    config = "[retry]\nunreachable_after = 0.2\nbackoff_base = 0.01\n"
    (folder / "c.toml").write_text(config + '[api]\napi_key_file = "key"\nbase_url = "http://127.0.0.1:9"\n')
    (folder / "key").write_text("k")
    code, seen = on_a_terminal("run", "u.csv", "-c", "c.toml", "--no-progress", cwd=folder)
    assert (code, seen.count("the API could not be reached"), "resume with: " in seen) == (4, 1, True)


@pytest.mark.slow
def test_verbose_tells_of_replies_and_commits(folder: Path) -> None:
    """Without `-v` there is none of it; the table says that it was the emulator."""
    loud = provisioner("run", "u.csv", "--emulator", "-v", cwd=folder)
    asked, reply = loud.events("request.answered")
    assert (asked["operation"], reply["operation"]) == ("probe", "create")
    assert (reply["row"], reply["verdict"], reply["status"]) == (1, "done", 200)
    assert [event["outcomes"] for event in loud.events("journal.committed")] == [1]
    assert "sent to the built-in emulator" in loud.stdout
    quiet = provisioner("run", "u.csv", "--emulator", "--restart", "--json", cwd=folder)
    assert (quiet.events("request.answered"), quiet.summary["emulator"]) == ([], True)

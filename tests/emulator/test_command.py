import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from provisioner.emulator.__main__ import app
from provisioner.emulator.app.settings import EmulatorSettings
from provisioner.emulator.command import LOCAL_KEY, Answers, Limits, duration
from tests.rig.command import deadline

COMMAND = (sys.executable, "-W", "error", "-m", "provisioner.emulator")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "EMULATOR_API_KEY"}


@contextmanager
def started(*options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command on any free port; gives the process and the URL it says it listens on."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | variables,
    )
    try:
        with deadline(process):
            first = _stream(process.stdout).readline()
        match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+/v3)\n", first)
        assert match, (first, _stream(process.stderr).read())
        yield process, match[1]
    finally:
        process.kill()
        process.communicate(timeout=10)


def called(*options: str) -> int:
    """Call the command in this process; gives the exit code."""
    with pytest.raises(SystemExit) as ended:
        app(options)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the end; gives what else was said on stdout and stderr.

    Not by communicate(), which would miss what readline() has read ahead.
    """
    with deadline(process):
        rest = _stream(process.stdout).read(), _stream(process.stderr).read()
    process.wait(timeout=10)
    return rest


def create(url: str, uid: str, key: str) -> int:
    """Create a user and give the status."""
    body = json.dumps({"uid": uid, "name": uid}).encode()
    headers = {"apikey": key, "Content-Type": "application/json"}
    try:
        with urlopen(Request(f"{url}/users", body, headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_tells_how_to_use_it_and_stops_cleanly(number: signal.Signals) -> None:
    """The first line is the address, the rest says how to send to it; a signal ends it with exit 0."""
    with started() as (process, url):
        assert create(url, "ann", LOCAL_KEY) == 200
        process.send_signal(number)
        rest, errors = ended(process)
    assert (process.returncode, errors) == (0, "")
    assert f"export COMETCHAT_API_KEY={LOCAL_KEY}" in rest
    assert [line.strip() for line in rest.splitlines() if line.startswith("  ")] == [
        f"export COMETCHAT_API_KEY={LOCAL_KEY}",
        f"provisioner run users.csv --base-url {url}",
        *(f"curl {url.removesuffix('/v3')}/_emulator/{what}" for what in ("stats", "users", "audit")),
    ]


def test_a_key_that_was_given_is_used_and_not_shown(tmp_path: Path) -> None:
    """From a file, with or without a byte-order mark, or from the environment; the file first."""
    file = tmp_path / "key"
    file.write_text("key-of-the-file\n", encoding="utf-8-sig")
    with started("--api-key-file", str(file), EMULATOR_API_KEY="key-of-the-environment") as (process, url):
        assert [create(url, "ann", key) for key in ("key-of-the-environment", "key-of-the-file")] == [401, 200]
        process.terminate()
        output = "".join(ended(process))
    assert "key-of-the" not in output
    given = "once COMETCHAT_API_KEY is the key you gave in a file or in EMULATOR_API_KEY"
    assert f"In another terminal, {given}:\n  provisioner run users.csv --base-url {url}\n" in output


def test_options_reach_the_emulator(tmp_path: Path) -> None:
    """Limits, quota, faults, seeds, users and the audit file are what was asked for."""
    users, script, audit = tmp_path / "users.ndjson", tmp_path / "faults.json", tmp_path / "audit.ndjson"
    users.write_text('{"uid": "old"}\n')
    script.write_text('{"script": [{"fault": "error-before-commit", "uid": "bad"}]}')
    options = ("--users", str(users), "--fault-script", str(script), "--audit", str(audit), "--quota", "2")
    with started(*options, "--fault", "html-503-before-commit@3", "--duplicates", "409") as (_, url):
        statuses = [create(url, uid, LOCAL_KEY) for uid in ("old", "bad", "third", "new", "newer")]
    assert statuses == [409, 500, 503, 200, 402]
    assert [json.loads(line)["uid"] for line in audit.read_text().splitlines()] == [
        "old",
        "bad",
        "third",
        "new",
        "newer",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "why"),
    [("192.0.2.1", "cannot assign requested address"), ("nobody.invalid", "[^()]+")],
)
def test_an_address_that_is_not_this_machines_is_one_sentence(host: str, why: str) -> None:
    """Exit 2, and the option that is to be another."""
    run = subprocess.run([*COMMAND, "--host", host, "--port", "1"], capture_output=True, text=True, timeout=30)
    told = rf"error: {host}, port 1: cannot be listened on \({why}\); choose another --host or --port\n"
    assert (run.returncode, run.stdout, re.fullmatch(told, run.stderr) is not None) == (2, "", True), run.stderr


@pytest.mark.slow
def test_a_port_in_use_is_one_sentence() -> None:
    """Exit 2, nothing on stdout, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=30)
        assert (run.returncode, run.stdout, run.stderr) == (
            2,
            "",
            f"error: port {port} of 127.0.0.1 is in use; choose another with --port, or any free one with --port 0\n",
        )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--fault", "lost-reply"), "--fault lost-reply: write it as lost-reply=0.01, lost-reply=1% or lost-reply@500"),
        (("--fault", "lost=1"), "there is no fault named lost; did you mean lost-reply?"),
        (("--fault", "foo=1"), "there is no fault named foo; `provisioner emulator --help` names all"),
        (("--fault", "slow=200%"), "slow: a rate is from 0 to 1, not 2.0"),
        (("--core-limit", "0"), "core_limit is at least 1, not 0"),
        (
            ("--api-key-file", "no"),
            "no: cannot be read (No such file or directory); name the file that holds the key, or leave the option out",
        ),
        (
            ("--api-key-file", "01ab" * 10),
            "--api-key-file: no such file, and it looks like the key itself; give the file that holds it",
        ),
        (("--api-key-file", "/dev/zero"), "/dev/zero: the key should be in this file, and it is too large to hold one"),
        (("--audit", "no-such-folder/audit"), "no-such-folder/audit: No such file or directory"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and what to do, on stderr."""
    assert called("--port", "0", *options) == 2
    assert capsys.readouterr() == ("", f"error: {sentence}\n")


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--users", '{"name": "x"}', 'line 1 is no user: it needs a "uid"'),
        ("--fault-script", '{"rate": {}}', "a fault plan has no 'rate', only rates, script, error_status"),
        (
            "--api-key-file",
            " ",
            "the key should be in this file, and it is empty; put it there, or leave the option out",
        ),
    ],
)
def test_a_wrong_file_is_named(
    option: str, text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, the file, and what is wrong with it."""
    path = tmp_path / "file"
    path.write_text(text)
    assert called("--port", "0", option, str(path)) == 2
    assert capsys.readouterr() == ("", f"error: {path}: {message}\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_key_that_is_no_utf_8_is_told_with_its_file(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with what to do, as the client says it."""
    path = tmp_path / "key"
    path.write_bytes("kéy".encode(encoding))
    assert called("--port", "0", "--api-key-file", str(path)) == 2
    message = "the key should be in this file, and it is not UTF-8 text; save it as UTF-8"
    assert capsys.readouterr() == ("", f"error: {path}: {message}\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("20ms", 0.02), ("0.3s", 0.3), (".5", 0.5), ("2m", 120.0), ("-3 s", -3.0), ("1.5", 1.5)]
)
def test_durations_are_read_with_and_without_unit(text: str, seconds: float) -> None:
    """Seconds unless ms, s or m is said."""
    assert duration(text) == pytest.approx(seconds)


def test_a_duration_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says how to write one; a negative one is a value all the same, and no option."""
    for text in ("soon", "-3x"):
        assert called("--clock-skew", text) == 2
        message = f"--clock-skew: {text!r} is no duration; write it as 20ms, 0.3s or 2m"
        assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("option", "value"), [("--core-limit", "1.5"), ("--quota", "none"), ("--seed", "0x1"), ("--plan", "golden")]
)
def test_a_value_of_the_wrong_kind_is_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is rounded or guessed."""
    assert called(option, value) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert option in printed.err
    assert value in printed.err


def test_every_option_has_a_word_of_help_and_a_group() -> None:
    """Each is explained; those that mean a setting bear its name, so that they reach it."""
    shown = [each for each in app.assemble_argument_collection() if each.show]
    assert all(each.parameter.help and each.parameter.group for each in shown)
    for group in (Answers, Limits):
        assert {field.name for field in fields(group)} <= {field.name for field in fields(EmulatorSettings)}


def test_help_loads_no_server() -> None:
    """Showing help costs no import of aiohttp or asyncio."""
    code = (
        "import sys; import provisioner.emulator.command; "
        "sys.exit(sorted({'aiohttp', 'asyncio', 'orjson', 'polars'} & sys.modules.keys()) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stderr) == (0, "")

"""One command: what is printed, what is logged, and with which code it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from provisioner.errors import ExitCode, OutputError, RosterError, StorageError
from provisioner.results.summary import Summary
from provisioner.run.dryrun import validate
from provisioner.run.runtime import (
    Ending,
    conduct,
    ended_in_order,
    is_agreed,
    is_drawn,
    loop_factory,
    resume_command,
    set_up_logs,
)
from provisioner.settings.tables import Log, Output, Run, Settings, load
from provisioner.stop import InterruptedEarlyError, Stop, Stopper
from tests.rig.api import until
from tests.rig.work import Place

MINDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def handled_signals() -> Iterator[None]:
    """Handle the signals as Python does by default, even if the tests were started with some of them ignored."""
    before = {each: signal.getsignal(each) for each in MINDED}
    try:
        for each in MINDED:
            signal.signal(each, signal.default_int_handler if each is signal.SIGINT else signal.SIG_DFL)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def conducted(tmp_path: Path, *, as_json: bool) -> ExitCode:
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\nbob,\n")
    job = place.job(output=Output.model_validate({"file": tmp_path / "out.csv", "json": as_json}))
    return conduct(job.settings, lambda stopper: validate(job, stopper))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_prints_its_summary_and_ends_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """A table for people, or the one document for machines."""
    with capture_logs():
        code = conducted(tmp_path, as_json=as_json)
    assert code is ExitCode.ROWS_LEFT
    printed = capsys.readouterr().out
    if as_json:
        assert json.loads(printed)["rejected"] == 1
    else:
        assert "1  rejected" in printed


def test_what_stops_a_command_early_is_logged_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal before the first request: its code, and no summary of nothing."""

    async def work(stopper: Stopper) -> Summary:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopper.wait()
        assert stopper.stop is not None
        raise InterruptedEarlyError(stopper.stop)

    with capture_logs() as events, pytest.raises(InterruptedEarlyError) as early:
        conduct(Settings(), work)
    assert early.value.stop.exit_code is ExitCode.SIGTERM
    assert [each["event"] for each in events] == ["run.interrupted", "run.stopped"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("first", [None, Stop("api_refused", "the API refuses the key", ExitCode.API)])
def test_a_second_signal_ends_at_once_whatever_has_stopped_the_work_before(
    monkeypatch: pytest.MonkeyPatch, first: Stop | None
) -> None:
    """The first one is a wish; the reason that was first stays."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)

    async def work(stopper: Stopper) -> Ending:
        if first is not None:
            stopper.request(first)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: stopper.interrupted)
        assert ended == []
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: ended)
        assert stopper.stop is not None
        raise InterruptedEarlyError(stopper.stop)

    with capture_logs(), pytest.raises(InterruptedEarlyError) as early:
        conduct(Settings(), work)
    assert ended == [ExitCode.SIGTERM]
    assert early.value.stop.reason == ("sigint" if first is None else first.reason)


def test_what_refuses_a_command_is_logged_and_comes_up() -> None:
    """Whoever called says it to the person."""

    async def work(_: Stopper) -> Ending:
        raise RosterError("r.csv: is empty")

    with capture_logs() as events, pytest.raises(RosterError):
        conduct(Settings(), work)
    assert [(each["event"], each["exit_code"]) for each in events] == [("run.refused", 2)]


def test_what_cuts_a_command_short_that_has_sent_is_told_with_the_command_that_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not refused: what was sent is in the journal. What was said on the terminal is not said again."""
    monkeypatch.setattr(sys, "argv", ["provisioner", "run", "o.csv"])

    async def work(stopper: Stopper) -> Ending:
        stopper.begun = True
        raise StorageError("o.csv: cannot be written; make room")

    for log, told in ((Log(format="json"), False), (Log(format="console"), True)):
        with capture_logs() as events, pytest.raises(StorageError) as error:
            conduct(Settings(log=log), work)
        assert [(each["event"], each["reason"], each["message"]) for each in events] == [
            ("run.stopped", "storage", "o.csv: cannot be written; make room")
        ]
        assert events[0]["resume"] == "provisioner run o.csv"
        assert (error.value.told, "resume with: provisioner" in capsys.readouterr().err) == (told, told)


def test_the_command_that_resumes_is_the_same_without_restart() -> None:
    """Quoted as a shell wants it, and without what is secret in an address."""
    anew = Settings(run=Run(restart=True))
    for said in ("--restart", "--restart=true", "--restart=1"):
        given = ["run", "my users.csv", said, "-o", "out.csv"]
        assert resume_command(given, anew) == "provisioner run 'my users.csv' -o out.csv"
    assert resume_command(["run", "r.csv", "--restart=false"], Settings()) == "provisioner run r.csv --restart=false"
    assert "sig=" not in resume_command(["run", "https://x.test/r.csv?sig=abc"], Settings())


def test_the_command_that_resumes_asks_the_same_database_in_the_same_way() -> None:
    """What an address says of TLS stays; a parameter that may be a secret does not."""
    address = "postgresql://ann@db/hr?sslmode=verify-full&sslrootcert=/ca.pem"
    given = ["run", "--query-file", "q.sql", "--database", address]
    assert resume_command(given, Settings()) == f"provisioner run --query-file q.sql --database '{address}'"
    for secret in ("token=abc", "sslpassword=abc", "sslmode=require&client_secret=abc", "apikey=abc"):
        told = resume_command(["run", "--database", f"postgresql://ann@db/hr?{secret}"], Settings())
        assert told == "provisioner run --database postgresql://ann@db/hr"


def test_what_a_config_file_says_for_once_is_unsaid_in_the_command_that_resumes(tmp_path: Path) -> None:
    """As the command takes it: the same settings, but for what would begin anew, or have a journal be a copy again."""
    config = tmp_path / "c.toml"
    config.write_text("[run]\nrestart = true\n")
    begun = load({}, {}, config)
    assert resume_command(["run", "r.csv"], begun) == "provisioner run --restart=false r.csv"
    assert resume_command(["run", "r.csv", "--restart"], begun, begun=False) == "provisioner run r.csv --restart"
    assert load({"run": {"restart": False}}, {}, config).run.restart is False
    config.write_text("[run]\nrestored = true\n")
    restored = load({}, {}, config)
    assert resume_command(["sync", "r.csv"], restored) == "provisioner sync --restored=false r.csv"
    assert resume_command(["fleet", "fleet.toml"], restored) == "provisioner fleet fleet.toml"


class Terminal(io.StringIO):
    """Where progress can be drawn."""

    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_where_there_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody has asked for silence."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    silent = Settings(output=Output(progress=False)), Settings(log=Log(quiet=True))
    assert [is_drawn(each) for each in (Settings(), *silent)] == [True, False, False]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not is_drawn(Settings())


def test_a_log_is_not_written_into_what_is_read_or_written(tmp_path: Path) -> None:
    """Neither the roster nor any output, nor what the settings come from."""
    config, key, people, output = (tmp_path / name for name in ("c.toml", "key", "people.csv", "o.csv"))
    config.touch()
    flags = {"api": {"api_key_file": key}, "sync": {"state": tmp_path / "s.db", "approve": tmp_path / "a.csv"}}
    for path in (config, key, people, output, tmp_path / "s.db", tmp_path / "a.csv"):
        settings = load({**flags, "log": {"file": path}}, {}, config)
        with pytest.raises(OutputError, match="the log would be written into it"):
            set_up_logs(settings, (people, output))
    with pytest.raises(OutputError, match="deleted with it; choose another --log-file"):
        set_up_logs(load({"log": {"file": tmp_path / "o.journal.db-wal"}}, {}, config), ())


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.FileIO]:
    """Somebody at the keyboard: what is written here is typed."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as stdin, io.FileIO(writing, "w") as keyboard:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield keyboard


def agreed(default: bool = False) -> bool:
    return is_agreed("Begin?", default=default, console=Console(file=io.StringIO()))


@pytest.mark.parametrize(
    ("typed", "default", "answer"),
    [
        (b"y\n", False, True), (b"n\n", True, False), (b"\n", True, True), (b"what?\ny\n", False, True),
        (b"y", False, True), (b"", True, False),
    ],
    ids=["yes", "no", "just Enter", "another word first", "the end without Enter", "the end"],
)  # fmt: skip
def test_a_question_takes_an_answer(typing: io.FileIO, typed: bytes, default: bool, answer: bool) -> None:
    """Enter is the default, another word is asked about again, and the end of the input is no."""
    typing.write(typed)
    typing.close()
    assert agreed(default) is answer


@pytest.mark.parametrize(
    "question", ["Send staff [old].csv to http://[fd00::1]/v3?", "Send a[/b].csv?", r"Send \[x]:smile:?"]
)
def test_a_question_is_asked_as_it_stands(typing: io.FileIO, question: str) -> None:
    """A file or an address may have brackets in its name, which are no styles."""
    typing.write(b"y\n")
    shown = io.StringIO()
    assert is_agreed(question, default=False, console=Console(file=shown, width=200))
    assert shown.getvalue() == f"{question} [y/n] (n): "


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\n"), "closed"])
def test_without_a_keyboard_the_answer_is_no(typing: io.FileIO, monkeypatch: pytest.MonkeyPatch, stdin: object) -> None:
    """A daemon has no standard input, or a closed one."""
    if stdin == "closed":
        sys.stdin.close()
    else:
        monkeypatch.setattr(sys, "stdin", stdin)
    assert agreed(default=True) is False


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, ExitCode.SIGTERM)])
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, loop_factory()])
def test_a_signal_ends_a_question_in_the_instant_before_it_is_read(
    typing: io.FileIO, monkeypatch: pytest.MonkeyPatch, factory: Any, number: signal.Signals, error: object
) -> None:
    """Its handler has run, or waits for its turn, and nobody types; the next signal is the event loop's as before."""
    waiting = select.select

    def late(reading: list[int], writing: list[int], broken: list[int]) -> Any:
        # A handler that does nothing, as the event loop has them: only the byte in the pipe is left of the signal.
        signal.signal(number, lambda *_: None)
        os.kill(os.getpid(), number)
        return waiting(reading, writing, broken, 10.0)

    async def asking() -> object:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, heard.set)
        with monkeypatch.context() as patch:
            patch.setattr(select, "select", late)
            try:
                result: object = agreed()
            except KeyboardInterrupt as ended:
                result = type(ended)
            except InterruptedEarlyError as ended:
                result = ended.stop.exit_code
        assert not heard.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(10):
            await heard.wait()
        return result

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(asking()) == error


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, loop_factory()])
def test_another_signal_is_handed_on_and_the_question_stays(typing: io.FileIO, factory: Any) -> None:
    """A SIGHUP reads the rate again once the question is answered."""

    def typed() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        typing.write(b"y\n")

    async def asking() -> bool:
        heard = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, heard.set)
        typist = threading.Thread(target=typed)
        typist.start()
        answer = agreed()
        typist.join()
        async with asyncio.timeout(10):
            await heard.wait()
        return answer

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(asking()) is True


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, ExitCode.SIGTERM)]
)
@pytest.mark.usefixtures("handled_signals")
def test_a_signal_ends_the_block_before_the_process(number: signal.Signals, code: int) -> None:
    """What the block made by the way is removed; then they are minded as before."""
    before, done = [signal.getsignal(each) for each in MINDED], list[str]()

    def work() -> None:
        with ended_in_order(), ExitStack() as stack:
            stack.callback(done.append, "removed")
            signal.raise_signal(number)
            done.append("goes on")

    with pytest.raises(SystemExit) as ended:
        work()
    assert (ended.value.code, done) == (code, ["removed"])
    assert [signal.getsignal(each) for each in MINDED] == before


def test_a_signal_that_is_to_end_nothing_does_not_end_the_block() -> None:
    """As after nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_in_order():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)

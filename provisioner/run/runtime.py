"""One command from its settings to its exit code: event loop, signals, emulator, summary."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TextIO, cast

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from provisioner.errors import ConfigurationError, ExitCode, OutputError, ProvisionerError
from provisioner.files.looking import refuse_beside_another, same_file
from provisioner.logs import events
from provisioner.model import Outcome
from provisioner.results.summary import encode
from provisioner.results.tables import printed
from provisioner.roster.database.printing import in_command
from provisioner.settings.apikey import read_api_key
from provisioner.settings.named import named_files
from provisioner.settings.password import read_database_password
from provisioner.settings.tables import Settings
from provisioner.stop import InterruptedEarlyError, Stop, Stopper
from provisioner.streams import answer, say

if TYPE_CHECKING:
    from provisioner.run.rates import Dial

_SIGNALS: Final = {signal.SIGINT: ExitCode.SIGINT, signal.SIGTERM: ExitCode.SIGTERM}

# Command → options of the first of several such commands only, which a config file may have as well.
_ONCE: Final[Mapping[str, Sequence[str]]] = {"run": ("restart", "restored"), "sync": ("restored",)}

_COUNTED: Final = ("rows", *(outcome.value for outcome in Outcome), "requests", "elapsed_seconds", "exit_code")


class Ending(Protocol):
    """What a command ends with: a summary."""

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""

    @property
    def document(self) -> Mapping[str, Any]:
        """What `--json` prints."""

    @property
    def outputs(self) -> Mapping[str, str | None]:
        """The files that were written, as given."""

    def show(self, console: Console) -> None:
        """Print what people read."""


Work = Callable[[Stopper], Coroutine[Any, Any, Ending]]

log = events.get_logger()


def _tune() -> None:
    """Spend less on Python itself while requests are on the wire; measured by `benchmarks.speed.throughput`."""
    # What was imported stays: looking through it for garbage again and again finds none.
    gc.freeze()
    gc.set_threshold(5_000)
    # The journal's thread takes the interpreter from the event loop half as often; a commit still takes few turns.
    sys.setswitchinterval(0.01)


def is_drawn(settings: Settings) -> bool:
    """Whether the progress is to be drawn: when that is wanted, and there is a terminal to draw it on."""
    return settings.output.progress and not settings.log.quiet and sys.stderr.isatty()


def set_up_logs(settings: Settings, files: Iterable[Path]) -> None:
    """Begin the log, which never shows the key.

    Raises `OutputError` when it would be written into one of the files, or into one that the settings come from.
    """
    wanted = settings.log
    if wanted.file is not None:
        refuse_beside_another(wanted.file, "choose another --log-file")
    for path in (*files, *(path for _, path in named_files(settings))):
        if wanted.file is not None and same_file(wanted.file, path):
            raise OutputError(f"{wanted.file}: the log would be written into it; choose another --log-file")
    events.set_up(
        format_=wanted.format, file=wanted.file, verbose=wanted.verbose, quiet=wanted.quiet, secrets=_secrets(settings)
    )


def _secrets(settings: Settings) -> list[str]:
    """Find the key and the password, to be masked; whoever needs one says when there is none."""
    found: list[str] = []
    with suppress(ConfigurationError):
        found.append(read_api_key(settings, settings.environment).get_secret_value())
    with suppress(ConfigurationError):
        password = read_database_password(settings)
        found += [] if password is None else [password.get_secret_value()]
    return found


def conduct(settings: Settings, work: Work, dial: Dial | None = None) -> ExitCode:
    """Carry out the work of a command in an event loop that minds signals; print how it ended, give the exit code.

    dial  turned by SIGHUP; without one that stops the work, as SIGTERM does

    Raises what the work raises, told and logged where it has words for it.
    """
    _tune()
    stopper = Stopper()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            summary = runner.run(_watch_signals(work, stopper, dial))
    except InterruptedEarlyError as early:
        _tell_stop(settings, early.stop, begun=False)
        raise
    except ProvisionerError as error:
        _tell_error(settings, error, begun=stopper.begun)
        raise
    document = summary.document
    counts = {name: document[name] for name in _COUNTED if name in document}
    # At a terminal the summary itself says so, a line further down.
    log.info("run.finished", **counts, in_words=sys.stdout.isatty() and sys.stderr.isatty())
    _print(summary, as_json=settings.output.json_summary)
    if stopper.stop is not None and document.get("stopped_by") is not None:
        _tell_stop(settings, stopper.stop)
    return summary.exit_code


def _tell_error(settings: Settings, error: ProvisionerError, *, begun: bool) -> None:
    """Tell what cut a command short: when something was sent, how it goes on belongs to it."""
    if not begun:
        log.error("run.refused", message=str(error), exit_code=error.exit_code, in_words=True)
        return
    _tell_stop(settings, Stop.because_of(error))
    error.told = events.chosen_format(settings.log.format) == "console"


def _tell_stop(settings: Settings, stop: Stop, *, begun: bool = True) -> None:
    """Tell why a command ended before its time, and the command that goes on: as it was given where nothing began."""
    command = resume_command(sys.argv[1:], settings, begun=begun)
    todo = "resume with" if begun else "stopped before anything was sent; again with"
    log.error("run.stopped", reason=stop.reason, message=stop.message, resume=command, in_words=True)
    if events.chosen_format(settings.log.format) == "console":
        say(f"{stop.message}\n{todo}: {command}")


async def _watch_signals(work: Work, stopper: Stopper, dial: Dial | None) -> Ending:
    loop, numbers = asyncio.get_running_loop(), list(_SIGNALS)
    for number in _SIGNALS:
        loop.add_signal_handler(number, _on_signal, number, stopper)
    if dial is not None or signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, _on_hangup, [*filter(os.isatty, (0, 1, 2))], dial, stopper)
        numbers.append(signal.SIGHUP)
    try:
        return await work(stopper)
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            # All that is left is to say how it went, and to end with the exit code that was given.
            signal.signal(number, signal.SIG_IGN)


def _on_hangup(terminals: Sequence[int], dial: Dial | None, stopper: Stopper) -> None:
    """Read the rate again; but a terminal that was there and is not any more was closed, and that ends the run."""
    if not all(os.isatty(each) for each in terminals):
        stopper.request(Stop("sighup", "interrupted by SIGHUP: the terminal was closed", ExitCode.SIGTERM))
    elif dial is not None:
        dial.turn()
    else:
        stopper.request(Stop("sighup", "interrupted by SIGHUP", ExitCode.SIGTERM))


def _on_signal(number: signal.Signals, stopper: Stopper) -> None:
    if stopper.interrupted:
        for end in stopper.at_once:
            end()
        os._exit(_SIGNALS[number])  # the journal knows all that matters
    hint = "requests on the wire finish, 10 s at most; again to end at once"
    log.warning("run.interrupted", signal=number.name, hint=hint)
    stopper.interrupted = True
    stopper.request(_interrupted(number))


def _interrupted(number: signal.Signals) -> Stop:
    return Stop(number.name.lower(), f"interrupted by {number.name}", _SIGNALS[number])


def resume_command(arguments: Sequence[str], settings: Settings, *, begun: bool = True) -> str:
    """Give the command that goes on where this one stopped, without what may be secret in an address."""
    name, *rest = arguments or ("",)
    once = [f"--{key}" for key in _ONCE.get(name, ()) if begun and getattr(settings.run, key)]
    kept = [in_command(each) for each in rest if each.partition("=")[0] not in once]
    unsaid = [f"{option}=false" for option in once] if settings.columns.config is not None else []
    return shlex.join(["provisioner", name, *unsaid, *kept])


def _print(summary: Ending, *, as_json: bool) -> None:
    """Print how it ended; when that cannot be, it ended as it ended all the same, and there is the file."""
    text = encode(summary.document).decode() if as_json else printed(summary.show) + "\n"
    if trouble := answer(text):
        log.warning(
            "summary.escaped" if trouble.what == "escaped" else "summary.not_printed",
            reason=trouble.reason,
            file=summary.outputs["summary"],
        )


def is_anybody_there() -> bool:
    """Whether a person is at the terminal, who sees a question and can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_agreed(question: str, *, default: bool, console: Console | None = None) -> bool:
    """Ask a person at the terminal, in just these words, brackets and all; the end of the input is no.

    Raises KeyboardInterrupt for Ctrl-C, and `InterruptedEarlyError` for SIGTERM. Also inside an event loop, which has
    signals for itself and would hear of them only after the answer.
    """
    # polars takes SIGINT for itself when it is imported, and lets the read go on: Python gets it back.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _Keyboard() as keys:
            return Confirm.ask(Text(question, "prompt"), default=default, console=console, stream=cast("TextIO", keys))
    except EOFError:
        return False
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Have a signal end the block before the process, so that what it made by the way is removed."""
    # Polars takes SIGINT when it is imported, and has what waits for a pipe wait on: so it is taken back as well.
    numbers = [each for each in (*_SIGNALS, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, _cut_short) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cut_short(number: int, _: object) -> None:
    raise SystemExit(_SIGNALS.get(signal.Signals(number), ExitCode.SIGTERM))


def begin_agreed(about: object) -> bool:
    """Ask a person on stderr whether what was told is to begin."""
    return is_agreed(f"{about}. Begin?", default=False, console=Console(stderr=True, highlight=False))


class _Keyboard:
    """Standard input that is read line by line; a signal ends the reading whenever it comes, also just before it.

    Python sees to a signal between two of its instructions, so one that comes when a read has been called and does not
    wait yet would be seen to after the answer. It leaves a byte in a pipe at once, and that is waited for as well.
    """

    def __enter__(self) -> Self:
        self._rest = b""
        self._signals, writing = os.pipe()
        os.set_blocking(writing, False)
        self._writing, self._before = writing, signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._before)
        os.close(self._signals)
        os.close(self._writing)

    def readline(self) -> str:
        """Give the next line without its end. Raises EOFError when there is none."""
        while b"\n" not in self._rest and (typed := self._typed()):
            self._rest += typed
        if not self._rest:
            raise EOFError
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")

    def _typed(self) -> bytes:
        """Give what was typed, or nothing at the end of it; where there is no standard input, that is at once."""
        try:
            keys = sys.stdin.fileno()
            while True:
                ready, _, _ = select.select([keys, self._signals], [], [])
                if self._signals in ready:
                    self._hear(os.read(self._signals, 1)[0])
                else:
                    return os.read(keys, 4096)
        except (AttributeError, ValueError, OSError):
            return b""

    def _hear(self, number: int) -> None:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if number == signal.SIGTERM:
            raise InterruptedEarlyError(_interrupted(signal.SIGTERM))
        if self._before >= 0:  # the event loop's
            with suppress(OSError):
                os.write(self._before, bytes([number]))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop when it is installed: a third less CPU for a request."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

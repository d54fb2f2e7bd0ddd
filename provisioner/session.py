"""One command from its settings to its exit code: event loop, signals, emulator, summary."""

from __future__ import annotations

import asyncio
import gc
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from rich.console import Console

from provisioner import logs
from provisioner.errors import OutputError, ProvisionerError
from provisioner.files import same_file
from provisioner.offline import InterruptedEarlyError, Job, check
from provisioner.results.outputs import Outputs
from provisioner.results.summary import encode
from provisioner.roster.files.inputs import find_sources, shown
from provisioner.settings.key import read_api_key
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper

if TYPE_CHECKING:
    from provisioner.journal.view import Identity
    from provisioner.pipeline import Target

# Signal → exit code, by the shell's convention of 128 + number.
_SIGNALS: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}

_COUNTED: Final = (
    "rows", "rejected", "created", "existing", "updated", "unchanged", "reactivated", "deactivated", "failed",
    "pending", "requests", "elapsed_seconds", "exit_code",
)  # fmt: skip


class Ending(Protocol):
    """What a command ends with: a summary."""

    @property
    def exit_code(self) -> int:
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

log = structlog.get_logger()


def check_roster(roster: Sequence[str], settings: Settings) -> int:
    """Check a roster, print the summary, give the exit code (`validate`, `run --dry-run`)."""
    job = make_job(roster, settings)
    set_up_logs(job)
    return conduct(settings, lambda stopper: check(job, stopper))


def run_roster(roster: Sequence[str], settings: Settings) -> int:
    """Provision a roster, print the summary, give the exit code (`run`)."""
    from provisioner.pipeline import run

    # Told before anything is opened or made: where to, and with which key.
    told = None if settings.api.emulator else make_target(settings)
    job = make_job(roster, settings)
    set_up_logs(job, told.api_key if told else "")

    async def work(stopper: Stopper) -> Ending:
        async with AsyncExitStack() as stack:
            target = told if told is not None else await stack.enter_async_context(_emulator(settings))
            log.info("run.started", roster=list(job.roster.names), api=target.identity.base_url)
            return await run(job, target, stopper)

    return conduct(settings, work)


def identity(settings: Settings) -> Identity:
    """Say which app the settings are about; raises `ConfigurationError`."""
    from provisioner.journal.view import Identity

    app = settings.api.app_id if settings.api.base_url is None else None
    return Identity(app or "", settings.base_url)


def make_target(settings: Settings) -> Target:
    """Say where requests go, and with which key; raises `ConfigurationError`."""
    from provisioner.pipeline import Target

    key = read_api_key(settings, os.environ).get_secret_value()
    return Target(settings.base_url, key, identity(settings))


def make_job(given: Sequence[str], settings: Settings) -> Job:
    """Say what is read and where is written; raises `RosterError` or `OutputError`."""
    roster = find_sources(given)
    results = settings.output.file or Path(f"{roster.stem}.results.csv")
    drawn = settings.output.progress and not settings.log.quiet and sys.stderr.isatty()
    return Job(roster, settings, Outputs.beside(results, roster.rejected_suffix, roster.paths), drawn)


def set_up_logs(job: Job, key: str = "") -> None:
    """Begin the log, which never shows the key; raises `OutputError` when it would be written into another file."""
    told = job.settings.log
    for path in (*job.roster.paths, *job.outputs.paths()):
        if told.file is not None and same_file(told.file, path):
            raise OutputError(f"{told.file}: the log would be written into it; choose another --log-file")
    logs.set_up(format_=told.format, file=told.file, verbose=told.verbose, quiet=told.quiet, secrets=[key])


def _tune() -> None:
    """Spend less on Python itself while requests are on the wire; measured by `benchmarks.throughput`."""
    # What was imported stays: looking through it for garbage again and again finds none.
    gc.freeze()
    gc.set_threshold(5_000)
    # The journal's thread takes the interpreter from the event loop half as often; a commit still takes few turns.
    sys.setswitchinterval(0.01)


def conduct(settings: Settings, work: Work) -> int:
    """Carry out the work of a command in an event loop that minds signals; print how it ended, give the exit code."""
    _tune()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            summary, stop = runner.run(_watch_signals(work))
    except InterruptedEarlyError as early:
        log.error("run.stopped", reason=early.stop.reason, message="stopped before anything was sent")
        return early.stop.exit_code
    except ProvisionerError as error:
        log.error("run.refused", message=str(error), exit_code=error.exit_code)
        raise
    document = summary.document
    counts = {name: document[name] for name in _COUNTED if name in document}
    log.info("run.finished", **counts)
    _print(summary, as_json=settings.output.json_summary)
    if stop is not None:
        _tell_stop(settings, stop)
    return summary.exit_code


def _tell_stop(settings: Settings, stop: Stop) -> None:
    command = resume_command(sys.argv[1:])
    log.error("run.stopped", reason=stop.reason, message=stop.message, resume=command)
    if logs.chosen_format(settings.log.format) == "console":
        print(f"{stop.message}\nresume with: {command}", file=sys.stderr, flush=True)


async def _watch_signals(work: Work) -> tuple[Ending, Stop | None]:
    stopper = Stopper()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _on_signal, number, stopper)
    try:
        return await work(stopper), stopper.stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            # All that is left is to say how it went, and to end with the exit code that was said.
            signal.signal(number, signal.SIG_IGN)


def _on_signal(number: signal.Signals, stopper: Stopper) -> None:
    if stopper.stop is not None and stopper.stop.reason in {"sigint", "sigterm"}:
        # The journal knows all that matters, so there is nothing to tidy up.
        os._exit(_SIGNALS[number])
    log.warning(
        "run.interrupted",
        signal=number.name,
        hint="requests on the wire finish, 10 s at most; again to end at once",
    )
    stopper.request(Stop(number.name.lower(), f"interrupted by {number.name}", _SIGNALS[number]))


@asynccontextmanager
async def _emulator(settings: Settings) -> AsyncIterator[Target]:
    from provisioner.emulator import EmulatorSettings, run_emulator
    from provisioner.journal.view import Identity
    from provisioner.pipeline import Target

    rate = settings.rate
    told = EmulatorSettings(core_limit=rate.requests_per_minute, standard_limit=rate.standard_requests_per_minute)
    async with run_emulator(told) as emulator:
        # Another port each time, but the same stand-in as far as the journal is concerned.
        yield Target(emulator.url, emulator.api_key, Identity("emulator", "built-in emulator"))


def resume_command(arguments: list[str]) -> str:
    """Give the command that goes on where this one stopped; an address is shown without what may be secret in it."""
    return shlex.join(["provisioner", *(shown(each) for each in arguments if each != "--restart")])


def _print(summary: Ending, *, as_json: bool) -> None:
    text = encode(summary.document).decode()
    if not as_json:
        # A file or a pipe has no width: wide enough to be read in one. Rich pads its lines; nobody wants the blanks.
        console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
        with console.capture() as captured:
            summary.show(console)
        text = "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Whoever was to read it has left, or its disk is full: the run ended as it ended, and there is the file.
        log.warning("summary.not_printed", reason=error.strerror, file=summary.outputs["summary"])
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop when it is installed: a third less CPU for a request."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

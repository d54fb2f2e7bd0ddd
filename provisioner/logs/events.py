"""What happens, as structlog events on stderr and, if asked, in a file; no secret gets through, whatever is logged."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Literal

import orjson
import structlog

from provisioner.errors import ConfigurationError, OutputError
from provisioner.files.looking import is_free, outer_lines
from provisioner.logs.masking import Event, Redactor

Format = Literal["console", "json"]

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_COLOURS: Final = re.compile(rb"\x1b\[[\d;]*m")
_CONSOLE_LINE: Final = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z \[[a-z]+ *\] ")


class _Tee:
    """Writes each event to stderr, in the format asked for, and to the file, as JSON.

    An event with `in_words` is told to people as a text, in its own place: their console does not get it twice.
    """

    def __init__(self, format_: Format, level: int, file: IO[str] | None) -> None:
        self._level, self._file, self._lost = level, file, False
        self._console: Any = structlog.dev.ConsoleRenderer(colors=_on_terminal(), pad_event_to=24)
        self._json = structlog.processors.JSONRenderer(ensure_ascii=False)
        self._people = format_ == "console"
        self._render = self._console if self._people else self._json

    def __call__(self, logger: object, method: str, event: Event) -> Event:
        in_words = event.pop("in_words", False)
        self._keep(self._json(logger, method, dict(event)), str(event.get("timestamp")))
        # A traceback is for the file alone.
        event.pop("exception", None)
        if _LEVELS.get(method, 20) >= self._level and not (in_words and self._people):
            # Looked up each time: while progress is drawn, stderr is another one.
            self._tell(sys.stderr, self._render(logger, method, dict(event)))
        raise structlog.DropEvent

    def _keep(self, line: object, timestamp: str) -> None:
        """Write to the file; that it takes no more is told once."""
        trouble = self._tell(self._file, line)
        if trouble is None or self._lost or self._file is None:
            return
        self._lost = True
        facts = {"file": self._file.name, "reason": getattr(trouble, "strerror", None) or str(trouble)}
        event = {**facts, "event": "log.not_written", "level": "error", "timestamp": timestamp}
        self._tell(sys.stderr, self._render(None, "error", event))

    @staticmethod
    def _tell(stream: IO[str] | None, line: object) -> Exception | None:
        # A full log disk, or a reader who has left, is no reason to stop creating users.
        try:
            if stream is not None:
                print(line, file=stream, flush=True)
        except (OSError, ValueError) as error:
            return error
        return None


class _Logger:
    """Passes events on to structlog once somebody has configured it; as long as nobody has, it would print them."""

    def __getattr__(self, method: str) -> Any:
        return getattr(structlog.get_logger(), method) if structlog.is_configured() else _dropped


def _dropped(_event: str, **_facts: object) -> None:
    return


def get_logger() -> Any:
    """Give what modules log to: one event per thing, a dotted name and facts as members."""
    return _Logger()


def chosen_format(asked: Format | None) -> Format:
    """Console on a terminal, JSON otherwise, unless one was asked for."""
    return asked or ("console" if _on_terminal() else "json")


def _on_terminal() -> bool:
    # A daemon may have been started without a stderr.
    return sys.stderr is not None and sys.stderr.isatty()


def be_heard() -> None:
    """Tell on stderr what is logged, unless somebody has said already where that goes."""
    if not structlog.is_configured():
        set_up()


def _is_logged(line: bytes) -> bool:
    """Whether a line is one of a log of ours, as JSON or as a console has it."""
    try:
        told = orjson.loads(line)
    except ValueError:
        return _CONSOLE_LINE.match(_COLOURS.sub(b"", line)) is not None
    return isinstance(told, dict) and "event" in told and str(told.get("timestamp")).endswith("Z")


def _is_a_stream(path: Path) -> bool:
    """Whether a path leads to what this process writes to anyway: whoever has redirected it there has decided so."""
    for stream in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.fstat(stream), path.stat()):
                return True
    return False


def _unwaiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody reads is an OSError (ENXIO), where the kernel would wait for who does."""
    file = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(file, True)
    return file


def set_up(
    *,
    format_: Format | None = None,
    file: Path | None = None,
    verbose: bool = False,
    quiet: bool = False,
    secrets: Iterable[str] = (),
) -> Redactor:
    """Configure structlog for this process.

    Raises `ConfigurationError` when the log file cannot be opened, `OutputError` when it holds what is no log.

    format_  console or JSON; by default console on a terminal, JSON otherwise
    file     gets every event from info on (from debug on with `verbose`), as JSON lines, whatever stderr shows
    """
    redactor, stream = Redactor(secrets), None
    shown = "debug" if verbose else "warning" if quiet else "info"
    if file is not None:
        if not (_is_a_stream(file) or is_free(file, lambda held: any(map(_is_logged, outer_lines(held))))):
            raise OutputError(f"{file}: holds what is no log of provisioner; choose another --log-file")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = open(file, "a", encoding="utf-8", errors="backslashreplace", opener=_unwaiting)  # noqa: SIM115
        except OSError as error:
            unread = error.errno == errno.ENXIO and file.is_fifo()
            why = "nobody reads this pipe" if unread else error.strerror
            cure = "start what reads it first, or choose another --log-file" if unread else "choose another --log-file"
            raise ConfigurationError(f"{file}: the log file cannot be opened ({why}); {cure}") from None
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redactor,
            _Tee(chosen_format(format_), _LEVELS[shown], stream),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS["debug" if verbose else "info"]),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return redactor

"""The story of a run: structlog on stderr and, if asked, in a file; no secret gets through, whatever is logged."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, Final, Literal

import structlog

from provisioner.errors import ConfigurationError

Event = MutableMapping[str, Any]
Format = Literal["console", "json"]

MASK: Final = "***"
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
# Members that hold a secret by their name, in whatever spelling.
_SECRET_NAMES: Final = re.compile(r"(api_?key|auth_?token|authorization|password|secret)", re.IGNORECASE)
# The documented form of an auth token: uid, underscore, ten digits of seconds, thirty hex digits.
_TOKEN: Final = re.compile(r"_\d{10}[0-9a-f]{30}")


# Of a secret at least twice as long, so many characters in a row are as good as a part of it; fewer, such as the last
# four that servers like to show, are of no use to anybody, and would be found in much that is no secret.
_PART: Final = 8


class Secret:
    """Something that stands in no text: neither the whole of it nor a long part."""

    def __init__(self, value: str) -> None:
        self._value = value
        starts = [*range(0, len(value) - _PART, _PART), len(value) - _PART] if len(value) >= 2 * _PART else []
        wanted = [value, *(value[start : start + _PART] for start in starts)]
        self._parts = tuple(dict.fromkeys(wanted)) if value else ()

    def masked(self, text: str) -> str:
        """Mask it in a text; a part of it as far as it goes."""
        for part in self._parts:
            at = text.find(part)
            while at >= 0:
                begin, end = self._reach(text, at, part)
                text = text[:begin] + MASK + text[end:]
                at = text.find(part, begin + len(MASK))
        return text

    def _reach(self, text: str, at: int, part: str) -> tuple[int, int]:
        """Say from where to where a text is as the secret is around this part, wherever in the secret that stands."""
        value, reaches = self._value, []
        for start in range(len(value) - len(part) + 1):
            if value.startswith(part, start):
                before = _alike(value[:start][::-1], text[:at][::-1])
                reaches.append((at - before, at + _alike(value[start:], text[at:])))
        return max(reaches, key=lambda reach: reach[1] - reach[0])


def _alike(one: str, other: str) -> int:
    """Count how many characters two texts begin with that are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


class Redactor:
    """A structlog processor that masks secrets in every value, nested ones and tracebacks included.

    secrets  values to be masked wherever they stand, and long parts of them
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [Secret(secret) for secret in secrets]

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Mask one event."""
        return self._members(event)

    def mask(self, value: Any) -> Any:
        """Mask one value."""
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return self._members(value)
            case tuple() if hasattr(value, "_asdict"):
                return self._members(value._asdict())
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                names = [field.name for field in dataclasses.fields(value)]
                return self._members({name: getattr(value, name) for name in names})
            case list() | tuple() | set() | frozenset():
                return [self.mask(each) for each in value]
            case _:
                return self.mask_text(str(value))

    def _members(self, members: Mapping[Any, Any]) -> dict[str, Any]:
        return {
            self.mask_text(str(key)): MASK if _SECRET_NAMES.search(str(key)) else self.mask(value)
            for key, value in members.items()
        }

    def mask_text(self, text: str) -> str:
        """Mask a text."""
        for secret in self._secrets:
            text = secret.masked(text)
        return _TOKEN.sub("_" + MASK, text)


class _Tee:
    """Writes each event to stderr, in the format asked for, and to the file, as JSON.

    An event with `in_words` is told to people as a text, in its own place: their console does not get it twice.
    """

    def __init__(self, format_: Format, level: int, file: IO[str] | None) -> None:
        self._level, self._file = level, file
        self._console: Any = structlog.dev.ConsoleRenderer(colors=_on_terminal(), pad_event_to=24)
        self._json = structlog.processors.JSONRenderer(ensure_ascii=False)
        self._people = format_ == "console"
        self._render = self._console if self._people else self._json

    def __call__(self, logger: object, method: str, event: Event) -> Event:
        in_words = event.pop("in_words", False)
        self._tell(self._file, self._json(logger, method, dict(event)))
        # A traceback is for the file alone.
        event.pop("exception", None)
        if _LEVELS.get(method, 20) >= self._level and not (in_words and self._people):
            # Looked up each time: while progress is drawn, stderr is another one.
            self._tell(sys.stderr, self._render(logger, method, dict(event)))
        raise structlog.DropEvent

    @staticmethod
    def _tell(stream: IO[str] | None, line: object) -> None:
        # A full log disk, or a reader who has left, is no reason to stop creating users.
        if stream is not None:
            with suppress(OSError, ValueError):
                print(line, file=stream, flush=True)


class _Story:
    """Passes events on to structlog once somebody has configured it; as long as nobody has, it would print them."""

    def __getattr__(self, method: str) -> Any:
        return getattr(structlog.get_logger(), method) if structlog.is_configured() else _dropped


def _dropped(_event: str, **_facts: object) -> None:
    return


def get_logger() -> Any:
    """Give what modules log to: one event per thing, a dotted name and facts as members."""
    return _Story()


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


def set_up(
    *,
    format_: Format | None = None,
    file: Path | None = None,
    verbose: bool = False,
    quiet: bool = False,
    secrets: Iterable[str] = (),
) -> Redactor:
    """Configure structlog for this process; raises `ConfigurationError` when the log file cannot be opened.

    format_  console or JSON; by default console on a terminal, JSON otherwise
    file     gets every event from info on (from debug on with `verbose`), as JSON lines, whatever stderr shows
    """
    redactor = Redactor(secrets)
    shown = "debug" if verbose else "warning" if quiet else "info"
    stream = None
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = file.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise ConfigurationError(f"{file}: the log file cannot be opened ({error.strerror})") from None
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

"""Standard output and standard error: whatever becomes of them, a command ends as its work has ended."""

from __future__ import annotations

import codecs
import json
import os
import sys
from contextlib import suppress
from typing import Final, NamedTuple, TextIO

_ESCAPE: Final = "provisioner.escape"


class Trouble(NamedTuple):
    """What became of a text that could not be printed as it is.

    what    `not_printed`, or `escaped` when the stream's encoding lacks some letters
    broken  whoever was to read it has left
    """

    what: str
    reason: str
    broken: bool = False


def say(text: str) -> None:
    """Print a text on standard error, if it takes one."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def answer(text: str) -> Trouble | None:
    """Print a text on standard output; letters that its encoding lacks are written as JSON escapes them."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
        escaped = False
    except UnicodeEncodeError:
        codecs.register_error(_ESCAPE, _as_json)
        text, escaped = text.encode(encoding, _ESCAPE).decode(encoding), True
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _drop(sys.stdout)
        reason = getattr(error, "strerror", None) or str(error)
        return Trouble("not_printed", reason, broken=isinstance(error, BrokenPipeError))
    reason = f"standard output is {encoding}, so some letters are written as \\u escapes"
    return Trouble("escaped", reason) if escaped else None


def finish() -> None:
    """Leave nothing in the streams that the interpreter, which flushes them at its end, could fail at."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            _drop(stream)


def _drop(stream: TextIO) -> None:
    """Send what is still in a stream's buffer nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end

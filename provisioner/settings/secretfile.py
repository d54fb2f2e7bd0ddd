"""A file that holds a secret: read once, a little of it, and never shown where it may be the secret itself."""

from __future__ import annotations

import os
import re
import select
import stat
import time
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.errors import ConfigurationError
from provisioner.files.looking import UnreadableError, text_of

LARGEST: Final = 64 * 1024
"""Bytes; no key and no password comes near it."""

PATIENCE: Final = 60.0
"""Seconds that somebody may take to write a secret into a pipe: long enough to type a passphrase elsewhere."""

# A secret has no ending, as most files have, and the key of an app is so long.
_KEY: Final = re.compile(r"[A-Za-z0-9]{20,}")


def secret_of(path: Path, setting: str, variable: str, *, like_key: bool) -> str:
    """Read the secret that a file holds. Raises `ConfigurationError`.

    setting   names the file
    variable  may hold the secret instead
    like_key  what is given as the file is shown unless it looks like a key; else only when there is such a file
    """
    try:
        return read_secret(path)
    except UnreadableError as error:
        if is_shown(path, like_key=like_key):
            cure = "" if "; " in str(error) else f"; name the file that holds the secret, or set {variable}"
            raise ConfigurationError(f"{setting}: {path} {error}{cure}") from None
        why = "there is no such file, and what was given is not shown, since it may be the secret itself"
        cure = f"the name of a file that holds the secret belongs here, or set {variable}"
        raise ConfigurationError(f"{setting}: {why}; {cure}") from None


def is_shown(path: Path, *, like_key: bool) -> bool:
    """Whether what was given as a file with a secret can be told: it may be the secret, where it is no file."""
    return os.path.lexists(path) or (like_key and not looks_like_key(path.name))


def looks_like_key(given: str) -> bool:
    """Whether a text may well be a key, where the name of one is wanted."""
    return _KEY.fullmatch(given.strip("'\"~ \t\r\n")) is not None


def read_secret(path: Path) -> str:
    """Read it, from a pipe as well, which can be read only once: `/dev/fd/N`, a FIFO. Raises `UnreadableError`."""
    try:
        kind = path.stat().st_mode
        content = _begun(path) if stat.S_ISREG(kind) or stat.S_ISDIR(kind) else _piped(path)
    except (OSError, ValueError) as error:  # also a name that no file can have
        raise UnreadableError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if content is None:
        raise UnreadableError(f"is a pipe that nobody has written into for {PATIENCE:.0f} s")
    if len(content) > LARGEST:
        raise UnreadableError(f"holds more than {LARGEST // 1024} KiB, which no secret does; name another file")
    return text_of(content)


def _begun(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        return file.read(LARGEST + 1) or b""


@cache
def _piped(path: Path) -> bytes | None:
    """Read what comes through a pipe until it ends or is too much; None when nobody writes. Raises OSError."""
    content, deadline = b"", time.monotonic() + PATIENCE
    # It is opened without waiting: whoever waits in a system call for a writer can wait for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while len(content) <= LARGEST:
            if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
                return None
            if not (piece := pipe.read(LARGEST + 1 - len(content))):
                break
            content += piece
    return content

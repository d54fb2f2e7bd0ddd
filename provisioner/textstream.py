"""The bytes of a text file as UTF-8 without a byte order mark, whatever encoding the file is in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from provisioner.errors import ConfigurationError, RosterError


class TextStream(Protocol):
    """A file read forward as UTF-8."""

    @property
    def bytes_read(self) -> int:
        """How far into the file itself it has been read."""

    @property
    def origin(self) -> int | None:
        """Where in the file the text begins (behind a byte order mark); None when the file is not UTF-8."""

    def read(self, size: int) -> bytes:
        """Read the next bytes, about `size` of them; none at the end. Raises RosterError."""


class Utf8Stream:
    """A file that is UTF-8 already: its own bytes, not looked at."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.origin = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
        file.seek(self.origin)

    @property
    def bytes_read(self) -> int:
        """How far into the file itself it has been read."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes; none at the end."""
        return self._file.read(size)


class DecodedStream:
    """A file in another encoding, decoded as it is read."""

    origin: int | None = None

    def __init__(self, path: Path, file: BinaryIO, encoding: str) -> None:
        self.bytes_read = 0
        self._path, self._file, self._encoding = path, file, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._at_start = True

    def read(self, size: int) -> bytes:
        """Read and decode about `size` bytes; none at the end. Raises RosterError with the byte."""
        text = ""
        while not text:
            chunk = self._file.read(size)
            text = self._decode(chunk)
            if not chunk:
                break
        if self._at_start:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        return text.encode()

    def _decode(self, chunk: bytes) -> str:
        start = self.bytes_read - len(self._decoder.getstate()[0])
        self.bytes_read += len(chunk)
        try:
            text = self._decoder.decode(chunk, final=not chunk)
            text.encode()  # some codecs give half a surrogate pair, which is no text
        except UnicodeError as error:
            at = f" at byte {start + error.start}" if isinstance(error, UnicodeDecodeError) else ""
            raise RosterError(f"{self._path} is not {self._encoding}{at}; --encoding names another") from None
        return text


@contextmanager
def open_text(path: Path, encoding: str | None) -> Iterator[TextStream]:
    """Open a file in a codec as `text_codec` gives it; None is UTF-8. Raises OSError."""
    with path.open("rb") as file:
        yield Utf8Stream(file) if encoding is None else DecodedStream(path, file, encoding)


def text_codec(encoding: str | None) -> str | None:
    """Check the name of an encoding; UTF-8 under any of its names becomes None.

    Raises ConfigurationError for a name Python has no text encoding for.
    """
    if encoding is None:
        return None
    try:
        b"uid".decode(encoding, "replace")  # refuses the codecs that are none of text, such as base64
        codecs.getincrementaldecoder(encoding)
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        hint = "use one Python knows, such as utf-8, utf-16, cp1252 or latin-1"
        raise ConfigurationError(f"--encoding {encoding!r} is no text encoding; {hint}") from None
    return None if name in {"utf-8", "utf-8-sig"} else name

"""The bytes of a text file as UTF-8 without a byte order mark, whatever encoding the file is in."""

from __future__ import annotations

import codecs
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import chain
from typing import BinaryIO, Final, Protocol, TypeAlias

from provisioner.errors import ConfigurationError
from provisioner.roster.encodings.readings import UndecodedError, escaped_letters, mixture
from provisioner.roster.files.compression import UnpackedFile
from provisioner.roster.files.origin import Origin, unreadable

_CHUNK: Final = 1024 * 1024
_LOOKED_THROUGH: Final = 64 * 1024
_MARK: Final = len(codecs.BOM_UTF8)
_MARKS: Final = 4 * _MARK  # programs put one before another; nobody has seen more than two
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def marked_encoding(start: bytes) -> str | None:
    """Say which encoding the byte order mark at the start of a text is that of; None when there is no mark."""
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), None)


class LineNumbers:
    """Which line of a text each row begins in, as far as it is known: how far apart the two are, from which row on.

    It is told of rows in their order, again and again if need be, and grows where the distance changes: not further
    than `most` times. From there on lines are not known.
    """

    def __init__(self, most: int = 500_000) -> None:
        self._rows, self._lines, self._most = array("q"), array("q"), most

    def add(self, row: int, line: int | None) -> None:
        """Say where a row begins, and with it all behind it that stand in a line each; None: nobody knows."""
        full = len(self._rows) >= self._most
        if self._rows and (row <= self._rows[-1] or self.of(row) == (None if full else line)):
            return
        self._lines.append(0 if line is None or full else line)
        self._rows.append(row)

    def add_steps(self, rows: int, lines: int, steps: Iterable[tuple[int, int | None]]) -> None:
        """Say of the next rows which do not begin one line below the one before them.

        rows, lines  that came before
        steps        index of such a row, and the lines between the first one's and its own; None where nobody knows
        """
        for index, between in steps:
            self.add(rows + index + 1, None if between is None else lines + between + 1)

    def of(self, row: int) -> int | None:
        """Give the line of a row, both counted from 1; None where it is not known."""
        place = bisect_right(self._rows, row) - 1
        if place < 0 or not self._lines[place]:
            return None
        return self._lines[place] + row - self._rows[place]


class TextStream(Protocol):
    """A file read forward as UTF-8."""

    @property
    def bytes_read(self) -> int:
        """How far into the file itself it has been read; compressed bytes where it is compressed."""

    @property
    def origin(self) -> int | None:
        """Where in the file the text begins (behind a byte order mark); None when the file is not UTF-8."""

    def read(self, size: int) -> bytes:
        """Read the next bytes, about `size` of them; none at the end. Raises RosterError, OSError."""


class Utf8Stream:
    """A file that is UTF-8 already: its own bytes, not looked at."""

    def __init__(self, start: bytes, file: BinaryIO, position: Callable[[], int]) -> None:
        self._file, self._position = file, position
        self._surplus = start
        while self._surplus.startswith(codecs.BOM_UTF8):
            self._surplus = self._surplus.removeprefix(codecs.BOM_UTF8)
        self.origin = len(start) - len(self._surplus)

    @property
    def bytes_read(self) -> int:
        """How far into the file itself it has been read."""
        return self._position()

    def read(self, size: int) -> bytes:
        """Read `size` bytes or a few more; fewer at the end only, and then none."""
        surplus, self._surplus = self._surplus, b""
        return surplus + self._file.read(size)


class DecodedStream:
    """A file in another encoding, decoded as it is read."""

    origin: int | None = None

    def __init__(
        self, origin: Origin, start: bytes, file: BinaryIO, position: Callable[[], int], encoding: str
    ) -> None:
        self._origin, self._file, self._position, self._encoding = origin, file, position, encoding
        self._surplus = start
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._decoded = 0
        self._at_start = True

    @property
    def bytes_read(self) -> int:
        """How far into the file itself it has been read."""
        return self._position()

    def read(self, size: int) -> bytes:
        """Read and decode about `size` bytes; none at the end. Raises UndecodedError with the byte."""
        data, chunk = b"", b" "
        while chunk and not data:
            chunk, self._surplus = self._surplus + self._file.read(size), b""
            data = self._decode(chunk)
        self._at_start = False
        return data

    def _decode(self, chunk: bytes) -> bytes:
        start = self._decoded - len(self._decoder.getstate()[0])
        self._decoded += len(chunk)
        try:
            text = self._decoder.decode(chunk, final=not chunk)
            # Some codecs give half a surrogate pair, which is no text.
            return (text.lstrip("\ufeff") if self._at_start else text).encode()
        except UnicodeError as error:
            at = f" at byte {start + error.start}" if isinstance(error, UnicodeDecodeError) else ""
            cure = _cure(self._origin, self._encoding)
            raise UndecodedError(f"{self._origin.name} is not {self._encoding}{at}; {cure}") from None


def _start(file: BinaryIO) -> bytes:
    """Read as far as a byte order mark may go, and over several that stand one behind the other."""
    start = file.read(_MARK)
    while len(start) < _MARKS and start.endswith(codecs.BOM_UTF8) and (more := file.read(_MARK)):
        start += more
    # The fourth byte may be the last of a mark (UTF-32, highest byte first), or the second one of a letter.
    return start if marked_encoding(start + b"\xff") in {None, "utf-8"} else start + file.read(1)


@contextmanager
def open_text(origin: Origin, encoding: str | None) -> Iterator[TextStream]:
    """Open a text in a codec as `text_codec` gives it; None is UTF-8. Raises RosterError for what cannot be read.

    The byte order mark of UTF-8 wins: rejected rows come back with it, and are fed in with the encoding of the roster.
    Without an encoding that of UTF-16 or UTF-32 says what the text is. A mark that was put before another goes too.
    """
    try:
        with origin.open() as file:
            position = file.packed_bytes if isinstance(file, UnpackedFile) else file.tell
            start = _start(file)
            marked = marked_encoding(start)
            if marked == "utf-8" or (marked or encoding) is None:
                yield Utf8Stream(start, file, position)
            else:
                yield DecodedStream(origin, start, file, position, encoding or marked or "")
    except OSError as error:
        raise unreadable(origin.name, error) from error


def is_utf8(origin: Origin) -> bool | None:
    """Whether a text is UTF-8 to its end; None where it is ASCII, or where a mark says what it is.

    A text that is in another encoding ends to be UTF-8 at its first letter beyond ASCII, so it is seldom read far.
    Raises OSError.
    """
    decoder, beyond_ascii = codecs.getincrementaldecoder("utf-8")(), False
    with origin.open() as file:
        if marked_encoding(start := _start(file)) is not None:
            return None
        try:
            for chunk in chain([start], iter(partial(file.read, _CHUNK), b"")):
                beyond_ascii = beyond_ascii or not chunk.isascii()
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return beyond_ascii or None


def _cure(origin: Origin, encoding: str) -> str:
    """Say what to do about a text that is not in the encoding that was named for it, or by its mark. Raises OSError."""
    with origin.open() as file:
        start = file.read(_CHUNK)
    # What is ASCII but for zeros is the UTF-16 or UTF-32 that it is said to be, and cut off; without any it is neither.
    # Said to be in another encoding it may be: ISO-2022-JP and UTF-7 are written in ASCII too.
    if marked_encoding(start) is None and b"\0" not in start:
        utf8 = is_utf8(origin)
        if utf8 or (utf8 is None and encoding.startswith(("utf-16", "utf-32"))):
            return escaped_letters(start[:_LOOKED_THROUGH]) or "it is UTF-8: give --encoding utf-8"
    return mixture(origin) or "another encoding may be, or it is cut off: export it as UTF-8"


def is_misnamed(origin: Origin, codec: str | None) -> bool:
    """Whether a text that is decoded with another codec is UTF-8, with letters beyond ASCII. Raises OSError."""
    return codec is not None and is_utf8(origin) is True


TextOpener: TypeAlias = Callable[[Origin, str | None], AbstractContextManager[TextStream]]
"""Opens a text, as `open_text` does."""


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
        raise ConfigurationError(f"encoding {encoding!r} is no text encoding; {hint}") from None
    return None if name in {"utf-8", "utf-8-sig"} else name

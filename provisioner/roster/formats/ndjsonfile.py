"""An NDJSON roster: one JSON object per line; every key is a column, every value the text it stands there as."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NoReturn

import orjson
import polars as pl

from provisioner.errors import EmptyRosterError, RosterError
from provisioner.roster.encodings.readings import NotUtf8Error
from provisioner.roster.files.origin import Origin, unchanged
from provisioner.roster.files.text import TextOpener, TextStream, open_text
from provisioner.roster.formats import ndjsonline
from provisioner.roster.formats.ndjsonline import LINE, Values
from provisioner.roster.formats.rows import NOT_TEXT, Progress, RosterBatch, TextRoster
from provisioner.wording import NOTHING, shortened

MIB = 1024 * 1024
MOST_COLUMNS = 10_000
_BLANK = " \t\r"
# An object with nothing in it but null, [], {} and what nobody sees, also escaped; at the first other value it is none.
_ESCAPED = rf"\\(?:[tnrf]|u(?i:{'|'.join(f'{ord(letter):04x}' for letter in NOTHING)}))"
_NOTHING = rf'(?:null|"(?:[{re.escape(NOTHING)}]|{_ESCAPED})*+"|\[\s*+\]|\{{\s*+\}})'
_MEMBER = rf'\s*+"(?:[^"\\]|\\.)*+"\s*+:\s*+{_NOTHING}\s*+'
_EMPTY = re.compile(rf"\{{(?:\s*+|{_MEMBER}(?:,{_MEMBER})*+)\}}")
_KINDS = frozenset({dict, list, bool})
_TEXTS = frozenset({str, type(None)})


class NotAnObjectError(RosterError):
    """A line that is no JSON object, where it stands, and why it is none."""

    def __init__(self, place: str, line: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}; each line is one object")
        self.place, self.line, self.why = place, line, reason


@dataclass(frozen=True, slots=True)
class LineSizes:
    """How much is read at once: `first`, `block` and `longest_line` in bytes, `cells` in cells of one batch."""

    first: int = MIB // 2
    block: int = 4 * MIB
    longest_line: int = 64 * MIB
    cells: int = 2_000_000


DEFAULT_SIZES = LineSizes()


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines that are not blank; `row`, `line` and `byte` say how many of these of the text came before."""

    lines: Sequence[str]
    row: int
    line: int
    byte: int
    data: bytes


@dataclass(frozen=True, slots=True)
class NdjsonRoster(TextRoster):
    """A file of JSON objects; see `rows.Roster`. Its batches have one more column: `LINE`.

    unreadable  the columns that came twice in an object, or hold an object with such a key, of the rows that were read
    """

    keys: tuple[str, ...]
    limit: int | None = None
    sizes: LineSizes = DEFAULT_SIZES
    opener: TextOpener = open_text
    unreadable: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Every column is a String."""
        return dict.fromkeys(self.keys, pl.String())

    def batches(self, progress: Progress | None = None) -> Generator[RosterBatch, None, None]:
        """All rows, in order. Raises RosterError with row and byte where a line is no object."""
        rows = 0
        size = max(1, self.sizes.cells // (len(self.keys) + 1))
        with self.opener(self.origin, self.codec) as stream:
            lines = _Lines(self, stream, self.limit)
            for block in unchanged(self.origin, self.version, lines.blocks()):
                parsed = lines.parsed(block)
                exact = lines.exact(block, parsed)
                for start in range(0, len(parsed), size):
                    part = slice(start, start + size)
                    frame = self._frame(block.lines[part], exact[part])
                    yield RosterBatch(rows + 1, frame, cells={NOT_TEXT: self._not_text(parsed[part])})
                    rows += frame.height
                if progress:
                    progress(rows, stream.bytes_read)

    def _frame(self, lines: Sequence[str], objects: Sequence[Values]) -> pl.DataFrame:
        columns = [_column(name, [each.get(name) for each in objects]) for name in self.keys]
        named = {column.name: column for column in columns}  # a list of series would give one without a name another
        return pl.DataFrame({**named, LINE: pl.Series(lines, dtype=pl.String)})

    def _not_text(self, objects: Sequence[Values]) -> dict[str, pl.Series]:
        """Tell which values are objects, lists or booleans, of the columns that have any."""
        found = {}
        for name in self.keys:
            kinds = [type(each.get(name)) for each in objects]
            if not _KINDS.isdisjoint(kinds):
                found[name] = pl.Series(name, [kind in _KINDS for kind in kinds], pl.Boolean)
        return found


def open_ndjson(
    origin: Origin,
    codec: str | None = None,
    limit: int | None = None,
    sizes: LineSizes = DEFAULT_SIZES,
    opener: TextOpener = open_text,
) -> NdjsonRoster:
    """Read the whole file once, for its keys: the columns are all of them, in the order in which they first appear.

    With a `limit` only so many rows count, but the first one always does. Raises RosterError, EmptyRosterError when
    there is nothing in it, OSError.

    opener  gives the lines of the file
    """
    keys: dict[str, None] = {}
    roster = NdjsonRoster(origin, codec, (), limit, sizes, opener, version=origin.version)
    with opener(origin, codec) as stream:
        lines = _Lines(roster, stream, None if limit is None else max(limit, 1))
        for block in lines.blocks():
            if lines.are_of_file:
                roster.numbers.add_steps(block.row, block.line, _steps(block.data, len(block.lines)))
            _collect(keys, lines, block)
    if not lines.rows:
        raise EmptyRosterError(f"{origin.name} has no rows: it holds nothing but blank lines or empty objects")
    keys.pop(LINE, None)
    roster = replace(roster, keys=tuple(keys))
    with closing(roster.batches()) as batches:
        next(batches, None)
    return roster


def _collect(keys: dict[str, None], lines: _Lines, block: _Block) -> None:
    """Add the keys of a block that are new."""
    for index, each in enumerate(lines.parsed(block)):
        if not each.keys() <= keys.keys():
            keys.update(dict.fromkeys(each))
            if len(keys) > MOST_COLUMNS:
                lines.fail(block, index, f"more than {MOST_COLUMNS} different keys so far; put them into one object")


def _column(name: str, values: list[object]) -> pl.Series:
    # asked first: polars would make a series of each list before it says that it is no text
    texts = values if _TEXTS.issuperset(map(type, values)) else map(ndjsonline.text, values)
    return pl.Series(name, list(texts), pl.String, strict=True)


class _Lines:
    """The lines of a roster in order, for at most so many rows.

    rows         how many there were so far
    are_of_file  they are the lines of the file itself
    """

    def __init__(self, roster: NdjsonRoster, stream: TextStream, limit: int | None) -> None:
        self.rows = 0
        self.are_of_file = roster.opener is open_text
        self._origin, self._name, self._unreadable = roster.origin, roster.name, roster.unreadable
        self._stream, self._limit, self._sizes = stream, limit, roster.sizes

    def blocks(self) -> Iterator[_Block]:
        """Cut the file into blocks of whole lines, as many as there may be rows."""
        line = byte = 0
        for data in self._cut():
            left = None if self._limit is None else self._limit - self.rows
            if left == 0:
                return
            lines = self._whole(data, line, byte, left)
            if lines:
                block = _Block(lines, self.rows, line, byte, data)
                self.rows += len(lines)
                yield block
            line, byte = line + data.count(b"\n"), byte + len(data)

    def _cut(self) -> Iterator[bytes]:
        pieces: list[bytes] = []
        pending, size = 0, self._sizes.first
        while chunk := self._stream.read(size):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join((*pieces, chunk[:end]))
                pieces, pending = [], 0
            pieces.append(chunk[end:])
            pending += len(chunk) - end
            if pending > self._sizes.longest_line:
                limit = f"{self._sizes.longest_line // MIB} MiB"
                raise RosterError(f"{self._name}: a line behind row {self.rows} is longer than {limit}")
            size = self._sizes.block
        if pending:
            yield b"".join(pieces)

    def _whole(self, data: bytes, line: int, byte: int, left: int | None) -> Sequence[str]:
        """Give the lines that are rows, at most `left`. Raises RosterError for what is not UTF-8 among them."""
        try:
            text, broken = data.decode(), None
        except UnicodeDecodeError as error:
            text, broken = data[: data.rfind(b"\n", 0, error.start) + 1].decode(), error.start
        rows = [row for line in text.split("\n") if (row := line.strip(_BLANK)) and not _EMPTY.fullmatch(row)]
        if broken is not None and (left is None or len(rows) < left):
            lines = line + data.count(b"\n", 0, broken)
            place = f"{self._name}: {self._place(self.rows + len(rows), lines, byte + broken)}"
            raise NotUtf8Error.at(f"{place}: ", data, broken).unless_mixed(self._origin)
        return rows[:left]

    def parsed(self, block: _Block) -> Sequence[Values]:
        """Read the lines. Raises RosterError with the place of the first that is no object."""
        with suppress(ValueError):
            objects = [orjson.loads(line) for line in block.lines]
            if all(type(each) is dict for each in objects):
                return objects
        return [self._parsed(block, index) for index in range(len(block.lines))]

    def _parsed(self, block: _Block, index: int) -> Values:
        line = block.lines[index]
        try:
            return ndjsonline.parsed(line)
        except ValueError as error:
            raise NotAnObjectError(self._place_of(block, index), line, str(error)) from None

    def exact(self, block: _Block, parsed: Sequence[Values]) -> Sequence[Values]:
        """Read those lines again in which a number would change. Raises RosterError with the place."""
        objects = list(parsed)
        for index in ndjsonline.delicate(block.lines, parsed):
            try:
                objects[index], repeated = ndjsonline.exact(block.lines[index])
            except ValueError as error:
                self.fail(block, index, str(error))
            for column, key in repeated.items():
                if column not in self._unreadable:
                    place = self._place_of(block, index).removeprefix(f"{self._name}: ")
                    what = f"the key {shortened(key)} comes twice in one object; rename or remove one"
                    self._unreadable[column] = f"{place}: {what}"
        return objects

    def fail(self, block: _Block, index: int, what: str) -> NoReturn:
        """Raise the RosterError for one line of a block."""
        raise RosterError(f"{self._place_of(block, index)}: {what}") from None

    def _place_of(self, block: _Block, index: int) -> str:
        lines = block.data.split(b"\n")
        at = next(islice(_rows_among(lines), index, None))
        byte = block.byte + sum(len(line) + 1 for line in lines[:at])
        return f"{self._name}: {self._place(block.row + index, block.line + at, byte)}"

    def _place(self, rows_before: int, lines_before: int, byte: int) -> str:
        """Say where something is: `row 2 (line 5, byte 29)`; the byte is known where the file is UTF-8."""
        start = self._stream.origin
        line = [f"line {lines_before + 1}"] if self.are_of_file else []
        within = [*line, *([] if start is None else [f"byte {start + byte}"])]
        return f"row {rows_before + 1}" + (f" ({', '.join(within)})" if within else "")


def _steps(data: bytes, rows: int) -> Iterator[tuple[int, int]]:
    """Give `LineNumbers.add_steps` those of a block."""
    if data.count(b"\n") + (not data.endswith(b"\n")) == rows:
        yield 0, 0
        return
    before = -2
    for index, at in enumerate(islice(_rows_among(data.split(b"\n")), rows)):
        if at != before + 1:
            yield index, at
        before = at


def _rows_among(lines: Sequence[bytes]) -> Iterator[int]:
    """Give the places of those lines that are rows: neither blank ones nor empty objects are."""
    for at, line in enumerate(lines):
        row = line.strip(_BLANK.encode())
        if row and not _EMPTY.fullmatch(row.decode(errors="replace")):
            yield at

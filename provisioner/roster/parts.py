"""Several files as one roster: the rows of the second go on where those of the first end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.columns import all_named, common_type, named
from provisioner.roster.encodings.mixed import PartEncodings
from provisioner.roster.encodings.readings import NotUtf8Error
from provisioner.roster.files.inputs import Sheets
from provisioner.roster.formats.rows import Notice, Progress, Roster, RosterBatch, gathered
from provisioner.roster.jsonpages import Page
from provisioner.wording import listed


@dataclass(frozen=True, slots=True)
class Part:
    """One of the files.

    again   opens it anew, for at most so many rows
    sparse  it may lack columns that others have: JSON leaves out what is missing
    """

    roster: Roster
    again: Callable[[int | None], Roster]
    sparse: bool


@dataclass(frozen=True, slots=True)
class SeveralRosters(Roster):
    """Files with the same columns; see `rows.Roster`. Errors name the file and its own row.

    schema  in the first file's order and spelling
    within  the first files as they were opened for the rows that the limit left for them, once they have been read
    """

    each: Sequence[Part]
    schema: Mapping[str, pl.DataType] = field()
    limit: int | None = None
    encodings: PartEncodings = field(default_factory=PartEncodings, repr=False)
    counted: list[int] = field(default_factory=list)
    within: list[Roster] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """The first file, and how many more there are."""
        return f"{self.each[0].roster.name} and {len(self.each) - 1} more"

    @property
    def rejected_delimiter(self) -> str:
        """The one they share, else a comma."""
        found = {part.roster.rejected_delimiter for part in self.each}
        return found.pop() if len(found) == 1 else ","

    @property
    def size(self) -> int:
        """Length of all files in bytes."""
        return sum(part.roster.size for part in self.each)

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, in order. Raises RosterError with the file and its own row."""
        try:
            yield from gathered(self._batches(progress))
        except NotUtf8Error as error:
            raise self.encodings.explained(error) from None

    def _batches(self, progress: Progress | None) -> Iterator[RosterBatch]:
        rows = size = 0
        all_sparse = all(part.sparse for part in self.each)
        counts = []
        for number, part in enumerate(self.each):
            before = rows
            left = None if self.limit is None else self.limit - rows
            if left == 0:
                break
            for batch in self._opened(number, left).batches(_further(progress, rows, size)):
                frame = self._arranged(batch.frame, all_sparse=all_sparse)
                yield replace(batch, first_row=before + batch.first_row, frame=frame)
                rows = before + batch.first_row + batch.frame.height - 1
            counts.append(rows - before)
            size += part.roster.size
        self.counted[:] = counts

    def _opened(self, number: int, left: int | None) -> Roster:
        """Give a file as it is read: for as many rows as are left, behind which nothing is read or judged.

        Raises RosterError when a column that it had is gone by then; a sheet may have more of them with more rows.
        """
        if left is None:
            return self.each[number].roster
        if number == len(self.within):  # it is not closed: both read what the first one holds
            part = self.each[number]
            opened = part.again(left)
            if not part.sparse and not part.roster.schema.items() <= opened.schema.items():
                raise RosterError(f"{opened.name}: changed while it was read")
            self.within.append(opened)
        return self.within[number]

    @property
    def _known(self) -> Sequence[Roster]:
        """The files, each as it was read, and as it was opened if it was not: what is known of its rows differs."""
        return [*self.within, *(part.roster for part in self.each[len(self.within) :])]

    @property
    def repeated(self) -> frozenset[str]:
        """Names that several columns of any file bear."""
        return frozenset().union(*(part.roster.repeated for part in self.each))

    @property
    def unreadable(self) -> Mapping[str, str]:
        """The first file's that has something to say of a column, with its name."""
        found: dict[str, str] = {}
        for roster in self._known:
            for column, why in roster.unreadable.items():
                found.setdefault(column, f"{roster.name}: {why}")
        return found

    @property
    def stored(self) -> Mapping[str, pl.DataType]:
        """Those that are of one type in all files."""
        first, *others = (part.roster.stored for part in self.each)
        return {name: kind for name, kind in first.items() if all(each.get(name) == kind for each in others)}

    @property
    def sheets(self) -> Sheets:
        """Those of all files."""
        each = [part.roster.sheets for part in self.each]
        return Sheets(frozenset().union(*(one.read for one in each)), frozenset().union(*(one.others for one in each)))

    @property
    def pages(self) -> Sequence[Page]:
        """Those of all files."""
        return [page for part in self.each for page in part.roster.pages]

    def notices(self) -> Sequence[Notice]:
        """Those of all files. Raises OSError."""
        return self.encodings.noticed([notice for roster in self._known for notice in roster.notices()])

    def place(self, row: int) -> str | None:
        """Say how the owner of the file sees a row, and which file it is; known of the files that have been read."""
        before = 0
        for roster, rows in zip(self._known, self.counted, strict=False):
            if row <= before + rows:
                place = roster.place(row - before)
                return place and f"{place} of {roster.name}"
            before += rows
        return None

    def parts(self) -> Sequence[tuple[str, int]]:
        """Name and number of rows of each file that was read, once all have been read."""
        return [(part.roster.name, rows) for part, rows in zip(self.each, self.counted, strict=False)]

    def close(self) -> None:
        """Let go of all files."""
        for part in self.each:
            part.roster.close()

    @property
    def rowless(self) -> bool:
        """Whether none of the files has rows."""
        return all(part.roster.rowless for part in self.each)

    def _arranged(self, frame: pl.DataFrame, *, all_sparse: bool) -> pl.DataFrame:
        """Put the columns in the common order and types. What a reader adds for itself stays where all of them do."""
        given = frame.schema
        missing = [pl.lit(None, dtype).alias(name) for name, dtype in self.schema.items() if name not in given]
        unlike = [named(name).cast(dtype) for name, dtype in self.schema.items() if given.get(name, dtype) != dtype]
        added = [name for name in frame.columns if name not in self.schema] if all_sparse else []
        return frame.with_columns(*missing, *unlike).select(all_named([*self.schema, *added]))


def join(parts: Sequence[Part], limit: int | None, encodings: PartEncodings) -> SeveralRosters:
    """Make one roster of several; the limit is for all of them together.

    encodings  of the files they are

    Raises RosterError for a file whose columns are not those of the first, in whatever order, or whose types do not go
    together with those of the files before it.
    """
    filled = [part for part in parts if not part.roster.rowless] or parts[:1]
    first = filled[0]
    schema = dict(first.roster.schema)
    for part in filled:
        if first.sparse and part.sparse:
            schema |= part.roster.schema
    for part in filled:
        _compare(part, schema, first.roster.name)
        schema = _common_schema(part, schema, first.roster.name)
    return SeveralRosters(parts, schema, limit, encodings)


def _compare(part: Part, schema: Mapping[str, pl.DataType], first: str) -> None:
    found = part.roster.schema
    missing = [] if part.sparse else [name for name in schema if name not in found]
    more = [name for name in found if name not in schema]
    if missing or more:
        differences = [
            f"{word} {listed(list(map(repr, names)))}"
            for word, names in (("lacks", missing), ("has also", more))
            if names
        ]
        raise RosterError(
            f"{part.roster.name}: its columns are not those of {first}: it {' and '.join(differences)}; "
            "name only files of one roster, which have the same columns"
        )


def _common_schema(part: Part, schema: Mapping[str, pl.DataType], first: str) -> dict[str, pl.DataType]:
    """Widen the types so that they hold the values of one more file; see `common_type`."""
    widened = dict(schema)
    for name, dtype in part.roster.schema.items():
        common = common_type(schema[name], dtype)
        if common is None:
            raise RosterError(
                f"{part.roster.name}: column {name!r} is {dtype}, but {schema[name]} in {first}; "
                "write it as one type in all of them"
            )
        widened[name] = common
    return widened


def _further(progress: Progress | None, rows: int, size: int) -> Progress | None:
    """Let a file's progress begin where the earlier files ended."""
    return progress and (lambda done, read: progress(rows + done, size + read))

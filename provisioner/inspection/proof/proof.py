"""What a proof adds up to: its file, the list of differences, and what people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from provisioner.errors import ExitCode
from provisioner.files.writing import PRIVATE
from provisioner.inspection.proof.ledger import STANDING, Ledger, Totals, Unlike
from provisioner.inspection.proof.reading import Reading
from provisioner.journal.header import Identity
from provisioner.model import FIELDS
from provisioner.results.formats.writing import write_frames
from provisioner.results.manifest import known_of, rewrite
from provisioner.results.tables import Entry, Listing, plain_table
from provisioner.roster.csv import apostrophes
from provisioner.sending.users.reading import SINGLY
from provisioner.wording import counted, duration, iso_time, shortened

DIFFERENCES_SCHEMA: Final = pl.Schema({"uid": pl.String, "field": pl.String, "roster": pl.String, "app": pl.String})
"""The columns of the list of differences; a field is null on the side that has none."""

DIFFERENCES: Final = "differences"
"""What their file is called among the outputs."""

Line = tuple[str, str, str | None, str | None]
"""Uid, field, and its value by the roster and by the app."""

# Lines of the list that are shown, and that are written at once.
_SHOWN: Final = 10
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Proof:
    """The end of `verify`: whether the app's users are as the roster has them.

    roster         the files of the roster, as given
    state          the state whose sync is proved, if one is
    time           the server's when everybody had been read, UNIX seconds
    rows           of the roster; those that are compared, those rejected, and those that are one with an earlier row
    not_compared   field → why
    requests       that were sent
    sides          SHA-256 of the roster's side and of the app's side
    digests        name of a file among the outputs → SHA-256 of its content; None when it was not written
    first          the first differences
    """

    identity: Identity
    roster: tuple[str, ...]
    state: str | None
    time: float
    started: float
    finished: float
    rows: int
    rejected: int
    repeated: int
    totals: Totals
    compared_fields: tuple[str, ...]
    not_compared: Mapping[str, str]
    reading: Reading
    requests: int
    sides: tuple[str, str]
    outputs: Mapping[str, str | None]
    digests: Mapping[str, str | None]
    first: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        if self.rows != self.rejected + self.repeated + self.totals.users:
            raise AssertionError(f"{self.rows} rows, but {self.rejected} + {self.repeated} + {self.totals.users}")

    @property
    def unlike(self) -> int:
        """How many users are not as they should be."""
        return self.totals.users - self.totals.matching + self.totals.leavers_unlike

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""
        return ExitCode.ROWS_LEFT if self.unlike else ExitCode.OK

    @property
    def message(self) -> str:
        """What was found, in one sentence."""
        whose = "as the roster and the state have them" if self.state else "as the roster has them"
        if self.unlike:
            are = "is" if self.unlike == 1 else "are"
            return f"{counted(self.unlike, 'user')} of {self._everybody:,} {are} not {whose}"
        if not self._everybody:
            return "there was nobody to compare"
        many = self._everybody > 1
        return f"{'all' if many else 'the'} {counted(self._everybody, 'user')} {'are' if many else 'is'} {whose}"

    @property
    def _everybody(self) -> int:
        return self.totals.users + self.totals.leavers

    @property
    def document(self) -> dict[str, Any]:
        """The proof as its file and `--json` hold it."""
        totals, reading = self.totals, self.reading
        document: dict[str, Any] = {
            "message": self.message,
            **asdict(self.identity),
            "roster": list(self.roster),
            "state": self.state,
            "time": iso_time(self.time, "seconds"),
            "rows": self.rows,
            "rejected": self.rejected,
            "repeated": self.repeated,
            "compared": totals.users,
            "matching": totals.matching,
            "differing_users": totals.differing,
            "differing": {name: totals.fields[name] for name in FIELDS if totals.fields[name]},
            "missing": totals.missing,
            "deactivated": totals.deactivated,
            "active": totals.active,
            "compared_fields": list(self.compared_fields),
            "not_compared": dict(self.not_compared),
            "read_by": "pages" if reading.by_pages else "users",
            "pages": reading.pages,
            "asked_singly": reading.singly,
            "unconfirmed": reading.unconfirmed,
            "requests": self.requests,
            "roster_sha256": self.sides[0],
            "app_sha256": self.sides[1],
            "started_at": iso_time(self.started),
            "finished_at": iso_time(self.finished),
            "elapsed_seconds": round(self.finished - self.started, 3),
            "exit_code": self.exit_code,
            "outputs": dict(self.outputs),
            "digests": known_of(self.digests),
        }
        if self.state is not None:
            document["leavers"] = {"compared": totals.leavers, "differing": totals.leavers_unlike}
        return document

    def show(self, console: Console) -> None:
        """Print what people read."""
        console.print(self._counts())
        for text in self._remarks():
            console.print(text)
        if self.first:
            console.print()
            console.print(self._differences())

    def _counts(self) -> Table:
        totals = self.totals
        fields = ", ".join(f"{name} {totals.fields[name]:,}" for name in FIELDS if totals.fields[name])
        lines = [
            (self.rows, "rows" if self.rows != 1 else "row", "", ""),
            (totals.matching, "matching", "green", ""),
            (totals.differing, "differing", "red", fields),
            (totals.missing, "missing", "red", "the app shows no such user"),
            (totals.deactivated, "deactivated", "red", "there, and cannot log in"),
            (totals.active, "active", "red", "there, and deactivated by the roster"),
            (self.rejected, "rejected", "yellow", "not compared"),
            (self.repeated, "repeated", "", "one with an earlier row"),
        ]
        table = plain_table()
        table.add_column(justify="right")
        table.add_column()
        table.add_column(overflow="fold")
        for number, name, colour, note in lines:
            if number or name in {"rows", "matching"}:
                table.add_row(Text(f"{number:,}", colour), Text(name, colour), Text(note))
        if totals.leavers:
            note = f"{totals.leavers_unlike:,} not as the state has them" if totals.leavers_unlike else ""
            table.add_row(Text(f"{totals.leavers:,}"), Text("leavers"), Text(note, "red"))
        return table

    def _remarks(self) -> Iterator[Text]:
        yield Text(self.message, "red" if self.unlike else "green")
        if self.reading.unconfirmed:
            sure = f"the first {SINGLY:,} of them were asked for singly; of the others only the list tells"
            yield Text(sure, "yellow")
        for name, why in self.not_compared.items():
            if name in FIELDS:
                yield Text(f"not compared: {name} ({why})")
        how = counted(self.requests, "request")
        yield Text(f"{how} in {duration(self.finished - self.started)}; {iso_time(self.time, 'seconds')} by the server")
        yield Text(f"roster sha256 {self.sides[0]}\napp    sha256 {self.sides[1]}")
        yield Text(f"proof: {self.outputs['proof']}")

    def _differences(self) -> Listing:
        entries = []
        for uid, name, roster, app in self.first:
            sides = [Text("" if each is None else shortened(each)) for each in (roster, app)]
            title = Text(f"{uid}  {name}  roster: {sides[0]}  app: {sides[1]}")
            entries.append(Entry((Text(uid), Text(name), *sides), title))
        return Listing(("uid", "field", "roster", "app"), entries, below=0)


def write_differences(path: Path, written: str | None, ledger: Ledger) -> tuple[tuple[Line, ...], str | None]:
    """List every difference, in the order of the roster; gives the first ones, and the digest of the file.

    written  see `rewrite`
    """
    lines = chain.from_iterable(map(_lines, ledger.unlike()))
    first = tuple(islice(lines, _SHOWN))
    every = chain(first, lines)
    pieces = iter(lambda: list(islice(every, _AT_ONCE)), [])
    frames = (pl.DataFrame(piece, schema=DIFFERENCES_SCHEMA, orient="row") for piece in pieces)
    values = {name: apostrophes.marked(pl.col(name)) for name in ("roster", "app")}
    marked = (frame.with_columns(**values) for frame in frames)
    return first, rewrite(path, written, lambda: write_frames(path, marked, DIFFERENCES_SCHEMA, PRIVATE))


def _lines(unlike: Unlike) -> Iterator[Line]:
    if unlike.standing != unlike.wanted:
        yield unlike.uid, STANDING, unlike.wanted, unlike.standing
    for each in unlike.differences:
        yield unlike.uid, each.field, each.roster, each.app

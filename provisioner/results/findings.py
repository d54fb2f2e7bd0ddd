"""What was found in a roster: one table for people, members of the summary for machines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import polars as pl
from rich.console import Console, Group, RenderableType
from rich.text import Text

from provisioner.model import with_auth_token
from provisioner.results.tables import Entry, Listing
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.checked import Checked
from provisioner.validation.constraints import DEFECTS, EMAILS_WITH_CAPITALS, ENCODED_EMAILS, LIMITS, Advice
from provisioner.validation.fields.source import FromColumn, Source, as_column, unencoded
from provisioner.validation.oddities.entries import fed_again
from provisioner.validation.rules import Found, Place, no_place
from provisioner.validation.warnings import WARNINGS
from provisioner.wording import counted, read_exactly

ADVICE: Final[Mapping[str, Advice]] = {**DEFECTS, **WARNINGS}
"""Code → advice; with `--strict` a warning is a defect."""

_FILES_SHOWN: Final = 10

_BEGINS_WITH_A_CODE: Final = r"^\s*[a-z_]+\.[a-z_]+: "

# What a JSON string may hold as it is and a terminal would act on: other control characters and line ends.
_UNSEEN: Final = re.compile("[\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of the rows of a rejected file that was fed in again.

    before    rows that had a defect in `_errors`
    rejected  those of them that are rejected again
    """

    before: int
    rejected: int

    @property
    def mended(self) -> int:
        """Rows that had an entry and are valid now."""
        return self.before - self.rejected

    @property
    def document(self) -> dict[str, int]:
        """As the summary holds it."""
        return {"before": self.before, "mended": self.mended, "rejected": self.rejected}

    def __str__(self) -> str:
        """Give it as a person reads it."""
        message = f"{self.mended:,} of {counted(self.before, 'row')} mended"
        if self.rejected:
            message += f"; {self.rejected:,} {'is' if self.rejected == 1 else 'are'} still rejected"
        return message


@dataclass(frozen=True, slots=True)
class RosterFile:
    """One file of a roster of several; `first_row` is the number its first row has in the whole roster."""

    name: str
    first_row: int
    rows: int

    def __str__(self) -> str:
        """Give it as a person reads it."""
        last = self.first_row + self.rows - 1
        rows = f"row {last}" if self.rows == 1 else f"rows {self.first_row} to {last}"
        return f"{rows if self.rows else 'no rows'}: {self.name}"


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """The request that would create the user of a row; `body` is its exact JSON text."""

    row: int
    body: str

    @property
    def document(self) -> dict[str, Any]:
        """As the summary holds it."""
        return {"row": self.row, "method": "POST", "path": "/users", "body": read_exactly(self.body)}

    def show(self, console: Console) -> None:
        """Print it, the body on one line whatever the width, so that it can be copied."""
        body = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", self.body)
        console.print(Text.assemble(("POST /users", "bold"), (f"  row {self.row}", "dim")))
        console.print(Text(body), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found in a roster.

    defects     code → rows that are rejected for it; a row can count under several
    warnings    code → rows that are only warned of
    mended      null when no row had been rejected before
    files       in the order of their rows; empty when the roster is one file
    overridden  name of a limit → the one that was used instead of the documented one
    requests    the first ones that would be sent, as many as `--show` asks for
    places      row → how the owner of the roster sees it, where the number does not say it; of the first rows
    uid         what uids are made of, where that is known
    """

    defects: Mapping[str, Found]
    warnings: Mapping[str, Found]
    mended: Mended | None = None
    files: tuple[RosterFile, ...] = ()
    overridden: Mapping[str, int | bool] = field(default_factory=dict)
    requests: tuple[CreateRequest, ...] = ()
    places: Mapping[int, str] = field(default_factory=dict)
    uid: Source | None = None

    @property
    def rejected_by_code(self) -> dict[str, int]:
        """How many rows each defect has, in the order of the codes."""
        return {code: found.rows for code, found in sorted(self.defects.items())}

    @property
    def document(self) -> dict[str, Any]:
        """The summary's members about the roster; those that are always there come first."""
        document: dict[str, Any] = {
            "defects": _advised(self.defects, self.uid),
            "warnings": _advised(self.warnings, self.uid),
        }
        if self.mended is not None:
            document["mended"] = self.mended.document
        if self.files:
            document["files"] = [asdict(each) for each in self.files]
        if self.overridden:
            document["constraints_overridden"] = dict(self.overridden)
        if self.requests:
            document["shown_requests"] = [each.document for each in self.requests]
        return document

    def remarks(self) -> Iterator[str]:
        """Say what else there is to know, a line each."""
        if self.mended is not None:
            yield str(self.mended)
        if self.overridden:
            limits = ", ".join(f"{name} ({_compared(name, value)})" for name, value in self.overridden.items())
            yield f"limits that the config overrides: {limits}"
        yield from (str(each) for each in self.files[:_FILES_SHOWN])
        if (more := len(self.files) - _FILES_SHOWN) > 0:
            yield f"and {counted(more, 'more file')}, see the summary"

    def tables(self) -> list[RenderableType]:
        """Give the table of defects and warnings; nothing when there are none."""
        if not self.defects and not self.warnings:
            return []
        entries = [
            *_entries(self.defects, "", "yellow", self),
            *_entries(self.warnings, "warning ", "cyan", self),
        ]
        heads = ("code", "rows", "first rows", "how to mend")
        return [Group(Text(), Listing(heads, entries, numbers=frozenset({"rows"})))]


def _advised(findings: Mapping[str, Found], uid: Source | None) -> dict[str, Any]:
    return {
        code: {"rows": found.rows, "first_rows": list(found.first_rows), "mend": _mend(code, found, uid)}
        for code, found in sorted(findings.items())
    }


def _mend(code: str, found: Found, uid: Source | None) -> str:
    """Say how to mend what was really found under a code, of the roster's own columns."""
    words = ADVICE[code].mended(found.rows, found.kinds)
    if ENCODED_EMAILS not in words or uid is None:
        return words
    source = unencoded(uid)
    column = json.dumps(as_column(source.name), ensure_ascii=False) if isinstance(source, FromColumn) else "…"
    lower = ", lower = true" if EMAILS_WITH_CAPITALS in found.kinds else ""
    unless = " (without lower if the app takes capitals as they are)" if lower else ""
    return words.replace(ENCODED_EMAILS, f'uid = {{ column = {column}, encode = "cometchat"{lower} }}{unless}')


def _entries(findings: Mapping[str, Found], mark: str, style: str, report: Report) -> Iterator[Entry]:
    """Give what was found, most frequent first."""
    for code, found in sorted(findings.items(), key=lambda item: (-item[1].rows, item[0])):
        name, first = Text(mark + code, style), _first_rows(found, report.places)
        cells = (name, Text(f"{found.rows:,}"), Text(first), Text(_mend(code, found, report.uid)))
        yield Entry(cells, Text.assemble(name, f"  {counted(found.rows, 'row')}: {first}"))


def _first_rows(found: Found, places: Mapping[int, str]) -> str:
    """Name the first rows; without marks between thousands, because the commas are between rows.

    `2, 4, …`, or where their owner sees them elsewhere `2, 4, … (sheet rows 3, 6)`.
    """
    more = [] if len(found.first_rows) == found.rows else ["…"]
    numbers = ", ".join([*map(str, found.first_rows), *more])
    seen = [places[row] for row in found.first_rows if row in places]
    kinds = {place.rstrip("0123456789") for place in seen}
    if len(seen) > 1 and len(kinds) == 1 and (kind := kinds.pop()) != seen[0]:
        return f"{numbers} ({kind.rstrip()}s {', '.join(place.removeprefix(kind) for place in seen)})"
    return f"{numbers} ({', '.join(seen)})" if seen else numbers


def _compared(name: str, value: int | bool) -> str:
    limit = LIMITS[name]
    return f"{limit.described(value)}, documented {limit.described(limit.default)}"


@dataclass(slots=True)
class Findings:
    """What was found so far; it does not grow with the roster.

    wanted  as many requests are kept to be shown
    """

    wanted: int = 0
    defects: dict[str, Found] = field(default_factory=dict)
    warnings: dict[str, Found] = field(default_factory=dict)
    _requests: list[CreateRequest] = field(default_factory=list)
    _rejected_before: int = 0
    _rejected_again: int = 0

    def add(self, batch: RosterBatch, checked: Checked) -> None:
        """Add one more batch, in the order of the roster."""
        _add(self.defects, checked.defects)
        _add(self.warnings, checked.warnings)
        before = _rejected_before(batch.frame)[batch.positions(checked.lines["row"])]
        again = before & checked.lines["error_code"].is_not_null()
        self._rejected_before += int(before.sum())
        self._rejected_again += int(again.sum())
        if (room := self.wanted - len(self._requests)) > 0:
            self._requests.extend(_requests(checked.valid.head(room)))

    def report(
        self,
        parts: Sequence[tuple[str, int]],
        overridden: Mapping[str, int | bool],
        place: Place = no_place,
        uid: Source | None = None,
    ) -> Report:
        """Give the report.

        parts       the files of the roster and their rows
        overridden  the limits that were changed
        place       says how the owner of the roster sees a row
        uid         what uids are made of
        """
        mended = Mended(self._rejected_before, self._rejected_again) if self._rejected_before else None
        files = tuple(_files(parts)) if len(parts) > 1 else ()
        first = {row for found in (*self.defects.values(), *self.warnings.values()) for row in found.first_rows}
        places = {row: seen for row in sorted(first) if (seen := place(row))}
        return Report(self.defects, self.warnings, mended, files, overridden, tuple(self._requests), places, uid)


def _add(total: dict[str, Found], more: Mapping[str, Found]) -> None:
    for code, found in more.items():
        total[code] = total[code] + found if code in total else found


def _rejected_before(frame: pl.DataFrame) -> pl.Series:
    """Tell which rows an earlier round had rejected: those whose entry in `_errors` begins with a code.

    A roster may have a column of that name for itself.
    """
    if not fed_again(frame.schema):
        return pl.repeat(value=False, n=frame.height, eager=True)
    return frame["_errors"].str.contains(_BEGINS_WITH_A_CODE).fill_null(value=False)


def _requests(valid: pl.DataFrame) -> Iterator[CreateRequest]:
    for row, body, token in valid.select("row", "body", "token").iter_rows():
        yield CreateRequest(row, with_auth_token(body.encode()).decode() if token else body)


def _files(parts: Sequence[tuple[str, int]]) -> Iterator[RosterFile]:
    first_row = 1
    for name, rows in parts:
        yield RosterFile(name, first_row, rows)
        first_row += rows

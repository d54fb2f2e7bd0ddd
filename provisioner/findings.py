"""Adds up what the rules found, batch by batch, to the report on the whole roster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from provisioner.model import WITH_AUTH_TOKEN
from provisioner.report import CreateRequest, Mended, Report, RosterFile
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.validator import Checked, Found


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
        before = _rejected_before(batch.frame)
        again = before & checked.lines["error_code"].is_not_null()
        self._rejected_before += int(before.sum())
        self._rejected_again += int(again.sum())
        if (room := self.wanted - len(self._requests)) > 0:
            self._requests.extend(_requests(checked.valid.head(room)))

    def report(self, parts: Sequence[tuple[str, int]], overridden: Mapping[str, int | bool]) -> Report:
        """Give the report; `parts` are the files of the roster and their rows, `overridden` the limits changed."""
        mended = Mended(self._rejected_before, self._rejected_again) if self._rejected_before else None
        files = tuple(_files(parts)) if len(parts) > 1 else ()
        return Report(self.defects, self.warnings, mended, files, overridden, tuple(self._requests))


def _add(total: dict[str, Found], more: Mapping[str, Found]) -> None:
    for code, found in more.items():
        total[code] = total[code] + found if code in total else found


def _rejected_before(frame: pl.DataFrame) -> pl.Series:
    """Tell which rows an earlier round had rejected: those with an entry in `_errors`."""
    if "_errors" not in frame.columns:
        return pl.repeat(value=False, n=frame.height, eager=True)
    entries = frame["_errors"]
    if entries.dtype == pl.String:
        return (entries.str.strip_chars() != "").fill_null(value=False)
    return entries.is_not_null()


def _requests(valid: pl.DataFrame) -> Iterator[CreateRequest]:
    for row, body, token in valid.select("row", "body", "token").iter_rows():
        yield CreateRequest(row, f"{body[:-1]}{WITH_AUTH_TOKEN.decode()}}}" if token else body)


def _files(parts: Sequence[tuple[str, int]]) -> Iterator[RosterFile]:
    first_row = 1
    for name, rows in parts:
        yield RosterFile(name, first_row, rows)
        first_row += rows

"""The half of a run that needs no network: read, check, and keep what the results will want to know of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from provisioner.columns import Binding, bind, parse_mapping
from provisioner.constraints import Constraints
from provisioner.errors import RosterChangedError, RosterError
from provisioner.model import Checked, RosterBatch, Tally
from provisioner.reader import Roster, open_roster
from provisioner.results import Spool
from provisioner.settings import Settings
from provisioner.survey import Survey, survey
from provisioner.validator import Validator, reject


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch and what the rules made of it."""

    batch: RosterBatch
    checked: Checked

    @property
    def valid(self) -> pl.DataFrame:
        """`Checked.valid`."""
        return self.checked.valid

    def roles(self) -> Iterator[tuple[int, str]]:
        """Give row number and role of the valid rows that name one."""
        return self.valid.select("row", "role").drop_nulls().iter_rows()


@dataclass(slots=True)
class Checking:
    """One roster on its way through the rules. Made by `open`; then `look_over` once, then `next` until it gives None.

    lines     `Checked.lines` of every row so far
    rejected  `Checked.rejected` of every row so far
    defects   how often each code was found
    """

    roster: Roster
    binding: Binding
    settings: Settings
    tally: Tally
    lines: Spool
    rejected: Spool
    defects: Counter[str] = field(default_factory=Counter)
    _survey: Survey | None = None
    _batches: Iterator[CheckedBatch] | None = None

    @classmethod
    def open(cls, path: Path, settings: Settings, folder: Path, tally: Tally) -> Checking:
        """Open a roster and match its columns; raises `RosterError` or `ConfigurationError`."""
        roster = open_roster(path, encoding=settings.run.encoding, limit=settings.run.limit)
        binding = bind(roster.schema, parse_mapping(settings.columns))
        return cls(roster, binding, settings, tally, Spool(folder), Spool(folder))

    def look_over(self, interrupted: Callable[[], None]) -> int:
        """Read the whole roster once, before anything is sent: its number of rows.

        Raises `RosterError` for a defect of the file anywhere in it; whatever `interrupted` raises, ends it.
        """

        def progress(rows: int, _: int) -> None:
            self.tally.surveyed = rows
            interrupted()

        self._survey = survey(self.roster, self.binding, progress=progress)
        self.tally.rows = self._survey.rows
        return self._survey.rows

    def next(self) -> CheckedBatch | None:
        """Check the next batch; None after the last. What it gives counts once it is kept."""
        if self._batches is None:
            self._batches = self._check()
        return next(self._batches, None)

    def keep(self, checked: CheckedBatch, unknown_roles: Mapping[int, str] | None = None) -> None:
        """Keep what the results will want to know of a batch; `unknown_roles` says why for each row to be rejected."""
        end = checked.checked
        if unknown_roles:
            end = reject(end, checked.batch, "role.unknown", unknown_roles)
        self.lines.append(end.lines)
        self.rejected.append(end.rejected)
        self.defects.update(end.defects)
        self.tally.valid += len(end.valid)
        self.tally.rejected += len(end.rejected)
        self.tally.checked += len(end.lines)

    def _check(self) -> Iterator[CheckedBatch]:
        if self._survey is None:
            raise RuntimeError("look_over comes first")
        overrides = self.settings.constraints.model_dump(exclude_none=True)
        rules = Constraints(**overrides)
        validator = Validator(self.binding, rules, self._survey, auth_tokens=self.settings.run.auth_tokens)
        rows = 0
        try:
            for batch in self.roster.batches():
                rows += batch.frame.height
                yield CheckedBatch(batch, validator.check(batch))
        except RosterError as error:
            raise RosterChangedError(self._changed()) from error
        if rows != self._survey.rows:
            raise RosterChangedError(self._changed())

    def close(self) -> None:
        """Let go of what was kept."""
        self.lines.close()
        self.rejected.close()

    def _changed(self) -> str:
        return f"{self.roster.path}: changed while it was read; run the same command again when it is complete"

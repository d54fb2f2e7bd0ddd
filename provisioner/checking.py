"""The half of a run that needs no network: read, check, and keep what the results will want to know of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from provisioner.columns import Binding, bind, parse_mapping
from provisioner.constraints import Constraints
from provisioner.errors import RosterError
from provisioner.model import Tally
from provisioner.reader import Roster, open_roster
from provisioner.results import Spool
from provisioner.settings import Settings
from provisioner.survey import Survey, survey
from provisioner.validator import Validator


@dataclass(slots=True)
class Checking:
    """One roster on its way through the rules. Made by `open`; then `look_over` once, then `batches` once.

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

    def batches(self) -> Iterator[pl.DataFrame]:
        """Check the roster batch by batch and give the valid rows (`Checked.valid`)."""
        if self._survey is None:
            raise RuntimeError("look_over comes first")
        overrides = self.settings.constraints.model_dump(exclude_none=True)
        rules = Constraints(**overrides)
        validator = Validator(self.binding, rules, self._survey, auth_tokens=self.settings.run.auth_tokens)
        for batch in self.roster.batches():
            checked = validator.check(batch)
            self.lines.append(checked.lines)
            self.rejected.append(checked.rejected)
            self._count(len(checked.valid), len(checked.rejected), checked.defects)
            yield checked.valid
        if self.tally.checked != self._survey.rows:
            said = f"{self.roster.path}: changed while it was read; run again when it is complete"
            raise RosterError(said)

    def close(self) -> None:
        """Let go of what was kept."""
        self.lines.close()
        self.rejected.close()

    def _count(self, valid: int, rejected: int, defects: Mapping[str, int]) -> None:
        self.tally.valid += valid
        self.tally.rejected += rejected
        self.tally.checked += valid + rejected
        self.defects.update(defects)

"""The half of a run that needs no network: read, check, and keep what the results will want to know of each row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl
import structlog

from provisioner.errors import RosterChangedError, RosterError
from provisioner.model import Tally
from provisioner.results.findings import Findings, Report
from provisioner.results.rejections import write_rejected
from provisioner.results.spool import Spool
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.files.text import text_codec
from provisioner.roster.formats.rows import Roster, RosterBatch, one_ahead
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.run.job import Job
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper, stop_early
from provisioner.validation.fields.binding import Binding, bind
from provisioner.validation.survey import Survey, survey
from provisioner.validation.validator import Checked, Validator, reject

T = TypeVar("T")

log = structlog.get_logger()


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
    folder    where that is kept which is too much for memory
    offline   nothing will be sent, so no request waits for what takes a while to find
    findings  what the rules found so far
    """

    roster: Roster
    binding: Binding
    settings: Settings
    tally: Tally
    lines: Spool
    rejected: Spool
    folder: Path
    offline: bool
    findings: Findings
    _survey: Survey | None = None
    _batches: Iterator[CheckedBatch] | None = None

    @classmethod
    def open(cls, inputs: Inputs, settings: Settings, folder: Path, tally: Tally, *, offline: bool) -> Checking:
        """Open a roster and match its columns; raises `RosterError` or `ConfigurationError`."""
        told = settings.run
        options = RosterOptions(told.encoding, told.delimiter, told.sheet, told.limit)
        roster = open_roster(inputs, options, folder)
        try:
            binding = bind(roster.schema, settings.columns)
        except RosterError as error:
            roster.close()
            raise RosterError(f"{roster.name}: {error}") from error
        findings = Findings(wanted=settings.run.show if offline else 0)
        return cls(roster, binding, settings, tally, Spool(folder), Spool(folder), folder, offline, findings)

    def look_over(self, interrupted: Callable[[], None]) -> int:
        """Read the whole roster once, before anything is sent: its number of rows.

        Raises `RosterError` for a defect of the file anywhere in it; whatever `interrupted` raises, ends it.
        """

        def progress(rows: int, _: int) -> None:
            self.tally.surveyed = rows
            interrupted()

        identity = self.offline or self.settings.run.strict
        self._survey = survey(self.roster, self.binding, self.folder, identity=identity, progress=progress)
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
        self.findings.add(checked.batch, end)
        self.tally.valid += len(end.valid)
        self.tally.rejected += len(end.rejected)
        self.tally.checked += len(end.lines)

    def report(self) -> Report:
        """Say what was found, once every batch is kept."""
        return self.findings.report(self.roster.parts(), self.settings.constraints.overridden)

    def _check(self) -> Iterator[CheckedBatch]:
        if self._survey is None:
            raise RuntimeError("look_over comes first")
        told, limits = self.settings.run, self.settings.constraints
        validator = Validator(self.binding, limits, self._survey, auth_tokens=told.auth_tokens, strict=told.strict)
        rows = 0
        try:
            for batch in one_ahead(self.roster.batches()):
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
        self.roster.close()

    def _changed(self) -> str:
        return f"{self.roster.name}: changed while it was read; run the same command again when it is complete"


async def begin_checking(job: Job, tally: Tally, *, offline: bool = False) -> Checking:
    """Open the roster and warn of columns that are ignored; raises `RosterError` or `ConfigurationError`."""
    folder = job.outputs.results.parent
    checking = await asyncio.to_thread(Checking.open, job.roster, job.settings, folder, tally, offline=offline)
    if unknown := checking.binding.unknown:
        log.warning(
            "roster.unknown_columns",
            columns=list(unknown),
            hint="ignored; map them under [columns] if they matter",
        )
    return checking


def tell_warnings(job: Job, report: Report) -> None:
    """Log what is warned of, for the one who reads the log of a run; a program reads it in the summary."""
    if report.warnings and not job.settings.output.json_summary:
        log.warning(
            "roster.warned",
            rows_by_code={code: found.rows for code, found in sorted(report.warnings.items())},
            hint="no reason to reject a row; it is one with --strict",
        )


async def look_over(checking: Checking, reader: ThreadPoolExecutor, stopper: Stopper) -> None:
    """Read the whole roster once; raises `RosterError`, or `InterruptedEarlyError` when the run is to end."""
    rows = await in_thread(reader, lambda: checking.look_over(lambda: stop_early(stopper)))
    stop_early(stopper)
    if rows == 0 and checking.settings.run.limit != 0:
        log.warning("roster.no_rows", roster=checking.roster.name, hint="it has a header and nothing else")


def keep_rejected(job: Job, checking: Checking) -> None:
    """Write the rejected rows so that they can be mended and fed in with the same settings."""
    roster, encoded = checking.roster, text_codec(job.settings.run.encoding) is not None
    write_rejected(job.outputs.rejected, checking.rejected, roster.columns, roster.rejected_delimiter, marked=encoded)


async def in_thread(thread: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    """Carry out a call in a thread of its own kind, and wait for it."""
    return await asyncio.get_running_loop().run_in_executor(thread, call)

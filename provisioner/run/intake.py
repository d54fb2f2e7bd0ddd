"""The half of a run that needs no network: read, check, and keep what the results will want to know of each row.

    open_roster → Opened ── survey ──→ Surveyed ── batches ──→ CheckedBatch ── keep

Each step is a type of its own, so that none can be left out: what repeats in a roster is known only after a survey.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.errors import RosterChangedError, RosterError
from provisioner.logs.events import get_logger
from provisioner.results import rejections
from provisioner.results.findings import Findings, Report
from provisioner.results.manifest import REJECTED, Record
from provisioner.results.rejections import Dress
from provisioner.results.resubmission import EarlierRounds, mended_from
from provisioner.results.spool import Spool, SpooledBatches
from provisioner.roster import reader as roster_reader
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.files.text import text_codec
from provisioner.roster.formats.rows import ANOTHER_HEADER, Roster, RosterBatch
from provisioner.roster.wrapped import completed, holds_rejected_objects, maybe_partial
from provisioner.run.job import Job, Run, reading_options, source_of, way_to_a_mapping
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper, stop_early
from provisioner.tally import RowTally
from provisioner.threads import in_thread, one_ahead, unless_stopped
from provisioner.validation import survey as surveying
from provisioner.validation.checked import Checked, Verdicts
from provisioner.validation.fields.binding import AbsentError, Binding, UnmappedError, bind, needed_columns
from provisioner.validation.lookalikes import Persons
from provisioner.validation.survey import Survey
from provisioner.validation.validator import Validator

log = get_logger()
_NAMED: Final = 10  # columns that a warning names; how many more there are is said
_ROLES_KEPT: Final = 1000  # as many names of roles are enough


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch and what the rules made of it."""

    batch: RosterBatch
    checked: Checked

    @property
    def valid(self) -> pl.DataFrame:
        """`Checked.valid`."""
        return self.checked.valid

    def roles(self, besides: Collection[str] = ()) -> Iterator[tuple[int, str]]:
        """Give row number and role of the valid rows that name one, `besides` these."""
        return self.valid.select("row", "role").filter(~pl.col("role").is_in(list(besides))).iter_rows()


@dataclass(frozen=True, slots=True)
class Opened:
    """A roster whose columns are matched to fields; nothing is known of its rows yet. To be closed.

    folder    where that is kept which is too much for memory
    offline   nothing will be sent, so no request waits for what takes a while to find
    earlier   the rounds in which its rows were rejected before, if they were
    lines     `Checked.lines` of every row kept so far; none where nothing will be sent, for there are no results
    rejected  `Checked.rejected` of every row kept so far
    taken     the rows of the shard, once they are surveyed
    now       UNIX seconds: by them is told who has left
    """

    roster: Roster
    binding: Binding
    settings: Settings
    rows: RowTally
    folder: Path
    offline: bool
    earlier: EarlierRounds
    lines: Spool
    rejected: Spool
    taken: SpooledBatches
    now: float = field(default_factory=time.time)

    @classmethod
    def open(
        cls,
        inputs: Inputs,
        settings: Settings,
        folder: Path,
        rows: RowTally,
        *,
        offline: bool,
        interrupted: Callable[[], None] = lambda: None,
    ) -> Opened:
        """Open a roster and match its columns; raises `UsageError`, or as `interrupted` does."""
        earlier = EarlierRounds.of(inputs.paths)
        roster = roster_reader.open_roster(inputs, reading_options(inputs, settings, interrupted), folder)
        roster = completed(earlier.with_reasons(roster), inputs, settings.columns.completable)
        try:
            schema = needed_columns(settings.columns) if roster.rowless else roster.schema
            binding = bind(schema, settings.columns, roster.repeated)
            binding.refuse_unreadable(roster.unreadable)
        except RosterError as error:
            another = next((notice.message for notice in roster.notices() if notice.code == ANOTHER_HEADER), None)
            roster.close()
            way = f"; {way_to_a_mapping(inputs, settings)}" if isinstance(error, UnmappedError) else ""
            if isinstance(error, AbsentError) and holds_rejected_objects(roster, inputs):
                way = f"; if it is none of these, add it to the rejected rows, with {settings.columns.addition(schema)}"
            raise RosterError(another or f"{roster.name}: {error}{way}") from error
        spools = Spool(folder), Spool(folder), SpooledBatches(folder)
        return cls(roster, binding, settings, rows, folder, offline, earlier, *spools)

    def survey(self, interrupted: Callable[[], None]) -> Surveyed:
        """Read the whole roster once, before anything is sent.

        Raises `RosterError` for a defect of the file anywhere in it; whatever `interrupted` raises, ends it.
        """

        def progress(rows: int, _: int) -> None:
            self.rows.surveyed = rows
            interrupted()

        identity, shard, take = self.offline or self.settings.run.strict, self.settings.run.shard, self.taken.add
        found = surveying.survey(
            self.roster, self.binding, self.folder, identity=identity, shard=shard, take=take, progress=progress
        )
        # What is wrong with a column may be known only of rows that were read.
        try:
            self.binding.refuse_unreadable(self.roster.unreadable)
        except RosterError as error:
            raise RosterError(f"{self.roster.name}: {error}") from error
        self.rows.total = found.taken
        opened = replace(self, roster=maybe_partial(self.roster, found.again))
        return Surveyed(opened, found, Findings(wanted=self.settings.run.show if self.offline else 0))

    def close(self) -> None:
        """Let go of what was kept."""
        self.lines.close()
        self.rejected.close()
        self.taken.close()
        self.roster.close()


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A roster that has been read once: what repeats in it is known, so its rows can be checked.

    findings  what the rules found in the rows kept so far
    persons   the rows of each uid that comes again, compared; null where the first of them is taken
    roles     that valid rows name, in their order; not all of them where there are far more than an app can have
    verdicts  which of the rows kept so far are rejected in the end
    """

    opened: Opened
    survey: Survey
    findings: Findings
    persons: Persons | None = None
    roles: dict[str, None] = field(default_factory=dict)
    verdicts: Verdicts = field(default_factory=Verdicts)

    @property
    def lines(self) -> Spool:
        """`Checked.lines` of every row kept so far."""
        return self.opened.lines

    @property
    def rejected(self) -> Spool:
        """`Checked.rejected` of every row kept so far."""
        return self.opened.rejected

    def batches(self) -> Iterator[CheckedBatch]:
        """Check the whole roster; a batch counts once it is kept. Raises `RosterChangedError`."""
        validator, earlier = self._validator(), self.opened.earlier
        for batch in self._again():
            yield CheckedBatch(batch, earlier.reject_repeats(batch, validator.check(batch)))

    def compared(self, interrupted: Callable[[], None]) -> Surveyed:
        """Compare the rows of each uid that comes again; they are one row, or none of them is taken.

        Reads the roster once more when there are such uids. Raises `RosterChangedError`; whatever `interrupted` raises,
        ends it.
        """
        persons, opened = Persons(), self.opened
        if not self.survey.repeated.is_empty():
            validator = self._validator()
            for batch in self._again():
                persons.add(validator.contents(batch))
                interrupted()
            if not opened.settings.run.strict:
                opened.rows.total = self.survey.rows - persons.repeated
        return replace(self, persons=persons)

    def _validator(self) -> Validator:
        opened, wanted = self.opened, self.opened.settings.run
        return Validator(
            opened.binding,
            opened.settings.constraints,
            self.survey,
            auth_tokens=wanted.auth_tokens,
            strict=wanted.strict,
            place=opened.roster.place,
            persons=self.persons,
            shard=wanted.shard if self.survey.likenesses else None,
            writes=not opened.offline or wanted.dry_run or wanted.show > 0 or bool(opened.earlier.journals),
            now=opened.now,
        )

    def _again(self) -> Iterator[RosterBatch]:
        """Read the roster once more; raises `RosterChangedError` when it is another one, or cannot be.

        Of a shard the rows are at hand, unless those of others have to be looked at for their likeness to them.
        """
        if self.survey.share is not None and not self.survey.likenesses:
            yield from self.opened.taken.batches()
            return
        rows = 0
        try:
            for batch in one_ahead(self.opened.roster.batches()):
                rows += batch.frame.height
                yield batch
        except RosterError as error:
            raise RosterChangedError.of(self.opened.roster.name, error) from error
        if rows != self.survey.rows:
            raise RosterChangedError.of(self.opened.roster.name)

    def keep(self, checked: CheckedBatch, unknown_roles: Mapping[int, str] | None = None) -> None:
        """Keep what the results will want to know of a batch; `unknown_roles` says why for each row to be rejected."""
        rows, end = self.opened.rows, self.verdicts.settle(checked.checked, checked.batch, unknown_roles or {})
        self.findings.add(checked.batch, end)
        if len(self.roles) < _ROLES_KEPT:
            self.roles.update(dict.fromkeys(end.valid["role"].drop_nulls().unique(maintain_order=True)))
        rows.valid += len(end.valid)
        rows.rejected += len(end.rejected)
        rows.checked += len(end.lines)
        try:  # what finds no room is held, so all of it counts before the run is stopped
            if not self.opened.offline:
                self.lines.append(end.lines)
        finally:
            self.rejected.append(end.rejected)

    def report(self) -> Report:
        """Give what was found, once every batch is kept."""
        roster, limits = self.opened.roster, self.opened.settings.constraints
        return self.findings.report(roster.parts(), limits.overridden, roster.place, self.opened.binding.fields["uid"])


async def open_roster(run: Run, *, offline: bool = False) -> Opened:
    """Open the roster and warn of columns that are ignored; raises `UsageError`, or `InterruptedEarlyError`."""
    job = run.job
    opening = partial(Opened.open, job.roster, job.settings, job.outputs.results.parent, run.tally.rows)
    opening = partial(opening, offline=offline, interrupted=lambda: stop_early(run.stopper))
    opened = await unless_stopped(opening, run.stopper)
    if unknown := opened.binding.unknown:
        hint = opened.binding.hint(_NAMED)
        more = {"more": len(unknown) - _NAMED} if len(unknown) > _NAMED else {}
        log.warning("roster.unknown_columns", columns=list(unknown[:_NAMED]), **more, hint=hint)
    if job.settings.columns.needs_underscore:
        log.info("uid.underscore_allowed", reason='encode = "cometchat" under [columns] makes uids that hold _')
    return opened


async def survey(opened: Opened, reader: Executor, stopper: Stopper) -> Surveyed:
    """Read the whole roster once; raises `RosterError`, or `InterruptedEarlyError` when the run is to end."""
    surveyed = await in_thread(reader, lambda: opened.survey(lambda: stop_early(stopper)))
    stop_early(stopper)
    for notice in await in_thread(reader, surveyed.opened.roster.notices):
        log.warning(notice.code, message=notice.message)
    if (encoding := surveyed.survey.reveals) is not None:
        seen = "other users see uids, and these can be turned back into e-mail addresses"
        hint = f'{seen}; encode = "uuid5" with a namespace of your own makes uids that tell nothing'
        log.warning("uid.reveals_email", encoding=str(encoding), hint=hint)
    if surveyed.survey.rows == 0 and opened.settings.run.limit != 0:
        hint = "it has a header and nothing else" if opened.roster.columns else "it names nobody"
        log.warning("roster.no_rows", roster=opened.roster.name, hint=hint)
    return surveyed


def log_warnings(job: Job, report: Report) -> None:
    """Log what is warned of, for the one who reads the log of a run; a program reads it in the summary."""
    if report.warnings and not job.settings.output.json_summary:
        log.warning(
            "roster.warned",
            rows_by_code={code: found.rows for code, found in sorted(report.warnings.items())},
            hint="no reason to reject a row; it is one with --strict",
        )


def keep_rejected(job: Job, surveyed: Surveyed) -> tuple[Record, Path | None]:
    """Write the rejected rows; what to remember of that, and the file; None when nothing is rejected."""
    path, digest = rejections.keep_rejected(job.outputs, surveyed.rejected, _dress(job, surveyed.opened))
    return record_of(job, surveyed, {REJECTED: digest}), path


def record_of(job: Job, surveyed: Surveyed, digests: Mapping[str, str | None]) -> Record:
    """Say what to remember of the files of a job: name → digest of what was written there last."""
    record = source_of(job, surveyed.opened.roster.sheets).recorded(digests, surveyed.survey.share)
    return replace(record, mends=mended_from(job.roster.paths))


def _dress(job: Job, opened: Opened) -> Dress:
    """Say how they are written so that they can be fed in with the same settings."""
    settings, roster = job.settings.run, opened.roster
    marked, feeds = text_codec(settings.encoding) is not None, opened.binding.feeding()
    suffix = job.outputs.rejected.suffix
    own = roster.rejected_delimiter if suffix == job.roster.rejected_suffix else ","
    delimiter = settings.delimiter or ("\t" if suffix in {".tsv", ".tab"} else own)
    sheet, stored = settings.sheet or rejections.SHEET, roster.stored
    return Dress(roster.columns, delimiter, marked=marked, sheet=sheet, feeds=feeds, stored=stored)

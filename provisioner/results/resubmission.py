"""Rejected rows that are fed in again: what that job is called, and whose uids the rounds before have settled.

users.csv → users.results.csv, users.results.rejected.csv → users.round2.results.csv → …
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import polars as pl

from provisioner.files.looking import same_file
from provisioner.journal.columns import Done
from provisioner.journal.earlier import Said, done_in, is_as_settled, refuse_unreadable
from provisioner.results.manifest import REJECTED, read_record, written_last
from provisioner.results.outputs import JOURNAL, SUMMARY
from provisioner.roster.columns import ADDED
from provisioner.roster.formats.rows import Roster, RosterBatch
from provisioner.roster.shard import Shard
from provisioner.roster.wrapped import with_nothing_in
from provisioner.validation.checked import Checked, reject
from provisioner.validation.constraints import DEFECTS
from provisioner.validation.oddities.entries import fed_again
from provisioner.wording import shortened

# The stem of a rejected file, one that was set aside included, and what is left of it without that.
_REJECTED: Final = re.compile(r"(?P<job>.+?)(\.check)?\.rejected(\.\d{8}T\d{6}(-\d+)?)?")
_JOB: Final = re.compile(r"(?P<name>.+?)(\.round(?P<round>\d+))?\.results")

SET_ASIDE: Final = "set aside"
"""What is kept for the digest of rejected rows that were set aside for newer ones."""

DUPLICATE: Final = "uid.duplicate"
"""The defect of a row whose uid another user has."""

# In the words of an earlier round: this defect, and no other behind it.
_ALONE: Final = rf"^\s*{re.escape(DUPLICATE)}: "
_OTHERS: Final = "|".join(f"; {re.escape(code)}: " for code in DEFECTS if code != DUPLICATE)

# How it goes on where the other row was taken, so that deleting that one has not mended this one.
_TAKEN: Final = re.compile(r" is the uid of .* already\b(?!, which is rejected)", re.DOTALL)

# Rows looked up in a journal at once.
_AT_ONCE: Final = 4000


def of_another(uid: str, row: int, journal: Path | None) -> str:
    """Say why a row is rejected whose uid a job has settled for another one."""
    return f"{uid!r} is the uid of another user already, row {row} of the job of {journal}"


def default_results(stem: str, shard: Shard | None = None) -> Path:
    """Name the results of a roster whose name without its ending is `stem`; rounds are counted, names do not grow.

    Those of a shard are in a folder of the job.
    """
    before = _JOB.fullmatch(job_of_rejected(stem) or "")
    job = stem if before is None else f"{before['name']}.round{int(before['round'] or 1) + 1}"
    return Path(f"{job}.results.csv") if shard is None else Path(f"{job}.shards", f"{shard.stem}.results.csv")


def job_of_rejected(stem: str) -> str | None:
    """Say what the results are called whose rejected rows are in a file of this stem; null for another file."""
    rejected = _REJECTED.fullmatch(stem)
    return rejected["job"] if rejected else None


def mended_from(rosters: Sequence[Path]) -> str | None:
    """Give the digest of the rejected rows that these files were made of, as they were written last; null for others.

    The next time they are written otherwise, their rows may have other numbers: so `merge` can tell. Those of a file
    that was set aside have been written anew since.
    """
    for roster in rosters:
        if (rejected := _REJECTED.fullmatch(roster.stem)) is not None:
            newest = roster.stem == f"{rejected['job']}.rejected"
            return written_last(roster.with_name(rejected["job"] + SUMMARY), REJECTED) if newest else SET_ASIDE
    return None


def earlier_journals(rosters: Sequence[Path]) -> list[Path]:
    """Find the journals of the rounds that these files come from, the last one first; none for other rosters."""
    seen: set[Path] = set()
    return list(dict.fromkeys(journal for roster in rosters for journal in _rounds(roster, seen)))


def _rounds(roster: Path, seen: set[Path]) -> Iterator[Path]:
    """Give the journals of the rounds before, the last one first, by what was recorded and by their names."""
    results = _job_before(roster)
    if results is None or roster in seen:
        return
    seen.add(roster)
    yield from _journals(results)
    for before in map(Path, read_record(results.with_name(results.name + SUMMARY)).roster):
        elsewhere = before.parent.exists() and not same_file(before.parent, roster.parent)
        yield from _rounds(before if elsewhere else roster.with_name(before.name), seen)
    if (job := _JOB.fullmatch(results.name)) is not None:
        for number in range(int(job["round"] or 1) - 1, 0, -1):
            name = job["name"] if number == 1 else f"{job['name']}.round{number}"
            yield from _journals(roster.with_name(f"{name}.results"))


def _job_before(roster: Path) -> Path | None:
    """Say what the files of the round begin with that has rejected these rows; null for another roster."""
    job = job_of_rejected(roster.stem)
    return None if job is None else roster.with_name(job)


def _journals(job: Path) -> Iterator[Path]:
    """Give the journal of a job by what its files begin with; those of its parts where it was merged of several."""
    journal = job.with_name(job.name + JOURNAL)
    if journal.exists():
        yield journal
        return
    for part in map(Path, read_record(job.with_name(job.name + SUMMARY)).merged):
        moved = job.parent / part.parent.name / part.name  # with their folder, to where the merged results are
        yield from _journals((part if part.exists() else moved).with_suffix(""))


@dataclass(frozen=True, slots=True)
class EarlierRounds:
    """What the rounds before have settled.

    journals  theirs, the last one first
    last      those of them in which the rows have the numbers that the rejected rows say: of the last round alone
    """

    journals: Sequence[Path]
    last: Collection[Path] = ()

    @classmethod
    def of(cls, rosters: Sequence[Path]) -> Self:
        """Find those that these files come from; raises `JournalError` where one cannot be read."""
        journals = earlier_journals(rosters)
        for journal in journals:
            refuse_unreadable(journal)
        return cls(journals, tuple(each for job in map(_job_before, rosters) if job for each in _journals(job)))

    def with_reasons(self, roster: Roster) -> Roster:
        """Give rejected rows of which somebody has deleted why they were, empty reasons: their numbers say enough."""
        numbers, reasons = ADDED
        has_lost_them = self.journals and numbers in roster.schema and reasons not in roster.schema
        return with_nothing_in([reasons], roster) if has_lost_them else roster

    def reject_repeats(self, batch: RosterBatch, checked: Checked) -> Checked:
        """Reject again what was rejected for its uid alone, has kept it, and is not what that uid was settled with."""
        if not fed_again(batch.frame.schema):
            return checked
        errors = batch.frame["_errors"]
        alone = (errors.str.contains(_ALONE) & ~errors.str.contains(_OTHERS)).fill_null(value=False)
        kept = checked.valid.filter(pl.col("row").is_in(batch.numbers.filter(alone).implode()))
        kept = kept.with_columns(errors.gather(batch.positions(kept["row"])).alias("errors"))
        reasons = {row: reason for part in kept.iter_slices(_AT_ONCE) for row, reason in self._collisions(part)}
        return reject(checked, batch, DUPLICATE, reasons) if reasons else checked

    def _collisions(self, rows: pl.DataFrame) -> Iterator[tuple[int, str]]:
        settled = self.settled(rows["uid"].to_list())
        for row, uid, errors, *said in rows.select("row", "uid", "errors", *Said._fields).iter_rows():
            done, journal = settled.get(uid, (None, None))
            if done is not None and not is_as_settled(Said._make(said), done):
                yield row, of_another(uid, done.was, journal)
            elif done is None and _is_untouched(errors, uid):
                yield row, f"{uid!r} is the uid of another user already, as _errors says"

    def settled(self, uids: Sequence[str]) -> dict[str, tuple[Done, Path]]:
        """Give uid → what the latest round that has settled it knows, and that round's journal."""
        found: dict[str, tuple[Done, Path]] = {}
        for journal in self.journals:
            for done in done_in(journal, uids):
                found.setdefault(done.uid, (done, journal))
        return found


def _is_untouched(errors: str, uid: str) -> bool:
    """Tell whether a row that no journal knows still has the uid of which it was said that another row has it."""
    said = errors.strip().removeprefix(f"{DUPLICATE}: ")
    return said.startswith(f"{shortened(uid)} ") and _TAKEN.search(said) is not None

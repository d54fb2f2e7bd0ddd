"""Where a run writes: its files, by the name of its results."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from provisioner.errors import OutputError
from provisioner.files.cures import ANOTHER_OUTPUT, cure_at, foreign_name
from provisioner.files.looking import NOWHERE, content_of, is_kept_by_another, leads_nowhere, same_file
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.shard import Shard

# What stands behind the stem of the results in the name of another file of the job.
_NAMED: Final = "rejected|summary|journal|merged|leavers|plan|proof|differences|undo"
_WRITTEN: Final = rf"(?:check\.)?(?:{_NAMED}|\d{{8}}T\d{{6}}(?:-\d+)?)"
SHEET_ROWS: Final = 1_048_575
"""Rows that a sheet of a workbook has room for, below its header (Excel specifications and limits)."""
FORMATS: Final = (".csv", ".parquet", ".ndjson", ".xlsx")

JOURNAL: Final = ".journal.db"
SUMMARY: Final = ".summary.json"
CHECK: Final = ".check.summary.json"
"""What stands behind the stem of the results in the name of the journal, and of the summary of a run and of a check."""

LAST_RUN: Final = "last_run"
"""What the summary of a command that could not begin calls that of the run whose results are still there."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that belong to one `--output`, as the user gave it.

    results   one line per roster row
    rejected  the rejected rows, in the roster's own format where that can be written
    summary   JSON
    journal   SQLite
    tokens    auth tokens, when they are to stand apart from the results
    """

    results: Path
    rejected: Path
    summary: Path
    journal: Path
    tokens: Path | None = None

    @classmethod
    def beside(
        cls,
        results: Path,
        rejected_suffix: str,
        rosters: Sequence[Path],
        *,
        check: bool = False,
        tokens: Path | None = None,
    ) -> Outputs:
        """Name the files of `results`; raises `OutputError` when they cannot be used.

        rosters  what must not be overwritten
        check    nothing is sent: what is written has names of its own, so that a run's files stay as they are
        tokens   where auth tokens are to stand, when that is apart from the results
        """
        _refuse_nameless(results, "results", "--output")
        if results.suffix.lower() not in FORMATS:
            message = f"{results}: results are written as {', '.join(FORMATS)}; give --output one of these endings"
            raise OutputError(message)
        if (trouble := foreign_name(results)) is not None:
            raise OutputError(trouble)
        named = cls(
            results,
            results.with_suffix(f"{'.check' if check else ''}.rejected{rejected_suffix}"),
            summary_of(results, check=check),
            journal_of(results),
            tokens,
        )
        if tokens is not None:
            _refuse_tokens(tokens, results)
        named.refuse_overwriting(named.paths(), [("the roster", roster) for roster in rosters])
        if rosters:
            _refuse_rejected(results, rosters, check=check)
        return named

    @property
    def proof(self) -> Path:
        """What `verify` found, as JSON."""
        return self.results.with_suffix(".proof.json")

    @property
    def differences(self) -> Path:
        """Who is not as the roster has them, by what `verify` found."""
        return self.results.with_suffix(".differences.csv")

    @property
    def leavers(self) -> Path:
        """Who left, by what a sync found."""
        return self.results.with_suffix(".leavers.csv")

    @property
    def undo(self) -> Path:
        """What `undo` did, user by user."""
        return self.results.with_suffix(".undo.csv")

    @property
    def undo_summary(self) -> Path:
        """What that adds up to, as JSON."""
        return self.results.with_suffix(".undo.summary.json")

    def paths(self) -> tuple[Path, ...]:
        """All that a run writes."""
        return (self.results, self.rejected, self.summary, self.journal, *([self.tokens] if self.tokens else []))

    def cure(self, path: Path) -> str:
        """Say which option gives one of these files another name."""
        return "choose another --tokens-to" if path == self.tokens else ANOTHER_OUTPUT

    def refuse_overwriting(
        self, written: Iterable[Path], kept: Iterable[tuple[str, Path]], cure: str | None = None
    ) -> None:
        """Raise `OutputError` where what is written is something that is read or kept: what that is, and where.

        cure  what to do, where it is not to have these files written elsewhere
        """
        for path, (what, other) in product(written, kept):
            if same_file(path, other):
                raise OutputError(f"{path}: would overwrite {what}; {cure or self.cure(path)}")

    def refuse_too_many(self, rows: int) -> None:
        """Raise `OutputError` when the results have no room for so many rows: known before anything is sent."""
        if self.results.suffix.lower() == ".xlsx" and rows > SHEET_ROWS:
            room = f"a workbook has room for {SHEET_ROWS:,} rows below its header, and there are {rows:,}"
            raise OutputError(f"{self.results}: {room}; choose .csv, .parquet or .ndjson for --output")

    def make_folder(self) -> None:
        """Make the folder of the outputs; raises `OutputError` when it cannot be written to."""
        cures = dict.fromkeys(self.paths(), cure_at(self.journal))
        if self.tokens is not None:
            cures[self.tokens] = self.cure(self.tokens)
        for path in (self.results, self.tokens):
            if path is not None:
                _make_folder(path.parent, cures[path])
        for path, cure in cures.items():
            if path == self.journal:  # SQLite makes what is behind a link, and the link stays
                refuse_what_is_no_file(path, cure)
            else:
                refuse_as_output(path, cure)
            try:
                # A little room: temporary files, locks and what is set aside have longer names.
                path.with_name(path.name + "." * 24).is_dir()
            except OSError as error:
                raise OutputError(f"{path}: cannot be an output ({error.strerror}); {cure}") from error


def refuse_as_output(path: Path, cure: str) -> None:
    """Raise `OutputError` where a file cannot take the place of what is there, see `refuse_what_is_no_file`.

    So does a link that leads nowhere: what is on a disk that is not mounted may be the only tokens. And so does a file
    of another account in a folder like `/tmp`: it could not even be set aside, once everything was sent.
    """
    if leads_nowhere(path):
        raise OutputError(f"{path}: {NOWHERE}")
    refuse_what_is_no_file(path, cure)
    if is_kept_by_another(path):
        raise OutputError(f"{path}: belongs to another account, and only that may replace it in this folder; {cure}")


def refuse_what_is_no_file(path: Path, cure: str) -> None:
    """Raise `OutputError` where a file is meant and a folder, a pipe, a socket or a device is; `cure` is what to do.

    Whoever reads a pipe waits for ever for who writes into it. The null device is read at once, and holds nothing.
    """
    with suppress(OSError):  # what cannot be looked at is told by who opens it
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise OutputError(f"{path}: is a folder; {cure}")
        if not stat.S_ISREG(found.st_mode) and not path.samefile(os.devnull):
            what = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}.get(stat.S_IFMT(found.st_mode), "device")
            raise OutputError(f"{path}: is a {what}, not a file; {cure}")


def journal_of(results: Path) -> Path:
    """Name the journal of the run that writes these results."""
    return results.with_suffix(JOURNAL)


def summary_of(results: Path, *, check: bool = False) -> Path:
    """Name the summary of the run that writes these results, or of a check that would have."""
    return results.with_suffix(CHECK if check else SUMMARY)


def told_of_results(summary: Path) -> Mapping[str, Any]:
    """Give the summary of whatever wrote the results beside this one: itself, or the one that a refusal since has kept.

    Raises OSError, ValueError, TypeError for what is no summary.
    """
    document: Mapping[str, Any] = dict(json.loads(content_of(summary)))
    kept: Mapping[str, Any] = document.get(LAST_RUN, document)
    return kept


def stem_of(path: Path) -> Path | None:
    """Give what the files of a job begin with, by its journal or one of its summaries; null for any other name."""
    for ending in (CHECK, SUMMARY, JOURNAL):
        if path.name.endswith(ending):
            return path.with_name(path.name.removesuffix(ending))
    return None


def results_of(journal: Path) -> Path | None:
    """Find the results that a journal belongs to by its name: those that are there, else as a CSV; null for a state."""
    if not journal.name.endswith(JOURNAL):
        return None
    named = [journal.with_name(journal.name.removesuffix(JOURNAL) + ending) for ending in FORMATS]
    return next((each for each in named if each.exists()), named[0])


def tokens_of(path: Path, shard: Shard | None) -> Path:
    """Say where auth tokens are to stand apart; shards that share a config have a file each."""
    return path if shard is None else path.with_name(f"{path.stem}.{shard.stem}{path.suffix}")


def state_of(results: Path) -> Path | None:
    """Find the state of the sync that wrote these results, which the summary beside them names; null without one."""
    try:
        name = told_of_results(summary_of(results))["outputs"]["journal"]
        return Path(name) if Path(name).exists() else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _refuse_rejected(results: Path, rosters: Iterable[Path], *, check: bool) -> None:
    """Refuse a roster of what a job, or a check of it, has rejected: in any format, set aside or not, or a link to it.

    Raises `OutputError`.
    """
    named = re.compile(rf"{re.escape(results.stem)}{re.escape('.check' * check)}\.rejected(?:\..*)?")
    kept: list[Path] = []
    with suppress(OSError):  # a folder that is not there yet
        kept += (each for each in results.parent.iterdir() if named.fullmatch(each.name))
    for roster in rosters:
        own = named.fullmatch(roster.name) is not None and same_file(roster.parent, results.parent)
        if own or any(same_file(each, roster) for each in kept):
            whose = f"holds rejected rows of the job of {results}, whose files would be replaced"
            raise OutputError(f"{roster}: {whose}; choose another --output")


def _refuse_nameless(path: Path, such_as: str, option: str) -> None:
    """Refuse an ending alone: it is the whole name of a hidden file. Raises `OutputError`."""
    if path.name.lower() in FORMATS:
        message = f"has no name before the ending; give {option} one, such as {such_as}{path.name}"
        raise OutputError(f"{path}: {message}")


def _refuse_tokens(tokens: Path, results: Path) -> None:
    """Refuse a file for auth tokens that cannot be one; raises `OutputError`."""
    _refuse_nameless(tokens, "tokens", "--tokens-to")
    if tokens.suffix.lower() not in FORMATS:
        raise OutputError(f"{tokens}: auth tokens are written as {', '.join(FORMATS)}; give --tokens-to such an ending")
    if is_output_of(results, tokens):
        raise OutputError(f"{tokens}: another file of this job has that name; choose another --tokens-to")


def _make_folder(folder: Path, cure: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = _in_the_way(folder) or error.strerror
        raise OutputError(f"{folder}: the output folder cannot be made ({why}); {cure}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: the output folder cannot be written to; {cure}")


def _in_the_way(folder: Path) -> str | None:
    """Say what stands where a folder is to be made, or one above it; None when that is something else."""
    for each in (folder, *folder.parents):
        if leads_nowhere(each):
            return f"{each} is a link that leads nowhere"
        if os.path.isfile(each):  # noqa: PTH113 - pathlib's own raises for a loop above it
            return f"{each} is a file"
    return None


def default_stem(roster: Inputs) -> str:
    """Say what the files of a job are called by default: after the first file that is none of such files itself."""
    if roster.title:
        return roster.title
    stems = {file.stem for file in roster.files}
    for file in roster.files:
        of, results, _ = file.file_name.partition(".results.")
        if not (file.found and results and of in stems):
            return file.stem
    return roster.stem


def is_output_of(results: Path, path: Path) -> bool:
    """Tell whether a job whose results go to `results` writes a file, or has set it aside, whatever its format."""
    if same_file(path, results):
        return True
    named = re.fullmatch(rf"{re.escape(results.stem)}\.{_WRITTEN}(?:\..*)?", path.name)
    return named is not None and same_file(path.parent, results.parent)

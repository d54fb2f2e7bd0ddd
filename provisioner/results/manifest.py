"""What the last summary says of the files beside it: whose they are, and what was written, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from provisioner.errors import JournalError, OutputError
from provisioner.files.aside import set_aside, set_edited_aside
from provisioner.files.looking import content_of, digest_of, same_file
from provisioner.files.writing import begin_notes, end_notes, noted
from provisioner.logs.events import get_logger
from provisioner.results.outputs import Outputs, state_of, summary_of, told_of_results
from provisioner.roster.files.inputs import NO_SHEETS, STANDARD_INPUT, InputFile, Inputs, Location, Sheets, local_file
from provisioner.roster.shard import Share
from provisioner.wording import listed

log = get_logger()

_ROSTER: Final = "roster"
_SHEETS: Final = "sheets"
_QUERY: Final = "query"
_DIGESTS: Final = "digests"
_SHARD: Final = "shard"
_MERGED: Final = "merged"
_MENDS: Final = "mends"
# Results that were merged, as many as are named.
_NAMED: Final = 3

RESULTS: Final = "results"
REJECTED: Final = "rejected"
"""What a summary calls the results and the file of the rejected rows, among its outputs and its digests."""

_APART: Final = "give each an -o of its own, and both keep their files"
_EDITED: Final = "it is not what was written there last, so it may hold somebody's work"


@dataclass(frozen=True, slots=True)
class Record:
    """Whose the files are, and what they held when they were written.

    roster   the files of the roster, paths made absolute, addresses without what may be secret in them
    digests  name of a file in the summary's `outputs` → SHA-256 of its content, see `rewrite`
    sheets   what is read of those files that are workbooks; `query`: its digest, for the rows of a query
    share    which rows of the roster they are about; null for all of them
    merged   the results of shards that they were merged from, paths made absolute; empty for those of a run
    mends    the digest of the rejected rows that the roster was made of, as the round before had written them
    """

    roster: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    share: Share | None = None
    merged: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    query: str | None = None
    mends: str | None = None

    def with_digests(self, digests: Mapping[str, str | None]) -> Record:
        """Add what more files hold; null for one that was not written."""
        return replace(self, digests={**self.digests, **known_of(digests)})

    @property
    def document(self) -> dict[str, Any]:
        """As the summary holds it."""
        document: dict[str, Any] = {_ROSTER: list(self.roster), _DIGESTS: dict(self.digests)}
        if self.sheets:
            document[_SHEETS] = list(self.sheets)
        if self.query is not None:
            document[_QUERY] = self.query
        if self.share is not None:
            document[_SHARD] = self.share.document
        if self.merged:
            document[_MERGED] = list(self.merged)
        if self.mends is not None:
            document[_MENDS] = self.mends
        return document


NOTHING_RECORDED: Final = Record()


@dataclass(frozen=True, slots=True)
class Source:
    """What a roster is: its files, and what is read of them.

    files   see `places`
    stem    what the files of a job are called after
    sheets  of those that are workbooks
    query   `Query.digest`; null for files
    """

    files: tuple[str, ...]
    stem: str
    sheets: Sheets = NO_SHEETS
    query: str | None = None

    def recorded(self, digests: Mapping[str, str | None], share: Share | None = None) -> Record:
        """Give what is recorded of files that belong to it, see `Record`."""
        return Record(self.files, known_of(digests), share, sheets=tuple(sorted(self.sheets.read)), query=self.query)

    @property
    def text(self) -> str:
        """As a journal keeps it."""
        return json.dumps(self.recorded({}).document)


def read_record(summary: Path) -> Record:
    """Read what a summary says; nothing when it is not there, or an older one that does not say it."""
    try:
        return _parsed(content_of(summary))
    except OSError:
        return NOTHING_RECORDED


def _parsed(text: str | bytes) -> Record:
    try:
        document = json.loads(text)
        roster, digests = document[_ROSTER], document[_DIGESTS]
        merged, sheets = (tuple(map(str, document.get(name, ()))) for name in (_MERGED, _SHEETS))
        known = {str(name): str(digest) for name, digest in digests.items()}
        asked, mended = (None if document.get(name) is None else str(document[name]) for name in (_QUERY, _MENDS))
        return Record(tuple(map(str, roster)), known, merged=merged, sheets=sheets, query=asked, mends=mended)
    except (ValueError, KeyError, TypeError, AttributeError):
        return NOTHING_RECORDED


def known_of(digests: Mapping[str, str | None]) -> dict[str, str]:
    """Leave out the files that were not written."""
    return {name: digest for name, digest in digests.items() if digest is not None}


def written_last(summary: Path, name: str) -> str | None:
    """Give the digest of what was written last to a file that a summary tells of; None when nothing says it."""
    try:
        digest = json.loads(content_of(summary))[_DIGESTS][name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(digest)


def places(inputs: Inputs) -> tuple[str, ...]:
    """Say where the files of a roster are, whatever folder it is asked from."""
    return tuple(_place(file) for file in inputs.files)


def set_others_aside(outputs: Outputs, source: Source, *, check: bool) -> None:
    """Set aside what was written for another roster of the same name: it may hold the only tokens.

    check  only the files of a check are at stake
    """
    record = read_record(outputs.summary)
    whose = _elsewhere(record, source) or _beside(record, source)
    if whose is None:
        return
    files = (outputs.rejected, outputs.summary) if check else (outputs.results, outputs.rejected, outputs.summary)
    aside = [str(kept) for kept in map(set_aside, files) if kept is not None]
    log.warning("results.set_aside", kept_as=aside, reason=f"they belong to another roster, {whose}", hint=_APART)


def begun_beside(outputs: Outputs, source: Source, kept: str | None) -> str | None:
    """Say which other rows of the same files the journal was begun for; null when it is to be gone on with.

    That of a roster from another folder is gone on with: it knows users by their uid.

    kept  `Source.text` as the journal keeps it, which stands there before there is a summary; one of an earlier
          version keeps none
    """
    return _beside(read_record(summary_of(outputs.results)) if kept is None else _parsed(kept), source)


def _elsewhere(record: Record, source: Source) -> str | None:
    """Say where the other roster of this name is that a record is about; null when it is about this one."""
    apart = bool(record.roster) and set(source.files).isdisjoint(record.roster)
    return record.roster[0] if apart and local_file(record.roster[0]).stem == source.stem else None


def _beside(record: Record, source: Source) -> str | None:
    """Say which other rows of the same files a record is about: another sheet, another query, further files.

    What was read before and is not there any more was renamed or deleted; what is read now besides has come to it.
    """
    if set(source.files).isdisjoint(record.roster):
        return None
    first, *more = record.roster
    if sheets := [sheet for sheet in record.sheets if sheet in source.sheets.others - source.sheets.read]:
        return f"sheet {listed(list(map(repr, sheets)))} of {first}"
    if source.query is not None and record.query not in {None, source.query}:
        return f"another {first}"
    left_out = any(file not in source.files and Path(file).exists() for file in record.roster)
    return f"{first} and {len(more)} more" if left_out and local_file(first).stem == source.stem else None


def remove_other(summary: Path, path: Path) -> None:
    """Remove the rejected rows that were written last, when they go to another file now and nobody has edited them."""
    known = written_last(summary, REJECTED)
    try:
        named = Path(told_of_results(summary)["outputs"][REJECTED])
    except (OSError, ValueError, KeyError, TypeError):
        return
    other = summary.with_name(named.name)
    if known is not None and not same_file(other, path) and digest_of(other) == known:
        other.unlink()


def refuse_overwriting(outputs: Outputs, merged: Sequence[Path]) -> None:
    """Raise OutputError when what no merge has written would be overwritten: it may hold the only tokens."""
    outputs.refuse_overwriting(outputs.paths(), [("what is merged", each) for each in merged])
    record, there = read_record(outputs.summary), outputs.results.exists()
    if there and not record.merged and not record.roster and not outputs.journal.exists():
        if noted(outputs.results):  # by a merge that was cut short; `rewrite` sets aside what was made of it since
            return
        raise OutputError(f"{outputs.results}: is there already, and no merge has written it; choose another --output")
    if outputs.journal.exists() or state_of(outputs.results) is not None or (there and not record.merged):
        raise OutputError(f"{outputs.results}: belongs to a run; choose another --output")


def refuse_merged(results: Path) -> None:
    """Raise JournalError for results that have no journal because a merge has made them of those that have one."""
    if merged := read_record(summary_of(results)).merged:
        raise JournalError(f"{results}: was merged from {listed(merged, _NAMED)}; give one of those")


def known_digest(path: Path, written: str | None) -> str | None:
    """Give the digest of what we have written last to a file: noted by a run that was cut short, else `written`."""
    notes = noted(path)  # as a rule there are none, and results of gigabytes need not be read for it
    there = digest_of(path) if notes else None
    return there if there in notes else written


def forget_notes(summary: Mapping[str, Any]) -> None:
    """Let go of what was noted of files whose digests a summary has from now on."""
    files = summary.get("outputs") or {}
    for name in summary.get(_DIGESTS) or ():
        if files.get(name) is not None:
            _forget(Path(files[name]))


def _forget(path: Path) -> None:
    with suppress(OSError):
        end_notes(path)


def rewrite(path: Path, written: str | None, write: Callable[[], None], *, recorded: bool = True) -> str | None:
    """Write a file where a person may have made something; its digest, None when nothing was to be written.

    Every file for people that is written under a name of ours goes this way, and each is known by its digest.

    written   `digest_of` what was written there last: anything else is set aside first, and told
    recorded  a summary will tell the digest; until then it is noted beside the file, see `begin_notes`
    """
    aside = set_edited_aside(path, known_digest(path, written))
    digest, before = None, len(noted(path))
    if recorded:
        with suppress(OSError):  # what keeps it from being made, is told of the file itself
            begin_notes(path)
    try:
        write()
        later = noted(path)[before:]
        digest = later[-1] if later else digest_of(path)
        if digest is None:
            _forget(path)
    finally:
        if not noted(path):
            _forget(path)
        if aside is not None and digest is not None and digest == digest_of(aside):
            aside.unlink()  # written, and not recorded any more: by a run that was killed
        elif aside is not None:
            log.warning("file.set_aside", file=str(path), kept_as=str(aside), reason=_EDITED)
    return digest


def _place(file: InputFile) -> str:
    if file.location in {Location.REMOTE, Location.QUERY} or file.where == STANDARD_INPUT:
        return file.name
    return str(Path(file.where).absolute())

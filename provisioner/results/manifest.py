"""What the last summary says of the files beside it: whose they are, and what was written, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from provisioner.errors import JournalError, OutputError
from provisioner.files import digest_of, same_file, set_aside, set_edited_aside
from provisioner.logs import get_logger
from provisioner.results.outputs import Outputs, state_of, summary_of
from provisioner.roster.files.inputs import STANDARD_INPUT, InputFile, Inputs, Location, local_file
from provisioner.roster.shard import Share
from provisioner.wording import listed

log = get_logger()

_ROSTER: Final = "roster"
_DIGESTS: Final = "digests"
_SHARD: Final = "shard"
_MERGED: Final = "merged"
# Results that were merged, as many as are named.
_NAMED: Final = 3

RESULTS: Final = "results"
REJECTED: Final = "rejected"
"""What a summary calls the results and the file of the rejected rows, among its outputs and its digests."""

_EDITED: Final = "it is not what was written there last, so it may hold somebody's work"


@dataclass(frozen=True, slots=True)
class Record:
    """Whose the files are, and what they held when they were written.

    roster   the files of the roster, paths made absolute, addresses without what may be secret in them
    digests  name of a file in the summary's `outputs` → SHA-256 of its content, see `rewrite`
    share    which rows of the roster they are about; null for all of them
    merged   the results of shards that they were merged from, paths made absolute; empty for those of a run
    """

    roster: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    share: Share | None = None
    merged: tuple[str, ...] = ()

    def with_digests(self, digests: Mapping[str, str | None]) -> Record:
        """Add what more files hold; null for one that was not written."""
        return replace(self, digests={**self.digests, **known_of(digests)})

    @property
    def document(self) -> dict[str, Any]:
        """As the summary holds it."""
        document: dict[str, Any] = {_ROSTER: list(self.roster), _DIGESTS: dict(self.digests)}
        if self.share is not None:
            document[_SHARD] = self.share.document
        if self.merged:
            document[_MERGED] = list(self.merged)
        return document


NOTHING_RECORDED: Final = Record()


def read_record(summary: Path) -> Record:
    """Read what a summary says; nothing when it is not there, or an older one that does not say it."""
    try:
        document = json.loads(summary.read_bytes())
        roster, digests = document[_ROSTER], document[_DIGESTS]
        merged = tuple(map(str, document.get(_MERGED, ())))
        return Record(
            tuple(map(str, roster)), {str(name): str(digest) for name, digest in digests.items()}, merged=merged
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NOTHING_RECORDED


def known_of(digests: Mapping[str, str | None]) -> dict[str, str]:
    """Leave out the files that were not written."""
    return {name: digest for name, digest in digests.items() if digest is not None}


def written_last(summary: Path, name: str) -> str | None:
    """Give the digest of what was written last to a file that a summary tells of; None when nothing says it."""
    try:
        digest = json.loads(summary.read_bytes())[_DIGESTS][name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(digest)


def places(inputs: Inputs) -> tuple[str, ...]:
    """Say where the files of a roster are, whatever folder it is asked from."""
    return tuple(_place(file) for file in inputs.files)


def set_others_aside(outputs: Outputs, inputs: Inputs, *, check: bool) -> None:
    """Set aside what was written for another roster of the same name: it may hold the only tokens.

    check  only the files of a check are at stake
    """
    ours, recorded = places(inputs), read_record(outputs.summary).roster
    if not recorded or not set(ours).isdisjoint(recorded) or local_file(recorded[0]).stem != inputs.stem:
        return
    files = (outputs.rejected, outputs.summary) if check else (outputs.results, outputs.rejected, outputs.summary)
    aside = [str(kept) for kept in map(set_aside, files) if kept is not None]
    log.warning("results.set_aside", kept_as=aside, reason=f"they belong to another roster, {recorded[0]}")


def remove_other(summary: Path, path: Path) -> None:
    """Remove the rejected rows that were written last, when they go to another file now and nobody has edited them."""
    known = written_last(summary, REJECTED)
    try:
        named = Path(json.loads(summary.read_bytes())["outputs"][REJECTED])
    except (OSError, ValueError, KeyError, TypeError):
        return
    other = summary.with_name(named.name)
    if known is not None and not same_file(other, path) and digest_of(other) == known:
        other.unlink()


def refuse_overwriting(outputs: Outputs, merged: Sequence[Path]) -> None:
    """Raise OutputError when what no merge has written would be overwritten: it may hold the only tokens."""
    for path, read in product(outputs.paths(), merged):
        if same_file(path, read):
            raise OutputError(f"{path}: would overwrite what is merged; choose another --output")
    record, there = read_record(outputs.summary), outputs.results.exists()
    if there and not record.merged and not record.roster and not outputs.journal.exists():
        raise OutputError(f"{outputs.results}: is there already, and no merge has written it; choose another --output")
    if outputs.journal.exists() or state_of(outputs.results) is not None or (there and not record.merged):
        raise OutputError(f"{outputs.results}: belongs to a run; choose another --output")


def refuse_merged(results: Path) -> None:
    """Raise JournalError for results that have no journal because a merge has made them of those that have one."""
    if merged := read_record(summary_of(results)).merged:
        raise JournalError(f"{results}: was merged from {listed(merged, _NAMED)}; give one of those")


def refuse_joining(outputs: Outputs, apart: Sequence[Path]) -> None:
    """Raise OutputError when auth tokens that stand apart would come into the results."""
    if outputs.tokens is None and apart:
        raise OutputError(f"{apart[0]}: holds auth tokens apart from the results; say with --tokens-to where they go")


def rewrite(path: Path, written: str | None, write: Callable[[], None]) -> str | None:
    """Write a file where a person may have made something; its digest, None when nothing was to be written.

    Every file for people that is written under a name of ours goes this way, and each is known by its digest.

    written  `digest_of` what was written there last: anything else is set aside first, and told
    """
    aside = set_edited_aside(path, written)
    digest = None
    try:
        write()
        digest = digest_of(path)
    finally:
        if aside is not None and digest is not None and digest == digest_of(aside):
            aside.unlink()  # written, and not recorded any more: by a run that was killed
        elif aside is not None:
            log.warning("file.set_aside", file=str(path), kept_as=str(aside), reason=_EDITED)
    return digest


def _place(file: InputFile) -> str:
    if file.location in {Location.REMOTE, Location.QUERY} or file.where == STANDARD_INPUT:
        return file.name
    return str(Path(file.where).absolute())

"""The shards that are to be merged: all of them, finished, of one roster; and where that is written, held meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from provisioner.errors import JournalError, OutputError
from provisioner.files.looking import digest_of
from provisioner.journal.lock import JournalLock
from provisioner.model import RUN_OUTCOMES
from provisioner.results.lines import TOKENS
from provisioner.results.manifest import REJECTED, RESULTS, refuse_overwriting
from provisioner.results.merging.folder import shards_of
from provisioner.results.merging.parts import (
    Part,
    refuse_other_apps,
    refuse_outdated,
    refuse_unreadable,
    refuse_working,
)
from provisioner.results.outputs import FORMATS, SUMMARY, Outputs, told_of_results
from provisioner.wording import listed

_NAMED: Final = 10
# Rows of one shard that were fed in would be in no set of results.
_MENDED: Final = ", then merge and mend the rejected rows of that"
_OTHERS: Final = "choose another --output for other results"


@dataclass(frozen=True, slots=True)
class FinishedShard(Part):
    """What a run of one shard has left, see `Part`.

    number, of   which shard of how many
    rows         of the whole roster
    fingerprint  of the roster, see `provisioner.roster.shard`
    """

    number: int
    of: int
    rows: int
    fingerprint: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"shard {self.number}/{self.of}"

    @property
    def counts(self) -> dict[str, int]:
        """Outcome → rows, of outcomes that any row has; and the number of auth tokens under `tokens`."""
        names = (*(outcome.value for outcome in RUN_OUTCOMES), "tokens")
        return {name: self.document[name] for name in names if self.document[name]}


def finished_shards(folder: Path) -> list[FinishedShard]:
    """Give the shards of a folder in the order of their numbers.

    Raises `OutputError` when one is missing, there twice, unfinished or edited, or when they are not of one roster and
    one app.
    """
    refuse_unreadable(folder)
    found = sorted(_found(folder), key=lambda shard: shard.number)
    if not found:
        raise OutputError(f"{folder}: holds no finished shard; give the folder of `run --shard`")
    for one, other in pairwise(found):
        if (one.of, one.fingerprint, one.rows) != (other.of, other.fingerprint, other.rows):
            message = "are not shards of one roster; run those again that have read an older one"
            raise OutputError(f"{one.results} and {other.results}: {message}")
        if one.number == other.number:
            message = f"are both {one.name}; move the one away that does not count"
            raise OutputError(f"{one.results} and {other.results}: {message}")
    of, said = found[0].of, shards_of(folder)
    if said not in {None, of}:
        raise OutputError(f"{folder}: shards.json says {said} shards, the results say {of}; mend the former")
    if missing := sorted(set(range(1, of + 1)) - {shard.number for shard in found}):
        have, shards, them = ("has", "shard", "it") if len(missing) == 1 else ("have", "shards", "them")
        which = f"{shards} {listed(list(map(str, missing)), _NAMED)}; run {them}, then merge again"
        raise OutputError(f"{folder}: {len(missing)} of {of} shards {have} no finished results: {which}")
    refuse_other_apps(found)
    for shard in found:
        _refuse_unlike_what_was_written(shard)
    return found


def _found(folder: Path) -> Iterator[FinishedShard]:
    for summary in sorted(folder.glob(f"*{SUMMARY}")):
        stem = summary.name.removesuffix(SUMMARY)
        if stem.endswith(".check"):
            continue
        refuse_unreadable(summary)
        try:
            document = told_of_results(summary)
            shard, results = document["shard"], folder / Path(document["outputs"]["results"] or "").name
            given = (shard["number"], shard["of"], shard["roster_rows"], shard["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no summary of a shard that has come to its end
        if results.name in {f"{stem}{ending}" for ending in FORMATS} and results.is_file():
            yield FinishedShard(results, document, *given)


def _refuse_unlike_what_was_written(shard: FinishedShard) -> None:
    run_again = f"run {shard.name} again"
    refuse_working(shard.results)
    refuse_outdated(shard, run_again)
    again = f"{run_again}, which writes it anew"
    results = shard.results if shard.digest(RESULTS) is not None else None  # 0.1.0 kept none of them
    for name, path in ((RESULTS, results), (REJECTED, shard.rejected), (TOKENS, shard.tokens)):
        if path is None or (written := digest_of(path)) == shard.digest(name):
            continue
        refuse_unreadable(path)
        what = "is not there; put it back, or" if written is None else "is not what was written there;"
        raise OutputError(f"{path}: {what} {again}{_MENDED if name == REJECTED else ''}")


@contextmanager
def merging_to(outputs: Outputs, parts: Sequence[Part], rows: int, merged: Sequence[Path]) -> Iterator[None]:
    """Make room for the outputs of a merge, and hold them for as long as it writes.

    rows    of the roster
    merged  what must not be overwritten

    Raises `OutputError` when they cannot be written, or auth tokens that stand apart would come into the results;
    `JournalError` while another merge, or a run, is at work.
    """
    apart = next((part.tokens for part in parts if part.tokens is not None), None)
    if outputs.tokens is None and apart is not None:
        raise OutputError(f"{apart}: holds auth tokens apart from the results; say with --tokens-to where they go")
    outputs.refuse_too_many(rows)
    outputs.make_folder()
    with ExitStack() as stack:
        try:
            stack.enter_context(JournalLock(outputs.journal, _OTHERS, str(outputs.results)))
        except JournalError as error:
            if not isinstance(error.__cause__, OSError):  # it is held; a filesystem without locks holds up no merge
                raise
        refuse_overwriting(outputs, merged)
        yield

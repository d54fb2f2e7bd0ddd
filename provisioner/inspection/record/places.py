"""Which journal is meant by the name of a results file, a journal or a state; and what stands beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provisioner.errors import JournalError, UsageError
from provisioner.files.looking import content_of
from provisioner.journal.beside import log_of, refuse_left_over
from provisioner.journal.header import owner_in, refuse_cut_short
from provisioner.journal.journal import JournalReader
from provisioner.results.manifest import refuse_merged
from provisioner.results.outputs import FORMATS, journal_of, results_of, state_of

_NAME_ONE: Final = "name the results file of a run (-o), its journal, or the state of a sync"


@dataclass(frozen=True, slots=True)
class Place:
    """A journal, and the results beside it where they are known by name."""

    journal: Path
    results: Path | None

    def document(self, ending: str) -> Mapping[str, Any]:
        """Read a document beside the results, such as `.summary.json`; empty when there is none that can be read."""
        if self.results is None:
            return {}
        try:
            document = json.loads(content_of(self.results.with_suffix(ending)))
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}


def find_place(given: Path) -> Place:
    """Find the journal that is meant. Raises `JournalError` when there is none, and for results that were merged."""
    if (results := results_of(given)) is not None:
        place = Place(given, results)
    elif given.suffix.lower() in FORMATS:
        place = Place(journal_of(given), given)
        if not place.journal.exists() and (kept := state_of(given)) is not None:
            place = Place(kept, given)
    else:
        place = Place(given, None)
    if not place.journal.exists():
        if place.results is not None:
            refuse_merged(place.results)
        there = place.results is not None and given.exists()
        what = f"{given}: no job has these results ({place.journal.name} is not beside it)"
        raise JournalError(f"{what if there else f'{place.journal}: no such journal'}; {_NAME_ONE}")
    return place


def find_original(given: Path, to: Path) -> Path:
    """Find the journal that is to be copied. Raises `JournalError`, `UsageError` when the two names are swapped."""
    return _unless_swapped(given, to, f"the copy is named last: provisioner backup {to} {given}").journal


def find_persons(uid: str, given: Path) -> Place:
    """Find the journal that knows of a uid. Raises `JournalError`, `UsageError` when the two names are swapped."""
    return _unless_swapped(given, Path(uid), f"the uid is named first: provisioner show {given} {uid}")


def _unless_swapped(given: Path, other: Path, cure: str) -> Place:
    try:
        return find_place(given)
    except JournalError:
        with suppress(JournalError, OSError):  # a uid may be longer than the name of any file
            if not given.exists() and owner_in(find_place(other).journal) is not None:
                raise UsageError(f"{given}: is not there, but {other} is; {cure}") from None
        raise


class _Looked(JournalReader):
    instead = _NAME_ONE
    may_be_blank = False


@contextmanager
def opened(journal: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal or a state to be looked at, whoever is using it and whatever its format.

    Raises `JournalError`, also for what turns out to be damaged while the block lasts.
    """
    try:
        with suppress(OSError):  # told below, in the words that are for it
            refuse_left_over(journal)
            refuse_cut_short(journal, new=True)
        with _Looked(journal, None) as reader:
            yield reader.database
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        beside = f" (with {log_of(journal).name})" if log_of(journal).exists() else ""
        message = f"damaged, or cannot be read ({error}); put a copy of it{beside} back"
        raise JournalError(f"{journal}: {message}") from error

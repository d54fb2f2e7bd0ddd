"""Which journal is meant by the name of a results file, a journal or a state; and what stands beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provisioner.errors import JournalError
from provisioner.journal.header import log_of
from provisioner.journal.journal import JournalReader
from provisioner.results.outputs import FORMATS, SUMMARY, journal_of, results_of

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
            document = json.loads(self.results.with_suffix(ending).read_bytes())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}


def find_place(given: Path) -> Place:
    """Find the journal that is meant. Raises `JournalError` when there is none."""
    if (results := results_of(given)) is not None:
        place = Place(given, results)
    elif given.suffix.lower() in FORMATS:
        place = Place(journal_of(given), given)
        if not place.journal.exists() and (kept := _named_in_summary(place)) is not None:
            place = Place(kept, given)
    else:
        place = Place(given, None)
    if not place.journal.exists():
        raise JournalError(f"{place.journal}: no such journal; {_NAME_ONE}")
    return place


def _named_in_summary(place: Place) -> Path | None:
    """Find the state of a sync by the summary beside its results."""
    outputs = place.document(SUMMARY).get("outputs")
    name = outputs.get("journal") if isinstance(outputs, dict) else None
    return Path(name) if isinstance(name, str) and Path(name).exists() else None


class _Looked(JournalReader):
    instead = _NAME_ONE


@contextmanager
def opened(journal: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal or a state to be looked at, whoever is using it and whatever its format.

    Raises `JournalError`, also for what turns out to be damaged while the block lasts.
    """
    try:
        with _Looked(journal, None) as reader:
            yield reader.database
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        beside = f" (with {log_of(journal).name})" if log_of(journal).exists() else ""
        message = f"damaged, or cannot be read ({error}); put a copy of it{beside} back"
        raise JournalError(f"{journal}: {message}") from error

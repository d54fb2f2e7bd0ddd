"""What there is to make a report of: the summary, the journal or state, a proof, an undo; all of it only read.

What is missing or damaged is told on the page; a report is made of the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from provisioner.errors import JournalError, UsageError
from provisioner.files.looking import content_of
from provisioner.inspection.record.overview import FIRST_ROWS, Overview, look_over
from provisioner.journal.header import is_database
from provisioner.results.outputs import CHECK, FORMATS, JOURNAL, SUMMARY, stem_of

NIGHTS: Final = 60
"""Nights of a state that are shown."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What was found for one report.

    file     the report's own
    results  null for a state
    check    nothing was sent: a `validate` or a dry run
    summary  empty when there is none
    uids     row → uid of the rows that the summary names
    missing  what could not be read, a sentence each
    """

    file: Path
    results: Path | None
    check: bool = False
    summary: Mapping[str, Any] = field(default_factory=dict)
    overview: Overview | None = None
    proof: Mapping[str, Any] = field(default_factory=dict)
    undo: Mapping[str, Any] = field(default_factory=dict)
    uids: Mapping[int, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def find_sources(given: Path) -> Sources:
    """Find what belongs to a results file, to its summary or journal, or to a state.

    Raises `UsageError` when there is nothing that a report could be made of.
    """
    missing: list[str] = []
    if not given.name:
        raise UsageError(f"{given}: is a folder; name a run's results file or a state")
    if is_database(given) and not given.name.endswith(JOURNAL):
        return _of_state(given)
    stem, only_check = stem_of(given) or given.with_suffix(""), given.name.endswith(CHECK)
    summary_file = _beside(stem, CHECK if only_check else SUMMARY)
    journal = _beside(stem, JOURNAL)
    if not only_check and not summary_file.exists() and not journal.exists() and _beside(stem, CHECK).exists():
        summary_file, only_check = _beside(stem, CHECK), True
    summary = _document(summary_file, missing)
    outputs = members(summary.get("outputs"))
    if isinstance(kept := outputs.get("journal"), str) and not journal.exists():
        journal = _found(kept, summary_file)
    results = _results(given, stem, outputs)
    overview = None if only_check else _overview(journal, results, missing)
    if not summary and overview is None:
        missing = missing or [f"neither {summary_file.name} nor {journal.name} is there"]
        raise UsageError(f"{given}: nothing to report on ({'; '.join(missing)}); name a run's results file or a state")
    return Sources(
        _beside(stem, ".check.report.html" if only_check else ".report.html"),
        results,
        only_check,
        summary,
        overview,
        _document(_beside(stem, ".proof.json"), missing),
        _document(_beside(stem, f".undo{SUMMARY}"), missing),
        _uids(summary, results, missing),
        tuple(missing),
    )


def _of_state(given: Path) -> Sources:
    missing: list[str] = []
    try:
        overview = look_over(given, NIGHTS)
    except JournalError as error:
        raise UsageError(f"{error}; name a run's results file or a state") from None
    stem = given.with_suffix("")
    proof = _document(_beside(stem, ".proof.json"), missing)
    return Sources(_beside(stem, ".report.html"), None, overview=overview, proof=proof, missing=tuple(missing))


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _found(path: str, summary: Path) -> Path:
    """Find a file that a summary names as it was given then: from the same folder, or beside it since."""
    return Path(path) if Path(path).exists() else summary.with_name(Path(path).name)


def _results(given: Path, stem: Path, outputs: Mapping[str, Any]) -> Path:
    if isinstance(named := outputs.get("results"), str):
        return _beside(stem, Path(named).suffix)
    return given if given.suffix in FORMATS else _beside(stem, ".csv")


def _overview(journal: Path, results: Path, missing: list[str]) -> Overview | None:
    if not journal.exists():
        return None
    try:
        return look_over(journal, NIGHTS, results)
    except JournalError as error:
        missing.append(str(error))
        return None


def _document(path: Path, missing: list[str]) -> Mapping[str, Any]:
    """Read a JSON object; an empty one when it is not there, told when it cannot be read."""
    try:
        document = json.loads(content_of(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        missing.append(f"{path.name} cannot be read ({' '.join(str(error).split())[:100]})")
        return {}
    if isinstance(document, dict):
        return document
    missing.append(f"{path.name} is no JSON object")
    return {}


def _uids(summary: Mapping[str, Any], results: Path, missing: list[str]) -> Mapping[int, str]:
    """Look up the uids of the rows that the summary names as the first of a code; the results have them."""
    findings = [each for name in ("defects", "warnings") for each in members(summary.get(name)).values()]
    rows = sorted({row for each in findings for row in first_rows(each)})
    if not rows or not results.exists():
        return {}
    import polars as pl

    from provisioner.results.formats.outcomes import scan_results

    try:
        found = scan_results(results, ("row", "uid_input", "uid")).filter(pl.col("row").is_in(rows)).collect()
    except (pl.exceptions.PolarsError, OSError, KeyError, UsageError):  # whose words may quote a cell
        missing.append(f"{results.name} cannot be read as results")
        return {}
    return {row: given or uid or "" for row, given, uid in found.iter_rows()}


def first_rows(finding: object) -> list[int]:
    """Give the rows that a finding of a summary names."""
    first = members(finding).get("first_rows")
    return [row for row in first if isinstance(row, int)][:FIRST_ROWS] if isinstance(first, list) else []


def members(value: object) -> Mapping[str, Any]:
    """Give the members of what should be a JSON object."""
    return value if isinstance(value, dict) else {}

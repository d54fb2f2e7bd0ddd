"""What a config file makes of a roster: the first rows, checked with it as `validate` would."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ProvisionerError
from provisioner.results.findings import Report
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.formats.rows import OTHER_SHEETS
from provisioner.run.intake import Opened
from provisioner.settings.tables import Settings, load
from provisioner.tally import RowTally

SHOWN: Final = 3
"""Requests that are shown."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of the rows.

    rows, valid, rejected  how many
    report                 what was found in them, and the first requests
    columns                the columns of the roster, as it was read
    """

    rows: int
    valid: int
    rejected: int
    report: Report
    columns: tuple[str, ...]


def prove(inputs: Inputs, text: str, folder: Path, limit: int | None) -> Proof:
    """Check the first rows of a roster with a config file, just as it stands.

    folder  where the file, and what is too much for memory, is kept as long as that takes

    Raises what `validate` would raise.
    """
    settings = _settings(text, folder, {"run": {"show": SHOWN} | ({} if limit is None else {"limit": limit})})
    with closing(Opened.open(inputs, settings, folder, RowTally(), offline=True)) as opened:
        columns = tuple(opened.roster.columns)
        surveyed = opened.survey(lambda: None)
        for batch in surveyed.batches():
            surveyed.keep(batch)
        rows = opened.rows
        return Proof(surveyed.survey.rows, rows.valid, rows.rejected, surveyed.report(), columns)


def reads_alike(inputs: Inputs, text: str, folder: Path, columns: tuple[str, ...]) -> bool:
    """Whether a roster is read with a config file as it was looked at: the same columns, found by the reader itself.

    Not so where another sheet could be meant as well.
    """
    try:
        with closing(
            Opened.open(inputs, _settings(text, folder, {"run": {"limit": 1}}), folder, RowTally(), offline=True)
        ) as opened:
            doubtful = any(notice.code == OTHER_SHEETS for notice in opened.roster.notices())
            return tuple(opened.roster.columns) == columns and not doubtful
    except ProvisionerError:
        return False


def _settings(text: str, folder: Path, flags: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Load a config file that is not there yet; what this process is told otherwise is none of it."""
    file = folder / "provisioner.toml"
    file.write_text(text, encoding="utf-8")
    return load(flags, {}, file)

"""`report`: one HTML file that a manager reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from provisioner.cli.boundary import show
from provisioner.cli.options.types import argument

Reported = Annotated[Path, argument("OUT", "The results file of a run or a check, or a state.")]


def report(out: Reported, /) -> None:
    """Write one HTML file about a run, a check, a sync or a state: <OUT>.report.html, to be mailed and read.

    It only reads, also while a run is going on, and holds no key, no token and nothing of a person but uids.
    """
    from provisioner.inspection.report.page import write_report

    file = write_report(out)
    show(f"{file} ({max(1, round(file.stat().st_size / 1000))} KB)")

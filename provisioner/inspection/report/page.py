"""The file of a report: one page that holds all it needs, made of a template, and never in somebody else's place.

It asks the network for nothing and runs nothing: its own first lines forbid that to every browser.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from provisioner import __version__
from provisioner.errors import OutputError
from provisioner.files.cures import with_extra
from provisioner.files.writing import PRIVATE, written_whole
from provisioner.inspection.report.chapters import at
from provisioner.inspection.report.content import Content, content_of
from provisioner.inspection.report.figures import Figure, figures_of
from provisioner.inspection.report.sources import find_sources
from provisioner.results.outputs import refuse_as_output

MARK: Final = '<meta name="generator" content="provisioner report">'
"""By what a report is known for one of ours."""

_NO_PICTURES: Final = "The pictures are missing, because the packages that draw them are not installed"
# Of what stands in the place of a report as much is read as its mark can be in.
_HEAD: Final = 1000


def write_report(given: Path) -> Path:
    """Write the report of a results file or a state beside it; where that is.

    Raises `UsageError` when there is nothing to report on, `OutputError` for a file that is no report of ours, and
    `StorageError` when it cannot be written.
    """
    sources = find_sources(given)
    _refuse_others(sources.file)
    missing, pictures = "", []
    try:
        pictures = figures_of(sources.overview)
    except ImportError:
        missing = f"{_NO_PICTURES}: {with_extra('report')}"
    text = render(content_of(sources), pictures, missing)
    with written_whole(sources.file, PRIVATE) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    return sources.file


def render(content: Content, pictures: list[Figure], no_pictures: str) -> str:
    """Give the page; whatever stands in the values is text in it, and no markup."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("provisioner.inspection.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = [(each, Markup(each.wide), Markup(each.narrow)) for each in pictures]  # noqa: S704 - drawn by figures
    return environment.get_template("report.html.jinja").render(
        content=content,
        pictures=drawn,
        no_pictures=no_pictures,
        mark=Markup(MARK),  # noqa: S704 - a constant
        made_at=at(time.time()),
        version=__version__,
    )


def _refuse_others(path: Path) -> None:
    refuse_as_output(path, "move it away")
    try:
        with path.open("rb") as file:
            ours = MARK.encode() in file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path}: cannot be replaced ({error.strerror}); move it away") from error
    if not ours:
        raise OutputError(f"{path}: is no report of provisioner, so it is not overwritten; move it away")

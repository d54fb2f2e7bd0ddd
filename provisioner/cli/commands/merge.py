"""`merge`: the results of all shards of a roster as those of one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from provisioner.cli.boundary import show
from provisioner.cli.options.output import MergeOutput
from provisioner.cli.options.types import path_of

Folder = Annotated[
    Path,
    Parameter(
        name="FOLDER",
        group="Arguments",
        required=True,
        converter=path_of,
        help="The folder with the results of all shards, as `run --shard` wrote them.",
    ),
]


def merge(folder: Folder, /, *, output: MergeOutput | None = None) -> int:
    """Make one set of results of those of all shards in FOLDER.

    Results, rejected rows and summary are written, in the order of the roster; nothing is sent. It is refused while a
    shard is missing or works, or has read another roster than the others. The exit code is that which one run over the
    whole roster would have had.
    """
    from provisioner.results.merging.merge import merge
    from provisioner.results.summary import encode
    from provisioner.results.tables import printed

    file = output.file if output is not None else None
    summary = merge(folder, file or Path(f"{folder.resolve().name.removesuffix('.shards')}.results.csv"))
    as_json = output is not None and output.json
    show(encode(summary.document).decode().rstrip() if as_json else printed(summary.show))
    return summary.exit_code

"""`merge`: the results of all shards of a roster, or of a run and its mended rounds, as those of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from provisioner.cli.boundary import show
from provisioner.cli.options.output import MergeOutput
from provisioner.cli.options.types import argument
from provisioner.errors import UsageError

Merged = Annotated[
    Path,
    argument(
        "WHAT",
        "The folder with the results of all shards, as `run --shard` wrote them; or the results of a run, and of "
        "the rounds in which its rejected rows were mended and fed in, in their order.",
    ),
]


def merge(*what: Merged, output: MergeOutput | None = None) -> int:
    """Make one set of results of those of all shards, or of a run and its mended rounds.

    Results and summary are written in the order of the roster, and of shards the rejected rows as well; nothing is
    sent. It is refused while a part is missing or works, or does not go with the others. Parts that keep their auth
    tokens apart want --tokens-to here as well. The exit code is that which one run over the whole roster would have
    had.
    """
    from provisioner.logs.events import be_heard
    from provisioner.results.merging.merge import merge
    from provisioner.results.merging.rounds import merge_rounds
    from provisioner.results.summary import encode
    from provisioner.results.tables import printed
    from provisioner.run.runtime import ended_in_order

    be_heard()
    file, first = output.file if output is not None else None, what[0]
    tokens = output.tokens_to if output is not None else None
    with ended_in_order():
        if len(what) > 1:
            _refuse_other_than_results(what)
            summary = merge_rounds(what, file or first.with_suffix(f".merged{first.suffix}"), tokens)
        elif first.is_file():
            cure = "name its mended rounds behind it, or a folder"
            raise UsageError(f"{first}: there is nothing to merge it with; {cure}")
        else:
            summary = merge(first, file or Path(f"{first.resolve().name.removesuffix('.shards')}.results.csv"), tokens)
    as_json = output is not None and output.json
    show(encode(summary.document).decode().rstrip() if as_json else printed(summary.show))
    return summary.exit_code


def _refuse_other_than_results(named: Sequence[Path]) -> None:
    from provisioner.results.outputs import FORMATS

    for path in named:
        if path.suffix.lower() not in FORMATS:
            cure = "name the results of a run and those of its rounds, or of shards their one folder and nothing else"
            raise UsageError(f"{path}: is no results file ({', '.join(FORMATS)}); {cure}")

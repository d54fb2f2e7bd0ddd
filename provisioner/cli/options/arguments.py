"""The arguments of the commands, and the options that are no settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from provisioner.cli.options.types import argument, flag, path_of, text_of

_USERS: Final = (
    "The users: CSV, TSV, JSON, NDJSON (also compressed), Parquet or .xlsx; several files, a glob or a folder are one "
    "roster, - is CSV on standard input, and s3://, gs://, az:// and https:// addresses work too."
)

Roster = Annotated[str, argument("ROSTER", _USERS, text_of)]
RosterOrQuery = Annotated[
    str, argument("ROSTER", f"{_USERS} Or none, with --query and --database.", text_of, required=False)
]
Out = Annotated[
    Path,
    argument(
        "OUT", "A job: the results file of a run, as it was given with -o, or its journal; or the state of a sync."
    ),
]
OutOfRun = Annotated[Path, argument("OUT", "The results file of a run, as it was given with -o, or its journal.")]
Uid = Annotated[str, argument("UID", "A user, as the column uid of the results names it.", text_of)]
Config = Annotated[
    Path | None,
    Parameter(
        name=("--config", "-c"),
        group="General",
        metavar="FILE",
        converter=path_of,
        help="TOML config; its tables are named in brackets here. [default: provisioner.toml here, if there]",
    ),
]
# Not a key of the config file: who is asked is there to answer, each time.
Yes = Annotated[bool, flag("Do not ask before the first change.", "--yes", "-y"), Parameter(group="General")]

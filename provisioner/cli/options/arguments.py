"""The arguments of the commands, and the options that are no settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from provisioner.cli.options.types import flag, path_of, text_of

_USERS: Final = (
    "The users: CSV, TSV, JSON, NDJSON (also compressed), Parquet or .xlsx; several files, a glob or a folder are one "
    "roster, - is CSV on standard input, and s3://, gs://, az:// and https:// addresses work too."
)

Roster = Annotated[
    str,
    Parameter(
        name="ROSTER",
        group="Arguments",
        required=True,
        converter=text_of,
        help=_USERS,
    ),
]
RosterOrQuery = Annotated[
    str,
    Parameter(
        name="ROSTER",
        group="Arguments",
        required=False,
        converter=text_of,
        help=f"{_USERS} Or none, with --query and --database.",
    ),
]
Out = Annotated[
    Path,
    Parameter(
        name="OUT",
        group="Arguments",
        converter=path_of,
        help="A job: the results file of a run, as it was given with -o, or its journal; or the state of a sync.",
    ),
]
OutOfRun = Annotated[
    Path,
    Parameter(
        name="OUT",
        group="Arguments",
        converter=path_of,
        help="The results file of a run, as it was given with -o, or its journal.",
    ),
]
Uid = Annotated[
    str,
    Parameter(
        name="UID", group="Arguments", converter=text_of, help="A user, as the column uid of the results names it."
    ),
]
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

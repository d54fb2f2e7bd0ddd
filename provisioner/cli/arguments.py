"""The arguments and options that commands share, as typer wants them told."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from provisioner.model import AuthTokens


class LogFormat(StrEnum):
    """How the story is told."""

    CONSOLE = "console"
    JSON = "json"


Roster = Annotated[
    list[str],
    typer.Argument(
        metavar="ROSTER...",
        help="The users: .csv, .tsv, .ndjson (also .gz, .zst), .parquet or .xlsx; several files or a glob are one "
        "roster, - is CSV on standard input, and s3://, gs://, az:// and https:// addresses work too.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Results file, .csv, .parquet or .ndjson. [default: <roster>.results.csv in this folder]",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML config. [default: provisioner.toml here, if there]", show_default=False),
]
Limit = Annotated[int | None, typer.Option(help="Only the first N rows.", metavar="N", show_default=False)]
Encoding = Annotated[
    str | None,
    typer.Option(help="Text encoding of a CSV, such as cp1252 or utf-16. [default: utf-8]", show_default=False),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="What separates the cells of a CSV: , ; | or tab. [default: found by itself]", show_default=False
    ),
]
Sheet = Annotated[
    str | None, typer.Option(help="Sheet of a workbook. [default: the first]", metavar="NAME", show_default=False)
]
Strict = Annotated[
    bool | None, typer.Option("--strict", help="Reject rows that would only be warned of.", show_default=False)
]
Json = Annotated[bool | None, typer.Option("--json", help="Print the summary as one JSON object.", show_default=False)]
LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="[default: console on a terminal, else json]", show_default=False),
]
LogFile = Annotated[
    Path | None, typer.Option(help="Write the log to this file as well, as JSON lines.", show_default=False)
]
Verbose = Annotated[bool | None, typer.Option("--verbose", "-v", help="Log details too.", show_default=False)]
Quiet = Annotated[bool | None, typer.Option("--quiet", "-q", help="Log warnings and errors only.", show_default=False)]
NoProgress = Annotated[bool | None, typer.Option("--no-progress", help="Draw no progress.", show_default=False)]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="API root, the part before /users. [default: from app id and region]", show_default=False),
]
RequestsPerMinute = Annotated[
    int | None,
    typer.Option(help="The app's core-operation limit. [default: 10000]", metavar="N", show_default=False),
]
Share = Annotated[
    str | None,
    typer.Option(help="Part of that limit to use, 0.7 or 70%. [default: 90%]", metavar="P", show_default=False),
]
MaxInFlight = Annotated[
    int | None, typer.Option(help="Requests on the wire at most. [default: 64]", metavar="N", show_default=False)
]
AuthTokensOption = Annotated[
    AuthTokens | None, typer.Option(help="For whom a token is asked. [default: created]", show_default=False)
]
MaxFailures = Annotated[
    str | None,
    typer.Option(help="Stop when more rows than this have failed: N or P%. [default: 5%]", show_default=False),
]

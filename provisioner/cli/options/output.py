"""Options: what is written, printed and logged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from provisioner.cli.options.base import Options
from provisioner.cli.options.types import choice, flag, path

_TOKENS = "Write the auth tokens to this file, and not into the results: .csv, .parquet, .ndjson or .xlsx."


class Printed(Options, heading="What is written", table="output"):
    """How a command prints what it has to say."""

    json: Annotated[bool | None, flag("Print one JSON object instead of text.")] = None


class Watched(Printed):
    """How a command prints what it has to say, and how far it is."""

    no_progress: Annotated[bool | None, flag("Draw no progress.")] = None


class ProofOutput(Watched):
    """Whose results are meant, and what is printed."""

    file: Annotated[
        Path | None,
        path(
            "Results file, .csv, .parquet, .ndjson or .xlsx. [default: <roster>.results.csv in this folder]",
            "--output",
            "-o",
        ),
    ] = None


class CheckOutput(ProofOutput):
    """What is written and printed where nothing is sent."""

    rejected_format: Annotated[
        str | None,
        choice(
            ("same", "csv", "xlsx"), "Format of the rejected rows. [default: same as the roster]", "--rejected-format"
        ),
    ] = None
    report: Annotated[
        bool | None, flag("Write <output>.report.html at the end, for people; of a check <output>.check.report.html.")
    ] = None


class Output(CheckOutput):
    """What is written and printed."""

    tokens_to: Annotated[Path | None, path(_TOKENS)] = None


class MergeOutput(Printed):
    """Where merged results are written."""

    file: Annotated[
        Path | None,
        path(
            "Results file, .csv, .parquet, .ndjson or .xlsx. [default: <FOLDER>.results.csv, or <RESULTS>.merged.csv]",
            "--output",
            "-o",
        ),
    ] = None
    tokens_to: Annotated[Path | None, path(_TOKENS)] = None


class PlanOutput(Watched):
    """Where a plan is kept, and what is printed."""

    file: Annotated[Path | None, path("Keep the plan in this .json; sync carries it out.", "--output", "-o")] = None


class ConfigOutput(Options, heading="What is written", table="output"):
    """Where a config file is written."""

    file: Annotated[
        Path | None,
        path("The config file; one that is there is never overwritten. [default: provisioner.toml]", "--output", "-o"),
    ] = None


class Log(Options, heading="What is logged", table="log"):
    """What is logged, where and how."""

    format: Annotated[
        str | None,
        choice(
            ("console", "json"),
            "Format of the log on stderr. [default: console on a terminal, else json]",
            "--log-format",
        ),
    ] = None
    file: Annotated[Path | None, path("Write the log to this file as well, as JSON lines.", "--log-file")] = None
    verbose: Annotated[bool | None, flag("Log details too.", "--verbose", "-v")] = None
    quiet: Annotated[bool | None, flag("Log warnings and errors only.", "--quiet", "-q")] = None

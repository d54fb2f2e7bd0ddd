"""The arguments and options of the commands: groups named as the tables of settings, each option written once.

A field is a key of its table, or begins with `no_` when the option turns that key off. What was not given is None.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from cyclopts import Parameter

from provisioner.cli.optiontypes import choice, flag, number, path, path_of, text, text_of
from provisioner.model import AuthTokens, OnExisting


@dataclass(frozen=True, repr=False, eq=False)
class Options:
    """A group of options. What several commands take is one class; what one takes besides is another, made of it."""

    TABLE: ClassVar[str]


def given(*groups: Options | None) -> dict[str, dict[str, Any]]:
    """Give what was given, as tables of settings."""
    tables: dict[str, dict[str, Any]] = {}
    for group in filter(None, groups):
        for field in fields(group):
            value = getattr(group, field.name)
            if value is None:
                continue
            key = field.name.removeprefix("no_")
            tables.setdefault(group.TABLE, {})[key] = value if key == field.name else not value
    return tables


# Nobody prints or compares a group, and to make the methods for it takes a third of the time that a class takes.
_READ = Parameter(name="*", group="What is read [run]")
_API = Parameter(name="*", group="Where it is sent [api]")
_RATE = Parameter(name="*", group="How fast [rate]")
_RUN = Parameter(name="*", group="What is done [run]")
_SYNC = Parameter(name="*", group="What a sync may do [sync]")
_OUTPUT = Parameter(name="*", group="What is written [output]")
_LOG = Parameter(name="*", group="What is logged [log]")


@_READ
@dataclass(frozen=True, repr=False, eq=False)
class Reading(Options):
    """How the roster is read."""

    TABLE: ClassVar[str] = "run"

    encoding: Annotated[
        str | None, text("Text encoding of a CSV, such as cp1252 or utf-16. [default: utf-8]", metavar="NAME")
    ] = None
    delimiter: Annotated[
        str | None,
        text("What separates the cells of a CSV: , ; | or tab. [default: found by itself]", metavar="CHARACTER"),
    ] = None
    escape: Annotated[
        str | None,
        text("What takes the meaning of the next character away in a quoted cell, such as \\.", metavar="CHARACTER"),
    ] = None
    header_row: Annotated[
        int | None, number("Line or sheet row that names the columns. [default: found by itself]")
    ] = None
    sheet: Annotated[str | None, text("Sheet of a workbook. [default: the first with the columns]", metavar="NAME")] = (
        None
    )
    strict: Annotated[bool | None, flag("Reject rows that would only be warned of.")] = None


@_READ
@dataclass(frozen=True, repr=False, eq=False)
class PartialReading(Reading):
    """How the roster is read, and how much of it."""

    limit: Annotated[int | None, number("Only the first N rows.")] = None


@_API
@dataclass(frozen=True, repr=False, eq=False)
class Address(Options):
    """Which API."""

    TABLE: ClassVar[str] = "api"

    base_url: Annotated[
        str | None, text("API root, the part before /users. [default: from app id and region]", metavar="URL")
    ] = None


@_API
@dataclass(frozen=True, repr=False, eq=False)
class Api(Address):
    """Which API, the stand-in included."""

    emulator: Annotated[bool | None, flag("Use a built-in stand-in on this machine: no key, no account.")] = None


@_RATE
@dataclass(frozen=True, repr=False, eq=False)
class Pace(Options):
    """How much of the app's limit is ours."""

    TABLE: ClassVar[str] = "rate"

    requests_per_minute: Annotated[int | None, number("The app's core-operation limit. [default: 10000]")] = None
    share: Annotated[str | None, text("Part of that limit to use, 0.7 or 70%. [default: 90%]", metavar="P")] = None


@_RATE
@dataclass(frozen=True, repr=False, eq=False)
class Rate(Pace):
    """How much of the app's limit is ours, and how many requests at once."""

    max_in_flight: Annotated[int | None, number("Requests on the wire at most. [default: 64]")] = None


@_RUN
@dataclass(frozen=True, repr=False, eq=False)
class Sending(Options):
    """What is asked for, and when to stop."""

    TABLE: ClassVar[str] = "run"

    auth_tokens: Annotated[str | None, choice(AuthTokens, "For whom a token is asked. [default: created]")] = None
    max_failures: Annotated[
        str | None, text("Stop when more rows than this have failed: N or P%. [default: 5%]", metavar="N|P%")
    ] = None


@_RUN
@dataclass(frozen=True, repr=False, eq=False)
class Run(Sending):
    """What a run does."""

    on_existing: Annotated[
        str | None, choice(OnExisting, "What to do with a uid that was there before. [default: skip]")
    ] = None
    no_check_roles: Annotated[bool | None, flag("Do not ask the API which roles exist.")] = None
    dry_run: Annotated[bool | None, flag("Everything but the sending: counts, requests and time needed.")] = None
    restart: Annotated[bool | None, flag("Set an earlier run's journal aside and begin anew.")] = None


@_RUN
@dataclass(frozen=True, repr=False, eq=False)
class Validation(Options):
    """What a validation shows besides."""

    TABLE: ClassVar[str] = "run"

    show: Annotated[int | None, number("Show the first N requests as they would be sent.")] = None


@_RUN
@dataclass(frozen=True, repr=False, eq=False)
class Shown(Options):
    """What a plan shows besides."""

    TABLE: ClassVar[str] = "run"

    show: Annotated[int | None, number("Show the first N changes, with old and new values.")] = None


@_SYNC
@dataclass(frozen=True, repr=False, eq=False)
class KeptState(Options):
    """What is kept from night to night."""

    TABLE: ClassVar[str] = "sync"

    state: Annotated[Path | None, path("The state file, kept from night to night.")] = None


@_SYNC
@dataclass(frozen=True, repr=False, eq=False)
class Plan(KeptState):
    """What a night would do, and what it would refuse."""

    deactivate_leavers: Annotated[bool | None, flag("Deactivate who is not in the roster any more; else reported.")] = (
        None
    )
    max_deactivations: Annotated[
        str | None,
        text("Change nothing when more would go: N or P%. [default: 5%, or a tenth of a few]", metavar="N|P%"),
    ] = None
    max_rejected: Annotated[
        str | None, text("Change nothing when more rows are rejected: N or P%. [default: 5%]", metavar="N|P%")
    ] = None
    max_creates: Annotated[
        str | None,
        text("Change nothing when more are new while more are absent too: N or P%. [default: 34%]", metavar="N|P%"),
    ] = None
    max_updates: Annotated[
        str | None,
        text("Change nothing when more have the same field changed: N or P%. [default: 50%]", metavar="N|P%"),
    ] = None
    grace_nights: Annotated[int | None, number("Good nights to be absent before one is deactivated.")] = None
    approve: Annotated[Path | None, path("Leavers file a person approves of: deactivate just these.")] = None
    adopt: Annotated[bool | None, flag("Begin a state, or mend one: take over users of the roster that exist.")] = None
    refresh: Annotated[bool | None, flag("Read the app's users first, and see what another hand did.")] = None


@_SYNC
@dataclass(frozen=True, repr=False, eq=False)
class Sync(Plan):
    """What a night does, and what it refuses."""

    max_duration: Annotated[str | None, text("Stop, resumably, after 4h, 30min or 90s.", metavar="TIME")] = None
    metrics_file: Annotated[Path | None, path("Write how it went for a node exporter's textfile collector.")] = None
    yes: Annotated[bool | None, flag("Do not ask before changing; overrides no guard.", "--yes", "-y")] = None


@_OUTPUT
@dataclass(frozen=True, repr=False, eq=False)
class Printed(Options):
    """How a command prints what it has to say."""

    TABLE: ClassVar[str] = "output"

    json: Annotated[bool | None, flag("Print one JSON object instead of text.")] = None


@_OUTPUT
@dataclass(frozen=True, repr=False, eq=False)
class Watched(Printed):
    """How a command prints what it has to say, and how far it is."""

    no_progress: Annotated[bool | None, flag("Draw no progress.")] = None


@_OUTPUT
@dataclass(frozen=True, repr=False, eq=False)
class Output(Watched):
    """What is written and printed."""

    file: Annotated[
        Path | None,
        path(
            "Results file, .csv, .parquet or .ndjson. [default: <roster>.results.csv in this folder]",
            "--output",
            "-o",
        ),
    ] = None


@_OUTPUT
@dataclass(frozen=True, repr=False, eq=False)
class PlanOutput(Watched):
    """Where a plan is kept, and what is printed."""

    file: Annotated[Path | None, path("Keep the plan in this .json; sync carries it out.", "--output", "-o")] = None


@_LOG
@dataclass(frozen=True, repr=False, eq=False)
class Log(Options):
    """What is logged, where and how."""

    TABLE: ClassVar[str] = "log"

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


# --- what is no setting ---

Roster = Annotated[
    str,
    Parameter(
        name="ROSTER",
        group="Arguments",
        required=True,
        converter=text_of,
        help="The users: .csv, .tsv, .ndjson (also .gz, .zst), .parquet or .xlsx; several files or a glob are one "
        "roster, - is CSV on standard input, and s3://, gs://, az:// and https:// addresses work too.",
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

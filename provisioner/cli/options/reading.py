"""Options: how the roster is read."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from provisioner.cli.options.base import Options
from provisioner.cli.options.types import flag, number, text

_ENCODING = "Text encoding of a CSV, such as cp1252 or utf-16."


class Asking(Options, heading="What is read", table="run"):
    """A roster that is the answer to a query."""

    query: Annotated[str | None, text("Take the rows of a query as the roster, in place of ROSTER.", metavar="SQL")] = (
        None
    )
    database: Annotated[
        str | None,
        text("Where it is asked: postgresql://user@host/db, mysql: too, or sqlite:///file.db.", metavar="ADDRESS"),
    ] = None


class Layout(Options, heading="What is read", table="run"):
    """Where the rows of a file are."""

    encoding: Annotated[str | None, text(f"{_ENCODING} [default: found by itself]", metavar="NAME")] = None
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


class Reading(Layout):
    """How the roster is read."""

    encoding: Annotated[str | None, text(f"{_ENCODING} [default: utf-8]", metavar="NAME")] = None
    strict: Annotated[bool | None, flag("Reject rows that would only be warned of.")] = None


class LimitedReading(Reading):
    """How the roster is read, and how many of its first rows."""

    limit: Annotated[int | None, number("Only the first N rows.")] = None


class PartialReading(LimitedReading):
    """How the roster is read, and how much of it."""

    shard: Annotated[
        str | None, text("Only the rows of shard I of N, by a hash of their uids; see docs/shards.md.", metavar="I/N")
    ] = None


class WholeReading(LimitedReading):
    """How a roster is read that has to be whole; whoever asks for a shard is told so, not of an unknown option."""

    shard: Annotated[str | None, text("Refused.", metavar="I/N"), Parameter(show=False)] = None

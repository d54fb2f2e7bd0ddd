"""Options: where to it is sent, how fast, and what is done."""

from __future__ import annotations

from typing import Annotated

from provisioner.cli.options.base import Options
from provisioner.cli.options.types import choice, flag, number, text
from provisioner.model import AuthTokens, OnExisting


class Address(Options, heading="Where it is sent", table="api"):
    """Which API."""

    base_url: Annotated[
        str | None, text("API root, the part before /users. [default: from app id and region]", metavar="URL")
    ] = None


class Api(Address):
    """Which API, the stand-in included."""

    emulator: Annotated[bool | None, flag("Use a built-in stand-in on this machine: no key, no account.")] = None


class Pace(Options, heading="How fast", table="rate"):
    """How much of the app's limit is ours."""

    requests_per_minute: Annotated[int | None, number("The app's core-operation limit. [default: 10000]")] = None
    share: Annotated[str | None, text("Part of that limit to use, 0.7 or 70%. [default: 90%]", metavar="P")] = None


class Rate(Pace):
    """How much of the app's limit is ours, and how many requests at once."""

    max_in_flight: Annotated[int | None, number("Requests on the wire at most. [default: 64]")] = None


class Roles(Options, heading="What is done", table="run"):
    """What becomes of roles that the app lacks."""

    create_roles: Annotated[
        bool | None, flag("Create roles that rows name and the app lacks, at most 25 with those there.")
    ] = None


class Tokens(Roles):
    """What users are given."""

    auth_tokens: Annotated[str | None, choice(AuthTokens, "For whom a token is asked. [default: created]")] = None


class Sending(Tokens):
    """What is asked for, and when to stop."""

    max_failures: Annotated[
        str | None, text("Stop when more rows than this have failed: N or P%. [default: 5%]", metavar="N|P%")
    ] = None
    restored: Annotated[
        bool | None, flag("The journal or state is a copy, and `backup` did not make it: what it lacks is in doubt.")
    ] = None


class Run(Sending):
    """What a run does."""

    on_existing: Annotated[
        str | None, choice(OnExisting, "What to do with a uid that was there before. [default: skip]")
    ] = None
    no_check_roles: Annotated[bool | None, flag("Do not ask the API which roles exist.")] = None
    dry_run: Annotated[bool | None, flag("Everything but the sending: counts, requests and time needed.")] = None
    restart: Annotated[bool | None, flag("Set an earlier run's journal aside and begin anew.")] = None


class Validation(Options, heading="What is done", table="run"):
    """What a validation shows besides."""

    show: Annotated[int | None, number("Show the first N requests as they would be sent.")] = None


class Shown(Tokens):
    """What a plan shows besides."""

    show: Annotated[int | None, number("Show the first N changes, with old and new values.")] = None

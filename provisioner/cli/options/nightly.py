"""Options: what a sync keeps, and what it may do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from provisioner.cli.options.base import Options
from provisioner.cli.options.types import flag, number, path, text


class KeptState(Options, heading="What a sync may do", table="sync"):
    """What is kept from night to night."""

    state: Annotated[Path | None, path("The state file, kept from night to night.")] = None


class Plan(KeptState):
    """What a night would do, and what it would refuse."""

    deactivate_leavers: Annotated[bool | None, flag("Deactivate who is not in the roster any more; else reported.")] = (
        None
    )
    keep_sessions: Annotated[bool | None, flag("Deactivate leavers without flushing their auth tokens.")] = None
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
        text(
            "Change nothing when more have the same field changed or return: N or P%. [default: 50%]",
            metavar="N|P%",
        ),
    ] = None
    grace_nights: Annotated[int | None, number("Good nights to be absent before one is deactivated.")] = None
    approve: Annotated[Path | None, path("Leavers file a person approves of: deactivate just these.")] = None
    adopt: Annotated[bool | None, flag("Begin a state, or mend one: take over users of the roster that exist.")] = None
    refresh: Annotated[bool | None, flag("Read the app's users first, and see what another hand did.")] = None


class Sync(Plan):
    """What a night does, and what it refuses."""

    max_duration: Annotated[str | None, text("Stop, resumably, after 4h, 30min or 90s.", metavar="TIME")] = None
    metrics_file: Annotated[Path | None, path("Write how it went for a node exporter's textfile collector.")] = None
    yes: Annotated[bool | None, flag("Do not ask before changing; overrides no guard.", "--yes", "-y")] = None

"""The arguments of the nightly sync: `plan`, `sync` and `history`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from provisioner.cli.arguments import (
    AuthTokensOption,
    BaseUrl,
    Config,
    Delimiter,
    Encoding,
    Json,
    LogFile,
    LogFormatOption,
    MaxFailures,
    MaxInFlight,
    NoProgress,
    Output,
    Quiet,
    RequestsPerMinute,
    Roster,
    Share,
    Sheet,
    Strict,
    Verbose,
)
from provisioner.cli.boundary import boundary, common_flags, given

State = Annotated[
    Path | None, typer.Option("--state", help="The state file, kept from night to night.", show_default=False)
]
DeactivateLeavers = Annotated[
    bool | None,
    typer.Option(
        "--deactivate-leavers", help="Deactivate who is not in the roster any more; else reported.", show_default=False
    ),
]
MaxDeactivations = Annotated[
    str | None,
    typer.Option(help="Change nothing when more would go: N or P%. [default: 5%, at least 10]", show_default=False),
]
MaxRejected = Annotated[
    str | None,
    typer.Option(help="Change nothing when more rows are rejected: N or P%. [default: 5%]", show_default=False),
]
GraceNights = Annotated[
    int | None,
    typer.Option(help="Good nights to be absent before one is deactivated.", metavar="N", show_default=False),
]
Approve = Annotated[
    Path | None,
    typer.Option(help="Leavers file a person approves of: deactivate just these.", metavar="FILE", show_default=False),
]
Adopt = Annotated[
    bool | None,
    typer.Option(
        "--adopt", help="Begin a state, or mend one: take over users of the roster that exist.", show_default=False
    ),
]
Refresh = Annotated[
    bool | None,
    typer.Option("--refresh", help="Read the app's users first, and see what another hand did.", show_default=False),
]


def plan(
    roster: Roster,
    state: State = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Keep the plan in this .json; sync carries it out.", show_default=False),
    ] = None,
    config: Config = None,
    base_url: BaseUrl = None,
    requests_per_minute: RequestsPerMinute = None,
    share: Share = None,
    deactivate_leavers: DeactivateLeavers = None,
    max_deactivations: MaxDeactivations = None,
    max_rejected: MaxRejected = None,
    grace_nights: GraceNights = None,
    approve: Approve = None,
    adopt: Adopt = None,
    refresh: Refresh = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    strict: Strict = None,
    json: Json = None,
    log_format: LogFormatOption = None,
    log_file: LogFile = None,
    verbose: Verbose = None,
    quiet: Quiet = None,
    no_progress: NoProgress = None,
) -> None:
    """Say what a sync of ROSTER would change, and change nothing."""
    flags: dict[str, dict[str, Any]] = {
        "api": {"base_url": base_url},
        "rate": {"requests_per_minute": requests_per_minute, "share": share},
        "run": {"encoding": encoding, "delimiter": delimiter, "sheet": sheet, "strict": strict},
        "sync": {
            "state": state,
            "deactivate_leavers": deactivate_leavers,
            "max_deactivations": max_deactivations,
            "max_rejected": max_rejected,
            "grace_nights": grace_nights,
            "approve": approve,
            "adopt": adopt,
            "refresh": refresh,
        },
        **common_flags(output, json, no_progress, log_format, log_file, verbose, quiet),
    }
    with boundary():
        from provisioner.settings.tables import load
        from provisioner.sync.command import plan_command

        # A config file's output is that of a sync: a plan is kept only where it is told to be.
        settings = load(given(flags), os.environ, config)
        kept = settings.output.model_copy(update={"file": output})
        raise typer.Exit(plan_command(roster, settings.model_copy(update={"output": kept})))


def sync(
    roster: Roster,
    state: State = None,
    output: Output = None,
    config: Config = None,
    base_url: BaseUrl = None,
    requests_per_minute: RequestsPerMinute = None,
    share: Share = None,
    max_in_flight: MaxInFlight = None,
    auth_tokens: AuthTokensOption = None,
    max_failures: MaxFailures = None,
    deactivate_leavers: DeactivateLeavers = None,
    max_deactivations: MaxDeactivations = None,
    max_rejected: MaxRejected = None,
    grace_nights: GraceNights = None,
    approve: Approve = None,
    adopt: Adopt = None,
    refresh: Refresh = None,
    max_duration: Annotated[
        str | None, typer.Option(help="Stop, resumably, after 4h, 30min or 90s.", show_default=False)
    ] = None,
    metrics_file: Annotated[
        Path | None,
        typer.Option(help="Write how it went for a node exporter's textfile collector.", show_default=False),
    ] = None,
    yes: Annotated[
        bool | None,
        typer.Option("--yes", "-y", help="Do not ask before changing; overrides no guard.", show_default=False),
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    strict: Strict = None,
    json: Json = None,
    log_format: LogFormatOption = None,
    log_file: LogFile = None,
    verbose: Verbose = None,
    quiet: Quiet = None,
    no_progress: NoProgress = None,
) -> None:
    """Bring the app's users to what ROSTER says; only what changed costs a request.

    ROSTER may be a plan that was kept with plan -o: just that is carried out, or nothing.
    Nobody is ever deleted, and users that are in no roster of this state are never touched.
    """
    flags: dict[str, dict[str, Any]] = {
        "api": {"base_url": base_url},
        "rate": {"requests_per_minute": requests_per_minute, "share": share, "max_in_flight": max_in_flight},
        "run": {
            "auth_tokens": auth_tokens,
            "max_failures": max_failures,
            "encoding": encoding,
            "delimiter": delimiter,
            "sheet": sheet,
            "strict": strict,
        },
        "sync": {
            "state": state,
            "deactivate_leavers": deactivate_leavers,
            "max_deactivations": max_deactivations,
            "max_rejected": max_rejected,
            "grace_nights": grace_nights,
            "approve": approve,
            "adopt": adopt,
            "refresh": refresh,
            "max_duration": max_duration,
            "metrics_file": metrics_file,
            "yes": yes,
        },
        **common_flags(output, json, no_progress, log_format, log_file, verbose, quiet),
    }
    with boundary():
        from provisioner.settings.tables import load
        from provisioner.sync.command import sync_command

        raise typer.Exit(sync_command(roster, load(given(flags), os.environ, config)))


def history(
    state: State = None,
    config: Config = None,
    last: Annotated[int, typer.Option("--last", "-n", help="So many nights.", min=1, metavar="N")] = 14,
    json: Json = None,
) -> None:
    """Tell the last nights of a state: counts, duration, what stopped them."""
    with boundary():
        from provisioner.settings.tables import load
        from provisioner.sync.command import history_command

        settings = load(given({"sync": {"state": state}}), os.environ, config)
        typer.echo(history_command(settings, last, as_json=bool(json)))

"""The main job, `run`, and its offline half, `validate`: arguments become settings, settings an exit code."""

from __future__ import annotations

import os

from provisioner.cli.arguments import (
    Api,
    Config,
    Log,
    Output,
    PartialReading,
    Rate,
    Roster,
    Run,
    Validation,
    given,
)


def run(
    *roster: Roster,
    reading: PartialReading | None = None,
    api: Api | None = None,
    rate: Rate | None = None,
    doing: Run | None = None,
    output: Output | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Create the users of ROSTER in CometChat, one result per row.

    The API key comes from COMETCHAT_API_KEY or from a file named in the config, never from an argument.
    The same command again resumes: what is settled costs no request.

    Try it without an account:  provisioner run users.csv --emulator
    """
    from provisioner.run.command import check_roster, run_roster
    from provisioner.settings.tables import load

    settings = load(given(reading, api, rate, doing, output, log), os.environ, config)
    return check_roster(roster, settings) if settings.run.dry_run else run_roster(roster, settings)


def validate(
    *roster: Roster,
    reading: PartialReading | None = None,
    doing: Validation | None = None,
    output: Output | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Check ROSTER against CometChat's constraints, without network: same report, same rejected file."""
    from provisioner.run.command import check_roster
    from provisioner.settings.tables import load

    return check_roster(roster, load(given(reading, doing, output, log), os.environ, config))

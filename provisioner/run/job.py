"""What was asked for: the roster, the settings, where to write and where to send."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioner import logs
from provisioner.errors import OutputError
from provisioner.files import same_file
from provisioner.journal.view import Identity
from provisioner.results.outputs import Outputs
from provisioner.roster.files.inputs import Inputs, find_inputs
from provisioner.settings.key import read_api_key
from provisioner.settings.tables import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for; `drawn` when there is a terminal to draw the progress on."""

    roster: Inputs
    settings: Settings
    outputs: Outputs
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    identity  what the journal remembers of it
    """

    base_url: str
    api_key: str = field(repr=False)
    identity: Identity


def identity(settings: Settings) -> Identity:
    """Say which app the settings are about; raises `ConfigurationError`."""
    app = settings.api.app_id if settings.api.base_url is None else None
    return Identity(app or "", settings.base_url)


def make_target(settings: Settings) -> Target:
    """Say where requests go, and with which key; raises `ConfigurationError`."""
    key = read_api_key(settings, os.environ).get_secret_value()
    return Target(settings.base_url, key, identity(settings))


def make_job(given: Sequence[str], settings: Settings) -> Job:
    """Say what is read and where is written; raises `RosterError` or `OutputError`."""
    roster = find_inputs(given)
    results = settings.output.file or Path(f"{roster.stem}.results.csv")
    drawn = settings.output.progress and not settings.log.quiet and sys.stderr.isatty()
    return Job(roster, settings, Outputs.beside(results, roster.rejected_suffix, roster.paths), drawn)


def set_up_logs(job: Job, key: str = "") -> None:
    """Begin the log, which never shows the key; raises `OutputError` when it would be written into another file."""
    told = job.settings.log
    for path in (*job.roster.paths, *job.outputs.paths()):
        if told.file is not None and same_file(told.file, path):
            raise OutputError(f"{told.file}: the log would be written into it; choose another --log-file")
    logs.set_up(format_=told.format, file=told.file, verbose=told.verbose, quiet=told.quiet, secrets=[key])

"""The commands that only look: `init`, `constraints`, `doctor`, `config show` and `config example`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App

from provisioner.cli.boundary import show
from provisioner.cli.idle import refuse_idle_options
from provisioner.cli.options.arguments import Config, Roster
from provisioner.cli.options.base import given
from provisioner.cli.options.output import ConfigOutput, Printed
from provisioner.cli.options.reading import Layout
from provisioner.cli.options.sending import Api
from provisioner.cli.options.types import path

config = App(name="config", help="What is configured.", help_flags=(), version_flags=())


def init(*roster: Roster, reading: Layout | None = None, output: ConfigOutput | None = None) -> int:
    """Propose how the columns of ROSTER become users, and write it as a config file.

    It looks at any file that can be read, says what becomes what and why, and what it leaves out; shows what would be
    sent and what would be rejected; asks, and writes a file to be looked through. Off a terminal it prints that file,
    and writes it with -o. Nothing is sent, and no file that is there is overwritten.
    """
    from provisioner.inspection.proposal import command
    from provisioner.run.runtime import ended_in_order
    from provisioner.settings.tables import load_flags

    refuse_idle_options(roster, given(reading))
    with ended_in_order():
        return command.init(roster, load_flags(given(reading)).run, output.file if output else None)


def constraints(*, output: Printed | None = None, config: Config = None) -> None:
    """Print what CometChat allows a user to be, with sources, and what the config changes of it."""
    from provisioner.inspection.constraintlist import constraint_list
    from provisioner.settings.tables import load

    show(constraint_list(load({}, os.environ, config).constraints, as_json=bool(output and output.json)))


def doctor(
    *,
    api: Api | None = None,
    state: Annotated[
        Path | None, path("A journal to look at. [default: the state or the journal of the config]")
    ] = None,
    output: Printed | None = None,
    config: Config = None,
) -> int:
    """Look at all that a run depends on: configuration, key, network, limits, roles, disk, journal.

    It sends three reads at most and changes nothing. Exit code 4 when something is wrong, 2 when the configuration is,
    else 0.
    """
    from provisioner.inspection.doctor import command as doctor
    from provisioner.inspection.doctor.diagnosis import exit_code
    from provisioner.settings.tables import load_with_origins

    checks = doctor.diagnose(load_with_origins(given(api), os.environ, config), os.environ, state)
    message, code = doctor.show(checks, as_json=bool(output and output.json)), exit_code(checks)
    show(message, code)
    return code


@config.command(name="show")
def show_configuration(*, output: Printed | None = None, config: Config = None) -> None:
    """Print every setting in force and where it comes from; never the API key. No network."""
    from provisioner.inspection.settinglist import show_config
    from provisioner.settings.tables import load_with_origins

    loaded = load_with_origins({}, os.environ, config)
    show(show_config(loaded, os.environ, as_json=bool(output and output.json)))


@config.command(name="example")
def show_example() -> None:
    """Print a config file with every key, its default and what it does: the beginning of one's own."""
    from provisioner.inspection.settinglist import example_config

    show(example_config().rstrip())

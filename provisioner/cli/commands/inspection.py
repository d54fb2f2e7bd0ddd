"""The commands that only look: `constraints`, `doctor` and `config show`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App

from provisioner.cli.boundary import show
from provisioner.cli.options.arguments import Config
from provisioner.cli.options.base import given
from provisioner.cli.options.output import Printed
from provisioner.cli.options.sending import Api
from provisioner.cli.options.types import path

config = App(name="config", help="What is configured.", help_flags=(), version_flags=())


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

    It sends two reads at most and changes nothing. Exit code 4 when something is wrong, else 0.
    """
    from provisioner.inspection import doctor
    from provisioner.inspection.diagnosis import exit_code
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

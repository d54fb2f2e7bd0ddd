"""The arguments of the commands that only look: `constraints`, `doctor` and `config show`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli.arguments import BaseUrl, Config, Json
from provisioner.cli.boundary import boundary, given

config = typer.Typer(help="What is configured.", no_args_is_help=True, rich_markup_mode=None)


def constraints(config: Config = None, json: Json = None) -> None:
    """Print what CometChat allows a user to be, with sources, and what the config changes of it."""
    with boundary():
        from provisioner.inspection.constraintlist import constraint_list
        from provisioner.settings.tables import load

        typer.echo(constraint_list(load({}, os.environ, config).constraints, as_json=bool(json)))


def doctor(
    config: Config = None,
    emulator: Annotated[
        bool | None,
        typer.Option("--emulator", help="Look at a run with the built-in stand-in.", show_default=False),
    ] = None,
    base_url: BaseUrl = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="A journal to look at. [default: the state or the journal of the config]", show_default=False
        ),
    ] = None,
    json: Annotated[
        bool | None, typer.Option("--json", help="Print the checks as one JSON object.", show_default=False)
    ] = None,
) -> None:
    """Look at all that a run depends on: configuration, key, network, limits, roles, disk, journal.

    It sends two reads at most and changes nothing. Exit code 4 when something is wrong, else 0.
    """
    with boundary():
        from provisioner.inspection.check import exit_code
        from provisioner.inspection.doctor import diagnose, show
        from provisioner.settings.tables import load_with_origins

        flags = {"api": {"emulator": emulator, "base_url": base_url}}
        checks = diagnose(load_with_origins(given(flags), os.environ, config), os.environ, state)
        message, code = show(checks, as_json=bool(json)), exit_code(checks)
    # Outside: a reader that has left (`| head`) is no bug of ours.
    typer.echo(message)
    raise typer.Exit(code)


@config.callback()
def _config() -> None:
    """What is configured."""  # noqa: D401


@config.command("show")
def show_configuration(
    config: Config = None,
    json: Annotated[
        bool | None, typer.Option("--json", help="Print the settings as one JSON object.", show_default=False)
    ] = None,
) -> None:
    """Print every setting in force and where it comes from; never the API key. No network."""
    with boundary():
        from provisioner.inspection.settinglist import show_config
        from provisioner.settings.tables import load_with_origins

        message = show_config(load_with_origins({}, os.environ, config), os.environ, as_json=bool(json))
    typer.echo(message)

"""The command line: which commands there are. What a command needs is imported when it is called, not before.

Exceptions end here: a message on stderr and an exit code, never a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from provisioner import __version__

HELP_NAMES: Final = {"help_option_names": ["-h", "--help"]}

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "run": ("cli.run:run", "Create the users of ROSTER in CometChat, one result per row."),
    "validate": ("cli.run:validate", "Check ROSTER against CometChat's constraints, without network."),
    "plan": ("cli.sync:plan", "Say what a sync of ROSTER would change, and change nothing."),
    "sync": ("cli.sync:sync", "Bring the app's users to what ROSTER says."),
    "history": ("cli.sync:history", "Tell the last nights of a state."),
    "constraints": ("cli.inspection:constraints", "Print what CometChat allows a user to be, with sources."),
    "doctor": ("cli.inspection:doctor", "Look at all that a run depends on."),
    "config": ("cli.inspection:config", "What is configured."),
    "emulator": ("emulator.command:emulator", "Run a local stand-in for the CometChat API."),
}
"""Name of a command → where it is, and what the list of commands says of it."""


def command_named(name: str) -> Any:
    """Make one of the commands, as click has them."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(f"provisioner.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=dict(HELP_NAMES))
    alone.command(name)(found)
    return typer.main.get_command(alone)


class _Commands(TyperGroup):
    """A group whose commands are made when they are asked for: building them all takes longer than showing them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        return command_named(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, message) for name, (_, message) in COMMANDS.items()])


app = typer.Typer(
    name="provisioner",
    help="Put a roster of users into CometChat: checked, rate-limited and crash-exact.",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=dict(HELP_NAMES),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"provisioner {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command."""
    app()

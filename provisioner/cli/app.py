"""The command line: which commands there are. What a command needs is imported when it is called, not before.

Arguments that are wrong, and all exceptions, end here: a message on stderr and an exit code, never a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from provisioner import __version__
from provisioner.cli.boundary import boundary, show
from provisioner.cli.slips import ANSWERING, asked_for, misused
from provisioner.errors import ExitCode, UsageError
from provisioner.streams import finish, say

if TYPE_CHECKING:
    from cyclopts import App


ABOUT: Final = "Put a roster of users into CometChat: checked, rate-limited and crash-exact."

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "init": (
        "provisioner.cli.commands.inspection:init",
        "Propose how the columns of ROSTER become users, and write it as a config file.",
    ),
    "run": ("provisioner.cli.commands.run:run", "Create the users of ROSTER in CometChat, one result per row."),
    "validate": (
        "provisioner.cli.commands.run:validate",
        "Check ROSTER against CometChat's constraints, without network.",
    ),
    "plan": ("provisioner.cli.commands.sync:plan", "Say what a sync of ROSTER would change, and change nothing."),
    "sync": ("provisioner.cli.commands.sync:sync", "Bring the app's users to what ROSTER says."),
    "fleet": (
        "provisioner.cli.commands.fleet:fleet",
        "Carry out many jobs from one file: tenants, and shards of a roster; jobs of one app share its rate.",
    ),
    "history": ("provisioner.cli.commands.sync:history", "Tell the last nights of a state."),
    "status": (
        "provisioner.cli.commands.proof:status",
        "Tell what a job has done so far, and what its next run would send; no network.",
    ),
    "show": (
        "provisioner.cli.commands.proof:show_user",
        "Tell the story of one person: every attempt, answer, night and outcome, but no token; no network.",
    ),
    "verify": (
        "provisioner.cli.commands.proof:verify",
        "Read the app's users and prove that they are as ROSTER has them; changes nothing.",
    ),
    "undo": ("provisioner.cli.commands.undo:undo", "Take back what the run with the results OUT did, and only that."),
    "merge": (
        "provisioner.cli.commands.merge:merge",
        "Make one set of results of those of all shards, or of a run and its mended rounds.",
    ),
    "backup": (
        "provisioner.cli.commands.backup:backup",
        "Copy a journal or a state, also in mid-run; the copy goes on when the original is lost.",
    ),
    "report": (
        "provisioner.cli.commands.report:report",
        "Write one HTML file about a run, a check, a sync or a state.",
    ),
    "constraints": (
        "provisioner.cli.commands.inspection:constraints",
        "Print what CometChat allows a user to be, with sources.",
    ),
    "doctor": ("provisioner.cli.commands.inspection:doctor", "Look at all that a run depends on."),
    "config": ("provisioner.cli.commands.inspection:config", "What is configured."),
    "emulator": ("provisioner.emulator.command:emulator", "Run a local stand-in for the CometChat API."),
}
"""Name of a command → where it is, and what the list of commands says of it."""

# Where a line is added, unless it is there.
_STARTUP: Final = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "powershell": "its profile"}

HELP: Final = ("-h", "--help")
HELP_OPTION: Final = ("-h, --help", "Show this message and exit.")
ROOT_OPTIONS: Final = (
    ("--version", "Print the version and exit."),
    (
        "--install-completion",
        "Install completion for the current shell; bash and zsh get a line in their startup file.",
    ),
    ("--show-completion", "Print completion for the current shell, to copy it or to change it."),
    HELP_OPTION,
)


@cache
def application() -> App:
    """Make the application: its commands are known by name, and imported when they are asked for."""
    from cyclopts import App, Parameter

    made = App(
        name="provisioner",
        # Help has a page of ours: plain text in every pipe, without the library that draws.
        help_flags=(),
        version_flags=(),
        # The last one counts: a script's own options come before those that it passes on.
        default_parameter=Parameter(allow_repeating=True),
    )
    for name, (place, _) in COMMANDS.items():
        made.command(place, name=name)
    made.command(_install_completion, name="--install-completion")
    made.command(_show_completion, name="--show-completion")
    return made


def _install_completion() -> None:
    from cyclopts.completion.install import add_to_rc_file

    shell = _shell()
    try:
        script = application().install_completion(shell=shell, add_to_startup=False)
        # Fish finds it by itself.
        added = shell != "fish" and add_to_rc_file(script, "provisioner", shell)
    except (OSError, RuntimeError) as error:  # the latter of an account that has no home
        cure = "put what `provisioner --show-completion` prints where your shell reads it"
        raise UsageError(f"completion cannot be installed ({error}); {cure}") from error
    where = f"{script}, which lines added to {_STARTUP[shell]} load" if added else script
    show(f"installed in {where}; it works in the next shell")


def _show_completion() -> None:
    show(application().generate_completion(shell=_shell()))


def _shell() -> Literal["zsh", "bash", "fish", "powershell"]:
    from cyclopts.completion.detect import ShellDetectionError, detect_shell

    try:
        return detect_shell()
    except ShellDetectionError:
        raise UsageError("the current shell cannot be found out, or it is none of bash, zsh and fish") from None


class _Dash(str):
    """`-` as an argument: standard input, and never the beginning of an option."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        return False


def main() -> None:
    """Run the command."""
    try:
        with boundary():
            code = carry_out(sys.argv[1:])
        raise SystemExit(code)
    finally:
        finish()


def carry_out(arguments: Sequence[str]) -> int:
    """Do what the arguments say, give the exit code. Raises UsageError, and whatever the command raises."""
    match arguments:
        case [] | ["-h" | "--help"]:
            return _show_help(_front_page(), asked_for=bool(arguments))
        case ["--version", *_]:
            show(f"provisioner {__version__}")
            return ExitCode.OK
    return _carry_out_command([_Dash(each) if each == "-" else each for each in arguments])


def _carry_out_command(words: list[str]) -> int:
    from cyclopts import CycloptsError

    from provisioner.cli import usage

    options = words[: words.index("--")] if "--" in words else words
    wants_help = not {*HELP}.isdisjoint(options)
    chain, apps, rest = application().parse_commands([each for each in options if each not in HELP])
    name, last, command = " ".join(("provisioner", *chain)), next(reversed(chain), ""), apps[-1]
    if command.default_command is None and rest:
        raise UsageError(usage.no_such_command(rest[0], name, command))
    if command.default_command is None or wants_help:
        text = _page_of(name, command) if chain else _front_page()
        return _show_help(text, asked_for=wants_help)
    try:
        carry_out, bound, _ = application().parse_args(words, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        error_message = UsageError(usage.sentence(error, name))
        with misused(last, options, rest, command).leaving_summary():
            raise error_message from None
    with asked_for(last, options).leaving_summary() if last in ANSWERING else nullcontext():
        code: int | None = carry_out(*bound.args, **bound.kwargs)
    return ExitCode.OK if code is None else code


def _page_of(name: str, command: App) -> str:
    from provisioner.cli.examples import DOCUMENTATION, EXAMPLES
    from provisioner.cli.helppage import Section, page, sections

    shown = sections(command, HELP_OPTION)
    if examples := EXAMPLES.get(name.removeprefix("provisioner ")):
        shown.append(Section("Examples", list(examples), typed=True))
    return page(name, command.help, shown, DOCUMENTATION)


def _front_page() -> str:
    from provisioner.cli.examples import DOCUMENTATION, WAYS
    from provisioner.cli.helppage import Section, page

    listed = [(name, description) for name, (_, description) in COMMANDS.items()]
    ways = [Section(title, list(typed), typed=True) for title, typed in WAYS.items()]
    groups = [*ways, Section("Commands", listed), Section("Options", list(ROOT_OPTIONS))]
    return page("provisioner", ABOUT, groups, DOCUMENTATION)


def _show_help(text: str, *, asked_for: bool) -> int:
    """Print a page: to whom asked for it, or as an error to whom left something out."""
    if asked_for:
        show(text)
        return ExitCode.OK
    say(text)
    return ExitCode.USAGE

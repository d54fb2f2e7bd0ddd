"""Wrong usage in one sentence: what is wrong, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from cyclopts import App, Argument, CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from provisioner.wording import closest


def no_such_command(word: str, name: str, parent: App) -> str:
    """Say that a word is no command; an option before the command is one of these words."""
    if word.startswith("-"):
        return f"{name} has no option {word} here; options of a command come after its name; see {name} --help"
    known = [each for each in parent if not each.startswith("-")]
    return f"{name} has no command {word}" + (_nearest(word, known) or f"; it has {', '.join(known)}")


def sentence(error: CycloptsError, command: str) -> str:
    """Say what is wrong with the arguments of a command."""
    match error:
        case UnknownOptionError():
            option = (error.token.keyword or error.token.value).partition("=")[0]
            options = [name for each in error.argument_collection for name in each.names if name.startswith("-")]
            return f"{command} has no option {option}{_nearest(option, options) or f'; see {command} --help'}"
        case MissingArgumentError(argument=Argument() as argument):
            if argument.name.startswith("-"):
                return f"{error.keyword or argument.name} needs a value; see {command} --help"
            return (
                f"{command} needs {'an' if argument.name[0] in 'AEIO' else 'a'} {argument.name}; see {command} --help"
            )
        case CoercionError(argument=Argument() as argument, token=token):
            option = token.keyword if token and token.keyword else argument.name
            return f"{option}: {_refusal(error, argument, token.value if token else '')}"
        case UnusedCliTokensError(unused_tokens=[word, *_]):
            state = "; the state is named with --state" if command.endswith(" history") else ""
            return f"{command} has no use for {word!r}{state}; see {command} --help"
    return " ".join(str(error).split())


def _refusal(error: CoercionError, argument: Argument, value: str) -> str:
    choices = argument.get_choices()
    if choices:
        return f"{value!r} is none of {', '.join(choices)}{_nearest(value, choices)}"
    if argument.resolved_hint is bool:
        return "takes no value"
    return str(error.msg) if error.msg else f"cannot be {value!r}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known name that comes nearest, if any does; the dashes of options are all alike and do not count."""
    return closest(word, known, key=lambda name: name.strip("-"))


def _nearest(word: str, known: Iterable[str]) -> str:
    close = nearest(word, known)
    return "" if close is None else f"; did you mean {close}?"

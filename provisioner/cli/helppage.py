"""The help of a command: plain text, its options grouped by the table of settings they belong to."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from inspect import Parameter, cleandoc
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from cyclopts import App, Argument

WIDEST: Final = 140
"""Characters of a line: longer ones are hard to read, however wide the terminal."""

NARROWEST: Final = 40
COLUMN: Final = 30
"""Where explanations begin; an option that reaches further has its explanation below it."""

GENERAL: Final = "General"
"""The group of what is no setting."""


class Section(NamedTuple):
    """A group of options, arguments or commands: how each is written, and what it means.

    typed  they are whole commands, to be copied as they stand
    """

    title: str
    entries: list[tuple[str, str]]
    typed: bool = False


def sections(command: App, help_option: tuple[str, str]) -> list[Section]:
    """Give the groups of a command in the order of its arguments, or its commands if it is a group of commands."""
    if command.default_command is None:
        listed = [(name, command[name].help.partition("\n")[0]) for name in command if not name.startswith("-")]
        return [Section("Options", [help_option]), Section("Commands", listed)]
    groups: dict[str, list[tuple[str, str]]] = {}
    for argument in command.assemble_argument_collection():
        if argument.show:
            groups.setdefault(_title(argument), []).append((_written(argument), _meaning(argument)))
    groups.setdefault(GENERAL, []).append(help_option)
    return [Section(title, entries) for title, entries in groups.items()]


def _title(argument: Argument) -> str:
    from cyclopts import Group

    # However it was given, the library keeps a tuple of groups.
    match argument.parameter.group:
        case (Group() as group, *_):
            return group.name
    return GENERAL


def _written(argument: Argument) -> str:
    if not argument.name.startswith("-"):
        return f"{argument.name}{'...' if argument.field_info.kind is Parameter.VAR_POSITIONAL else ''}"
    names = ", ".join(sorted(argument.names, key=len))
    if argument.resolved_hint is bool:
        return names
    return f"{names} {argument.parameter.metavar or '|'.join(argument.get_choices() or ('TEXT',))}"


def _meaning(argument: Argument) -> str:
    default = argument.field_info.default
    unsaid = any(default is each for each in (None, False, Parameter.empty))
    return f"{argument.parameter.help or ''}{'' if unsaid else f' [default: {default}]'}"


def page(name: str, description: str, sections: Sequence[Section], documentation: str = "") -> str:
    """Give the whole text, as wide as the terminal; COLUMNS says how wide where there is none.

    documentation  its address, which is never broken
    """
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    lines = [*_wrapped(_usage(name, sections), width, "Usage: ", 7), ""]
    for paragraph in cleandoc(description).split("\n\n"):
        lines += [*_wrapped(" ".join(paragraph.split("\n")), width, "  ", 2), ""]
    for section in sections:
        lines += [f"{section.title}:", *_entries(section, width), ""]
    if documentation:
        lines += ["Documentation:", f"  {documentation}"]
    return "\n".join(lines).rstrip()


def _usage(name: str, sections: Sequence[Section]) -> str:
    words = [name, "[OPTIONS]"]
    for section in sections:
        if section.title == "Arguments":
            words += [written for written, _ in section.entries]
        elif section.title == "Commands":
            words.append("COMMAND ...")
    return " ".join(words)


def _entries(section: Section, width: int) -> Iterator[str]:
    if section.typed:
        yield from _typed(section, width)
        return
    column = min(COLUMN, width // 2, 4 + max(len(written) for written, _ in section.entries))
    for written, meaning in section.entries:
        start = f"  {written}"
        if len(start) > column - 2:
            yield start
            start = ""
        yield from _wrapped(meaning, width, start.ljust(column), column)


def _typed(section: Section, width: int) -> Iterator[str]:
    """Give commands, each on one line, and what they do: behind them where there is room for all, else below."""
    column = 4 + max(len(typed) for typed, _ in section.entries)
    beside = all(column + len(meaning) <= width for _, meaning in section.entries)
    for typed, meaning in section.entries:
        if beside:
            yield f"  {typed:{column - 2}}{meaning}"
        else:
            yield f"  {typed}"
            yield from _wrapped(meaning, width, " " * 6, 6)


def _wrapped(text: str, width: int, start: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )

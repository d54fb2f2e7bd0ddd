"""A proposal, and its config file: what is in force, what could be, and why, each in a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Final

from provisioner.validation.fields.source import Encoding
from provisioner.wording import ESCAPES

WIDTH: Final = 100

_SETTINGS: Final[Mapping[str, str]] = {
    "encoding": "The text is not UTF-8",
    "delimiter": "What separates the cells",
    "escape": "What takes the meaning of the next character away",
    "sheet": "The sheet of the workbook",
    "header_row": "The row that names the columns",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the mapping: a key of `[columns]`, or of `[columns.metadata]`, its value, and why.

    columns      those that it is made of
    others       what could stand in its place, written beside it and not in force
    constraints  limits to be changed for it: key of `[constraints]` → its value, and why
    """

    key: str
    value: Any
    reason: str
    columns: tuple[str, ...] = ()
    metadata: bool = False
    others: tuple[Any, ...] = ()
    constraints: Mapping[str, tuple[bool, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that becomes nothing, and why."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """A field for which a person has to choose a column, and the ones to choose from."""

    field: str
    reason: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping, as far as it can be proposed.

    entries      what becomes what
    suggestions  what could be added: written, but not in force
    left_out     what becomes nothing
    by_name      columns that are called as a user field is, and need no line
    questions    what a person has to choose; empty when the mapping is whole
    constraints  those of its entries
    kept_out     columns that are to be left out whatever they are called, and whatever else is set
    offers       fields that could be made of columns: written, but not in force
    """

    entries: tuple[Entry, ...]
    suggestions: tuple[Entry, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    by_name: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    constraints: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    kept_out: tuple[str, ...] = ()
    offers: tuple[Entry, ...] = ()

    @property
    def left_out_by_reason(self) -> list[tuple[str, list[str]]]:
        """Why columns become nothing, and which, in the order of the reasons."""
        found: dict[str, list[str]] = {}
        for each in sorted(self.left_out, key=lambda each: each.reason):
            found.setdefault(each.reason, []).append(each.column)
        return list(found.items())

    @property
    def unused(self) -> tuple[str, ...]:
        """The other columns that become nothing, but those that no run would speak of."""
        names = dict.fromkeys(each.column for each in self.left_out)
        return tuple(name for name in names if name not in self.kept_out and not name.startswith("_"))


def literal(value: Any) -> str:
    """Give a value as TOML has it, in one line; whatever a text holds, it comes back as it was."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # A basic string of TOML is one of JSON, but that it may not hold DEL.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case dict():
            return f"{{ {', '.join(f'{_key(key)} = {literal(each)}' for key, each in value.items())} }}"
        case list():
            return f"[{', '.join(map(literal, value))}]"
    return str(value)


def document(
    roster: str, proposal: Proposal, settings: Mapping[str, str | int], proved: Sequence[str] = (), sample: str = ""
) -> str:
    """Give the config file.

    roster    what the roster is called
    settings  how it is to be read: keys of `[run]`
    proved    what was found when the roster was checked with it, a line each
    sample    a cell that shows whether the encoding is the right one
    """
    but_these = " but these" if proposal.kept_out or proposal.unused else ""
    lines = [
        *_comment(
            f"How {roster} becomes users of CometChat, proposed by `provisioner init`: look it through, and change "
            "what is wrong. What stands above a line says why. docs/columns.md tells everything that can stand here."
        ),
        *(line for each in proved for line in _comment(each)),
        *_run(settings, sample),
        "",
        "[columns]",
        *(line for question in proposal.questions for line in _question(question)),
        *_entries([entry for entry in proposal.entries if not entry.metadata]),
        *_by_name(proposal),
        *_encodings(proposal),
        *_offers(proposal),
        *_kept_out(proposal),
        f"# All other columns{but_these}, where other users do not see them:",
        '# others = "metadata.@private.roster"',
        *_metadata(proposal),
        *_constraints(proposal),
        *_left_out(proposal),
    ]
    return "\n".join(lines) + "\n"


def _run(settings: Mapping[str, str | int], sample: str) -> Iterator[str]:
    if settings:
        yield from ("", "[run]")
    for name, value in settings.items():
        shown = f"; it is the right one if this reads well: {sample}" if name == "encoding" and sample else ""
        yield from _comment(f"{_SETTINGS[name]}{shown}")
        yield f"{name} = {literal(value)}"


def _question(question: Question) -> Iterator[str]:
    """Ask for a column: the line to be completed is there, and not in force."""
    yield from _comment(
        f"{question.field}: {question.reason}; take the # away from one of these lines, or write another"
    )
    for column in question.columns[:5] or ("a column",):
        yield f"# {question.field} = {literal(column)}"


def _entries(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        yield from _comment(entry.reason)
        yield f"{_key(entry.key)} = {literal(entry.value)}"
        if entry.others:
            yield from _comment("If this is the better one, take its # away and the line above out:")
        yield from (f"# {_key(entry.key)} = {literal(other)}" for other in entry.others)


def _by_name(proposal: Proposal) -> Iterator[str]:
    if proposal.by_name:
        yield from _comment(f"Taken by their names, so they need no line: {', '.join(map(literal, proposal.by_name))}")


def _encodings(proposal: Proposal) -> Iterator[str]:
    """Name the other ways to make a uid, where one is made."""
    used = {
        entry.value["encode"] for entry in proposal.entries if isinstance(entry.value, dict) and "encode" in entry.value
    }
    if used:
        others = ", ".join(f'"{each}"' for each in Encoding if each not in used)
        yield from _comment(
            f"encode can also be {others}: docs/columns.md says what each makes. Choose before the first run."
        )


def _offers(proposal: Proposal) -> Iterator[str]:
    """Say which fields could be made of columns: the lines are there, and not in force."""
    for offer in proposal.offers:
        yield from _comment(offer.reason)
        yield f"# {offer.key} = {literal(offer.value)}"


def _kept_out(proposal: Proposal) -> Iterator[str]:
    """Name what is not to be sent whatever the columns are called, and then what nothing is made of as it is."""
    unused = proposal.unused
    if proposal.kept_out or unused:
        yield "# Nothing of these is sent, but what a line here makes of them; of a new column you are told:"
    if not unused:
        yield from [f"leave_out = {literal(list(proposal.kept_out))}"] if proposal.kept_out else []
        return
    yield "leave_out = ["
    yield from (f"    {literal(name)}," for name in proposal.kept_out)
    yield "    # Take out those that `others` is to send, if you use it (below):"
    yield from (f"    {literal(name)}," for name in unused)
    yield "]"


def _metadata(proposal: Proposal) -> Iterator[str]:
    entries = [entry for entry in proposal.entries if entry.metadata]
    if not entries and not proposal.suggestions:
        return
    yield from ("", f"{'' if entries else '# '}[columns.metadata]")
    yield from _entries(entries)
    if proposal.suggestions:
        yield "# Everybody in the app would see these:"
    yield from (f"# {_key(each.key)} = {literal(each.value)}" for each in proposal.suggestions)


def _constraints(proposal: Proposal) -> Iterator[str]:
    if proposal.constraints:
        yield from ("", "[constraints]")
    for name, (value, reason) in proposal.constraints.items():
        yield from _comment(reason)
        yield f"{name} = {literal(value)}"


def _left_out(proposal: Proposal) -> Iterator[str]:
    if proposal.left_out:
        yield from ("", "# Left out:")
    for reason, columns in proposal.left_out_by_reason:
        yield from _comment(f"{', '.join(map(literal, columns))}: {reason}", "- ", "  ")


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else literal(key)


def _comment(text: str, start: str = "", indent: str = "") -> list[str]:
    """Give a text as comments, with nothing in it that ends a line or cannot be seen."""
    shown = text.translate(ESCAPES)
    return wrap(shown, WIDTH, initial_indent=f"# {start}", subsequent_indent=f"# {indent}", break_on_hyphens=False)

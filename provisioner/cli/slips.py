"""What a command was asked for, by arguments that need not make sense: whether, and where, its summary is wanted.

Nobody reads then that all went well, as an older one says. Where it cannot be told for certain which one is meant, none
is written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.cli.asked import Asked, configured

if TYPE_CHECKING:
    from cyclopts import App

SUMMED_UP: Final = frozenset({"run", "validate", "plan", "sync", "verify", "undo", "fleet"})
"""Commands whose `--json` is a summary, whatever they end with; they see to that themselves."""

FILED: Final = frozenset({"run", "validate", "sync"})
"""Commands that leave their summary as a file beside their results."""

ANSWERING: Final = frozenset({"merge", "status", "history", "show", "backup", "constraints", "doctor"})
"""Commands whose `--json` is their answer; when they have none, a summary says why."""

_PLACES: Final = frozenset({"--config", "--output"})


def asked_for(name: str, options: Sequence[str]) -> Asked:
    """Say of a command, by its name, whether its summary is wanted as JSON."""
    wants_json = name in SUMMED_UP | ANSWERING and _is_given("--json", options)
    return Asked((), {"output": {"json": wants_json}}, slip=True)


def misused(name: str, options: Sequence[str], words: Sequence[str], command: App) -> Asked:
    """Say the same where the arguments make no sense, and of a command with a roster where its summary is.

    words  its arguments, behind its name
    """
    asked, nightly = asked_for(name, options), name == "sync"
    if name not in FILED or not _is_plain(options, command):
        return asked
    config = _value_of(options, "--config", "-c")
    if (said := configured(None if config is None else Path(config))) is None:
        return asked
    given = _value_of(options, "--output", "-o")
    dry_run = _is_given("--dry-run", options, otherwise=said.run.dry_run)
    tables = {
        "output": {**asked.tables["output"], "file": said.output.file if given is None else Path(given)},
        "run": {"dry_run": dry_run},
        # Nothing that one of these words names is to be taken for a summary.
        "words": {word: Path(word.partition("=")[2] or word) for word in options},
    }
    in_shards = _value_of(options, "--shard") is not None or said.run.shard is not None
    roster = roster_in(words, command) if nightly or not in_shards else ()  # the summary of a shard is elsewhere
    return replace(asked, roster=roster, tables=tables, check=name == "validate", nightly=nightly)


def roster_in(options: Sequence[str], command: App) -> list[str]:
    """Give the words that are no option and no value of one; none where that cannot be told without all the others."""
    names, flags = _names(command)
    found, takes = list[str](), False
    for word in options:
        if not word.startswith("-"):
            found += [] if takes else [word]
            takes = False
        elif _is_joined(word, names, flags):
            return []
        else:
            takes = not (word in flags or "=" in word or _is_bundle(word, flags))
    return found


def _is_plain(options: Sequence[str], command: App) -> bool:
    """Whether it can be told which config and which output are meant: no word may be meant to name another one."""
    names, flags = _names(command)
    given = [word.partition("=")[0] for word in options if word.startswith("-")]
    return not any(_is_joined(word, names, flags) or _is_like_a_place(word, names) for word in given)


def _names(command: App) -> tuple[set[str], set[str]]:
    """Give the names of all options, and of those that take no value."""
    known = command.assemble_argument_collection()
    flags = {name for each in known if each.resolved_hint is bool for name in each.names}
    return {name for each in known for name in each.names}, flags


def _is_joined(word: str, names: Collection[str], flags: Collection[str]) -> bool:
    """Whether a word may hold a value behind a letter, as `-oNAME`, or an option of one letter that there is not."""
    return word[:2] != "--" and word != "-" and word not in names and not _is_bundle(word, flags)


def _is_bundle(word: str, flags: Collection[str]) -> bool:
    """Whether it is several flags at once, as `-qy`."""
    return word[:2] != "--" and len(word) > 2 and {f"-{letter}" for letter in word[1:]} <= {*flags}


def _is_like_a_place(word: str, names: Collection[str]) -> bool:
    """Whether an option that there is not may be a slip for one that says which config, or which output."""
    from provisioner.cli.usage import nearest

    return word not in names and nearest(word, names) in _PLACES


def _is_given(flag: str, options: Sequence[str], *, otherwise: bool = False) -> bool:
    """Whether a flag is among them, in any of its forms: `--json=true` is one; `otherwise` where it is in none."""
    given = [each.partition("=")[2].lower() for each in options if each == flag or each.startswith(f"{flag}=")]
    return given[-1] not in {"false", "no", "n", "f", "0"} if given else otherwise


def _value_of(options: Sequence[str], *names: str) -> str | None:
    """Give what was said last for an option with these names, as far as it can be told without all the others.

    It is empty where nothing follows the name.
    """
    found = None
    for number, word in enumerate(options):
        name, joined, value = word.partition("=")
        if name in names:
            found = value if joined else next(iter(options[number + 1 : number + 2]), "")
    return found

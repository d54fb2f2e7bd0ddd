"""What a command was asked for, by arguments that need not make sense: whether, and where, its summary is wanted.

Nobody reads then that all went well, as an older one says. Where it cannot be told for certain which one is meant, none
is written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.cli.asked import Asked
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from cyclopts import App

    from provisioner.settings.tables import Settings

SUMMED_UP: Final = frozenset({"run", "validate", "plan", "sync", "verify", "undo", "fleet"})
"""Commands whose `--json` is a summary, whatever they end with; they see to that themselves."""

FILED: Final = frozenset({"run", "validate", "sync"})
"""Commands that leave their summary as a file beside their results."""

ANSWERING: Final = frozenset({"merge", "status", "history", "show", "backup", "constraints", "doctor"})
"""Commands whose `--json` is their answer; when they have none, a summary says why."""


def asked_for(name: str, options: Sequence[str]) -> Asked:
    """Say of a command, by its name, whether its summary is wanted as JSON."""
    wants_json = name in SUMMED_UP | ANSWERING and _is_given("--json", options)
    return Asked((), {"output": {"json": wants_json}}, slip=True)


def misused(name: str, options: Sequence[str], words: Sequence[str], command: App) -> Asked:
    """Say the same where the arguments make no sense, and of a command with a roster where its summary is.

    words  its arguments, behind its name
    """
    asked = asked_for(name, options)
    if name not in FILED:
        return asked
    configured, nightly = _configured(_value_of(options, "--config", "-c")), name == "sync"
    given = _value_of(options, "--output", "-o")
    dry_run = _is_given("--dry-run", options, otherwise=configured is not None and configured.run.dry_run)
    tables = {
        "output": {**asked.tables["output"], "file": Path(given) if given else configured and configured.output.file},
        "run": {"dry_run": dry_run},
        # Nothing that one of these words names is to be taken for a summary.
        "words": {word: Path(word.partition("=")[2] or word) for word in options},
    }
    shard = None if nightly else _value_of(options, "--shard") or (configured and configured.run.shard)
    roster = roster_in(words, command) if shard is None else ()  # the summary of a shard is elsewhere
    return replace(asked, roster=roster, tables=tables, check=name == "validate", nightly=nightly)


def roster_in(options: Sequence[str], command: App) -> list[str]:
    """Give the words that are no option and no value of one; none where that cannot be told without all the others."""
    known = command.assemble_argument_collection()
    flags = {name for each in known if each.resolved_hint is bool for name in each.names}
    found, takes = list[str](), False
    for word in options:
        if not word.startswith("-"):
            found += [] if takes else [word]
            takes = False
            continue
        takes = not (word in flags or "=" in word)
        if takes and word[:2] != "--" and len(word) > 2:  # `-qy`, or `-oNAME`
            if not {f"-{letter}" for letter in word[1:]} <= flags:
                return []
            takes = False
    return found


def _is_given(flag: str, options: Sequence[str], *, otherwise: bool = False) -> bool:
    """Whether a flag is among them, in any of its forms: `--json=true` is one; `otherwise` where it is in none."""
    given = [each.partition("=")[2].lower() for each in options if each == flag or each.startswith(f"{flag}=")]
    return given[-1] not in {"false", "no", "n", "f", "0"} if given else otherwise


def _value_of(options: Sequence[str], *names: str) -> str | None:
    """Give what was said last for an option with these names, as far as it can be told without all the others."""
    found = None
    for number, word in enumerate(options):
        name, joined, value = word.partition("=")
        if name in names:
            found = value if joined else next(iter(options[number + 1 : number + 2]), None)
    return found


def _configured(config: str | None) -> Settings | None:
    """Give the settings without the flags; None where they cannot be read."""
    from provisioner.settings.tables import load

    with suppress(ProvisionerError):
        return load({}, os.environ, Path(config) if config else None)
    return None

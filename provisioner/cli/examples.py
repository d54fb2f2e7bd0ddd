"""Two examples of each command, the ways to begin, and where the documentation is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DOCUMENTATION: Final = "https://github.com/cometchat-provisioner/provisioner/tree/main/docs"
"""As pyproject.toml has it; to ask the installed package for it takes longer than the help."""

Example = tuple[str, str]
"""What is typed, and what it does."""

EXAMPLES: Final[Mapping[str, tuple[Example, ...]]] = {
    "init": (
        ("provisioner init people.xlsx", "look, propose, ask, write provisioner.toml"),
        ("provisioner init hr.csv -o hr.toml", "the same from a script: nobody is asked"),
    ),
    "run": (
        ("provisioner run users.csv --emulator", "a rehearsal: no key, no account"),
        ("provisioner run users.csv -c hr.toml --share 50%", "with a mapping, at half of the app's limit"),
    ),
    "validate": (
        ("provisioner validate users.csv --show 3", "what would be rejected, and the first three requests"),
        ("provisioner validate people.xlsx --strict", "reject what would only be warned of, too"),
    ),
    "plan": (
        ("provisioner plan hr.csv --state hr.db --adopt", "what the first night would do"),
        ("provisioner plan hr.csv --state hr.db -o plan.json", "keep the plan, to be looked through"),
    ),
    "sync": (
        ("provisioner sync hr.csv --state hr.db --adopt", "the first night"),
        ("provisioner sync hr.csv --state hr.db --deactivate-leavers", "every night"),
    ),
    "fleet": (
        ("provisioner fleet tenants.toml", "every tenant's job, one on each core at a time"),
        ("provisioner fleet tenants.toml --jobs 20 --json", "twenty at a time, one summary for a script"),
    ),
    "history": (
        ("provisioner history --state hr.db", "the last two weeks"),
        ("provisioner history --state hr.db -n 3 --json", "three nights, for a script"),
    ),
    "status": (
        ("provisioner status users.results.csv", "how far a run is"),
        ("provisioner status hr.db --json", "what a sync knows, for a script"),
    ),
    "verify": (
        ("provisioner verify users.csv -o users.results.csv", "prove a run"),
        ("provisioner verify hr.csv --state hr.db", "prove a sync"),
    ),
    "undo": (
        ("provisioner undo users.results.csv --dry-run", "what would be taken back"),
        ("provisioner undo users.results.csv --yes", "take it back without being asked"),
    ),
    "merge": (
        ("provisioner merge users.shards -o users.results.csv", "all shards of a roster as one"),
        ("provisioner merge u.csv u.round2.csv -o all.csv", "a run and its mended rows"),
    ),
    "backup": (
        ("provisioner backup users.results.csv /mnt/safe/users.db", "a copy of a run's journal, also in mid-run"),
        ("provisioner backup hr.db /mnt/safe/hr-$(date +%F).db", "a copy of a state, each night"),
    ),
    "report": (
        ("provisioner report users.results.csv", "one page about a run, for a mail"),
        ("provisioner report hr.db", "one page about all nights"),
    ),
    "constraints": (
        ("provisioner constraints", "limits, defects and how to mend them"),
        ("provisioner constraints --json", "the same for a program"),
    ),
    "doctor": (
        ("provisioner doctor", "key, network, limits, disk"),
        ("provisioner doctor --emulator", "all but the key and the network"),
    ),
    "config example": (
        ("provisioner config example", "every key with its default and what it does"),
        ("provisioner config example > provisioner.toml", "the beginning of a config file of one's own"),
    ),
    "config show": (
        ("provisioner config show", "every setting in force, and who says so"),
        ("provisioner config show -c hr.toml --json", "those of a file, for a program"),
    ),
    "emulator": (
        ("provisioner emulator", "a stand-in on port 8765"),
        ("provisioner emulator --port 0", "on any free port"),
    ),
}
"""Command → its examples."""

WAYS: Final[Mapping[str, tuple[Example, ...]]] = {
    "A spreadsheet, once": (
        ("provisioner init people.xlsx", "which column becomes what"),
        ("provisioner run people.xlsx", "create the users"),
    ),
    "An HR export, every night": (
        ("provisioner init hr.csv", "which column becomes what"),
        ("provisioner sync hr.csv --state hr.db --adopt", "later without --adopt"),
    ),
    "Millions from another system": (
        ("provisioner run users.parquet --dry-run", "what would be rejected, and how long it takes"),
        ("provisioner run users.parquet", "stopped or killed: again resumes"),
    ),
}
"""What somebody wants → how to begin."""

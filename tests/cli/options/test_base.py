"""Every option: written once, in the help, and a key of its table when it is given."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli.app import application
from provisioner.cli.options import nightly, output, reading, sending
from provisioner.cli.options.base import Options, given
from provisioner.cli.options.nightly import Plan
from provisioner.cli.options.output import Log, Output
from provisioner.cli.options.reading import PartialReading
from provisioner.cli.options.sending import Rate, Run
from provisioner.settings.tables import Settings

OPTIONS: dict[str, tuple[str | None, str, str, Any]] = {
    "--query": ("SELECT 1", "run", "query", "SELECT 1"),
    "--database": ("sqlite:///a.db", "run", "database", "sqlite:///a.db"),
    "--encoding": ("cp1252", "run", "encoding", "cp1252"),
    "--delimiter": (";", "run", "delimiter", ";"),
    "--escape": ("\\", "run", "escape", "\\"),
    "--header-row": ("3", "run", "header_row", 3),
    "--sheet": ("none", "run", "sheet", "none"),
    "--strict": (None, "run", "strict", True),
    "--shard": ("3/16", "run", "shard", "3/16"),
    "--limit": ("5", "run", "limit", 5),
    "--show": ("3", "run", "show", 3),
    "--on-existing": ("update", "run", "on_existing", "update"),
    "--auth-tokens": ("none", "run", "auth_tokens", "none"),
    "--max-failures": ("5%", "run", "max_failures", "5%"),
    "--no-check-roles": (None, "run", "check_roles", False),
    "--create-roles": (None, "run", "create_roles", True),
    "--dry-run": (None, "run", "dry_run", True),
    "--restart": (None, "run", "restart", True),
    "--restored": (None, "run", "restored", True),
    "--base-url": ("http://127.0.0.1:1/v3", "api", "base_url", "http://127.0.0.1:1/v3"),
    "--emulator": (None, "api", "emulator", True),
    "--requests-per-minute": ("600", "rate", "requests_per_minute", 600),
    "--share": ("70%", "rate", "share", "70%"),
    "--max-in-flight": ("8", "rate", "max_in_flight", 8),
    "--state": ("hr.state", "sync", "state", Path("hr.state")),
    "--deactivate-leavers": (None, "sync", "deactivate_leavers", True),
    "--keep-sessions": (None, "sync", "keep_sessions", True),
    "--max-deactivations": ("7", "sync", "max_deactivations", "7"),
    "--max-rejected": ("2%", "sync", "max_rejected", "2%"),
    "--max-creates": ("40%", "sync", "max_creates", "40%"),
    "--max-updates": ("60%", "sync", "max_updates", "60%"),
    "--grace-nights": ("2", "sync", "grace_nights", 2),
    "--approve": ("gone.csv", "sync", "approve", Path("gone.csv")),
    "--adopt": (None, "sync", "adopt", True),
    "--refresh": (None, "sync", "refresh", True),
    "--max-duration": ("4h", "sync", "max_duration", "4h"),
    "--metrics-file": ("m.prom", "sync", "metrics_file", Path("m.prom")),
    "--yes": (None, "sync", "yes", True),
    "-y": (None, "sync", "yes", True),
    "--output": ("-", "output", "file", Path("-")),
    "-o": ("r.csv", "output", "file", Path("r.csv")),
    "--json": (None, "output", "json", True),
    "--rejected-format": ("xlsx", "output", "rejected_format", "xlsx"),
    "--report": (None, "output", "report", True),
    "--tokens-to": ("t.csv", "output", "tokens_to", Path("t.csv")),
    "--no-progress": (None, "output", "progress", False),
    "--log-format": ("json", "log", "format", "json"),
    "--log-file": ("l.log", "log", "file", Path("l.log")),
    "--verbose": (None, "log", "verbose", True),
    "-v": (None, "log", "verbose", True),
    "--quiet": (None, "log", "quiet", True),
    "-q": (None, "log", "quiet", True),
}
"""Option → a value for it, the table and the key it goes to, and what stands there then."""

NO_SETTINGS = {"--config", "-c"}
COMMANDS = ("run", "validate", "plan", "sync", "verify")


@cache
def options_of(command: str) -> set[str]:
    """Every option of a command, long and short."""
    arguments = application()[command].assemble_argument_collection()
    return {name for each in arguments if each.show for name in each.names if name.startswith("-")}


def settings_of(command: str) -> set[str]:
    """Those of them that are settings."""
    return options_of(command) - NO_SETTINGS - ({"--yes", "-y"} if command == "run" else set())


def tables_of(command: str, *words: str) -> dict[str, dict[str, Any]]:
    """The tables of settings that the options of a command become."""
    _, bound, _ = application().parse_args([command, "users.csv", *words], print_error=False, exit_on_error=False)
    return given(*(each for each in bound.kwargs.values() if isinstance(each, Options)))


@pytest.mark.sampled
@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_goes_to_its_table_and_key(command: str) -> None:
    """One option gives one key of one table and nothing else, also beside all others; none is left out of this test."""
    options = settings_of(command)
    assert options <= set(OPTIONS)
    # Each is written once, whatever command takes it, so it is tried alone with the first of them.
    alone = {each for each in options if command == next(one for one in COMMANDS if each in settings_of(one))}
    words, together = [], dict[str, dict[str, Any]]()
    for option in options:
        text, table, key, value = OPTIONS[option]
        word = option if text is None else f"{option}={text}"
        if option in alone:
            assert tables_of(command, word) == {table: {key: value}}, option
        if key not in together.get(table, {}):  # `-q` and `-v` are one key, as are the long and the short forms
            words.append(word)
            together.setdefault(table, {})[key] = value
    assert tables_of(command, *words) == together


def test_every_option_is_taken_by_some_command() -> None:
    """The table above holds no option that is gone."""
    assert set().union(*(options_of(command) for command in COMMANDS)) - NO_SETTINGS == set(OPTIONS)


@pytest.mark.parametrize(("option", "case"), OPTIONS.items())
def test_each_option_is_a_setting(option: str, case: tuple[str | None, str, str, Any]) -> None:
    """What it says can be set: the table has the key."""
    _, table, key, _ = case
    model = Settings.model_fields[table].annotation
    assert isinstance(model, type)
    assert key in {each.alias or name for name, each in model.model_fields.items()}, option


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_given_is_nothing_set(command: str) -> None:
    """Defaults are those of the settings, so that the environment and the file can say otherwise."""
    assert tables_of(command) == {}


def test_an_option_is_written_once() -> None:
    """Two classes hold the same option only where one is made of the other, or where it means something else."""
    groups = {
        each
        for module in (nightly, output, reading, sending)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Options) and each is not Options
    }
    written = [(each.TABLE, name) for each in groups for name in each.__annotations__ if name != "TABLE"]
    assert sorted({each for each in written if written.count(each) > 1}) == [
        ("output", "file"),
        ("output", "tokens_to"),
        ("run", "encoding"),
        ("run", "shard"),
        ("run", "show"),
    ]


def test_given_keeps_what_was_given_and_turns_no_off() -> None:
    """Groups of the same table are one table; a flag that turns off says False; a group that is None says nothing."""
    groups = (PartialReading(limit=0), Run(no_check_roles=True, dry_run=False), None, Rate(), Log(quiet=True))
    assert given(*groups, Output(file=Path("x"), no_progress=True), Plan()) == {
        "run": {"limit": 0, "check_roles": False, "dry_run": False},
        "log": {"quiet": True},
        "output": {"file": Path("x"), "progress": False},
    }

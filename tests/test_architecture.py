"""The shape of the code: a pure core, edges around it, one way for imports. Read from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import provisioner

PACKAGE = Path(provisioner.__file__).parent

CORE = frozenset(
    {
        "model", "errors", "constraints", "retry", "diagnosis", "health",
        "columns", "mapping", "fieldsource", "uidcode", "cells", "jsontext", "tags", "metatree", "metadata", "bodies",
        "rules", "validator", "comparison", "guards", "profile", "quantities", "digits", "emails",
        "lint", "lookalikes", "sightings",
    }
)  # fmt: skip
"""Decisions: given the same values they give the same answer. They ask no clock, no network, no disk, no dice."""

WORLD = frozenset(
    {
        "aiohttp", "aiolimiter", "asyncio", "concurrent", "fcntl", "io", "logging", "multiprocessing", "os", "pathlib",
        "random", "requests", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "structlog",
        "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid", "uvloop", "yarl",
    }
)  # fmt: skip

HOMES = {
    "aiohttp": {"client"},
    "multidict": {"client"},
    "yarl": {"client"},
    "ssl": {"client"},
    "aiolimiter": {"pacing"},
    "sqlite3": {"directory", "history", "journal", "journalhealth", "schema", "state"},
    "fcntl": {"journalhealth", "lock"},
    "tomllib": {"config"},
    "pydantic": {"settings"},
    "typer": {"arguments", "cli", "cli_look", "cli_run", "cli_sync", "commandline"},
    "uvloop": {"session"},
    "signal": {"__main__", "session"},
    "traceback": {"crash"},
    "gzip": {"compressed"},
    "backports": {"compressed"},
    "glob": {"sources"},
    "fastexcel": {"workbook"},
}
"""Foreign thing → the modules of ours that may know it, lazily or not. The emulator is a program of its own."""

ROSTER_HALF = frozenset(
    {
        "reader", "csvfile", "csvheader", "parquetfile", "survey", "textstream", "validator",
        "compressed", "origin", "several", "signature", "sources",
        "ndjsonfile", "ndjsonline", "remote", "workbook",
        "findings", "report", "constraintlist", "repeats",
    }
)  # fmt: skip
NETWORK_HALF = frozenset(
    {"changes", "client", "exchange", "lifecycle", "pacing", "retry", "roles", "stopper", "workers"}
)

WITHOUT_POLARS = NETWORK_HALF | {
    "arguments", "cli", "cli_look", "cli_run", "cli_sync", "commandline", "config", "configshow",
    "crash", "doctor", "errors", "health", "journal", "journalhealth", "lock", "logs", "schema",
    "model", "outputs", "settings", "values", "compressed", "origin", "signature", "sources",
}  # fmt: skip


def name_of(file: Path) -> str:
    """The module's name below the package: `journal`, `emulator.store`, and "" for the package itself."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


FILES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}
OURS = frozenset(name for name in FILES if not name.startswith("emulator"))
EMULATOR = frozenset(FILES) - OURS


@cache
def imports(module: str, *, lazy: bool) -> frozenset[str]:
    """Everything a module imports, as full names; what only type checkers see is left out."""
    return frozenset(_imports(ast.parse(FILES[module].read_text(encoding="utf-8")), lazy=lazy))


def _imports(node: ast.AST, *, lazy: bool) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy:
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _imports(child, lazy=lazy)


def foreign(module: str) -> frozenset[str]:
    """The packages outside ours that a module knows, lazily or not."""
    return frozenset(name.partition(".")[0] for name in imports(module, lazy=True)) - {"provisioner"}


def neighbours(module: str, *, lazy: bool) -> frozenset[str]:
    """The modules of ours that a module imports."""
    found = set()
    for name in imports(module, lazy=lazy):
        parts = name.split(".")[1:] if name.startswith("provisioner.") else None
        if parts is not None:
            # `from provisioner.journal.journal import Journal` and `from provisioner import journal`
            found.add(next((".".join(parts[:n]) for n in (2, 1) if ".".join(parts[:n]) in FILES), ""))
    return frozenset(found)


def reach(module: str) -> frozenset[str]:
    """Every module of ours that comes along when this one is imported."""
    seen: set[str] = set()
    open_ends = [module]
    while open_ends:
        for name in neighbours(open_ends.pop(), lazy=False) - seen:
            seen.add(name)
            open_ends.append(name)
    return frozenset(seen)


@pytest.mark.parametrize("module", sorted(CORE))
def test_the_core_knows_no_clock_no_network_and_no_disk(module: str) -> None:
    """Decisions are tables and functions of their arguments, whoever they import."""
    assert {name: foreign(name) & WORLD for name in {module, *reach(module)} if foreign(name) & WORLD} == {}


def test_the_core_does_not_open_files_or_print() -> None:
    """What needs no import is not called either: `open`, `print`, `input`, or a clock by way of `datetime`."""
    calls = {
        (name, ast.unparse(node.func))
        for name in CORE
        for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    assert {call for call in calls if call[1] in {"open", "print", "input", "exec", "eval", "__import__"}} == set()
    assert {call for call in calls if call[1].endswith((".now", ".today", ".utcnow", ".read_text"))} == set()


@pytest.mark.parametrize("library", sorted(HOMES))
def test_each_foreign_thing_has_one_home(library: str) -> None:
    """HTTP ends in the client, SQLite in the journal: replacing one means reading one module."""
    assert {name for name in OURS if library in foreign(name)} <= HOMES[library]


@pytest.mark.parametrize("module", sorted(WITHOUT_POLARS))
def test_polars_stays_where_batches_are(module: str) -> None:
    """It takes longer to load than the rest together: neither the command line nor the network half needs it."""
    assert "polars" not in foreign(module)


@pytest.mark.parametrize("module", sorted(ROSTER_HALF))
def test_the_roster_half_knows_nothing_of_sending(module: str) -> None:
    """`validate` is offline by construction."""
    strangers = NETWORK_HALF | {"journal", "recorder", "pipeline", "session"}
    assert strangers & reach(module) == set()


@pytest.mark.parametrize("module", sorted(NETWORK_HALF))
def test_the_network_half_knows_nothing_of_rosters_journals_and_settings(module: str) -> None:
    """It takes requests and gives settlements; who reads, records and configures is none of its business."""
    strangers = ROSTER_HALF | {"journal", "recorder", "results", "settings", "pipeline", "session", "progress"}
    assert strangers & reach(module) == set()


def test_imports_go_one_way() -> None:
    """No cycle, not even a lazy one, and the top of the tree is imported by nobody below it."""
    graph = {name: neighbours(name, lazy=True) - {name} for name in FILES}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other: {' → '.join(error.args[1])}")
    assert set(order) >= set(FILES)
    importers = {top: {name for name in OURS if top in graph[name]} for top in ("cli", "session", "pipeline")}
    assert importers == {
        "cli": {"__main__"},
        "session": {"cli_run", "nightsession"},
        "pipeline": {"preview", "session", "syncing"},
    }


@pytest.mark.parametrize("module", sorted(EMULATOR))
def test_the_emulator_imports_nothing_of_ours(module: str) -> None:
    """An independent reading of the API: a mistake in the client is not repeated in it."""
    assert neighbours(module, lazy=True) <= EMULATOR


def test_the_emulators_server_is_imported_only_when_it_is_started() -> None:
    """The command line knows the emulator's options, the session starts it when asked to; nobody else knows it."""
    known = {name: neighbours(name, lazy=True) & EMULATOR for name in OURS}
    assert {name: found for name, found in known.items() if found} == {
        "doctor": {"emulator"},
        "session": {"emulator"},
    }
    assert neighbours("session", lazy=False) & EMULATOR == set()
    assert "emulator.server" not in reach("cli")


@pytest.mark.parametrize("module", sorted(FILES))
def test_every_module_says_what_it_is(module: str) -> None:
    """The first line of a file is one sentence; names are nouns of the product, never a drawer for odds and ends."""
    said = ast.get_docstring(ast.parse(FILES[module].read_text(encoding="utf-8")))
    assert said
    assert said.splitlines()[0].endswith((".", ":", "?")), said.splitlines()[0]
    assert not {"utils", "util", "helpers", "helper", "common", "misc"} & set(module.split("."))


def test_nothing_is_read_or_started_at_import() -> None:
    """Loading the command line costs no library that only a run needs, and no thread."""
    heavy = (
        "aiohttp", "aiolimiter", "asyncio", "orjson", "polars", "pydantic", "rich", "sqlite3", "structlog", "uvloop",
        "yarl", "provisioner.inspection.doctor", "provisioner.run.session", "provisioner.settings.tables", "provisioner.emulator.server",
    )  # fmt: skip
    code = f"""
import sys, threading
import provisioner.cli.app, provisioner.cli_run, provisioner.cli_sync, provisioner.cli_look, provisioner.emulator.command
print([name for name in {heavy!r} if name in sys.modules], threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[] 1\n", "")

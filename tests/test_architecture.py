"""The shape of the code: folders of one idea, a pure core, edges around it. Read from the sources.

Who may import whom is held by the contracts of import-linter in pyproject.toml (`make lint`). What those cannot say is
held here.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import provisioner
from tests.rig.house import Folder, folders

PACKAGE = Path(provisioner.__file__).parent
TESTS = Path(__file__).parent

CORE = frozenset(
    {
        "errors", "model", "wording",
        "validation.constraints", "validation.uidnumbers", "validation.rules",
        "validation.warnings",
        "validation.fields",
        "sending.calls", "sending.retry", "sending.verdicts",
        "settings.values",
        "sync.plan.decision", "sync.plan.guards", "sending.users.canonical", "sending.users.profile",
        "sending.users.trace",
        "inspection.doctor.diagnosis", "inspection.doctor.connection", "inspection.doctor.machine",
        "inspection.proof.stored",
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

VALUES = ("urllib.parse.", "uuid.UUID", "uuid.NAMESPACE_")
"""What only makes values of values, in modules that do more than that."""

BROUGHT_ALONG = {
    "stop": {"asyncio"},  # a verdict names the `Stop` it asks for; beside it stands the switch, which wakes others
}
"""What the core imports for a value or a pure function, from a room that holds more than that."""

HOMES = {
    "aiohttp": {"sending.client"},
    "multidict": {"sending.client"},
    "yarl": {"sending.client"},
    "ssl": {"sending.client"},
    "aiolimiter": {"sending.slots.limiter"},
    "adbc_driver_manager": {"roster.database.postgresql"},
    "adbc_driver_postgresql": {"roster.database.postgresql"},
    "nanoarrow": {"roster.database.postgresql"},
    "pymysql": {"roster.database.mysql"},
    "sqlite3": {
        "roster.database.sqlite",
        "journal",
        "inspection.doctor.journalhealth",
        "inspection.proof",
        "inspection.record",
        "sync.plan.directory",
    },
    "fcntl": {"files.writing"},
    "tomllib": {"settings.layers"},
    "pydantic": {"settings", "run.unchanged.ending"},
    "cyclopts": {"cli"},
    "rich": {"fleet.summary", "fleet.view", "inspection", "results", "run", "sync"},
    "msgspec": {"roster.formats.ndjsonline"},
    "xlsxwriter": {"results.formats.sheet"},
    "uvloop": {"run.runtime"},
    "signal": {"__main__", "run.runtime", "fleet.local.left", "fleet.local.processes"},
    "traceback": {"cli.boundary"},
    "gzip": {"roster.files.compression"},
    "backports": {"roster.files.compression"},
    "glob": {"roster.files.inputs", "roster.files.folders"},
    "zipfile": {"roster.workbook.package", "roster.files.archive", "roster.files.compression"},
    "xml": {"roster.workbook.package"},
    "polars": {
        "roster", "validation", "results", "run.admission", "run.intake", "run.rounds.returning",
        "run.unchanged.question", "sync", "inspection.proof.proof", "inspection.proposal.evidence",
        "inspection.report.sources",
    },
    "altair": {"inspection.report.figures"},
    "vl_convert": {"inspection.report.figures"},
    "jinja2": {"inspection.report.page"},
    "markupsafe": {"inspection.report.page"},
}  # fmt: skip
"""Foreign thing → the rooms and folders of ours that may know it, lazily or not. The emulator is its own program."""

TESTED_ELSEWHERE = {
    "fleet.cluster.hub": "fleet/cluster/test_worker.py",
    "sending.slots.actor": "fleet/cluster/test_worker.py",
    "cli.commands.fleet": "journeys/test_fleet.py",
    "cli.commands.inspection": "inspection/test_settinglist.py",
    "cli.commands.backup": "journeys/test_backup.py",
    "cli.commands.merge": "journeys/test_shards.py",
    "cli.commands.proof": "journeys/test_proof.py",
    "cli.commands.report": "journeys/test_report.py",
    "cli.commands.undo": "journeys/test_undo.py",
    "cli.examples": "cli/test_helppage.py",
    "cli.options.arguments": "pages/test_docs.py",
    "cli.options.nightly": "cli/options/test_base.py",
    "cli.options.output": "cli/options/test_base.py",
    "cli.options.reading": "cli/options/test_base.py",
    "cli.options.sending": "cli/options/test_base.py",
    "cli.usage": "pages/test_docs.py",
    "fleet.engine": "journeys/test_fleet.py",
    "fleet.local.left": "journeys/test_fleet.py",
    "fleet.standing": "fleet/test_conductor.py",
    "inspection.proof.command": "journeys/test_proof.py",
    "inspection.proof.proof": "journeys/test_proof.py",
    "inspection.proposal.evidence": "inspection/proposal/test_choice.py",
    "inspection.proposal.names": "inspection/proposal/test_choice.py",
    "inspection.proposal.opening": "inspection/proposal/test_command.py",
    "inspection.proposal.proof": "inspection/proposal/test_command.py",
    "inspection.proposal.screen": "inspection/proposal/test_command.py",
    "inspection.proposal.uids": "inspection/proposal/test_choice.py",
    "journal.undo.overwrites": "journal/undo/test_undojournal.py",
    "journal.undo.reversals": "journal/undo/test_undojournal.py",
    "journal.undo.telling": "journal/undo/test_undojournal.py",
    "results.merging.shards": "results/merging/test_merge.py",
    "roster.database.answer": "roster/database/test_sqlite.py",
    "roster.files.archive": "journeys/cases/test_packed.py",
    "roster.formats.jsoncut": "journeys/cases/test_json.py",
    "roster.formats.jsondefect": "journeys/cases/test_json.py",
    "roster.formats.jsonfile": "journeys/cases/test_json.py",
    "roster.formats.parquetfooter": "journeys/cases/test_parquet_types.py",
    "roster.formats.parquettypes": "journeys/cases/test_parquet_types.py",
    "roster.wrapped": "journeys/cases/test_folders.py",
    "results.formats.plaintext": "results/test_rejections.py",
    "run.undo.course": "journeys/test_undo.py",
    "run.undo.keeping": "journeys/test_undo.py",
    "run.undo.listing": "journeys/test_undo.py",
    "run.undo.reasons": "pages/test_undo.py",
    "run.undo.reversal": "journeys/test_undo.py",
    "run.undo.summary": "journeys/test_undo.py",
    "sending.slots.source": "sending/test_pacing.py",
    "sending.life.row": "sending/life/test_lifecycle.py",
    "sending.life.steps": "sending/life/test_lifecycle.py",
    "sending.users.failures": "sending/life/test_lifecycle.py",
    "settings.password": "journeys/test_query.py",
    "settings.problems": "settings/test_tables.py",
    "validation.vocabulary.particulars": "validation/vocabulary/test_recognition.py",
    "validation.vocabulary.synonyms": "validation/vocabulary/test_recognition.py",
}
"""Modules without a test file of their name, and where what they promise is tested instead."""

WITHOUT_POLARS = frozenset(
    {"__main__", "cli", "sending", "journal", "settings", "inspection.doctor.command", "inspection.settinglist"}
)
"""What loads without polars, with all that comes along with it."""


def name_of(file: Path) -> str:
    """The module's name below the package: `stop`, `emulator.app.store`, and "" for the package itself."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


FILES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}
MODULES = sorted(name for name, file in FILES.items() if file.name != "__init__.py")


def within(name: str, rooms: Iterable[str]) -> bool:
    """Whether a module is one of these rooms or stands in one of these folders."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


OURS = frozenset(name for name in FILES if not within(name, {"emulator"}))
EMULATOR = frozenset(FILES) - OURS
CORE_MODULES = sorted(name for name in MODULES if within(name, CORE))


def place_of_tests(module: str) -> Path:
    """Where the tests of a module are, below `tests/`."""
    *above, name = module.split(".")
    return Path(*above, f"test_{name.strip('_')}.py")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str, *, lazy: bool) -> frozenset[str]:
    """Everything a module imports, as full names; what only type checkers see is left out."""
    return frozenset(_imports(tree_of(module), lazy=lazy))


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


def worldly(module: str) -> frozenset[str]:
    """What a module knows of the world outside its arguments; to take an address apart is none of it."""
    return (
        frozenset(name.partition(".")[0] for name in imports(module, lazy=True) if not name.startswith(VALUES)) & WORLD
    )


def neighbours(module: str, *, lazy: bool) -> frozenset[str]:
    """The modules of ours that a module imports."""
    found = set()
    for name in imports(module, lazy=lazy):
        parts = name.split(".")
        if parts[0] == "provisioner":
            # `from provisioner.journal.journal import Journal` and `from provisioner.journal import journal`
            ends = (".".join(parts[1:end]) for end in range(len(parts), 0, -1))
            found.add(next(end for end in ends if end in FILES))
    return frozenset(found)


def reach(module: str) -> frozenset[str]:
    """Every module of ours that comes along when this one is imported."""
    known: set[str] = set()
    open_ends = [module]
    while open_ends:
        for name in neighbours(open_ends.pop(), lazy=False) - known:
            known.add(name)
            open_ends.append(name)
    return frozenset(known)


def test_the_rooms_named_here_exist() -> None:
    """A list that names what has moved on would hold nothing."""
    named = {*CORE, *WITHOUT_POLARS, *BROUGHT_ALONG, *(room for rooms in HOMES.values() for room in rooms)}
    assert named - set(FILES) == set()


@pytest.mark.parametrize("module", CORE_MODULES)
def test_the_core_knows_no_clock_no_network_and_no_disk(module: str) -> None:
    """Decisions are tables and functions of their arguments, whoever they import."""
    known = {name: worldly(name) - BROUGHT_ALONG.get(name, set()) for name in {module, *reach(module)}}
    assert {name: found for name, found in known.items() if found} == {}


def test_the_core_does_not_open_files_or_print() -> None:
    """What needs no import is not called either: `open`, `print`, `input`, or a clock by way of `datetime`."""
    calls = {
        (name, ast.unparse(node.func))
        for name in CORE_MODULES
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Call)
    }
    assert {call for call in calls if call[1] in {"open", "print", "input", "exec", "eval", "__import__"}} == set()
    assert {call for call in calls if call[1].endswith((".now", ".today", ".utcnow", ".read_text"))} == set()


@pytest.mark.parametrize("library", sorted(HOMES))
def test_each_foreign_thing_has_one_home(library: str) -> None:
    """HTTP ends in the client, SQLite in the journal: replacing one means reading one room."""
    assert {name for name in OURS if library in foreign(name) and not within(name, HOMES[library])} == set()


@pytest.mark.parametrize("module", [name for name in MODULES if within(name, WITHOUT_POLARS)])
def test_polars_stays_where_batches_are(module: str) -> None:
    """It takes longer to load than the rest together: neither the command line nor the network half needs it."""
    assert {name for name in {module, *reach(module)} if "polars" in foreign(name)} == set()


@pytest.mark.slow
def test_imports_go_one_way() -> None:
    """No cycle, not even a lazy one."""
    graph = {name: neighbours(name, lazy=True) - {name} for name in FILES}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other: {' → '.join(error.args[1])}")
    assert set(order) >= set(FILES)


def test_the_emulators_server_is_imported_only_when_it_is_started() -> None:
    """A run and `doctor` start it when they are asked to; nobody else knows it, and it never comes along."""
    starting = {name for name in OURS if neighbours(name, lazy=True) & EMULATOR}
    assert {name for name in starting if not within(name, {"run", "inspection.doctor.command"})} == set()
    assert {name for name in OURS if neighbours(name, lazy=False) & EMULATOR} == set()


def test_nothing_is_read_or_started_at_import() -> None:
    """Loading the command line costs no library that only a run needs, and no thread."""
    heavy = (
        "aiohttp", "aiolimiter", "asyncio", "orjson", "polars", "pydantic", "rich", "sqlite3", "structlog", "uvloop",
        "yarl", "provisioner.inspection.doctor.command", "provisioner.run.runtime", "provisioner.settings.tables",
        "provisioner.emulator.server",
    )  # fmt: skip
    commands = ", ".join(f"provisioner.{name}" for name in MODULES if within(name, {"cli", "emulator.command"}))
    code = f"""
import sys, threading
import {commands}
print([name for name in {heavy!r} if name in sys.modules], threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[] 1\n", "")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    """The first line of a file is one sentence; names are nouns of the product, never a drawer for odds and ends."""
    docstring = ast.get_docstring(tree_of(module))
    assert docstring
    first = docstring.splitlines()[0]
    assert first[0].isupper() or first.startswith("`")
    assert first.endswith((".", ":", "?")), first
    assert not {"utils", "util", "helpers", "helper", "common", "misc"} & set(module.split("."))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_read_in_one_sitting(module: str) -> None:
    """It has 320 lines at most."""
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= 320


def test_every_module_has_its_tests() -> None:
    """In the mirrored place, under its name; whoever changes a module knows where its promises stand."""
    without = {name for name in MODULES if not (TESTS / place_of_tests(name)).exists()}
    assert without == set(TESTED_ELSEWHERE)
    assert {name for name in without if not (TESTS / TESTED_ELSEWHERE[name]).exists()} == set()


@pytest.mark.parametrize("folder", folders(PACKAGE), ids=str)
def test_a_folder_says_what_it_is_and_what_stands_in_it(folder: Folder) -> None:
    """One sentence, and one line for each room and each folder in it; nine rooms at most. It re-exports nothing."""
    assert folder.sentence.endswith(".")
    assert sorted(name for name, _ in folder.rooms) == sorted(folder.standing)
    assert len([name for name in folder.standing if not name.endswith("/") and name != "__main__"]) <= 9
    body = ast.parse((folder.path / "__init__.py").read_text(encoding="utf-8")).body
    assert [ast.unparse(each).partition(" = ")[0] for each in body[1:]] == (
        ["__version__"] if folder.path == PACKAGE else []
    )

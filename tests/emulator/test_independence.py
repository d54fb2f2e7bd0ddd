import ast
import sys
from pathlib import Path

import provisioner.emulator

PACKAGE = Path(provisioner.emulator.__file__).parent
ALLOWED = {"aiohttp", "cyclopts", "orjson"}


def imports(path: Path) -> set[str]:
    """Give the modules a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found.add(node.module or "")
    return found


def foreign(path: Path) -> set[str]:
    return {
        name
        for name in imports(path)
        if not name.startswith("provisioner.emulator")
        and name.partition(".")[0] not in ALLOWED | sys.stdlib_module_names
    }


def test_the_emulator_shares_no_code_with_the_client() -> None:
    """An independent reading of the API: nothing of ours but the emulator itself is imported."""
    assert {path.name: foreign(path) for path in PACKAGE.rglob("*.py") if foreign(path)} == {}


def test_only_the_edges_know_http() -> None:
    """Store, validation, limits, faults and endpoints hold no I/O: aiohttp is imported at the edge alone."""
    users = {path.stem for path in PACKAGE.rglob("*.py") if any(n.startswith("aiohttp") for n in imports(path))}
    assert users == {"control", "delivery", "exchange", "server"}

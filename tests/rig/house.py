"""The folders of the package as their `__init__` describes them: a sentence, then a line for each room.

`python -m tests.rig.house` writes the map of docs/how-it-works.md from them.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from tests.rig.command import PACKAGE, ROOT

PAGE = ROOT / "docs" / "how-it-works.md"
HEAD = "| folder | what it is | rooms |\n| --- | --- | --- |\n"
WAY_DOWN = ("cli", "inspection", "sync", "run", "results", "settings", "validation", "roster", "journal", "sending")
"""The folders in the order in which they import each other; what is not named here comes last."""

_ROOM = re.compile(r"^(\w+/?) {2,}(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the package.

    sentence  what it is
    rooms     what it says stands in it, in its order: name (a folder's ends in `/`) and what that is
    standing  what does stand in it
    """

    path: Path
    sentence: str
    rooms: tuple[tuple[str, str], ...]
    standing: frozenset[str]

    def __str__(self) -> str:
        return self.path.name


def folders(package: Path) -> list[Folder]:
    """Every folder with code in it, from the top down, a folder before those within it."""
    return [_folder(file.parent) for file in sorted(package.rglob("__init__.py"), key=lambda file: file.parent.parts)]


def _folder(path: Path) -> Folder:
    docstring = ast.get_docstring(ast.parse((path / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = {file.stem for file in path.glob("*.py")} - {"__init__"}
    within = {f"{file.parent.name}/" for file in path.glob("*/*.py")}
    rooms = tuple((name, what) for name, what in _ROOM.findall(docstring))
    return Folder(path, docstring.partition("\n")[0], rooms, frozenset(modules | within))


def rank(folder: Folder) -> tuple[int, tuple[str, ...]]:
    """Where a folder stands on the map: the package itself, then from top to bottom, each before those within it."""
    parts = folder.path.relative_to(PACKAGE).parts
    if not parts:
        return -1, parts
    return WAY_DOWN.index(parts[0]) if parts[0] in WAY_DOWN else len(WAY_DOWN), parts


def drawn() -> str:
    """The map: one row for each folder, with its sentence and its rooms."""
    rows = []
    for folder in sorted(folders(PACKAGE), key=rank):
        rooms = ", ".join(f"`{name}`" for name, _ in folder.rooms if not name.endswith("/"))
        rows.append(f"| `{folder.path.relative_to(PACKAGE.parent)}/` | {folder.sentence} | {rooms} |\n")
    return "".join(rows)


def on_the_page() -> str:
    """The map as the page has it now."""
    return PAGE.read_text(encoding="utf-8").split(HEAD, 1)[1].split("\n\n", 1)[0] + "\n"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(HEAD + on_the_page(), HEAD + drawn()), encoding="utf-8")

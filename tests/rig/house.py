"""The folders of the package as their `__init__` describes them: a sentence, then a line for each room."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

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

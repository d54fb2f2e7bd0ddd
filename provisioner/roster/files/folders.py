"""Folders and patterns of parts: which files are the roster, and the columns that the names of folders are."""

from __future__ import annotations

import glob
import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Final, NamedTuple
from urllib.parse import unquote

from provisioner.errors import RosterError

_PARTITION: Final = re.compile(r"([^=]+)=(.*)", re.DOTALL)
_NOTHING: Final = "__HIVE_DEFAULT_PARTITION__"
# Begin of a name → it is none of the data: what Spark and Hadoop write beside their parts, hidden files, and the lock
# of a workbook that somebody has open.
_ASIDE: Final = ("_", ".", "~$")
# What systems put beside files, and what is written about them: no rows, and yet texts of a kind that is read.
_LITTER: Final = frozenset({"thumbs.db", "desktop.ini"})
# Only as a whole: license_holders.json and staff_manifest.json may be people.
_ABOUT: Final = re.compile(
    r"(?:read[ _-]?me(?:[ _-]?first)?|licen[cs]e|copying|notice|change[ _-]?log)(?:\.(?:txt|md|rst|html?|pdf))?|"
    r"(?:manifest|metadata|schema|version)(?:\.(?:txt|json|ya?ml|xml))?|"
    r"(?:checksums?|(?:md5|sha\d*)(?:sums?)?)(?:\.txt)?",
    re.IGNORECASE,
)
# Folder within a folder → what keeps older versions of the rows beside the current ones there.
_VERSIONED: Final = {"_delta_log": "a Delta table", ".hoodie": "a Hudi table"}


class Found(NamedTuple):
    """Files, in order: those that are the roster, and those about them that are left out, each by its name alone."""

    rosters: Sequence[str]
    about: Sequence[str] = ()


def rosters_among(names: Sequence[str]) -> Found:
    """Leave out of several files those about them, by their names: README.txt, manifest.json; never all of them."""
    litter = [name for name in names if PurePath(name).name.lower() in _LITTER]
    about = [name for name in names if _ABOUT.fullmatch(PurePath(name).name)]
    rosters = [name for name in names if name not in {*litter, *about}]
    return Found(rosters, about) if rosters else Found(names)


def parts_of_folder(folder: str) -> Found:
    """Name all files in a folder and in those within it, in order; what begins with `_`, `.` or `~$` is none.

    Raises RosterError when there is none, or when the folder holds the files of earlier versions as well.
    """
    found = rosters_among(list(_walk(Path(folder))))
    if not found.rosters:
        raise RosterError(f"{folder} is a folder without a roster in it; name a file, or a folder of parts")
    return found


def parts_of_pattern(pattern: str) -> Found:
    """Name all files that a pattern fits, in order; of a folder that it fits, all in it, of which there may be none.

    Files about others are left out where the pattern fits any name, as `*` does. Raises RosterError when there is none.
    """
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - pathlib takes no absolute pattern
    kept = [match for match in matches if not _is_aside(match, pattern)]
    # `**` gives folders and what is in them too.
    folders = [] if "**" in pattern else [match for match in kept if is_folder(match)]
    named = [match for match in kept if not is_folder(match)]
    within = [rosters_among(list(_walk(Path(folder)))) for folder in folders]
    rosters = sorted([*named, *(part for found in within for part in found.rosters)])
    if not rosters:
        raise RosterError(f"{pattern}: no file matches")
    found = Found(rosters) if PurePath(pattern).name.strip("*?.") else rosters_among(rosters)
    return Found(found.rosters, sorted([*found.about, *(part for each in within for part in each.about)]))


def pattern_of(names: Sequence[str], families: Iterable[str], compressions: Iterable[str]) -> str:
    """Give a pattern for the files with the commonest of these suffixes, wherever they are below all of the files."""
    suffixes = [f"{family}{packed}" for packed in ("", *compressions) for family in families]
    paths = [PurePath(name) for name in names]
    counts = Counter(suffix for path in paths for suffix in suffixes if path.name.lower().endswith(suffix))
    ending = max(counts, key=lambda suffix: (counts[suffix], len(suffix)), default=suffixes[0])
    above = PurePath(os.path.commonpath([path.parent for path in paths]))
    within = any(path.parent != above for path in paths if path.name.lower().endswith(ending))
    return str(PurePath(glob.escape(str(above)), *(["**"] if within else []), f"*{ending}"))


def is_pattern(argument: str) -> bool:
    """Tell a pattern from the name of a file that is there."""
    return glob.has_magic(argument) and not os.path.lexists(argument)


def fitting(argument: str, files: Sequence[str]) -> Iterator[str]:
    """Give those files that a folder or a pattern would give if they were there.

    files  whole paths through links, sorted: those below one folder are found without a look at all others
    """
    parts = PurePath(os.path.normpath(argument)).parts
    magic = (number for number, part in enumerate(parts) if glob.has_magic(part))
    plain = next(magic, len(parts)) if is_pattern(argument) else len(parts)
    begin = os.path.join(os.path.realpath(PurePath(*parts[:plain])), "")  # noqa: PTH118 - with what separates the rest
    for at in range(bisect_left(files, begin), len(files)):
        if not files[at].startswith(begin):
            return
        if _fits(PurePath(files[at][len(begin) :]).parts, parts[plain:]):
            yield files[at]


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a pattern fits a file or a folder above it, both as their parts."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_fits(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def folder_title(argument: str) -> str:
    """Give the name of a folder of parts without its suffix; nothing for what is no folder."""
    return PurePath(os.path.realpath(argument)).stem if is_folder(argument) else ""


def is_folder(where: str) -> bool:
    """Tell a folder from what is none, or cannot be looked at."""
    try:
        return Path(where).is_dir()
    except (OSError, ValueError):
        return False


def partitions(where: str) -> tuple[tuple[str, str | None], ...]:
    """Read the folders right above a file that are named as Hive names partitions.

    people/dept=R%26D/year=2026/part-0.parquet → (("dept", "R&D"), ("year", "2026"))
    """
    found: list[tuple[str, str | None]] = []
    for folder in reversed(PurePath(where).parts[:-1]):
        match = _PARTITION.fullmatch(folder)
        if match is None:
            break
        found.insert(0, (unquote(match[1]), None if match[2] == _NOTHING else unquote(match[2])))
    return tuple(found)


def _walk(folder: Path) -> Iterator[str]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise RosterError(f"{folder} cannot be read: {error.strerror or error}") from error
    for entry in entries:
        if entry.name in _VERSIONED:
            message = f"{folder} is {_VERSIONED[entry.name]}: it holds rows of earlier versions beside the current ones"
            raise RosterError(f"{message}; write the current ones out as Parquet")
        if entry.name.startswith(_ASIDE):
            continue
        try:
            is_a_folder = entry.is_dir()
        except OSError as error:  # a link into a folder that may not be looked into
            raise RosterError(f"{entry} cannot be read: {error.strerror or error}") from error
        if is_a_folder:
            if not _leads_up(entry):
                yield from _walk(entry)
        else:
            yield str(entry)


def _leads_up(folder: Path) -> bool:
    """Tell a link to a folder that it is in itself: what is there is found without it."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _is_aside(match: str, pattern: str) -> bool:
    """Tell what a pattern fits only because it fits anything."""
    asked = set(PurePath(pattern).parts)
    meant = {part[0] for part in asked if part.startswith(("_", ".", "~"))}
    return any(
        part.startswith(_ASIDE) and part not in {".", ".."} and part not in asked and part[0] not in meant
        for part in PurePath(match).parts
    )

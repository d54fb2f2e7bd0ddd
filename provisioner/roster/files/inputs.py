"""What the ROSTER arguments mean: files, patterns of files, standard input, addresses. Known from the names alone."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from provisioner.errors import RosterError
from provisioner.files.cures import foreign_name
from provisioner.roster.database.address import PREFIX, SCHEME
from provisioner.roster.files.folders import (
    Found,
    folder_title,
    is_folder,
    is_pattern,
    partitions,
    parts_of_folder,
    parts_of_pattern,
    pattern_of,
)

STANDARD_INPUT: Final = "-"

FAMILIES: Final = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "workbook",
    ".zip": "zip",
}
"""Suffix → what is in a file of that name."""

TEXTS: Final = frozenset({"csv", "tsv", "ndjson", "json"})
_LINES: Final = {".json": "ndjson"}  # what the rejected rows of such a file are lines of
COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}

_SCHEMES: Final = frozenset({"s3", "gs", "az", "abfss", "http", "https"})
# A log-in with a password in front of the host, in which `@`, `/`, `?` and `#` may stand though they must not; behind
# a host a colon and figures are its port. What looks like a query is none of it.
_LOGIN: Final = re.compile(r"[^/?#@:]*:(?!\d{1,5}(?:[/?#]|$))(?:(?:(?!\?[^/?#@]*=).)*@|.*@)", re.DOTALL)
# What a shell gives for `<(…)`, and other names of what the process was started with.
_DESCRIPTORS: Final = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/self/fd/\d+")


class Location(Enum):
    """How the bytes are come by."""

    FILE = "a file that can be read again"
    STREAM = "a pipe or a device, which is read once"
    REMOTE = "an address"
    QUERY = "the rows of a query"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One roster file, of whatever kind.

    where       path, address or `-`, as it was given; an address may hold a secret
    suffix      `.csv` and so on, in lower case, without that of the compression
    found       a pattern for those that are read of the files among which it was found; empty where it was named
    partitions  name and value of the columns that the folders above it are: `dept=Sales/a.csv`
    archive     the zip archive that it is in, as messages call it; empty for none
    """

    where: str = field(repr=False)
    location: Location
    suffix: str
    compression: str | None = None
    found: str = ""
    partitions: tuple[tuple[str, str | None], ...] = ()
    archive: str = ""

    @property
    def name(self) -> str:
        """What messages call it: an address without user, password and query, in which secrets are handed over."""
        if self.archive:
            return f"{self.archive} ({self.where})"
        if self.location is Location.QUERY:
            return f"query of {self.where.removeprefix(PREFIX)}"
        return "standard input" if self.where == STANDARD_INPUT else shown(self.where)

    @property
    def file_name(self) -> str:
        """The last part of the path or address; empty for standard input."""
        return "" if self.where == STANDARD_INPUT else PurePosixPath(shown(self.where)).name

    @property
    def stem(self) -> str:
        """What the files of a run are called by default."""
        if self.where == STANDARD_INPUT or _DESCRIPTORS.fullmatch(self.where):
            return "stdin"
        if self.location is Location.QUERY:
            return self.where.removeprefix(PREFIX)
        name = self.file_name
        stem = PurePosixPath(name).stem
        if self.compression or (self.suffix == ".zip" and _suffixes(stem)[0] in FAMILIES):
            stem = PurePosixPath(stem).stem
        return stem if self.location is Location.FILE else re.sub(r"[^\w.-]", "", stem) or "roster"

    @property
    def family(self) -> str | None:
        """What is in it, by its name; None when the name does not say."""
        return FAMILIES.get(self.suffix)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All the files of one roster, in the order given; at least one.

    title  what the files of a run are called by default where the files themselves do not say
    about  paths that a folder or a pattern gave too, and that are left out: by their names they are about the others
    """

    files: tuple[InputFile, ...]
    title: str = ""
    about: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What messages and logs call them."""
        return tuple(file.name for file in self.files)

    @property
    def stem(self) -> str:
        """What the files of a run are called by default."""
        return self.title or self.files[0].stem

    @property
    def rejected_suffix(self) -> str:
        """The format of the rejected rows: the roster's own where that can be written, else CSV."""
        first = self.files[0]
        alike = len({_LINES.get(file.suffix, file.family) for file in self.files}) == 1
        plain = not any(file.compression for file in self.files)
        return _rejected_suffix(first) if alike and plain else ".csv"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The local ones, which no output may overwrite."""
        local = (file for file in self.files if file.location in {Location.FILE, Location.STREAM})
        return tuple(Path(file.where) for file in local if file.where != STANDARD_INPUT)

    def without(self, is_none_of_it: Callable[[Path], bool]) -> Inputs:
        """Leave out files that a pattern or a folder gave and that are none of the roster; never all of them."""
        files = tuple(file for file in self.files if not (file.found and is_none_of_it(Path(file.where))))
        return replace(self, files=files or self.files)


class Sheets(NamedTuple):
    """Which sheets of its workbooks a roster is.

    read    their names; none where there is no workbook
    others  the names of those that are not read
    """

    read: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


NO_SHEETS: Final = Sheets()


def is_local(argument: str) -> bool:
    """Whether a ROSTER argument names files of this machine: no address, no query, no standard input."""
    return argument != STANDARD_INPUT and not argument.startswith(PREFIX) and SCHEME.match(argument) is None


def rejected_suffixes(given: Sequence[str], asked: str) -> frozenset[str]:
    """Say which formats the rejected rows may have, as far as the names of ROSTER arguments tell.

    asked  what they are told to be, `same` for that of the roster
    """
    if asked != "same":
        return frozenset({f".{asked}", ".csv"})
    files = [local_name(PurePosixPath(shown(each)).name) for each in given]
    if any(file.family is None for file in files):  # a folder, or a pattern that tells nothing
        return frozenset({".csv", *FAMILIES})
    return frozenset({".csv", *map(_rejected_suffix, files)})


def _rejected_suffix(file: InputFile) -> str:
    if file.compression or file.family in {"zip", None}:
        return ".csv"
    # Objects are cut out of a .json one by one, and come back so.
    return ".ndjson" if file.family == "json" else file.suffix


def find_inputs(given: Sequence[str]) -> Inputs:
    """Say what the arguments mean, patterns and folders expanded.

    Raises RosterError for a pattern that fits no file, a folder without one, an address of an unknown kind, a file
    given twice, a name that is not UTF-8, and no name at all, which would be the current folder.
    """
    if "" in given:
        raise RosterError("an empty name as the roster; name a file (a variable that is not set gives nothing)")
    found = {argument: _found(argument) for argument in given}
    inputs = tuple(file for argument in given for file in _expanded(argument, found[argument]))
    # Several files that were named one by one may be what a shell made of a pattern.
    inputs = tuple(_in_folders(file) if file.found or len(inputs) > 1 else file for file in inputs)
    _refuse_repeated(inputs)
    for file in inputs:
        if (trouble := foreign_name(Path(file.where))) is not None:
            raise RosterError(trouble)
    named = {file.where for file in inputs}
    about = tuple(where for argument in found.values() for where in argument.about if where not in named)
    return Inputs(inputs, folder_title(given[0]) if given else "", about)


def _found(argument: str) -> Found:
    """Expand a folder or a pattern; of anything else nothing is found."""
    if not is_local(argument):
        return Found(())
    if is_folder(argument):
        return parts_of_folder(argument)
    return parts_of_pattern(argument) if is_pattern(argument) else Found(())


def _in_folders(file: InputFile) -> InputFile:
    return replace(file, partitions=partitions(file.where)) if file.location is Location.FILE else file


def local_file(where: str) -> InputFile:
    """Say what a path leads to; whether there is anything is the reader's affair."""
    path = Path(where)
    suffix, compression = _suffixes(path.name)
    if not _is_stream(path):
        return InputFile(where, Location.FILE, suffix, compression)
    readable = FAMILIES.get(suffix) in TEXTS and compression is None
    return InputFile(where, Location.STREAM, suffix if readable else ".csv")


def local_name(name: str) -> InputFile:
    """Say what a name means wherever it is, such as that of a file in an archive."""
    return InputFile(name, Location.FILE, *_suffixes(PurePosixPath(name).name))


def shown(where: str) -> str:
    """Give an address as it may be shown: presigned ones carry their secret in the query, others before an `@`."""
    scheme = SCHEME.match(where)
    if scheme is None:
        return where
    web = scheme[1].lower() in {"http", "https"}
    # In the address of a bucket `?` is part of a pattern, unless what follows is a query.
    ending = r"[?#]" if web else r"\?(?=[^/]*=)"
    rest = where[scheme.end() :]
    rest = rest[login.end() :] if (login := _LOGIN.match(rest)) else rest
    host, slash, path = re.split(ending, rest, maxsplit=1)[0].partition("/")
    user, _, address = host.rpartition("@")
    # That of abfss:// names a container there.
    return f"{scheme[0]}{address if web or ':' in user else host}{slash}{path}"


def _expanded(argument: str, found: Found) -> Iterator[InputFile]:
    scheme = SCHEME.match(argument)
    if argument == STANDARD_INPUT:
        yield InputFile(argument, Location.STREAM, ".csv")
    elif argument.startswith(PREFIX):
        yield InputFile(argument, Location.QUERY, ".parquet")
    elif scheme and scheme[1].lower() in _SCHEMES:
        suffix, compression = _suffixes(PurePosixPath(shown(argument)).name)
        yield InputFile(argument, Location.REMOTE, suffix, compression)
    elif scheme:
        known = ", ".join(f"{name}://" for name in sorted(_SCHEMES))
        raise RosterError(f"{shown(argument)}: addresses that begin with {scheme[0]} are not read; {known} are")
    elif found.rosters:
        pattern = pattern_of(found.rosters, FAMILIES, COMPRESSIONS)
        for where in found.rosters:
            yield replace(local_file(where), found=pattern)
    else:
        yield local_file(argument)


def _suffixes(name: str) -> tuple[str, str | None]:
    """`users.CSV.gz` is `.csv`, gzip."""
    path = PurePosixPath(name)
    compression = COMPRESSIONS.get(path.suffix.lower())
    return (PurePosixPath(path.stem).suffix if compression else path.suffix).lower(), compression


def _is_stream(path: Path) -> bool:
    if _DESCRIPTORS.fullmatch(str(path)):
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _refuse_repeated(inputs: Iterable[InputFile]) -> None:
    known: dict[object, InputFile] = {}
    for file in inputs:
        earlier = known.setdefault(_identity(file), file)
        if earlier is not file:
            also = "" if earlier.name == file.name else f", also as {earlier.name}"
            raise RosterError(f"{file.name} is given twice{also}; name each file once")


def _identity(file: InputFile) -> object:
    if file.location in {Location.REMOTE, Location.QUERY}:
        return file.where
    if file.where in {STANDARD_INPUT, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}:
        return STANDARD_INPUT
    try:
        found = Path(file.where).stat()
    except (OSError, ValueError):
        return file.where
    return found.st_dev, found.st_ino

"""Hold the reader of CSV against a reading letter by letter, over files dense with whatever a CSV trips over.

    python -m benchmarks.rosters.grammar --files 100000 --seed 1

Every file is read in blocks of a few bytes, so that quotes, line ends and characters of several bytes fall onto their
edges. Both readings have to give the same rows, or refuse the same row. Prints the files that differ; exit code 1 then.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import open_csv
from provisioner.roster.csv.grammar import CR, line_end
from provisioner.roster.csv.header import HeaderOptions
from provisioner.roster.csv.tabs import is_ever_quoted
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.origin import LocalFile, Origin
from tests.rig.strictcsv import Letters, roster_or_refusal

DELIMITERS: Final = ",,;\t|^§"
_MOST_SHOWN: Final = 10


@dataclass(frozen=True)
class Case:
    """A file, and how it is read.

    body   what stands behind the header
    codec  of the file; null is UTF-8
    """

    header: str
    body: str
    delimiter: str
    eol: str
    escape: str
    tabs: bool
    codec: str | None
    packed: bool
    limit: int | None
    sizes: BlockSizes

    @property
    def width(self) -> int:
        """Columns of the header."""
        return self.header.count(self.delimiter) + 1


@dataclass(frozen=True)
class Reading:
    """The rows of a file, all of them or those before the one that refuses it (counted from 1)."""

    rows: tuple[tuple[str, ...], ...]
    refused: int | None = None


def make_case(random: Random) -> Case:
    """Make a file at random: rows as programs write them, some with a splinter in them."""
    tabs = random.random() < 0.2
    delimiter = "\t" if tabs else random.choice(DELIMITERS)
    eol = random.choice(["\n", "\n", "\r\n", "\r"])
    escape = "\\" if random.random() < 0.15 and not tabs else ""
    width = random.choice([1, 2, 2, 3, 4])
    form = random.choice(["any", "any", "bare", "quoted"])
    rows = [
        delimiter.join(_cell(random, delimiter, eol, escape, form) for _ in range(_cells(random, width)))
        for _ in range(random.randrange(14))
    ]
    ends = [eol, eol + eol, "\r\r\n", f"{delimiter}{eol}"] if eol != "\r" and random.random() < 0.2 else [eol]
    body = "".join(row + random.choice(ends) for row in rows)
    if random.random() < 0.3:
        body = body.removesuffix(eol)
    for _ in range(random.choice([0, 0, 0, 1, 1, 2])):
        at = random.randint(0, len(body))
        body = body[:at] + random.choice(['"', '""', delimiter, eol, " ", "\\", "a"]) + body[at:]
    if eol == "\r":
        body = re.sub(r'("[^"\r]*")|\n', lambda found: found[1] or "\r", body)
        if line_end(body, delimiter, escape) != CR:
            body = body.replace("\n", "\r")
    return Case(
        header=delimiter.join(["uid", "name", "tags", "dept"][:width]) + eol,
        body=body,
        delimiter=delimiter,
        eol="\r" if eol == "\r" else "\n",
        escape=escape,
        tabs=tabs,
        codec=random.choice([None, None, None, "utf-16-le", "utf-8-sig"]),
        packed=random.random() < 0.1,
        limit=random.choice([None, None, None, random.randrange(8)]),
        sizes=BlockSizes(random.randint(1, 60), random.randint(1, 60), 100_000, 2, random.randint(1, 9)),
    )


def by_letters(case: Case) -> Reading:
    """Read a file letter by letter."""
    quoting = not case.tabs or _is_quoted_anywhere(case)
    letters = Letters(case.body, case.delimiter, case.eol, case.escape, quoting)
    rows, refused = roster_or_refusal(letters, case.width)
    wanted = len(rows) if case.limit is None else case.limit
    if len(rows) >= wanted and (not refused or case.limit is not None):
        rows, refused = rows[:wanted], False
    return Reading(tuple(map(tuple, rows)), len(rows) + 1 if refused else None)


def by_reader(case: Case, folder: Path) -> Reading:
    """Read a file as the command does."""
    path = folder / "r.csv"
    data = (case.header + case.body).encode(case.codec or "utf-8")
    path.write_bytes(gzip.compress(data, 1) if case.packed else data)
    origin: Origin = Compressed(LocalFile(path), "gzip") if case.packed else LocalFile(path)
    codec = None if case.codec == "utf-8-sig" else case.codec
    rows: list[tuple[str, ...]] = []
    try:
        quoting = not case.tabs or is_ever_quoted(origin, codec)
        options = HeaderOptions(case.delimiter, case.escape, quoting)
        for batch in open_csv(origin, codec, options, case.limit, case.sizes).batches():
            rows += [tuple(cell or "" for cell in row) for row in batch.frame.rows()]
    except RosterError as error:
        found = re.search(r": row (\d+) \(line \d+", str(error))
        refused = int(found[1]) if found else 0
        return Reading(by_letters(case).rows[: refused - 1], refused)
    return Reading(tuple(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; see the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.files):
            case = make_case(Random(f"{options.seed}/{number}"))
            expected, found = by_letters(case), by_reader(case, Path(folder))
            outcomes["read" if expected.refused is None else "refused"] += 1
            if expected != found:
                outcomes["differ"] += 1
                if outcomes["differ"] <= _MOST_SHOWN:
                    print(f"file {number}: {case}\n  by letters {expected}\n  by reader  {found}")
    print(f"{options.files} files: {outcomes['read']} read, {outcomes['refused']} refused, {outcomes['differ']} differ")
    return 1 if outcomes["differ"] else 0


def _cells(random: Random, width: int) -> int:
    return random.choice([width] * 8 + [width - 1 or 1, width + 1])


def _cell(random: Random, delimiter: str, eol: str, escape: str, form: str) -> str:
    """Make one cell: bare, quoted, or quoted with blanks around."""
    plain = ["a", "b1", "é", "\u20ac", " ", "5", "\\", "'", "{", "ħ"]
    marks = ['"', delimiter, eol, "\r", "\n", "\t"] if form != "bare" or random.random() < 0.2 else []
    pieces = [random.choice(plain + marks * 2) for _ in range(random.choice([0, 1, 1, 2, 3, 5]))]
    text = "".join(pieces)
    if form == "quoted" or (form == "any" and random.random() < 0.4):
        doubled = text.replace("\\", "\\\\").replace('"', random.choice(['""', '\\"'])) if escape else _doubled(text)
        around = random.choice(["", "", "", "", " ", "  "])
        return f'{around}"{doubled}"{random.choice(["", "", around])}'
    if random.random() < 0.1:
        return f'x{random.choice(["", " "])}"{_bare(text, delimiter)}'
    return random.choice(["", "", " ", "\u00a0"]) if random.random() < 0.2 else _bare(text, delimiter)


def _doubled(text: str) -> str:
    return text.replace('"', '""')


def _bare(text: str, delimiter: str) -> str:
    return "".join(letter for letter in text if letter not in f'{delimiter}"\r\n')


def _is_quoted_anywhere(case: Case) -> bool:
    """Whether a cell begins and ends with a quote, and what is between would not be rows just as well."""
    text, tabs = case.header + case.body, case.header.count("\t")
    letters = Letters(text, "\t", case.eol)
    starts = [0, *(at + 1 for at, letter in enumerate(text) if letter in ("\t", case.eol))]
    for start in starts:
        opening = start + len(text[start:]) - len(text[start:].lstrip(" "))
        end = letters.quoted_cell_end(opening)
        if end is None:
            continue
        if not {"\t", case.eol} & set(text[opening:end]):
            return True
        first = text.rfind(case.eol, 0, opening) + 1
        last = text.find(case.eol, end)
        lines = text[first : len(text) if last < 0 else last].split(case.eol)
        if any(line.count("\t") != tabs for line in lines):
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())

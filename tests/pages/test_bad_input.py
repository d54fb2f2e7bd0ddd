"""What bad input gets: every row of docs/bad-input.md, made anew with the real command.

`python -m tests.pages.test_bad_input` writes the page.
"""

from __future__ import annotations

import bz2
import gzip
import os
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]

from tests.rig.command import ROOT, Finished, provisioner

PAGE = ROOT / "docs" / "bad-input.md"

INTRODUCTION = """# What bad input gets

What `provisioner validate` prints for rosters that are not as they should be. A file that cannot be read is exit 2 and
one sentence: what is wrong, where, and what to do; nothing was sent, also with `run`. A file that can be read is exit 0
when every row is valid, and exit 1 when some are not: those come back with all their defects in the rejected file.

This page is made by a test (`python -m tests.pages.test_bad_input`), which builds each file and runs the command.

| input | command | exit | message |
| --- | --- | --- | --- |
"""

Make = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """Bad input: what it is, how it is made in a folder, and what the command is given."""

    title: str
    make: Make
    arguments: str = "users.csv"


def write(data: bytes | str, name: str = "users.csv") -> Make:
    """Make one file."""
    return lambda folder: (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def nothing(_: Path) -> None:
    """Make no file."""


def several(*makes: Make) -> Make:
    """Make several files."""
    return lambda folder: [make(folder) for make in makes]


def parquet(**columns: list[object]) -> bytes:
    """Give the bytes of a Parquet file."""
    file = BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


def workbook(*rows: tuple[str, ...]) -> bytes:
    """Give the bytes of a workbook with one sheet, `People`."""
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("People")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def tar(name: str, text: str) -> bytes:
    """A tar archive with one text, packed."""
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        archive.addfile(info, BytesIO(text.encode()))
    return file.getvalue()


def zipped(*names: str) -> bytes:
    """A zip archive with a text under each name."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, GOOD)
    return file.getvalue()


def pipe(folder: Path) -> None:
    """Make a named pipe and somebody who writes into it."""
    os.mkfifo(folder / "users.csv")
    threading.Thread(target=(folder / "users.csv").write_bytes, args=[GOOD.encode()], daemon=True).start()


GOOD = "uid,name\nann,Ann\nbob,Bob\n"
LATIN = "uid,name\nzoe,Zoë\n"
PARQUET = parquet(uid=["ann", "bob"], name=["Ann", "Bob"])
WORKBOOK = workbook(("uid", "name"), ("ann", "Ann"))
WORKBOOK_OF_TWO = workbook(("uid", "name"), ("ann", "Ann"), ("name", "uid"), ("Bob", "bob"))
COLUMNS = ",".join(f"column {number}" for number in range(5_000))

CASES = (
    Case("no such file", nothing),
    Case("no bytes", write("")),
    Case("a header and no rows", write("uid,name\n")),
    Case("nothing but blank lines", write("\n\r\n\n")),
    Case("a folder", lambda folder: (folder / "exports").mkdir(), "exports"),
    Case("a pattern that fits no file", nothing, "'exports/*.csv'"),
    Case("another suffix", write(GOOD, "users.doc"), "users.doc"),
    Case("an address of another kind", nothing, "ftp://example.com/users.csv"),
    Case("a named pipe", pipe),
    Case("standard input without anything", nothing, "-"),
    Case("the roster as output", write(GOOD), "users.csv -o users.csv"),
    # text
    Case("UTF-8 with a byte order mark", write(b"\xef\xbb\xbf" + GOOD.encode())),
    Case("UTF-16", write(LATIN.encode("utf-16"))),
    Case("UTF-16 without a byte order mark", write(LATIN.encode("utf-16-le"))),
    Case("UTF-16 that is named", write(LATIN.encode("utf-16")), "users.csv --encoding utf-16"),
    Case("Windows-1252", write(LATIN.encode("cp1252"))),
    Case("Windows-1251", write("uid,name\na,Анна Иванова\n".encode("cp1251"))),
    Case("two encodings in one file", write("uid,name\na,Zoë\n".encode() + "b,José\n".encode("cp1252"))),
    Case("text that is cut off within a character", write("uid,name\na,Zoë".encode()[:-1])),
    Case("another encoding than named", write(GOOD + "x"), "users.csv --encoding utf-16-le"),
    Case("an encoding that is none", write(GOOD), "users.csv --encoding klingon"),
    Case("NUL bytes in a cell", write("uid,name\nann,A\0nn\n")),
    Case("NUL bytes in the header", write("uid\0,name\nann,Ann\n")),
    # rows and cells
    Case("lines that end with CR LF", write(GOOD.replace("\n", "\r\n"))),
    Case("lines that end with CR", write(GOOD.replace("\n", "\r"))),
    Case("a row with too many cells", write(GOOD + "cleo,Cleo, the third\n")),
    Case("a row with too few cells", write("uid,name\nann\n")),
    Case("a quote that is never closed", write(GOOD + 'cleo,"Cleo\ndan,Dan\n')),
    Case("text behind a closing quote", write(GOOD + 'cleo,"Cleo" C.\n')),
    Case("a quote inside a cell", write(GOOD + 'tv,27" screen\n')),
    Case("blanks around quotes", write('uid, "name"\nann, "Ann" \n')),
    Case("JSON that is not in quotes", write('uid,name,metadata\nann,Ann,{"a":1,"b":2}\n')),
    Case("backslashes before quotes", write('uid,name\nann,"Ann \\"A\\" Lee"\n')),
    Case("backslashes that are named", write('uid,name\nann,"Ann \\"A\\" Lee"\n'), "users.csv --escape \\"),
    Case("rows of nothing but blanks", write(GOOD + ",\n , \n")),
    Case("a delimiter behind every row", write("uid,name\nann,Ann,\n")),
    Case("a line sep=", write("sep=;\nuid;name\nann;Lee, Ann\n")),
    Case("line ends of several kinds", write("uid,name\rann,Ann\nbob,Bob\n")),
    Case("lines above the header", write("Staff\n\n" + GOOD)),
    Case("rows above the header", write("a1,Ann\nuid,name\nb2,Bob\n")),
    Case("a title that is named as the header", write("Staff,2026\n" + GOOD), "users.csv --header-row 1"),
    Case("two lines that may be the header", write("Staff\n" + GOOD + GOOD)),
    Case("no header", write("a1,Ann Lee\nb2,Bob Poe\n")),
    Case("lines that are quoted as a whole", write('uid,name\n"ann,Ann"\n"bob,Bob"\n')),
    Case("columns of a fixed width", write("uid   name\nann   Ann Lee\nbob   Bob Poe\n", "users.txt"), "users.txt"),
    Case("a cell of a megabyte", write(f"uid,name\nann,{'A' * 1_000_000}\n")),
    Case("semicolons", write(GOOD.replace(",", ";"))),
    Case("another delimiter than named", write(GOOD), "users.csv --delimiter ';'"),
    Case("another delimiter than named, and quotes", write('"uid","name"\n"a","A"\n'), "users.csv --delimiter ';'"),
    Case("the header once more", write(GOOD + "UID,Name\ncleo,Cleo\n")),
    Case("the header of another table", write(GOOD + "name,uid\nCleo,cleo\n")),
    Case("the header of a wider table", write(GOOD + "uid,name,tags\ncleo,Cleo,red\n")),
    Case("a header of another table in a workbook", write(WORKBOOK_OF_TWO, "users.xlsx"), "users.xlsx"),
    Case(
        "the same columns in another order", several(write(GOOD), write("name,uid\nC,c\n", "b.csv")), "users.csv b.csv"
    ),
    Case(
        "quotes around the line end between two rows",
        write('uid,name,tags\n1,"Ann,red\n2,Bob",blue\n'),
        "users.csv --strict",
    ),
    Case("only invalid rows", write("uid,name\nann b,Ann\n,Bob\n")),
    # columns
    Case("no uid column", write("id,name,mail\n1,Ann,a@example.com\n")),
    Case("stars behind the names of columns", write("uid*,name*\nann,Ann\n")),
    Case("two columns of one name", write("uid,name,uid\nann,Ann,a\n")),
    Case("two columns of one name that feed nothing", write("uid,name,x,x\nann,Ann,1,2\n")),
    Case("two columns for one field", write("uid,name,UID\nann,Ann,a\n")),
    Case("five thousand columns", write(f"uid,name,{COLUMNS}\nann,Ann\n")),
    # formats
    Case("a truncated Parquet file", write(PARQUET[:-20], "users.parquet"), "users.parquet"),
    Case("a CSV that is called Parquet", write(GOOD, "users.parquet"), "users.parquet"),
    Case("a Parquet file that is called CSV", write(PARQUET)),
    Case("a workbook that is called CSV", write(WORKBOOK)),
    Case("a CSV that is called workbook", write(GOOD, "users.xlsx"), "users.xlsx"),
    Case("gzip that is called CSV", write(gzip.compress(GOOD.encode()))),
    Case("a CSV that is called gzip", write(GOOD, "users.csv.gz"), "users.csv.gz"),
    Case("truncated gzip", write(gzip.compress(GOOD.encode())[:-12], "users.csv.gz"), "users.csv.gz"),
    Case("truncated bzip2", write(bz2.compress(GOOD.encode())[:-12], "users.csv.bz2"), "users.csv.bz2"),
    Case("a tar archive", write(tar("users.csv", GOOD), "users.tgz"), "users.tgz"),
    Case("a zip archive with two rosters", write(zipped("a.csv", "b.xlsx"), "users.zip"), "users.zip"),
    Case("a zip archive that is called CSV", write(zipped("a.csv"))),
    Case("a web page that is called CSV", write("\n<!DOCTYPE html>\n<html>log in</html>\n")),
    Case("a dump of a database", write("INSERT INTO users VALUES ('ann','Ann');\n", "users.sql"), "users.sql"),
    Case("a pointer of Git LFS", write("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")),
    Case("JSON that is called CSV", write('[{"uid": "a", "name": "A"}]')),
    Case("a JSON array that is called NDJSON", write('[{"uid": "a", "name": "A"}]', "u.ndjson"), "u.ndjson"),
    Case("a JSON array", write('[{"uid": "a", "name": "A"}]', "u.json"), "u.json"),
    Case("a JSON array without anything", write("[]", "u.json"), "u.json"),
    Case("two arrays in a JSON object", write('{"a": [{"uid": "a1"}], "b": [{"uid": "b2"}]}', "u.json"), "u.json"),
    Case("a JSON array that is cut off", write('[{"uid": "a", "name": "A"}, {"ui', "u.json"), "u.json"),
    Case("a workbook with a password", write(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "u.xlsx"), "u.xlsx"),
    Case("an old workbook", write(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "users.xls"), "users.xls"),
    Case("a sheet that is not there", write(WORKBOOK, "users.xlsx"), "users.xlsx --sheet Staff"),
    Case("a truncated workbook", write(WORKBOOK[:-200], "users.xlsx"), "users.xlsx"),
    Case("a line that is no JSON object", write('{"uid": "a", "name": "A"}\n[1]\n', "u.ndjson"), "u.ndjson"),
    Case("a key twice in one object", write('{"uid": "a", "name": "A", "uid": "b"}\n', "u.ndjson"), "u.ndjson"),
    # several files
    Case("files with different columns", several(write(GOOD), write("uid,tags\n", "more.csv")), "users.csv more.csv"),
    Case(
        "files with different types",
        several(write(GOOD), write(parquet(uid=[1], name=["A"]), "more.parquet")),
        "users.csv more.parquet",
    ),
    Case("the same file twice", write(GOOD), "users.csv ./users.csv"),
)


def said(case: Case, folder: Path) -> tuple[int, str]:
    """Run the command on the case: its exit code, and the sentence or what was counted."""
    case.make(folder)
    arguments = [argument.strip("'") for argument in case.arguments.split()]
    done = provisioner("validate", *arguments, "--json", "-q", cwd=folder)
    assert done.exit_code in {0, 1, 2}, done.stderr
    return done.exit_code, done.stderr.splitlines()[-1].removeprefix("error: ") if done.exit_code == 2 else count(done)


def count(done: Finished) -> str:
    """Put a summary in words."""
    document, rejected = done.summary, done.summary["rejected"]
    if not document["rows"]:
        return f"0 rows: {done.events('roster.no_rows')[0]['hint']}"
    codes = ", ".join(document["rejected_by_code"])
    return f"{rejected} of {document['rows']} rejected: {codes}" if rejected else f"read: {document['rows']} valid"


def line(case: Case, folder: Path) -> str:
    """Give the case's line of the page."""
    exit_code, message = said(case, folder)
    cells = (case.title, f"`{case.arguments}`", str(exit_code), message.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |"


@pytest.mark.sampled
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_what_is_documented_is_what_is_said(case: Case, tmp_path: Path) -> None:
    """The page shows what the command says, word for word."""
    assert line(case, tmp_path) in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_shows_each_case_once_in_order() -> None:
    """And nothing that is no case any more."""
    page = PAGE.read_text(encoding="utf-8")
    assert page.startswith(INTRODUCTION)
    titles = [row.split(" | ")[0].removeprefix("| ") for row in page.removeprefix(INTRODUCTION).splitlines()]
    assert titles == [case.title for case in CASES]


def lines() -> Iterator[str]:
    """Give the lines of the page."""
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            yield line(case, Path(folder))


if __name__ == "__main__":
    PAGE.write_text(INTRODUCTION + "\n".join(lines()) + "\n", encoding="utf-8")

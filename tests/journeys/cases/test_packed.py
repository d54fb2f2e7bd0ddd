"""Archives and compression: bzip2 and xz are read as gzip is, and the one roster in a zip archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]

from provisioner.roster.reader import open_roster
from tests.rig.cases import SAMPLES, events, refusal, users

PACKED = SAMPLES / "packed"
ANN, BOB = {"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}
CSV = b"uid,name\na1,Ann\nb2,Bob\n"


def zipped(folder: Path, members: Mapping[str, bytes], name: str = "export.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"uid": ["a1", "b2"], "name": ["Ann", "Bob"]}).write_parquet(file)
    return file.getvalue()


def workbook() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("People")
        for number, row in enumerate((("uid", "name"), ("a1", "Ann"), ("b2", "Bob"))):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def named(value: object) -> str:
    """Name a case by its words: the bytes of archives hold the time."""
    return value if isinstance(value, str) else ""


def test_the_samples_are_read(tmp_path: Path) -> None:
    """A bzip2 text and a zip archive with one CSV in it."""
    assert users(PACKED / "users.csv.bz2", tmp_path) == [ANN]
    assert users(PACKED / "export.zip", tmp_path) == [ANN]


@pytest.mark.parametrize(
    ("member", "data"),
    [
        ("users.csv", CSV),
        ("a folder/Users Final.CSV", CSV),
        ("users.tsv", CSV.replace(b",", b"\t")),
        ("users.csv.gz", gzip.compress(CSV)),
        ("users.json.xz", lzma.compress(b'[{"uid":"a1","name":"Ann"},{"uid":"b2","name":"Bob"}]')),
        ("users.ndjson", b'{"uid":"a1","name":"Ann"}\n{"uid":"b2","name":"Bob"}\n'),
        ("users.parquet", parquet()),
        ("users.xlsx", workbook()),
    ],
    ids=named,
)
def test_one_roster_of_any_format_in_a_zip_is_read(tmp_path: Path, member: str, data: bytes) -> None:
    """What systems and Macs put beside it is none, and neither are notes."""
    litter = {
        "__MACOSX/._users.csv": b"x",
        ".DS_Store": b"x",
        "a folder/": b"",
        "readme.pdf": b"%PDF-",
        "._x.csv": b"x",
    }
    assert users(zipped(tmp_path, {**litter, member: data}), tmp_path) == [ANN, BOB]


def odd_workbook() -> bytes:
    """With a word to be said of nearly everything: sheets, header, merged cells, errors, blank rows."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("Notes").write(0, 0, "none here")
        for title in ("People", "More"):
            sheet = book.add_worksheet(title)
            rows = (("List",), ("uid", "name", "x"), ("a1", "Ann"), ("b2", "Bob"), (), ("c3", "Cy"))
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            sheet.merge_range("C3:D3", "A")
            sheet.write_formula("C4", "=NA()", None, "#N/A")
    return file.getvalue()


def test_what_is_told_of_a_workbook_in_a_zip_names_the_zip(tmp_path: Path) -> None:
    """As it names a workbook that is in none: no file of ours is known to anybody."""
    data = odd_workbook()
    plain, packed = written(tmp_path, "p.xlsx", data), zipped(tmp_path, {"p.xlsx": data})
    (told, told_packed) = (
        [(each["event"], each["message"]) for each in events(path, tmp_path) if "message" in each]
        for path in (plain, packed)
    )
    assert [event for event, _ in told] == [
        "sheet.found", "sheet.others", "header.found", "rows.behind_blank_rows", "cells.merged", "cells.error",
    ]  # fmt: skip
    assert told_packed == [(event, message.replace("p.xlsx", "export.zip (p.xlsx)")) for event, message in told]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"a.csv": CSV, "b/c.xlsx": b"x", "c.pdf": b""},
            "export.zip is a zip archive with 2 rosters in it: a.csv, b/c.xlsx; unpack it and name",
        ),
        ({"c.pdf": b"x"}, "export.zip is a zip archive with no roster in it: c.pdf; unpack it, and name the roster"),
        ({"c.zip": b"x"}, "export.zip is a zip archive with no roster in it: c.zip"),
        ({}, "export.zip is a zip archive with no roster in it: nothing"),
        ({"a.csv": b""}, "export.zip: a.csv in it is empty: it has no bytes at all"),
        ({"a.csv": parquet()}, "export.zip (a.csv) is a Parquet file"),
        ({"a.csv": b"uid,name\na1,Ann,x\n"}, "export.zip (a.csv): row 1"),
        ({"a.parquet": b"PAR1..."}, "export.zip (a.parquet) is a truncated Parquet file"),
        ({"a.csv": b"login,name\na1,Ann\n"}, "export.zip (a.csv): the roster has no uid column"),
    ],
    ids=named,
)
def test_a_zip_that_is_not_read_is_told_with_what_is_in_it(
    tmp_path: Path, members: Mapping[str, bytes], message: str
) -> None:
    """By the names in it, never by a place on this machine."""
    assert refusal(zipped(tmp_path, members), tmp_path).startswith(message)


def test_a_zip_that_was_cut_off_or_has_a_password_is_told(tmp_path: Path) -> None:
    """With what to do."""
    path = zipped(tmp_path, {"a.csv": CSV * 100})
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert refusal(path, tmp_path) == (
        "export.zip is cut off or damaged: the list of what is in the zip archive cannot be read; "
        "fetch or copy it again"
    )
    locked = bytearray(whole)
    for at in (whole.index(b"PK\x03\x04") + 6, whole.index(b"PK\x01\x02") + 8):
        locked[at] |= 1
    path.write_bytes(locked)
    assert refusal(path, tmp_path) == "export.zip: a.csv in it has a password; unpack it first"
    damaged = bytearray(whole)
    start = whole.index(b"a.csv") + 5
    damaged[start + 5 : start + 40] = b"\xff" * 35
    path.write_bytes(damaged)
    assert "export.zip (a.csv) is damaged: its zip data ends or breaks behind byte" in refusal(path, tmp_path)


@pytest.mark.parametrize(
    ("at", "byte", "message"),
    [
        (
            30,
            ord("X"),
            "export.zip (a.csv) is damaged: what stands before it in the zip archive is not as its list says; ",
        ),
        (0, 0, "export.zip (a.csv) is damaged: what stands before it in the zip archive is not as its list says; "),
        (2_000_042, 0xFF, "export.zip (a.csv) is damaged: "),
        (2_000_008, 0x20, "export.zip (a.csv) is packed in a way that is not read; unpack it first"),
        (2_000_008, 0x40, "export.zip (a.csv) is packed in a way that is not read; unpack it first"),
        (2_000_010, 0x09, "export.zip (a.csv) is packed in a way that is not read; unpack it first"),
    ],
)
def test_a_zip_whose_member_cannot_be_opened_is_told(tmp_path: Path, at: int, byte: int, message: str) -> None:
    """Whether it is told in the list of the archive (from 2,000,000 on) or by what stands before the member."""
    path = zipped(tmp_path, {"a.csv": CSV * 100})
    spoilt = bytearray(path.read_bytes())
    spoilt[at if at < 2_000_000 else spoilt.index(b"PK\x01\x02") + at - 2_000_000] = byte
    path.write_bytes(spoilt)
    assert refusal(path, tmp_path).startswith(message)


def test_a_zip_whose_member_is_called_otherwise_than_in_its_list_is_told(tmp_path: Path) -> None:
    """Be it something that is not even UTF-8."""
    path = zipped(tmp_path, {"é.csv": CSV})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9\xff", 1))
    message = "export.zip (é.csv) is damaged: what stands before it in the zip archive is not as its list says; "
    assert refusal(path, tmp_path).startswith(message)


def test_a_packed_table_in_a_zip_is_told_as_one_outside_is(tmp_path: Path) -> None:
    """With what to do."""
    path = zipped(tmp_path, {"a.parquet.gz": gzip.compress(parquet())})
    message = "export.zip (a.parquet.gz): a compressed .parquet file is not read; unpack it first"
    assert refusal(path, tmp_path) == message


def test_a_large_text_in_a_zip_needs_no_room(tmp_path: Path) -> None:
    """It is unpacked on the way, however much it becomes."""
    rows = b"a1,Ann\n" * 1_000_000
    roster = open_roster(zipped(tmp_path, {"a.csv": b"uid,name\n" + rows}))
    del rows
    tracemalloc.start()
    assert sum(batch.frame.height for batch in roster.batches()) == 1_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (peak < 40_000_000, [path.name for path in tmp_path.iterdir()]) == (True, ["export.zip"])


def test_a_table_in_a_zip_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is unpacked into a file without a name, and read again as often as it takes."""
    roster = open_roster(zipped(tmp_path, {"a.parquet": parquet()}), folder=tmp_path)
    for _ in range(2):
        assert [batch.frame.height for batch in roster.batches()] == [2]
    assert (roster.name, [path.name for path in tmp_path.iterdir()]) == (
        f"{tmp_path}/export.zip (a.parquet)",
        ["export.zip"],
    )
    roster.close()


def test_an_archive_under_another_name_is_told_as_what_it_is(tmp_path: Path) -> None:
    """A zip archive that is no workbook is not advised to be called one."""
    assert refusal(PACKED / "zip-called.csv", tmp_path).endswith(
        "zip-called.csv is a zip archive; rename it to zip-called.zip"
    )
    assert users(written(tmp_path, "zip-called.zip", (PACKED / "zip-called.csv").read_bytes()), tmp_path) == [ANN]
    book = written(tmp_path, "book.csv", workbook())
    assert refusal(book, tmp_path) == "book.csv is a workbook; rename it to book.xlsx"
    assert refusal(written(tmp_path, "u.zip", CSV), tmp_path) == "u.zip is text and no .zip file; rename it to u.csv"
    assert refusal(written(tmp_path, "u.zip", workbook()), tmp_path) == "u.zip is a workbook; rename it to u.xlsx"


@pytest.mark.parametrize(
    "name", ["users.tgz", "users.tar.gz", "users.tar", "users.csv", "users.csv.bz2", "users.tar.xz"]
)
def test_a_tar_archive_is_told_as_that(tmp_path: Path, name: str) -> None:
    """Compressed or not, whatever it is called."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("users.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))
    plain = file.getvalue()
    packed = {"bz2": bz2.compress(plain), "xz": lzma.compress(plain)} | dict.fromkeys(
        ("gz", "tgz"), gzip.compress(plain)
    )
    data = packed.get(name.rpartition(".")[2], plain)
    message = refusal(written(tmp_path, name, data), tmp_path)
    assert (name in message, "a tar archive" in message, "unpack it, and name the roster in it" in message) == (
        True,
    ) * 3


def test_the_tar_archive_of_the_samples_is_told_as_that(tmp_path: Path) -> None:
    """With what to do."""
    assert "users.tgz is a tar archive" in refusal(PACKED / "users.tgz", tmp_path)

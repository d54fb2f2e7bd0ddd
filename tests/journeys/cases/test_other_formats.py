"""Files that are no rosters: what another program made is told as what it is, with what to do."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tests.rig.cases import SAMPLES, refusal, users

OTHERS = SAMPLES / "other-formats"


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def archive_of(*members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in members:
            archive.writestr(member, b"x")
    return file.getvalue()


def arrow(*, compressed: bool) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"uid": ["a"]}).write_ipc(file, compression="zstd" if compressed else "uncompressed")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("book.xlsb", "book.xlsb is a workbook; save it as .xlsx"),
        ("users.arrow", "users.arrow is an Arrow (Feather) file; write it as Parquet"),
        ("html.csv", "html.csv is a web page (HTML) and no roster; if it is a log-in"),
        (
            "xml2003.xls",
            "xml2003.xls is an XML workbook of Excel 2003; open it in a spreadsheet program and save it as .xlsx",
        ),
        (
            "lfs-pointer.csv",
            "lfs-pointer.csv is the pointer that Git LFS keeps in place of the file; fetch the file itself",
        ),
        ("users.csv.bak", "users.csv.bak: a roster ends in one of .csv, .txt"),
    ],
)
def test_the_samples_are_told_as_what_they_are(tmp_path: Path, name: str, message: str) -> None:
    """With what to do."""
    assert refusal(OTHERS / name, tmp_path).removeprefix("other-formats/").startswith(message)


def test_blanks_brackets_and_capitals_in_a_name_matter_nothing(tmp_path: Path) -> None:
    """The suffix is what counts."""
    assert users(OTHERS / "Users Final (2).CSV", tmp_path) == [{"uid": "a1", "name": "Ann"}]


NAMES = ["r.csv", "r.ndjson", "r.json", "r.tsv", "r.xlsx", "r.parquet", "r.xls", "r"]


@pytest.mark.sampled
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbf\r\n \r\n<!DOCTYPE HTML PUBLIC>\n<HTML>", "a web page (HTML)"),
        (b"<table border=1><tr><td>uid</td></tr></table>", "a web page (HTML)"),
        (b"<!-- made by x -->\n<html><body>", "a web page (HTML)"),
        ("<html>\n".encode("utf-16"), "a web page (HTML)"),
        (b"\n<?xml version='1.0'?>\n<users><user/></users>", "XML"),
        (b"<users>\n <user id='1'>", "XML"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (arrow(compressed=True), "an Arrow (Feather) file; write it as Parquet"),
        (
            archive_of("Index/Document.iwa", "preview.jpg"),
            "a Numbers or another iWork document; export it as .xlsx or CSV",
        ),
        (
            archive_of("mimetype", "content.xml"),
            "an OpenDocument file, such as an .ods workbook; save it as .xlsx or CSV",
        ),
        (archive_of("[Content_Types].xml", "xl/workbook.bin"), "a binary workbook (.xlsb); save it as .xlsx"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "the pointer that Git LFS keeps"),
        (b"{\\rtf1\\ansi", "a rich text document"),
        (b"SQLite format 3\x00", "an SQLite database"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_any_name_makes_no_difference(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    """Neither do blanks, marks or capitals before what tells it."""
    assert refusal(written(tmp_path, name, data), tmp_path).startswith(f"{name} is {message}")


def test_behind_a_compression_it_is_told_too(tmp_path: Path) -> None:
    """As what it is."""
    message = refusal(written(tmp_path, "r.csv.gz", gzip.compress(b"<html><body>")), tmp_path)
    assert message.startswith("r.csv.gz is a web page (HTML)")


@pytest.mark.parametrize("text", ["<uid>,<name>\na1,Ann\n", "uid,name\n<b>,Ann\n"])
def test_angle_brackets_in_a_csv_are_no_web_page(tmp_path: Path, text: str) -> None:
    """Only what begins like one is."""
    from provisioner.roster.reader import open_roster

    (batch,) = open_roster(written(tmp_path, "r.csv", text.encode())).batches()
    assert batch.frame.width == 2


@pytest.mark.parametrize("name", ["users.xls", "users.ods", "users.xlsm"])
def test_a_text_that_is_called_a_workbook_is_told_as_text(tmp_path: Path, name: str) -> None:
    """Many programs call their CSV .xls."""
    suffix = Path(name).suffix
    message = refusal(written(tmp_path, name, b"uid,name\na1,Ann\n"), tmp_path)
    assert message == f"{name} is text and no {suffix} file; rename it to users.csv"


def test_an_old_workbook_is_told_with_the_suffix_that_is_read(tmp_path: Path) -> None:
    """Under its own name and under another."""
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
    for name in ("users.xls", "users.csv"):
        message = refusal(written(tmp_path, name, data), tmp_path)
        assert message == f"{name} is an old or password-protected workbook; save it as .xlsx, without a password"

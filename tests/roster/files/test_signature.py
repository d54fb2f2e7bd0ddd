"""First bytes: a file that is not what its name says is refused with the name it should have."""

from __future__ import annotations

import bz2
import lzma
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import local_file
from provisioner.roster.files.signature import check_signature, identify
from provisioner.roster.reader import open_roster
from tests.rig.workbooks import texts, workbook


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("r.csv", b"PAR1", "r.csv is a Parquet file; rename it to r.parquet"),
        ("r.csv.gz", b"uid", "r.csv.gz is not compressed with gzip; rename it to r.csv"),
        *(
            (name, start, f"{name} is compressed with {what}; unpack it first")
            for name in ("r.csv", "r.tsv", "r.ndjson", "r.json", "r.xlsx", "r.parquet")
            for start, what in (
                (b"\x1f\x9d\x90u\xd2\xa4a\xdb", "compress (.Z)"),
                (lzma.compress(b"uid,name\na1,Ann\n", lzma.FORMAT_ALONE), "lzma"),
                (b"LZIP\x01\x0c\0", "lzip"),
                (b"\x89LZO\0\r\n\x1a\n", "lzop"),
                (b"\xff\x06\0\0sNaPpY\x01", "snappy"),
            )
        ),
        ("r.parquet", b"uid,name", "r.parquet is text and no .parquet file; rename it to r.csv"),
    ],
)
def test_a_name_that_says_something_else_is_refused_with_the_right_one(name: str, start: bytes, message: str) -> None:
    with pytest.raises(RosterError) as raised:
        check_signature(local_file(name), start)
    assert str(raised.value) == message


HEADERS = ("ORCID,uid,name", "FEA1;uid;name", "PAR1,uid,name", "ARROW1\tuid\tname", "GIF8,uid,name", "BZh9,uid,name",
           "BZhw,uid,name", "ORC list of 1 May\nuid,name", "Begin;End;uid;name", "Use case;uid;name", "uid,Use case;",
           "Start transaction,uid,name", "Create type,uid,name", "Lock tables;uid;Name (de)",
           "Use of;uid;E-mail*", "Pragma code|uid|name", "Drop table\tuid\tname", "Insert into,uid,name")  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_header_that_begins_as_another_kind_of_file_does_is_a_header(header: str, encoding: str) -> None:
    assert identify(f"{header}\r\n1,a1,Zoë\r\n".encode(encoding)) is None
    assert identify(f"{header}\n".encode(encoding)) is None


def test_a_person_who_is_called_as_tar_marks_its_archives_is_one() -> None:
    """Wherever the name stands; what follows the mark in an archive stands in no text."""
    assert identify(b"uid,name\na1,".ljust(256, b"x") + b"mustard\n") is None
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        header = tarfile.TarInfo("users.csv").tobuf(form)
        assert (found := identify(header)) is not None
        assert found.what == "a tar archive"


def test_a_file_of_bytes_is_known_though_it_begins_with_letters() -> None:
    files = {
        b"ORC\x11\0\0\n\x06\x12\x04,;": "an ORC file",
        b"FEA1\0\0\0\0,\n": "an old Feather file",
        b"ARROW1\0\0,\n": "an Arrow (Feather) file",
        b"PAR1\x15\x04\x15,\n": "a Parquet file",
        b"GIF89a\x01\0\x01\0,\n": "a picture (GIF)",
        bz2.compress(b""): "compressed with bzip2",
        bz2.compress(b"uid,name\n", 1): "compressed with bzip2",
    }
    assert {start: found.what for start in files if (found := identify(start))} == files


def test_a_workbook_whose_parts_are_named_as_on_windows_is_one(tmp_path: Path) -> None:
    """With backslashes: it is read, and told by what it is under another name."""
    with zipfile.ZipFile(workbook(tmp_path, ("People", texts(["uid", "name"], ["a1", "Ann"])))) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    for name in ("b.xlsx", "b.csv"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for part, data in parts.items():
                archive.writestr(part.replace("/", "\\"), data)
    with closing(open_roster(tmp_path / "b.xlsx")) as roster:
        assert [batch.frame.rows() for batch in roster.batches()] == [[("a1", "Ann")]]
    with pytest.raises(RosterError, match=r"b\.csv is a workbook; rename it to b\.xlsx$"):
        open_roster(tmp_path / "b.csv")

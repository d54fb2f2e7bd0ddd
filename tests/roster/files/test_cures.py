"""What a message says to do about a file under a wrong name: it is done, and then the roster is read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]

from provisioner.errors import RosterError
from provisioner.roster.reader import open_roster

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PEOPLE: Final = [{"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}]
CSV: Final = b"uid,name\na1,Ann\nb2,Bob\n"


def parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame(PEOPLE).write_parquet(file)
    return file.getvalue()


def workbook() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([("uid", "name"), *(tuple(each.values()) for each in PEOPLE)]):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def archive(member: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(member, data)
    return file.getvalue()


KINDS: Final = {
    ".csv": CSV,
    ".csv of UTF-16": CSV.decode().encode("utf-16"),
    ".ndjson": b"".join(json.dumps(each).encode() + b"\n" for each in PEOPLE),
    ".json": json.dumps(PEOPLE).encode(),
    ".json of several lines": json.dumps({"users": PEOPLE}, indent=1).encode(),
    ".parquet": parquet(),
    ".xlsx": workbook(),
}
PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstd.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
SUFFIXES: Final = (".csv", ".ndjson", ".json", ".parquet", ".xlsx", ".xls", ".bak", "")
# A comma in a .tsv, and a CSV in a .json, are no matter of the name alone.
OTHER_CURES: Final = (r"give --delimiter ','", r"a \.json roster is an array of objects")


def obeyed(path: Path, message: str) -> Path | None:
    """Do what a message says; null when it says nothing that a program could do."""
    if found := re.search(r"(unpack the archive and )?rename it to (\S+?)(?:, which gives 2 rows)?$", message):
        source = path
        if found[1]:
            with zipfile.ZipFile(path) as packed:
                (member,) = packed.namelist()
                source = Path(packed.extract(member, path.parent))
        return source.rename(path.parent / found[2])
    if message.endswith(("unpack it first", "unpack it, and name the roster")):
        return unpacked(path)
    if message.endswith("save it as .xlsx") and path.read_bytes() == KINDS[".xlsx"]:
        return path.rename(path.with_suffix(".xlsx"))
    if re.search(r"; rename it$", message):
        return path.rename(path.parent / "r.csv")
    return None


def unpacked(path: Path) -> Path:
    """Unpack a file as the tools do that are made for it: the suffix goes, or there is one member."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as packed:
            (member,) = packed.namelist()
            return Path(packed.extract(member, path.parent / "unpacked"))
    starts = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7z": lzma.decompress}
    unpack = next((unpack for start, unpack in starts.items() if data.startswith(start)), zstd.decompress)
    inner = path.with_suffix("") if path.suffix and path.suffix in PACKERS else path.with_suffix(".unpacked")
    inner.write_bytes(unpack(data))
    return inner


def read_in_the_end(path: Path) -> list[str]:
    """Read a roster, doing what each refusal says; gives the refusals. Fails when that leads nowhere."""
    refusals: list[str] = []
    while len(refusals) < 5:
        try:
            roster = open_roster(path)
        except RosterError as error:
            refusals.append(str(error).replace(f"{path.parent}/", ""))
            following = obeyed(path, refusals[-1])
            if following is None or following == path:
                break
            path = following
            continue
        rows = [row for batch in roster.batches() for row in batch.frame.select("uid", "name").rows()]
        roster.close()
        assert rows == [tuple(each.values()) for each in PEOPLE], refusals
        return refusals
    assert any(re.search(cure, refusals[-1]) for cure in OTHER_CURES), refusals
    return refusals


@pytest.mark.sampled
@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_does_what_the_messages_say_has_the_roster_read(tmp_path: Path, kind: str, packed: str) -> None:
    """Whatever the file is, and whatever it is called."""
    for suffix in SUFFIXES:
        for called_packed in ("", ".gz", ".zst", ".zip"):
            folder = tmp_path / f"as{suffix}{called_packed}"
            folder.mkdir()
            path = folder / f"r{suffix}{called_packed}"
            path.write_bytes(PACKERS[packed](KINDS[kind]))
            read_in_the_end(path)


@pytest.mark.parametrize("member", ["u.csv", "u.ndjson", "u.json", "u.parquet", "u.xlsx", "u.xls", "u.csv.gz"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_within_an_archive_is_mended_outside_of_it(tmp_path: Path, kind: str, member: str) -> None:
    """Its members have no names of their own on the disk."""
    path = tmp_path / "r.zip"
    path.write_bytes(archive(member, KINDS[kind]))
    read_in_the_end(path)


def test_a_table_of_another_program_is_read_once_it_is_written_as_parquet(tmp_path: Path) -> None:
    """Arrow and Avro say so; polars reads both."""
    frame, arrow, stream, avro = pl.DataFrame(PEOPLE), *(tmp_path / name for name in ("r.arrow", "r.arrows", "r.avro"))
    frame.write_ipc(arrow)
    frame.write_ipc_stream(stream)
    frame.write_avro(avro)
    for path, read in ((arrow, pl.read_ipc), (stream, pl.read_ipc_stream), (avro, pl.read_avro)):
        with pytest.raises(RosterError, match=r"write it as Parquet$"):
            open_roster(path)
        cured = path.with_suffix(".parquet")
        read(path).write_parquet(cured)
        assert read_in_the_end(cured) == []

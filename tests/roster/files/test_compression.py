"""Compressed rosters: read as if they were plain, and what is broken is told with how far it was good."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.origin import LocalFile
from provisioner.roster.reader import RosterOptions, open_roster

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def pack_zstd(data: bytes) -> bytes:
    """With a checksum, as the command line tool does."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": pack_zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
METHODS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}


@pytest.fixture(params=list(PACKERS))
def suffix(request: pytest.FixtureRequest) -> str:
    """Each compression."""
    return str(request.param)


def rows_of(path: Path, options: RosterOptions | None = None) -> list[tuple[object, ...]]:
    roster = open_roster(path, options)
    return [row for batch in roster.batches() for row in batch.frame.rows()]


def message(path: Path) -> str:
    with pytest.raises(RosterError) as error:
        rows_of(path)
    return str(error.value).replace(str(path), path.name)


def test_a_compressed_csv_gives_its_rows_in_every_pass(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r.csv{suffix}"
    path.write_bytes(PACKERS[suffix](b"\xef\xbb\xbfuid;name\na;Ann\nb;\n"))
    roster = open_roster(path)
    for _ in range(2):
        assert [batch.frame.rows() for batch in roster.batches()] == [[("a", "Ann"), ("b", None)]]
    assert (roster.name, roster.rejected_delimiter, roster.size) == (str(path), ";", path.stat().st_size)


def test_several_members_are_one_text(tmp_path: Path, suffix: str) -> None:
    """What `cat a.csv.gz b.csv.gz` and parallel packers make."""
    path, pack = tmp_path / f"r.tsv{suffix}", PACKERS[suffix]
    path.write_bytes(pack(b"uid\tna") + pack(b"") + pack(b"me\na\t") + pack(b"Ann\n"))
    assert rows_of(path) == [("a", "Ann")]


@pytest.mark.parametrize("kind", [0x50, 0x5A, 0x5F])
@pytest.mark.parametrize("length", [0, 4, 5_000, 200_000])
def test_frames_of_zstd_that_are_passed_over_are_no_text(tmp_path: Path, kind: int, length: int) -> None:
    """Wherever they stand, however long they are: parallel packers begin with one, others put notes into them."""
    skipped = bytes([kind]) + b"\x2a\x4d\x18" + length.to_bytes(4, "little") + b"x" * length
    path = tmp_path / "r.csv.zst"
    parts = [skipped, skipped, pack_zstd(b"uid,name\n"), skipped, pack_zstd(b"a,Ann\n"), skipped]
    path.write_bytes(b"".join(parts))
    assert rows_of(path) == [("a", "Ann")]
    path.rename(tmp_path / "r.csv")
    assert message(tmp_path / "r.csv") == "r.csv is compressed with zstd; rename it to r.csv.zst"


def test_a_sound_file_of_zstd_that_is_not_unpacked_is_told_with_the_option_that_unpacks_it(tmp_path: Path) -> None:
    """A window of 2 GiB, and a dictionary: to fetch it again would not help."""
    text = b"".join(b"u%d,Ann Example %d\n" % (number, number * 7) for number in range(2_000))
    wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 31})
    dictionary = zstd.train_dict(text.splitlines(keepends=True), 1_000)
    path = tmp_path / "r.csv.zst"
    path.write_bytes(wide.compress(b"uid,name\n") + wide.compress(text) + wide.flush())
    assert message(path) == (
        "r.csv.zst needs more than 128 MiB of memory (zstd --long); unpack it first, with zstd -d --long=31"
    )
    path.write_bytes(zstd.compress(b"uid,name\n" + text, zstd_dict=dictionary))
    assert message(path) == (
        "r.csv.zst was made with a dictionary; unpack it first, with zstd -d -D and that dictionary"
    )


def test_a_gzip_header_may_hold_all_that_it_can(tmp_path: Path) -> None:
    """Extra bytes, a name, a comment and a checksum of the header; zeros may follow, as tapes and blocks have them."""
    packed = gzip.compress(b"uid,name\na,Ann\n")
    header = b"\x1f\x8b\x08\x1f" + packed[4:10] + b"\x04\0abcd" + b"n.csv\0" + b"note\0"
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    path = tmp_path / "r.csv.gz"
    path.write_bytes(header + packed[10:] + b"\0" * 512)
    assert rows_of(path) == [("a", "Ann")]


def test_a_compressed_text_in_another_encoding_is_read_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r.csv{suffix}"
    path.write_bytes(PACKERS[suffix]("uid,name\na,Zoë\n".encode("utf-16")))
    assert rows_of(path, RosterOptions(encoding="utf-16")) == [("a", "Zoë")]
    assert rows_of(path) == [("a", "Zoë")]


@pytest.mark.sampled
def test_progress_runs_up_to_the_compressed_size(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r.csv{suffix}"
    text = "uid,name\n" + "".join(f"user-{row * 7919 % 100_003},Person {row}\n" for row in range(100_000))
    path.write_bytes(PACKERS[suffix](text.encode()))
    roster = open_roster(path)
    calls: list[tuple[int, int]] = []
    for _ in roster.batches(lambda rows, size: calls.append((rows, size))):
        pass
    assert (calls, calls[-1]) == (sorted(calls), (100_000, path.stat().st_size))


def test_a_file_that_was_cut_off_is_told_with_the_byte_reached(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r.csv{suffix}"
    whole = b"uid,name\n" + b"".join(b"%x,n\n" % (row * row * row) for row in range(20_000))
    packed = PACKERS[suffix](whole)
    path.write_bytes(packed[: len(packed) // 2])
    said = message(path)
    start = f"r.csv{suffix} is cut off: its {METHODS[suffix]} data ends or breaks behind byte "
    assert said.startswith(start)
    assert said.endswith(" of the text; fetch or copy it again")
    reached = int(said.removeprefix(start).split()[0])
    # bzip2 packs nearly a megabyte as one piece.
    least = 0 if suffix == ".bz2" else len(whole) // 4
    assert least <= reached < len(whole) * 3 // 4
    with Compressed(LocalFile(path), METHODS[suffix]).open() as file, pytest.raises(RosterError):
        file.read()


def test_a_damaged_file_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r.csv{suffix}"
    packed = bytearray(PACKERS[suffix](b"uid,name\n" + b"".join(b"%x,n\n" % (row**3) for row in range(20_000))))
    packed[len(packed) // 2 : len(packed) // 2 + 100] = bytes(100)
    path.write_bytes(packed)
    assert message(path).startswith(f"r.csv{suffix} is damaged: its {METHODS[suffix]} data ends or breaks behind byte ")


def test_rubbish_behind_the_last_member_is_told(tmp_path: Path, suffix: str) -> None:
    """It may be the rest of the roster."""
    path = tmp_path / f"r.csv{suffix}"
    path.write_bytes(PACKERS[suffix](b"uid,name\na,b\n") + b"c,d\n")
    assert message(path).startswith(
        f"r.csv{suffix} is damaged: its {METHODS[suffix]} data ends or breaks behind byte 13"
    )


def test_a_defect_is_told_with_its_byte_in_the_plain_text(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r.csv{suffix}"
    path.write_bytes(PACKERS[suffix](b"uid,name\na,b\nc,d,e\n"))
    assert message(path) == (
        f"r.csv{suffix}: row 2 (line 3, byte 17 of the unpacked text): 3 cells, but the header has 2; "
        "put cells that hold a comma in quotes"
    )


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("r.csv.gz", b"uid,name\n", "r.csv.gz is not compressed with gzip; rename it to r.csv"),
        ("r.csv.zst", b"uid,name\n", "r.csv.zst is not compressed with zstd; rename it to r.csv"),
        ("r.csv.zst", gzip.compress(b"uid", mtime=0), "r.csv.zst is compressed with gzip; rename it to r.csv.gz"),
        ("r.csv", gzip.compress(b"uid", mtime=0), "r.csv is compressed with gzip; rename it to r.csv.gz"),
        ("r.ndjson", zstd.compress(b"uid"), "r.ndjson is compressed with zstd; rename it to r.ndjson.zst"),
        ("r.parquet", gzip.compress(b"uid", mtime=0), "r.parquet is compressed with gzip; unpack it first"),
        ("r.csv.gz", b"PAR1", "r.csv.gz is a Parquet file; rename it to r.parquet"),
        (
            "r.csv.gz",
            gzip.compress(b"PAR1", mtime=0),
            "r.csv.gz is a Parquet file behind its compression; unpack it first",
        ),
        ("r.csv.gz", gzip.compress(b"", mtime=0), "r.csv.gz is empty: it has no bytes at all"),
        ("r.csv", b"BZh91AY", "r.csv is compressed with bzip2; rename it to r.csv.bz2"),
        ("r.csv", b"\xfd7zXZ\0", "r.csv is compressed with xz; rename it to r.csv.xz"),
    ],
)
def test_a_name_that_does_not_fit_is_told_with_the_right_one(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert message(tmp_path / name) == said


@pytest.mark.sampled
def test_memory_does_not_grow_with_the_text(tmp_path: Path, suffix: str) -> None:
    """A hundred megabytes of text in a small file are read block by block."""
    path = tmp_path / f"r.csv{suffix}"
    # In members, as `cat` joins them: bzip2 takes half a minute to compress so much that is so much alike.
    line, times, members = b"u,Somebody with a long name that compresses well\n", 20_000, 100
    path.write_bytes(PACKERS[suffix](b"uid,name\n") + PACKERS[suffix](line * times) * members)
    roster = open_roster(path)
    tracemalloc.start()
    try:
        rows = sum(batch.frame.select(pl.len()).item() for batch in roster.batches())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == times * members
    assert peak < 60_000_000

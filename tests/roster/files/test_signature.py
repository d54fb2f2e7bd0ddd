"""First bytes: a file that is not what its name says is refused with the name it should have."""

from __future__ import annotations

import lzma

import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import local_file
from provisioner.roster.files.signature import check_signature


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

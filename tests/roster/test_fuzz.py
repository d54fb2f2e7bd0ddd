"""Whatever bytes a roster holds, there are rows or one sentence: nothing else comes out of reading and checking."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.errors import ConfigurationError, RosterError
from provisioner.model import AuthTokens
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator
from tests.rig.sampling import examples

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GOOD = (
    "uid,name,avatar,role,tags,metadata,withAuthToken\r\n"
    'ann,"Ann, Dr.",https://example.com/a.png,default,"x;y","{""a"": [1, 2.50]}",true\r\n'
    'bob,"B""ob\nB.",,Admin,[],{},no\r\n'
    "cleo,Zoë,,,,,\r\n"
).encode()
# What breaks files in practice: their own syntax in the wrong place, other encodings, zeros.
SPLINTERS = (
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"[",
    b"{",
    b"\xed\xa0\x80",
    b"1e999",
)

STARTS = (b"", b"PAR1", b"PK\x03\x04", b'{"uid": "a", "name": "b"}\n')

FUZZ = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(path: Path, options: RosterOptions) -> None:
    """Read and check everything: all rows come out, or one sentence does."""
    try:
        roster = open_roster(path, options, path.parent)
        binding = bind(roster.schema)
        surveyed = survey(roster, binding, path.parent, identity=True)
        validator = Validator(binding, Constraints(), surveyed, auth_tokens=AuthTokens.ALL)
        checked = [validator.check(batch) for batch in roster.batches()]
    except (RosterError, ConfigurationError) as error:
        said = str(error)
        assert len(said.splitlines()) == 1
        assert len(said) < 1_000
        return
    assert sum(len(each.valid) + len(each.rejected) for each in checked) == surveyed.rows


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good roster with a few splinters in it, pieces of it cut out, or its end gone."""
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 0, 1, 10, len(data)]))
        data[at : at + length] = draw(st.sampled_from(SPLINTERS) | st.binary(max_size=3))
    return bytes(data)


options = st.builds(
    RosterOptions,
    encoding=st.sampled_from([None, None, "cp1252", "utf-16", "utf-16-le", "latin-1", "utf-7"]),
    delimiter=st.sampled_from([None, None, ",", ";", "\t"]),
    limit=st.sampled_from([None, None, 0, 1, 2]),
)


@FUZZ
@given(data=st.binary(max_size=200) | mutated(), suffix=st.sampled_from([".csv", ".tsv", ".txt"]), options=options)
def test_any_bytes_as_text(tmp_path: Path, data: bytes, suffix: str, options: RosterOptions) -> None:
    path = tmp_path / f"r{suffix}"
    path.write_bytes(data)
    check(path, options)


@FUZZ
@given(data=mutated(), options=options)
def test_broken_rosters(tmp_path: Path, data: bytes, options: RosterOptions) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(data)
    check(path, options)


@FUZZ
@given(at=st.integers(0, 250), byte=st.integers(0, 255), cut=st.booleans(), suffix=st.sampled_from([".gz", ".zst"]))
def test_broken_compression(tmp_path: Path, at: int, byte: int, cut: bool, suffix: str) -> None:
    data = bytearray(gzip.compress(GOOD, mtime=0) if suffix == ".gz" else zstd.compress(GOOD))
    data[at % len(data)] = byte
    if cut:
        del data[at:]
    path = tmp_path / f"r.csv{suffix}"
    path.write_bytes(data)
    check(path, RosterOptions())


@pytest.mark.parametrize("suffix", [".ndjson", ".parquet", ".xlsx"])
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), start=st.sampled_from(STARTS))
def test_any_bytes_as_another_format(tmp_path: Path, suffix: str, data: bytes, start: bytes) -> None:
    path = tmp_path / f"r{suffix}"
    path.write_bytes(start + data + (b"PAR1" if start == b"PAR1" else b""))
    check(path, RosterOptions())

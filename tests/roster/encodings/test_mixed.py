"""Parts in different encodings: the cause is said, with the parts, and the cure that is named works."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import find_inputs
from provisioner.roster.formats.rows import Roster
from provisioner.roster.reader import RosterOptions, open_roster

CELL = "byte 0xEB is not UTF-8; it reads 'Zoë' in cp1252, 'Zoė' in cp1257"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, in which the parts are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    return tmp_path / "m"


def csv(uid: str, mark: str = ",") -> str:
    return f"uid{mark}name\n{uid}{mark}Zoë\n"


def far(uid: str) -> str:
    """A part whose letter beyond ASCII stands behind the first block."""
    return "uid,name\n" + "".join(f"u{number},Person {number}\n" for number in range(120_000)) + f"{uid},Zoë\n"


def ndjson(uid: str) -> str:
    return f'{{"uid":"{uid}","name":"Zoë"}}\n'


def json(uid: str) -> str:
    return f"[{ndjson(uid).strip()}]\n"


def opened(encoding: str | None = None) -> Roster:
    return open_roster(find_inputs(["m"]), RosterOptions(encoding=encoding))


def names(roster: Roster) -> list[object]:
    return [name for batch in roster.batches() for name in batch.frame["name"] if not name.startswith("Person")]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("suffix", "pack", "write", "place"),
    [
        ("csv", bytes, csv, "row 1 (line 2), column 'name' (byte 14)"),
        ("csv", bytes, lambda uid: csv(uid, ";"), "row 1 (line 2), column 'name' (byte 14)"),
        ("tsv", bytes, lambda uid: csv(uid, "\t"), "row 1 (line 2), column 'name' (byte 14)"),
        ("csv", bytes, far, "row 120001 (line 120002), column 'name' (byte 2417794)"),
        ("csv.gz", gzip.compress, csv, "row 1 (line 2), column 'name' (byte 14 of the unpacked text)"),
        ("ndjson", bytes, ndjson, "row 1 (line 1, byte 22)"),
        ("json.bz2", bz2.compress, json, "behind row 0 (byte 23)"),
    ],
)
@pytest.mark.parametrize("first", ["utf-8", "cp1252"])
def test_a_part_that_is_not_utf8_among_others_that_are_is_to_be_saved_anew(
    here: Path, suffix: str, pack: Callable[[bytes], bytes], write: Callable[[str], str], place: str, first: str
) -> None:
    """Wherever it stands: no encoding that could be named reads all of them. A part of ASCII is neither."""
    second = "cp1252" if first == "utf-8" else "utf-8"
    for name, text, encoding in (("a", write("a1"), first), ("b", write("b2"), second)):
        (here / f"{name}.{suffix}").write_bytes(pack(text.encode(encoding)))
    (here / f"c.{suffix}").write_bytes(pack(write("c3").replace("ë", "e").encode()))
    utf8, other = (f"m/{name}.{suffix}" for name in ("ab" if first == "utf-8" else "ba"))
    with pytest.raises(RosterError) as raised:
        names(opened())
    cure = f"{utf8} is UTF-8, so no --encoding reads all parts: save {other} as UTF-8"
    assert str(raised.value) == f"{other}: {place}: {CELL}; {cure}"
    uid = "b2" if first == "utf-8" else "a1"
    (here.parent / other).write_bytes(pack(write(uid).encode()))
    assert names(opened()) == ["Zoë", "Zoë", "Zoe"]


def test_parts_in_one_encoding_or_in_ascii_are_told_to_name_it(here: Path) -> None:
    """That cure works then; a part with a mark is read by it."""
    (here / "a.csv").write_bytes(csv("a1").encode("cp1252"))
    (here / "b.csv").write_bytes(b"uid,name\nb2,Bob\n")
    (here / "c.csv").write_bytes(csv("c3").encode("utf-8-sig"))
    with pytest.raises(RosterError) as raised:
        opened()
    assert str(raised.value).endswith(f"{CELL}; name the one that reads right with --encoding")
    roster = opened("cp1252")
    assert (names(roster), roster.notices()) == (["Zoë", "Bob", "Zoë"], [])


def test_an_encoding_that_spoils_one_part_is_told_with_those_that_are_in_another(here: Path) -> None:
    """To leave it out would not help before they are saved anew."""
    (here / "a.csv").write_bytes(csv("a1").encode())
    (here / "b.csv.gz").write_bytes(gzip.compress(csv("b2").encode("cp1252")))
    spoilt = "m/a.csv is UTF-8 and read as cp1252, which spoils letters such as ë"
    mend = "save as UTF-8 what is not, then leave out --encoding (in a config file: encoding)"
    assert [notice.message for notice in opened("cp1252").notices()] == [f"{spoilt}; m/b.csv.gz is not: {mend}"]
    (here / "b.csv.gz").write_bytes(gzip.compress(csv("b2").encode()))
    assert names(opened()) == ["Zoë", "Zoë"]
    left_out = f"{spoilt}; leave out --encoding (in a config file: encoding)"
    assert next(notice.message for notice in opened("cp1252").notices()) == left_out

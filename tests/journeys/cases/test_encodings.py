"""Text that is not UTF-8, cut off, or of several encodings: refused with what a person can decide by."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.rig.cases import SAMPLES, document, events, refusal

NAMED = "; name the one that reads right with --encoding"
CELL = "row 1 (line 2), column 'name' (byte {}): byte 0x{} is not UTF-8; it reads "
READINGS = {
    "cp1250.csv": (CELL.format(12, "A3"), "'Łukasz Żółć' in cp1250"),
    "cp1251.csv": (CELL.format(12, "C0"), "'Анна Иванова' in cp1251"),
    "cp1256.csv": (CELL.format(12, "E3"), "'محمد علي' in cp1256"),
    "gbk.csv": (CELL.format(12, "CD"), "'王小明' in gbk"),
    "shift-jis.csv": (CELL.format(12, "8E"), "'山田太郎' in cp932"),
    "macroman.csv": (CELL.format(14, "91"), "'Zoë Müller' in mac_roman"),
    "cp850.csv": (CELL.format(14, "89"), "'Zoë Müller' in cp850"),
    "ebcdic.csv": ("in the header, byte 0xA4 is not UTF-8; it reads ", "in cp500"),
}


@pytest.mark.parametrize("file", READINGS)
def test_the_first_bad_cell_is_shown_as_it_reads(tmp_path: Path, file: str) -> None:
    """The right reading is there, with at least one other, and what to say it with."""
    place, reading = READINGS[file]
    message = refusal(SAMPLES / "encodings" / file, tmp_path)
    assert f"{file}: {place}" in message
    assert reading in message
    assert message.endswith(NAMED)
    assert message.count(" in ") >= 2


def test_emoji_of_a_database_are_told_as_that(tmp_path: Path) -> None:
    """No encoding that people could name reads them."""
    assert "is not UTF-8 but CESU-8" in refusal(SAMPLES / "encodings" / "cesu8.csv", tmp_path)


def test_a_text_that_is_cut_off_is_told_as_that(tmp_path: Path) -> None:
    """As a CSV, and as lines of JSON."""
    cut = "the text is cut off within a character; fetch or copy the file again"
    assert refusal(SAMPLES / "cut-and-mixed" / "cut-utf8.csv", tmp_path).endswith(cut)
    for name, text in (("r.ndjson", '{"uid":"a","name":"Zoë'), ("r.json", '[{"uid":"a","name":"Zoë')):
        (tmp_path / name).write_bytes(text.encode()[:-1])
        assert refusal(tmp_path / name, tmp_path).endswith(cut)


def test_a_text_of_several_encodings_is_told_as_that(tmp_path: Path) -> None:
    """With the numbers of both and the first row of the others; compressed, lines of JSON, when one is named."""
    sample = SAMPLES / "cut-and-mixed" / "mixed-encoding-2.csv"
    mixed = "the encodings are mixed: 1 line is not UTF-8, 2 are; export the file again in one encoding"
    place = "row 2 (line 3), column 'name' (byte 31): "
    assert refusal(sample, tmp_path).endswith(f"mixed-encoding-2.csv: {place}{mixed}")
    packed = tmp_path / "r.csv.gz"
    packed.write_bytes(gzip.compress(sample.read_bytes()))
    assert refusal(packed, tmp_path).endswith(mixed)
    lines = tmp_path / "r.ndjson"
    first, second, third = (f'{{"uid": "a", "name": "{name}"}}' for name in ("Zoë", "José", "Ýr"))
    lines.write_bytes(b"\n".join([first.encode(), second.encode("cp1252"), third.encode()]))
    assert refusal(lines, tmp_path) == f"r.ndjson: row 2 (line 2, byte 54): {mixed}"
    lines.write_bytes(b"\n".join([first.encode(), third.encode()])[:-4])
    assert refusal(lines, tmp_path).endswith("the text is cut off within a character; fetch or copy the file again")
    assert refusal(sample, tmp_path, run={"encoding": "ascii"}).endswith(f"is not ascii at byte 14; {mixed}")


@pytest.mark.parametrize("between", [b",\n", b",", b",\r"])
def test_json_in_several_encodings_is_told_as_that(tmp_path: Path, between: bytes) -> None:
    """Also where all of it stands in one line."""
    names = [name.encode(kind) for name, kind in (("Zoë", "utf-8"), ("Zoë", "cp1252"), ("Łukasz", "utf-8"))]
    rows = between.join(b'{"uid":"a1","name":"%s"}' % name for name in names)
    mixed = "the encodings are mixed: 1 text is not UTF-8, 2 are; export the file again in one encoding"
    path = tmp_path / "r.json"
    for text in (b"[%s]" % rows, b'{"users":[%s]}' % rows):
        path.write_bytes(text)
        assert refusal(path, tmp_path) == f"r.json: behind row 0 (byte {text.index(names[1]) + 2}): {mixed}"
    cut = text.replace(names[1], b"Zoe")
    path.write_bytes(cut[: cut.index(names[2]) + 1])
    assert refusal(path, tmp_path).endswith("the text is cut off within a character; fetch or copy the file again")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_header_in_another_encoding_than_the_rows_is_told_as_that(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "r.csv"
    lines = ["uid,name,größe".encode("cp1252"), *(f"a{number},Zoë,x".encode() for number in range(3))]
    path.write_bytes(end.join(lines) + end)
    mixed = "the encodings are mixed: 1 line is not UTF-8, 3 are; export the file again in one encoding"
    assert refusal(path, tmp_path) == f"r.csv: in the header, {mixed}"


UTF8 = (SAMPLES / "mojibake" / "utf8-latin.csv").read_bytes()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.csv", UTF8),
        ("r.tsv", UTF8.replace(b",", b"\t")),
        ("r.csv.gz", gzip.compress(UTF8, mtime=0)),  # or each process that tests would make another case of it
        ("r.ndjson", '{"uid": "a1", "name": "Zoë Müller"}\n{"uid": "b2", "name": "José"}\n'.encode()),
        ("r.json", '[{"uid": "a1", "name": "Zoë Müller"}, {"uid": "b2", "name": "José"}]'.encode()),
    ],
)
def test_utf8_that_is_read_in_an_encoding_that_was_named_is_warned_of(tmp_path: Path, name: str, data: bytes) -> None:
    """It decodes without an error, and its names are damaged: the file is told of, and each such name."""
    roster = tmp_path / name
    roster.write_bytes(data)
    found = document(roster, tmp_path, run={"encoding": "cp1252"})
    assert (found["exit_code"], found["warnings"]["name.mojibake"]["first_rows"]) == (0, [1, 2])
    told = [each for each in events(roster, tmp_path, run={"encoding": "cp1252"}) if each["event"] != "roster.warned"]
    message = f"{roster} is UTF-8 and read as cp1252, which spoils letters such as ë; leave out --encoding"
    assert [(each["event"], each["message"]) for each in told] == [
        ("encoding.looks_like_utf8", f"{message} (in a config file: encoding)")
    ]


@pytest.mark.parametrize("run", [{}, {"encoding": "utf-8"}, {"encoding": "cp1251"}])
def test_a_text_in_its_own_encoding_is_not_warned_of(tmp_path: Path, run: dict[str, str]) -> None:
    """Neither UTF-8 as itself, nor another that is named rightly."""
    roster = tmp_path / "r.csv"
    roster.write_bytes("uid,name\na1,Анна Иванова\n".encode(run.get("encoding", "utf-8")))
    assert events(roster, tmp_path, run=run) == []

"""Text that is not UTF-8: the right reading is among those shown, and none is claimed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from provisioner.roster.encodings.readings import escaped_letters, mixture, not_utf8, readings, wide_encoding
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.origin import LocalFile

NAMES = {
    "cp1252": [
        "José",
        "Zoë Müller",
        "Søren Ødegård",
        "Françoise Lefèvre",
        "Jürgen Groß",
        "Niccolò Rossi",
        "Jón Þórðarson",
    ],
    "cp1250": ["Łukasz Żółć", "Šimon Čech", "Dvořák Tomáš", "Kovács Győző", "Wiśniewska Małgorzata"],
    "cp1251": ["Анна Иванова", "Борис", "Мельник Юрий", "Щербакова Ольга"],
    "cp1253": ["Ελένη Παπαδάκη", "Νίκος", "Γιώργος Αλεξίου"],
    "cp1254": ["Ayşe Yılmaz", "Doğan İpek"],  # noqa: RUF001
    "cp1257": ["Jānis Bērziņš", "Žydrūnė Šimkutė", "Rūta Kazlauskienė", "Ąžuolas Čepaitis", "Kārlis Ļaudams"],
    "cp874": ["สมชาย ใจดี", "สมหญิง รักไทย", "ณัฐวุฒิ"],
    "cp1255": ["דוד כהן", "נועה לוי", "משה"],
    "cp1256": ["محمد علي", "فاطمة", "أمينة منصور", "يوسف حداد"],
    "gbk": ["王小明", "李雷", "张伟", "欧阳娜娜"],
    "big5": ["王小明", "陳美玲", "林志豪"],
    "cp932": ["山田太郎", "鈴木一郎", "さくら"],
    "euc_jp": ["山田太郎", "長谷川京助", "太田千代"],
    "cp949": ["김철수", "이영희", "박지성"],
    "koi8_r": ["Анна Иванова", "Борис"],
    "cp866": ["Анна Иванова"],
    "iso8859_5": ["Иван Петров", "Анна Иванова"],
    "mac_cyrillic": ["Иван Петров", "Юлія Шевченко"],
    "koi8_u": ["Юлія Шевченко", "Сергій Мельник"],
    "iso8859_2": ["Tomáš Brož", "Františka Kovář", "Jan Łoś"],
    "cp852": ["Tomáš Brož", "Michał Wójcik", "Paweł Zieliński"],
    "mac_roman": ["Zoë Müller", "José", "Françoise"],
    "cp850": ["Zoë Müller", "José", "Søren"],
}


def first_bad(data: bytes) -> int:
    """Where the data stop to be UTF-8."""
    with pytest.raises(UnicodeDecodeError) as raised:
        data.decode()
    return raised.value.start


@pytest.mark.parametrize(("encoding", "name"), [(encoding, name) for encoding in NAMES for name in NAMES[encoding]])
def test_the_right_reading_of_a_single_name_is_shown(encoding: str, name: str) -> None:
    """Beside at least one other, in a CSV and in a line of JSON; at most three are."""
    for before, after in (("uid,name\na1,", "\n"), ('{"uid":"a1","name":"', '"}\n')):
        data = (before + name + after).encode(encoding)
        shown = readings(data, first_bad(data))
        assert repr(name) in [reading for _, reading in shown]
        assert 2 <= len(shown) <= 3


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "name",
    [
        "O\u2019Brien",
        "Smith \u2013 Jones",
        "Ann \u201cAnnie\u201d Lee",
        "Sean O\u2019Brien",
        "D\u2019Angelo",
        "Anne\u2014Marie",
    ],
)
def test_the_signs_that_programs_put_into_names_are_shown(encoding: str, name: str, mark: str) -> None:
    """Though no letter beyond ASCII is in the name; and nothing in which the delimiters would be lost is a reading."""
    data = f"uid{mark}name\na1{mark}{name}\n".encode(encoding)
    shown = readings(data, first_bad(data))
    assert (encoding, f"'{name}'") in shown
    assert "cp500" not in dict(shown)
    assert 2 <= len(shown) <= 3


def test_the_commonest_encoding_is_named_beside_another_that_reads_a_cell_likewise() -> None:
    """Other cells tell which it is."""
    data = "uid,name\na1,\u20ac5 \u0160mid\na2,Jiří Dvořák\n".encode("cp1250")
    assert ("cp1250 or cp1252", "'\u20ac5 \u0160mid'") in readings(data, first_bad(data))
    data = "uid,name\na1,\u20ac5 \u0160mid\n".encode("cp1252")
    assert ("cp1252", "'\u20ac5 \u0160mid'") in readings(data, first_bad(data))


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("uid,name\na1,Zoë Müller\n", "utf-7", "Zoë "),
        ('uid;name\na1;Ann\nb2;"Łukasz"\n', "utf-7", "Łukasz"),
        ("uid,name\na1,McDonald Ørsted\n", "utf-7", "McDonald Ørsted"),
        ("uid,name\na1,Анна Иванова\n", "utf-7", "Анна "),
        ("uid,name\na1,山田太郎\n", "iso2022_jp", "山田太郎"),
    ],
)
def test_letters_that_are_escaped_in_ascii_are_told_with_the_encoding(text: str, encoding: str, shown: str) -> None:
    """And how some of them read."""
    said = f"its letters beyond ASCII are escaped ('{shown}'); give --encoding {encoding}"
    assert escaped_letters(text.encode(encoding)) == said


@pytest.mark.parametrize(
    "text",
    [
        "uid,email\na1,ann+Abc@x.org\n",
        "C+ABC-x,+4930-12,+AB1-2",
        "uid,name,note\na1,Ann,Pizza+BBQ\nb2,Bob,+BBQ\n",
        "uid,name,note\na1,Ann,Hotel+ANY\nb2,Bob,Zoo +APE\n",
        "Bob+Ann-Lee,C++,a+B",
        "\x1b[1mAnn\x1b[0m",
        "~{Ann~}, ~{}~, ~{ab cd~}",
        "a" * 2**16,
        "+A" * 2**15,
    ],
)
def test_a_plus_in_an_address_or_a_number_escapes_nothing(text: str) -> None:
    """Nor does what colours a terminal."""
    assert escaped_letters(text.encode()) is None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"Nguy\xea\xden V\xe3n An", "Nguy\u00ea\u0303n V\u0103n An"),
        (b"Tr\xe2\xecn Qu\xfd B\xecu", "Tr\u00e2\u0301n"),
    ],
)
def test_vietnamese_is_shown_with_its_marks_behind_the_letters(data: bytes, name: str) -> None:
    """As Windows-1258 has them."""
    found = readings(b"uid,name\na1," + data + b"\n", first_bad(b"uid,name\na1," + data + b"\n"))
    assert any(encoding == "cp1258" and name in reading for encoding, reading in found)


@pytest.mark.parametrize("encoding", NAMES)
def test_the_rows_behind_the_first_bad_one_count_as_well(encoding: str) -> None:
    """Only the first cell is shown."""
    data = ("uid,name\n" + "".join(f"a{at},{name}\n" for at, name in enumerate(NAMES[encoding]))).encode(encoding)
    assert repr(NAMES[encoding][0]) in [reading for _, reading in readings(data, first_bad(data))]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"uid,name\na1,Zo\xc3", "the text is cut off within a character; fetch or copy the file again"),
        (
            b"uid,name\na1,Ann \xed\xa0\xbd\xed\xb8\x80\n",
            "byte 0xED is not UTF-8 but CESU-8, in which Oracle and Java write emoji; "  # noqa: ISC004
            "export the file as UTF-8 (AL32UTF8 in Oracle)",
        ),
    ],
)
def test_what_is_no_matter_of_another_encoding_proposes_none(data: bytes, message: str) -> None:
    """A file that was cut off, and emoji as databases write them."""
    assert not_utf8(data, first_bad(data)) == message


def test_lines_of_two_encodings_are_counted(tmp_path: Path) -> None:
    """Compressed or not; lines of ASCII are both, and a file in one encoding is no mixture."""
    path = tmp_path / "r.csv"
    mixed = "uid,name\na1,Zoë\na2,Ann\n".encode() + "a3,José\n".encode("cp1252") + "a4,Łukasz\n".encode()
    message = "the encodings are mixed: 1 line is not UTF-8, 2 are; export the file again in one encoding"
    path.write_bytes(mixed)
    assert mixture(LocalFile(path)) == message
    path.write_bytes(gzip.compress(mixed))
    assert mixture(Compressed(LocalFile(path), "gzip")) == message
    path.write_bytes("a1,Zoë\na3,José\n".encode("cp1252"))
    assert mixture(LocalFile(path)) is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["uid,name\n", "Łukasz\n", "\nuid", "u", "uid,name,😀\na1,Łukasz 😀\n"])
def test_what_a_text_with_zeros_in_it_is_is_told_by_where_they_stand(text: str, encoding: str) -> None:
    """Whatever letters it begins with."""
    assert wide_encoding(text.encode(encoding)) == encoding

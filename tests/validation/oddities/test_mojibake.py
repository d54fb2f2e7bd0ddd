"""Names damaged by an encoding, and names that only look like it."""

from __future__ import annotations

import json

import polars as pl
import pytest

from provisioner.validation.oddities.mojibake import HTML, LATIN, LOST, UTF8, damages, suspicious
from tests.rig.checking import check, parsed, people, warnings

NAMES = [
    "Zoë Müller", "José Ñandú", "Łukasz Żółć", "Анна Иванова", "Ελένη Παπά", "דוד כהן", "محمد علي", "王小明", "김민수",
    "Nguyễn Thị Ánh", "O\u2019Brien", "Anaïs", "Ș Țepeș", "😀 Joy",
]  # fmt: skip
PROPER = [
    *NAMES, "JOÃO", "Ângela", "Đorđe", "SÃO JOSÉ", "Ýr", "ANDRÉ\u2019S", "Рёрих", "Сергій Єрмак", "Óõ Ü", "Zoë & Bob",
    "Ann & Co; x",
    "Who?", "Éric-Øystein", "Åsa Ö", "X Æ A-12", "Mª José", "Nº 5", "Tomášová Šárka", "İpek Ça\u011fr\u0131",
]  # fmt: skip


def damage(name: str) -> str | None:
    """Judge a name as a batch is: looked at closely only when it is suspicious."""
    names = pl.Series("name", [name])
    return damages(names).item() if suspicious(names).item() else None


@pytest.mark.parametrize("name", PROPER)
def test_names_of_people_are_not_damaged(name: str) -> None:
    """Accents, capitals, other alphabets and typographic apostrophes are what names are made of."""
    assert damage(name) is None


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "O\u2019Brien"])
def test_utf8_read_as_something_else_is_found(name: str, encoding: str) -> None:
    """Whatever the alphabet, and whatever it was taken for."""
    assert damage(name.encode().decode(encoding, errors="replace")) in {UTF8, LOST}


@pytest.mark.parametrize("encoding", ["mac-roman", "cp437", "cp850"])
@pytest.mark.parametrize("name", ["Zoë Müller", "José Ñandú", "Anaïs"])
def test_latin_letters_read_as_mac_or_dos_are_found(name: str, encoding: str) -> None:
    """By root signs and the lines of tables, which no name has."""
    assert damage(name.encode().decode(encoding)) == UTF8


def test_the_apostrophe_alone_is_enough() -> None:
    """The commonest of all: one sign in an English name; and Cyrillic read as Cyrillic."""
    assert damage("O\u2019Brien".encode().decode("cp1252")) == UTF8
    assert damage("Иван Петров".encode().decode("cp1251", errors="ignore")) == UTF8


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_letters_nearly_all_accented_are_another_alphabet(encoding: str) -> None:
    """Cyrillic that was read as Windows-1252."""
    assert damage("Анна Иванова".encode(encoding).decode("cp1252", errors="replace")) == LATIN


def test_other_damage_has_other_kinds() -> None:
    """Letters that are gone, and what comes from a web page."""
    assert [damage(name) for name in ("Zo\ufffd", "??? ????", "Zo&euml;", "O&#39;Brien")] == [LOST, LOST, HTML, HTML]


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x1b", "\x7f", "\x85x", "\r"])
def test_control_characters_are_told_and_sent(letter: str) -> None:
    """As the name stands; a tab or a line end is no reason for a word."""
    assert warnings(people(name=f"An{letter}n")) == {"name.control_characters": (1,)}
    assert parsed(check([{"uid": "a", "name": f"An{letter}n"}]))["name"] == f"An{letter}n"
    assert warnings(people(name="Ann\tLee\nof\r\nRome")) == {}


@pytest.mark.parametrize("name", ['"', "\\", "\x01", "\n", "&", "\u200b|"])
def test_whatever_is_suspicious_or_not_is_written_as_json(name: str) -> None:
    """What has to be escaped is among what is looked at closely."""
    body = check([{"uid": "a", "name": f"A{name}b"}]).valid["body"].item()
    assert json.loads(body)["name"] == f"A{name}b"

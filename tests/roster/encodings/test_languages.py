"""Languages and the encodings that were made for them."""

from __future__ import annotations

import pytest

from provisioner.roster.encodings.languages import alphabets_of, foreign


@pytest.mark.parametrize(
    ("letters", "encoding"),
    [
        ("äöüß", "cp1250"),
        ("ìò", "cp1252"),
        ("õäš", "cp1252"),
        ("łóż", "cp852"),
        ("山田さくら", "euc_jp"),
        ("김", "cp949"),
    ],
)
def test_letters_of_one_language_are_not_foreign(letters: str, encoding: str) -> None:
    """Where the encoding has all letters of that language."""
    assert foreign(letters, encoding) == 0


def test_letters_of_two_languages_are_foreign_by_the_fewer_ones() -> None:
    """A sign that is rare in names counts less than a letter of another language."""
    assert foreign("øáá", "cp1252") == pytest.approx(1 / 3)
    assert 0 < foreign("溜", "gbk") < foreign("ø", "cp1250") == 1


def test_encodings_of_other_scripts_have_no_alphabets() -> None:
    """Though their few Latin letters may be those of a language, as of Albanian."""
    assert alphabets_of("cp1256") == alphabets_of("cp1251") == ()
    assert foreign("محمد", "cp1256") == 0

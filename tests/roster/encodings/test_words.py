"""How unlike words a text is, as it reads in an encoding."""

from __future__ import annotations

import pytest

from provisioner.roster.encodings.words import has_stray_sign, is_out_of_place, oddity


@pytest.mark.parametrize(
    ("name", "odd"),
    [("Zoë Müller", "ZoÎ M\u00b8ller"), ("O\u2019Brien", "O\u00c6Brien"), ("Lukáš", "Luká\u00b9")],
)
def test_a_name_is_less_odd_than_what_is_none(name: str, odd: str) -> None:
    """Signs and capitals within words are odd."""
    assert oddity(name, "cp1252") < oddity(odd, "cp1252")


def test_a_text_of_ascii_is_not_odd() -> None:
    """It reads alike everywhere."""
    assert oddity("Ann Lee", "cp1252") == 0


def test_letters_of_two_scripts_side_by_side_are_out_of_place() -> None:
    """So is one that is a word of its own."""
    assert is_out_of_place("aД ")
    assert is_out_of_place(" ë ")
    assert not is_out_of_place("oë ")


def test_a_sign_is_stray_within_a_word_and_not_at_its_place() -> None:
    """As of a trade mark, or an apostrophe."""
    assert [*map(has_stray_sign, ("Luká\u00b9 Novák", "Acme\u00ae", "O\u2019Brien", "Zoë"))] == [
        True,
        False,
        False,
        False,
    ]

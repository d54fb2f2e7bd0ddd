"""Signs that stand in names and notes, and letters of other encodings that look like them."""

from __future__ import annotations

import pytest

from provisioner.roster.encodings.signs import unlikeliness

NO_BREAK = "\u00a0"


@pytest.mark.parametrize(
    "around", ["e\u00ae ", "e\u2122,", "0\u00b0 ", "n\u00b0 ", "N\u00ba ", f"n{NO_BREAK}L", " \u00a32", " \u00a7 "]
)
def test_a_sign_at_its_place_is_as_likely_as_a_comma(around: str) -> None:
    """It says nothing of the encoding."""
    assert unlikeliness(around) == 0


@pytest.mark.parametrize("around", ["e\u2019B", " \u201cA", "e\u2013M"])
def test_what_typewriters_did_not_have_is_a_little_unlikely(around: str) -> None:
    """In older encodings its bytes are letters within words."""
    assert unlikeliness(around) == pytest.approx(0.1)


@pytest.mark.parametrize("around", ["r\u00aea", f"M{NO_BREAK}l", "o\u00a3d", "a\u00bae", "abc", " \u00e9 "])
def test_what_is_no_sign_or_stands_elsewhere_is_none(around: str) -> None:
    """Such a one is a letter of another encoding."""
    assert unlikeliness(around) is None

"""Words for nothing."""

from __future__ import annotations

from provisioner.validation.fields.mapping import NULL_VALUES
from provisioner.validation.vocabulary.nothing import UID_WORDS, WORDS


def test_the_missing_values_are_among_the_words() -> None:
    """What is taken for nothing is a word for nothing; a uid is compared in lower case."""
    assert set(NULL_VALUES) <= set(WORDS)
    assert set(UID_WORDS) == {word.lower() for word in WORDS}

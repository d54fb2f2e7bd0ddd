"""Each word stands for one thing, however it is written."""

from __future__ import annotations

from collections import defaultdict

from provisioner.validation.vocabulary.particulars import PROFILE
from provisioner.validation.vocabulary.synonyms import SYNONYMS
from provisioner.validation.vocabulary.table import normal_form, words_of


def test_a_name_is_compared_without_case_accents_and_signs() -> None:
    """The dotless i is one in Turkish; a # is the word that it stands for."""
    assert [normal_form(name) for name in ("Prénom ", "KIMLI\u0307K", "k\u0131ml\u0131k", "Employee #")] == [
        "prenom", "kimlik", "kimlik", "employeenumber",
    ]  # fmt: skip


def test_a_name_in_camel_case_has_words() -> None:
    """As one with signs between them has."""
    assert [words_of(name) for name in ("isActive", "is_active", "HTMLUrl")] == [
        ["is", "Active"], ["is", "active"], ["HTMLUrl"],
    ]  # fmt: skip


def test_no_word_stands_for_two_things() -> None:
    """Else the order of the table would decide, and nobody would see it."""
    places = defaultdict(set)
    groups = [(meaning.name, rank, group) for meaning, ranks in SYNONYMS.items() for rank, group in enumerate(ranks)]
    for name, rank, group in [*groups, *((key, 0, words) for key, words in PROFILE.items())]:
        for word in group.split("|"):
            assert normal_form(word), f"{word!r} of {name} has no letters"
            places[normal_form(word)].add((name, rank))
    assert {word: found for word, found in places.items() if len(found) > 1} == {}

"""The words of all columns by their normal form: without case, accents, blanks and signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from provisioner.validation.vocabulary.particulars import PROFILE
from provisioner.validation.vocabulary.synonyms import SYNONYMS, Meaning

BRACKETS: Final = re.compile(r"\(.*?\)|\[.*?\]|\{.*?\}|<.*?>", re.DOTALL)
# The dotless i is what I is in Turkish, in lower case; a letter that is an apostrophe is written as one mostly.
_ALIKE: Final = str.maketrans({"#": " number ", "\u0131": "i", "\u02bc": "'"})
_HUMP: Final = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_DOUBTFUL_NAMES: Final = 2  # the group of words for people


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a name says of a column.

    rank  how good a word it is for that; 0 is the best
    key   of the metadata, for what is known of a person besides
    """

    meaning: Meaning
    rank: int
    key: str = ""

    @property
    def is_doubtful(self) -> bool:
        """Whether the cells have to say it as well: below `Employee` may stand a name, a number, or a yes."""
        return self.meaning is Meaning.NAME and self.rank >= _DOUBTFUL_NAMES


def words_of(text: str) -> list[str]:
    """Give the words of a name, also of one in camel case; empty ones where signs stand at an end."""
    return re.split(r"[\W_]+", _HUMP.sub(" ", text))


def normal_form(name: str) -> str:
    """Give a name as it is compared: letters and digits only, without case and accents."""
    text = unicodedata.normalize("NFKD", name).translate(_ALIKE)
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def unnumbered(words: Iterable[str]) -> list[str]:
    """Give the normal forms of words without the digits at their ends; what is nothing else is left out."""
    return [form for word in words if (form := normal_form(word).rstrip("0123456789"))]


@cache
def forms_of(words: tuple[str, ...]) -> frozenset[str]:
    """Give the normal forms of a list of words."""
    return frozenset(map(normal_form, words))


@cache
def known_words() -> dict[str, Recognition]:
    """Give what each word says, by its normal form; a word that stands in it twice is what it is first."""
    table: dict[str, Recognition] = {}
    for meaning, groups in SYNONYMS.items():
        for rank, group in enumerate(groups):
            for word in group.split("|"):
                table.setdefault(normal_form(word), Recognition(meaning, rank))
    for key, words in PROFILE.items():
        for word in words.split("|"):
            table.setdefault(normal_form(word), Recognition(Meaning.PROFILE, 0, key))
    return table

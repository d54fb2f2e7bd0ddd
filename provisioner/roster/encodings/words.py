"""How unlike words a text is, as it reads in an encoding: signs or capitals within words, letters of two scripts.

O\u00c6Brien    a capital behind another, and small letters
Luk\u00e1\u00b9      a sign within a word
\u0420Zo\u00eb       letters of two scripts
"""

from __future__ import annotations

import unicodedata
from itertools import takewhile
from typing import Final

from provisioner.roster.encodings.signs import unlikeliness

_MISPLACED: Final = 0.4
# Bytes that begin the common characters of an encoding; the others are rare in names.
_COMMON_LEADS: Final = {"gbk": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp932": (0x81, 0x98), "cp949": (0xB0, 0xC8),
                        "euc_jp": (0xA4, 0xCF)}  # fmt: skip
_COMMON: Final = frozenset(
    "оеаинтсрвлкмдпуязйюьіїαοιετσνηυρπκμλςάέήίόδיוהאלרתבשמנדעחקכםןסגפצטזايلمنوهرتبعدحسةفك"
    "กนรมสวยลทพปาเแใโชดงคหอบตณธษศจญภ"
)  # fmt: skip
_BREAKS: Final = "\t\n\r\x85"
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_WITH_COMMON_LETTERS: Final = frozenset({"CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI"})
_WITH_MARKS: Final = frozenset({"cp1258", "cp874"})
"""Encodings in which marks stand behind the letters that they belong to."""

_EASTERN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})


def is_out_of_place(around: str) -> bool:
    """Whether the middle one of three letters is alone, or does not go with another."""
    return _is_lone(around) or _clash(around[0], around[1]) >= 1 or _clash(around[1], around[2]) >= 1


def oddity(text: str, encoding: str) -> float:
    """Say how unlike words a text is that was read in an encoding, for each letter that is not of ASCII."""
    penalty, before, letters = 0.0, " ", 0
    for at, letter in enumerate(text):
        if not letter.isascii() or (letter < " " and letter not in _BREAKS):
            letters += 1
            around = f"{before}{letter}{text[at + 1 : at + 2] or ' '}"
            if (sign := unlikeliness(around)) is not None:
                penalty += sign
            else:
                penalty += _strange(letter, encoding) + _clash(before, letter)
                penalty += _MISPLACED if _is_lone(around) or _is_capital_within(text[at - 1 : at + 4]) else 0.0
        elif letter.isalpha() and not before.isascii():
            penalty += _clash(before, letter)
        before = letter
    return 5 * penalty / letters if letters else 0.0


def has_stray_sign(text: str) -> bool:
    """Whether a sign beyond ASCII stands where none does, as within a word."""
    around = map("".join, zip(f" {text}", text, f"{text[1:]} ", strict=False))
    return any(not (three[1].isascii() or three[1].isalpha() or unlikeliness(three) is not None) for three in around)


def _is_lone(around: str) -> bool:
    """Whether the middle one of three letters is a word of its own, where words have several letters."""
    before, letter, after = around[0], around[1], around[2]
    is_letter = letter.isalpha() and _script(letter) not in _EASTERN
    is_marked = "Mn" in {unicodedata.category(before), unicodedata.category(after)}
    return is_letter and not (before.isalpha() or after.isalpha() or is_marked)


def _is_capital_within(text: str) -> bool:
    """Whether the second letter is a capital behind one, and small ones follow: no name is written OÆBrien."""
    word = "".join(takewhile(str.isalpha, text))
    return len(word) > 2 and word[:2].isupper() and any(map(str.islower, word[2:]))


def _strange(letter: str, encoding: str) -> float:
    kind = unicodedata.category(letter)
    if letter in _BREAKS:
        return 0.0
    if kind[0] == "C":
        return 3.0
    if kind == "Mn":
        return 0.0 if encoding in _WITH_MARKS else 0.5
    if kind[0] != "L" or "\uff61" <= letter <= "\uff9f":
        return 1.0
    low, high = _COMMON_LEADS.get(encoding, (0, 0xFF))
    if not low <= letter.encode(encoding)[0] <= high:
        return 0.7
    is_rare = letter.lower() not in _COMMON and _script(letter) in _WITH_COMMON_LETTERS
    return 0.15 if is_rare else 0.0


def _clash(before: str, letter: str) -> float:
    """Say how odd it is that a letter stands behind another: another script, a capital behind a small one.

    A mark that stands behind none is odd, and so is one behind a mark unless it is another.
    """
    if unicodedata.category(letter) == "Mn":
        is_behind = before.isalpha() or unicodedata.category(before) == "Mn"
        return 0.0 if is_behind and before != letter and _script(letter) in {"", _script(before)} else 1.0
    if not (before.isalpha() and letter.isalpha()):
        return 0.0
    scripts = {_script(before), _script(letter)}
    if len(scripts) > 1 and not scripts <= _EASTERN:
        return 1.0
    if before.islower() and letter.isupper():
        return 1.0
    return 0.2 if scripts == {"LATIN"} and not before.isascii() and not letter.isascii() else 0.0


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((script for script in _SCRIPTS if name.startswith(script)), "")

"""In which encoding a text most likely is: the one in which its words are least odd, and of as few languages as can be.

Names of one person are of one language, those of a company mostly of few. So a reading is odd whose letters are of no
language together, though each is of one:

    Hélène Lefèvre  François    in cp1252: French, all of them
    Hélčne Lefčvre  François    in cp1250: Slovak but for ç
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from provisioner.roster.encodings.languages import foreign
from provisioner.roster.encodings.words import has_stray_sign, oddity

CANDIDATES: Final = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256", "gbk", "cp932", "big5", "cp949", "cp1254", "cp1257",
    "cp1258", "cp874", "koi8_r", "mac_roman", "cp850", "cp866", "euc_jp", "iso8859_2", "iso8859_15", "iso8859_7",
    "iso8859_5", "cp852", "koi8_u", "mac_cyrillic", "cp500",
)  # fmt: skip
"""Names that `--encoding` takes, the likeliest first where two read equally well."""

_IN_ASCII: Final = tuple(name for name in CANDIDATES if name != "cp500")  # which is EBCDIC
COMMONEST: Final = CANDIDATES[0]
_VIETNAMESE: Final = "cp1258"
_MARKED: Final = re.compile("(.)[\u0300-\u0323]")
_RARE: Final = 0.5  # of one cell
_OF_SEVERAL: Final = 1.5  # of one cell: a name of another language or two
# What stands so in few languages of the commonest encoding, and often in those of others: Mihãi, Zieliñski.
_ODD_IN_COMMONEST: Final = re.compile(
    r"[þðý]|\bè(?!v)|è(?=[aiou])|ò(?=[aeiou])|(?<=[^\Waeiouy])[šž](?=[^\Waeiouy])|(?<![aou])ÿ|õ(?!e)|ã(?=[^\Woe])|[ìù](?=\w)|œ(?![ubdt])|æ(?!\w)|ñ(?![aeiouáéíóú])|ç(?=[b-df-hj-np-tv-xz])|(?<![aeou])ï",
    re.IGNORECASE,
)
_LOOKED_AT: Final = 16_000
_AS_LIKELY: Final = 0.25  # of one cell: half a letter that is of another language than the other one
_CELL_ENDS: Final = re.compile(r'[,;\t|"\r\n]')


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of a text that are not ASCII read in an encoding, each once, and how odd that is."""

    encoding: str
    cells: tuple[str, ...]
    oddity: float

    def is_as_likely(self, other: Reading) -> bool:
        """Whether it is hardly odder than another one, by all cells together."""
        return (self.oddity - other.oddity) * len(self.cells) < _AS_LIKELY


def rivals(best: Reading, others: Sequence[Reading]) -> tuple[Reading, list[Reading]]:
    """Give the likeliest of several readings, and those that are as likely: the commonest encoding comes before others.

    Zoë in cp1252, Zoė in cp1257        the former, though the latter is as likely
    Erdõs in cp1252, Erdős in cp1250    either: õ stands so in few languages
    """
    tied = [best, *(each for each in others if each.is_as_likely(best) or _is_more_common(each, best))]
    common = next((each for each in tied if each.encoding == COMMONEST), None)
    first = best if common is None else common
    return first, [each for each in tied if each is not first]


def _is_more_common(reading: Reading, best: Reading) -> bool:
    """Whether a text reads as usual in the commonest encoding, and is odder only by names of several languages."""
    return is_ordinary(reading) and (reading.oddity - best.oddity) * len(reading.cells) <= _OF_SEVERAL


def is_ordinary(reading: Reading) -> bool:
    """Whether a text reads in the commonest encoding as it would be written there."""
    return reading.encoding == COMMONEST and not any(map(_is_odd_there, reading.cells))


def _is_odd_there(cell: str) -> bool:
    """Whether a cell would hardly be written so in the commonest encoding: Dvoøák, of no language, and Luká¹."""
    letters = _letters(cell)
    is_mixed = bool(letters) and foreign(letters, COMMONEST) > 0
    return is_mixed or has_stray_sign(cell) or _ODD_IN_COMMONEST.search(cell) is not None


def differing(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Give the first cell that reads otherwise in the most of several readings, as it reads in each."""
    return max(zip(*(each.cells for each in readings), strict=False), key=lambda cells: len({*cells}))


def likely(data: bytes, tried: Iterable[str] = _IN_ASCII) -> list[Reading]:
    """Give the ways in which a text can be read, the least odd first; of encodings in which it reads the same one."""
    lines = b"\n".join(line for line in data.splitlines() if not line.isascii())
    lines = lines[:_LOOKED_AT].rpartition(b"\n")[0] if len(lines) > _LOOKED_AT else lines
    found: dict[tuple[str, ...], Reading] = {}
    for encoding in tried:
        with suppress(UnicodeDecodeError):
            cells = tuple({cell: None for cell in _CELL_ENDS.split(lines.decode(encoding)) if not cell.isascii()})
            if lines and cells not in found and (encoding != _VIETNAMESE or _has_tones(cells)):
                found[cells] = Reading(encoding, cells, _oddity(cells, encoding))
    return sorted(found.values(), key=lambda each: each.oddity)


def _has_tones(cells: Sequence[str]) -> bool:
    """Whether marks stand behind letters, as nearly all Vietnamese words have them, and half of these are vowels."""
    marked = [unicodedata.normalize("NFD", letter)[0].lower() for letter in _MARKED.findall("\n".join(cells))]
    return 2 * sum(letter in "aeiouy" for letter in marked) >= len(marked)


def _oddity(cells: Sequence[str], encoding: str) -> float:
    """Say how odd words are, and how many of their letters are of no language with the others of all, and of a cell."""
    odd = oddity("\n".join(cells), encoding) + (_RARE / len(cells) if encoding == _VIETNAMESE else 0.0)
    words = [letters for cell in cells if (letters := _letters(cell))]
    if not words:
        return odd
    return odd + foreign("".join(words), encoding) + sum(foreign(each, encoding) for each in words) / len(words)


def _letters(cell: str) -> str:
    return "".join(
        letter for letter in cell.lower() if not letter.isascii() and letter.isalpha() and letter not in "ªº"
    )

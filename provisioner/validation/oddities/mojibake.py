r"""Names damaged on their way, mostly by an encoding: told by what no name holds.

    Zoë      as UTF-8, read as Windows-1252     ZoÃ«
    Анна     in Windows-1251, read as 1252      Àííà
    Zoë      what was no UTF-8 is replaced      Zo\ufffd
    O'Brien  taken from a web page              O&#39;Brien

Names that only look a bit like these are none: JOÃO, Ângela, Đorđe, Zoë & Bob.
"""

from __future__ import annotations

from typing import Final

import polars as pl

UTF8: Final = "utf8"
LOST: Final = "lost"
LATIN: Final = "latin"
HTML: Final = "html"

DAMAGES: Final = {
    UTF8: "UTF-8 that was read in another encoding",
    LOST: "letters that were lost and replaced",
    LATIN: "accented letters and signs nearly alone, as text read in a wrong encoding has",
    HTML: "the codes of a web page",
}
"""Kind of damage → what the name holds."""

# The bytes 80 to BF, of which UTF-8 makes its second and later bytes, as Windows-1252 and Latin-1 show them.
_SIGNS = "\x80-\xbf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2022\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"  # noqa: E501
_MARKS = "\u2018\u2019\u201c\u201d\u2013\u2014"
_NEXT = f"[{_SIGNS}{_MARKS}]"
_PAIRS = (
    # Latin letters, Greek, Cyrillic, Hebrew, Arabic: first bytes that begin the letters of names
    f"[\u00c2\u00c3\u00ce\u00cf\u00d0\u00d1\u00d7\u00d8\u00d9]{_NEXT}",
    f"[\u00c4\u00c5\u00c6\u00c8\u00da\u00db][{_SIGNS}]",
    # three and four bytes
    f"\u00e2\u20ac{_NEXT}",
    f"[\u00e0-\u00ef](?:[{_SIGNS}]{_NEXT}|{_NEXT}[{_SIGNS}])",
    f"\u00f0[\u0178\x9f]{_NEXT}",
)
_UTF8 = "|".join(_PAIRS)
# The same bytes as Windows-1251 shows them. Real names have such pairs too, but not all through.
_CYRILLIC_PAIR = "[\u0420\u0421][\x80-\xbf\u0402\u0403\u0453\u0409\u040a\u040c\u040b\u040f\u0452\u0459\u045a\u045c\u045b\u045f\u040e\u045e\u0408\u0490\u0401\u0404\u0407\u0406\u0456\u0491\u0451\u0454\u0458\u0405\u0455\u0457\u2116\u20ac\u201a\u201e\u2026\u2020\u2021\u2030\u2039\u203a\u2022\u2013\u2014\u2018\u2019\u201c\u201d\u2122]"  # noqa: E501
# What Mac Roman and DOS make of the first bytes: no name has a root sign or the lines of a table.
_NO_LETTERS = "[\u221a\u2500-\u257f]"
_LATIN_LETTER = "[\xa1-\xff]"
_ENTITY = "&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});"
_ONLY_QUESTIONS = r"^\?+(?: \?+)+$"

CONTROL: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r[^\n]"
"""Control characters but tabs and line ends. A CR alone is none: it may have stood between two rows."""

SUSPICIOUS: Final = (
    rf'["\\\x00-\x1f&?\x7f-\x9f\u00d7\u00f0\ufffd]|{_NO_LETTERS}|[\u00c2-\u00ef]{_NEXT}|'
    rf"[\u0420\u0421][^\u0410-\u044f]|{_LATIN_LETTER}{{3}}"
)
"""One pattern for every name that has to be looked at closely, also for what JSON has to escape."""

LEAST_LATIN = 3
_LATIN_SHARE = 0.75
_CYRILLIC_SHARE = 0.6
_LEAST_CYRILLIC = 3


def damages(names: pl.Series) -> pl.Series:
    """Give the kind of damage of each name (String, null for none)."""
    name = pl.col(names.name)
    length = name.str.replace_all(r"[\s.\-']", "").str.len_chars()
    latin = name.str.count_matches(_LATIN_LETTER)
    cyrillic = name.str.count_matches(_CYRILLIC_PAIR)
    is_latin = (latin >= LEAST_LATIN) & (latin >= _LATIN_SHARE * length)
    is_cyrillic = (cyrillic >= _LEAST_CYRILLIC) & (2 * cyrillic >= _CYRILLIC_SHARE * length)
    return names.to_frame().select(
        pl.when(name.str.contains(f"\ufffd|{_ONLY_QUESTIONS}")).then(pl.lit(LOST))
        .when(name.str.contains(f"{_UTF8}|{_NO_LETTERS}") | is_cyrillic).then(pl.lit(UTF8))
        .when(is_latin).then(pl.lit(LATIN))
        .when(name.str.contains(_ENTITY)).then(pl.lit(HTML))
    ).to_series()  # fmt: skip


def suspicious(names: pl.Series) -> pl.Series:
    """Tell the names to be looked at closely: the only pattern that is held against every name."""
    return names.str.contains(SUSPICIOUS).fill_null(value=False)

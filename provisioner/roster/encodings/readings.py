"""What a text is that is not UTF-8: told when it cannot be read.

Bytes say which encodings they may be in, not which they are in. So a message claims none: it shows how the first bad
cell reads in those in which it reads best, and a person sees which is right.

    c0 ed ed e0     'Анна' in cp1251, 'ΐννΰ' in cp1253, 'Àííà' in cp1252
"""

from __future__ import annotations

import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.encodings.signs import unlikeliness
from provisioner.roster.files.origin import Origin
from provisioner.wording import counted, shortened

CANDIDATES: Final = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256", "gbk", "cp932", "big5", "cp949", "cp1254", "cp1257",
    "cp1258", "cp874", "koi8_r", "mac_roman", "cp850", "cp866", "euc_jp", "cp500",
)  # fmt: skip
"""Names that `--encoding` takes, the likeliest first where two read equally well."""

_SAY_WHICH: Final = "say with --encoding in which encoding it is"
_NAME_ONE: Final = "name the one that reads right with --encoding"
_SHOWN: Final = 3
_FAR_WORSE: Final = 1.5
_SAMPLE: Final = 2000
_MISPLACED: Final = 0.4
_CHUNK: Final = 8 * 1024 * 1024
_EDGE: Final = re.compile(rb'[,;\t|"\r\n]')

# Bytes that begin the common characters of an encoding; the others are rare in names.
_COMMON_LEADS: Final = {"gbk": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp932": (0x81, 0x98), "cp949": (0xB0, 0xC8),
                        "euc_jp": (0xA4, 0xCF)}  # fmt: skip
_COMMON: Final = frozenset(
    "оеаинтсрвлкмдпуязйюьαοιετσνηυρπκμλςάέήίόδיוהאלרתבשמנדעחקכםןסגפצטזايلمنوهرتبعدحسةفك"
    "กนรมสวยลทพปาเแใโชดงคหอบตณธษศจญภ"
)  # fmt: skip
_WESTERN: Final = "äöüßéèêëàâçñóíáúãõåøæœîïôûùÿ"
# The letters of the languages that an encoding of Latin letters was made for.
_OWN_LETTERS: Final = {
    **dict.fromkeys(("cp1252", "cp850", "mac_roman"), frozenset(_WESTERN)),
    "cp1250": frozenset("áčďéěíňóřšťúůýžąćęłńśźżőűäöüßăâîşţđľĺŕôëç"), "cp1254": frozenset("çğıiöşüâîû"),  # noqa: RUF001
    "cp1257": frozenset("āčēģīķļņšūžąęėįųõäöüłńśźżåéó"), "cp1258": frozenset("àáâãèéêìíòóôõùúýăđơư"),
}  # fmt: skip
# What separates cells and lines in ASCII, and is no letter in EBCDIC.
_ASCII_MARKS: Final = re.compile(rb"[\n,;\t]")
_EBCDIC: Final = "cp500"
_BREAKS: Final = "\t\n\r\x85"
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_WITH_COMMON_LETTERS: Final = frozenset({"CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI"})
_WITH_MARKS: Final = frozenset({"cp1258", "cp874"})
"""Encodings in which marks stand behind the letters that they belong to."""

_EASTERN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})
# Letters beyond ASCII where a text is ASCII to its last byte. An address such as ann+Abc@x.org has none.
# The lengths are bounded, for it is looked for from every letter of a long cell on.
_ESCAPED: Final = {
    re.compile(rb"\x1b\$[@B][!-~]{2,}?\x1b\([BJ]"): "iso2022_jp",
    re.compile(rb"[A-Za-z.' -]{0,60}+\+[AB][A-Za-z0-9+/]{2,200}+(?:-[A-Za-z.' -]{0,60}+|[ ,;\t\r\n\"])(?!@)"): "utf-7",
}
_OF_NAMES: Final = re.compile(r"[\u00c0-\u017f\u0386-\u03ce\u0400-\u045f\u3005-\u9fff]")
_CESU: Final = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


class NotUtf8Error(RosterError):
    """A text is not UTF-8, though nobody has named another encoding.

    place  where the first byte is that is not, as the message begins
    """

    place = ""

    @classmethod
    def at(cls, place: str, data: bytes, byte: int) -> NotUtf8Error:
        """Say what is wrong with a byte of some data, and what to do; see `not_utf8`."""
        error = cls(f"{place}{not_utf8(data, byte)}")
        error.place = place
        return error

    def unless_mixed(self, origin: Origin, mark: bytes = b"\n") -> RosterError:
        """Give the error, or another that says that the encodings of the text are mixed; see `mixture`."""
        mixed = mixture(origin, mark)
        return self if mixed is None else RosterError(f"{self.place}{mixed}")

    def with_cure(self, cure: str) -> NotUtf8Error:
        """Give the error with something else to do than to name an encoding; itself where it proposes none."""
        said = str(self)
        for proposed in (_SAY_WHICH, _NAME_ONE):
            said = said.removesuffix(proposed)
        return NotUtf8Error(said + cure) if said != str(self) else self


def not_utf8(data: bytes, at: int) -> str:
    """Say what is wrong at a byte that is no part of a character, and what to do; see `readings`."""
    if _is_cut(data, at):
        return "the text is cut off within a character; fetch or copy the file again"
    what = f"byte 0x{data[at]:02X} is not UTF-8"
    if _CESU.match(data, at):
        return f"{what} but CESU-8, in which Oracle and Java write emoji; export the file as UTF-8 (AL32UTF8 in Oracle)"
    shown = ", ".join(f"{reading} in {encoding}" for encoding, reading in readings(data, at))
    if not shown:
        return f"{what}; {_SAY_WHICH}"
    return f"{what}; it reads {shown}; {_NAME_ONE}"


def escaped_letters(start: bytes) -> str | None:
    """Say in which encoding of nothing but ASCII the letters beyond it are escaped, and give some; None: in none."""
    for pattern, encoding in _ESCAPED.items():
        for found in pattern.finditer(start):
            text = _decoded(found[0], encoding) or ""
            if not text.isascii() and _may_be_name(text):
                return f"its letters beyond ASCII are escaped ({shortened(text)}); give --encoding {encoding}"
    return None


def _may_be_name(text: str) -> bool:
    """Whether its letters are those of names, none alone and none beside one it does not go with, as in PizzaД (+BBQ).

    Letters of ASCII may be as they like.
    """
    around = map("".join, zip(f" {text}", text, f"{text[1:]} ", strict=False))
    return all(three[1].isascii() or (_OF_NAMES.fullmatch(three[1]) and not _is_odd(three)) for three in around)


def _is_odd(around: str) -> bool:
    """Whether the middle one of three letters is alone, or does not go with another."""
    return _is_lone(around) or _clash(around[0], around[1]) >= 1 or _clash(around[1], around[2]) >= 1


def mixture(origin: Origin, mark: bytes = b"\n") -> str | None:
    """Say that some lines of a file are UTF-8 and others are not, and how many; None when they are not mixed.

    mark  what ends them; `"` where they are texts, all of which may stand in one line

    Raises OSError.
    """
    kind = "line" if mark == b"\n" else "text"
    good, bad, ends_within = 0, 0, False
    with origin.open() as file:
        for line in _lines(iter(lambda: file.read(_CHUNK), b""), mark):
            line = line.removeprefix(BOM_UTF8)
            ends_within = False
            try:
                good += not line.isascii() and line.decode() is not None
            except UnicodeDecodeError as error:
                bad, ends_within = bad + 1, error.reason == "unexpected end of data"
    bad -= ends_within  # the file is cut off there
    if not (good and bad):
        return None
    others = f"{counted(bad, kind)} {'is' if bad == 1 else 'are'} not UTF-8, {good} {'is' if good == 1 else 'are'}"
    return f"the encodings are mixed: {others}; export the file again in one encoding"


def _lines(chunks: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
    """Give the lines that may hold anything but ASCII, and others."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(mark)
        yield from whole
    yield rest


def readings(data: bytes, at: int) -> list[tuple[str, str]]:
    """Give the encodings in which the text around a byte reads best, each with how the cell there reads."""
    start, end = _cell(data, at)
    line_end = data.find(b"\n", min(end + _SAMPLE, len(data)))
    sample = data[start : line_end if line_end >= 0 else len(data)][: 4 * _SAMPLE]
    names = [name for name in CANDIDATES if name != _EBCDIC or not _ASCII_MARKS.search(data)]
    for text in (sample, data[start:end]):
        read = {name: reading for name in names if (reading := _decoded(text, name)) is not None}
        found = {name: oddity(reading, name) for name, reading in read.items()}
        if found:
            break
    best: dict[str, str] = {}
    for name in sorted(found, key=lambda name: found[name]):
        reading = _decoded(data[start:end], name)
        if reading is not None and reading not in best.values():
            best[name] = reading
    least = min(found.values(), default=0.0)
    likely = [name for name in best if found[name] <= least + _FAR_WORSE]
    shown = (likely if len(likely) > 1 else list(best)[:2])[:_SHOWN]
    return [(_also_common(name, found, best[name], data[start:end]), shortened(best[name])) for name in shown]


def _also_common(name: str, found: Mapping[str, float], reading: str, cell: bytes) -> str:
    """Name besides an encoding the commonest of all, where it reads a cell likewise: other cells tell."""
    common = CANDIDATES[0]
    alike = name != common and common in found and _decoded(cell, common) == reading
    return f"{name} or {common}" if alike and found[common] <= found[name] + _FAR_WORSE else name


def _is_cut(data: bytes, at: int) -> bool:
    """Whether only the last character lacks something."""
    try:
        data[at:].decode()
    except UnicodeDecodeError as error:
        return error.start == 0 and error.reason == "unexpected end of data"
    return False


def _cell(data: bytes, at: int) -> tuple[int, int]:
    edges = [found.end() for found in _EDGE.finditer(data, max(0, at - _SAMPLE), at)]
    behind = _EDGE.search(data, at, at + _SAMPLE)
    return edges[-1] if edges else max(0, at - _SAMPLE), behind.start() if behind else min(len(data), at + _SAMPLE)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def oddity(text: str, encoding: str, *, of_any: bool = False) -> float:
    """Say how unlike words a text is that was read in an encoding, for each letter that is not of ASCII.

    of_any  whether it does not matter of which language a letter is
    """
    penalty, before, letters = 0.0, " ", 0
    for at, letter in enumerate(text):
        if not letter.isascii() or (letter < " " and letter not in _BREAKS):
            letters += 1
            around = f"{before}{letter}{text[at + 1 : at + 2] or ' '}"
            if (sign := unlikeliness(around)) is not None:
                penalty += sign
            else:
                penalty += _strange(letter, encoding, of_any) + _clash(before, letter)
                penalty += _MISPLACED if _is_lone(around) or _is_capital_within(text[at - 1 : at + 4]) else 0.0
        elif letter.isalpha() and not before.isascii():
            penalty += _clash(before, letter)
        before = letter
    return 5 * penalty / letters if letters else 0.0


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


def _strange(letter: str, encoding: str, of_any: bool) -> float:
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
    own = _OWN_LETTERS.get(encoding, _COMMON if _script(letter) in _WITH_COMMON_LETTERS else None)
    return 0.15 if own is not None and not of_any and letter.lower()[0] not in own else 0.0


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
    return 0.4 if scripts == {"LATIN"} and not before.isascii() and not letter.isascii() else 0.0


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((script for script in _SCRIPTS if name.startswith(script)), "")

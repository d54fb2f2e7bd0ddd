"""What a text is that is not UTF-8: told when it cannot be read.

Bytes say which encodings they may be in, not which they are in. So a message claims none: it shows how the first bad
cell reads in those in which it reads best, and a person sees which is right.

    c0 ed ed e0     'Анна' in cp1251, 'ΐννΰ' in cp1253, 'Àííà' in cp1252
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.encodings.alphabets import CANDIDATES, COMMONEST, Reading, likely
from provisioner.roster.encodings.words import is_out_of_place
from provisioner.roster.files.origin import Origin
from provisioner.wording import counted, shortened

_SAY_WHICH: Final = "say with --encoding in which encoding it is"
_NAME_ONE: Final = "name the one that reads right with --encoding"
_SHOWN: Final = 3
_FAR_WORSE: Final = 1.5
_MOST_LETTERS: Final = 0.9  # of those of a text in UTF-32, are none of emoji or rare signs
_SAMPLE: Final = 2000
_CHUNK: Final = 8 * 1024 * 1024
_EDGE: Final = re.compile(rb'[,;\t|"\r\n]')

# What separates cells and lines in ASCII, and is no letter in EBCDIC.
_ASCII_MARKS: Final = re.compile(rb"[\n,;\t]")
_EBCDIC: Final = "cp500"
# Letters beyond ASCII where a text is ASCII to its last byte. An address such as ann+Abc@x.org has none.
# The lengths are bounded, for it is looked for from every letter of a long cell on.
_ESCAPED: Final = {
    re.compile(rb"\x1b\$[@B][!-~]{2,}?\x1b\([BJ]"): "iso2022_jp",
    re.compile(rb"[A-Za-z.' -]{0,60}+\+[AB][A-Za-z0-9+/]{2,200}+(?:-[A-Za-z.' -]{0,60}+|[ ,;\t\r\n\"])(?!@)"): "utf-7",
}
_OF_NAMES: Final = re.compile(r"[\u00c0-\u017f\u0386-\u03ce\u0400-\u045f\u3005-\u9fff]")
_CESU: Final = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


class UndecodedError(RosterError):
    """A text is not in the encoding it is read in, whatever separates its cells and wherever its header is."""


class NotUtf8Error(UndecodedError):
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

    def unless_mixed(self, origin: Origin, mark: bytes = b"\n") -> UndecodedError:
        """Give the error, or another that says that the encodings of the text are mixed; see `mixture`."""
        mixed = mixture(origin, mark)
        return self if mixed is None else UndecodedError(f"{self.place}{mixed}")

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


def wide_encoding(start: bytes) -> str:
    """Say in which encoding a text with zeros in it is, if it is text: by where they stand.

    u0i0d0   0u0i0d   u000i000d000   000u000i000d
    """
    zeros, letters = [start[at::4].count(0) / _MOST_LETTERS for at in range(4)], max(1, len(start) // 4)
    if min(zeros[2:]) >= letters:
        return "utf-32-le"
    if min(zeros[:2]) >= letters:
        return "utf-32-be"
    return "utf-16-le" if start.find(b"\0") % 2 else "utf-16-be"


def _may_be_name(text: str) -> bool:
    """Whether its letters are those of names, none alone and none beside one it does not go with, as in PizzaД (+BBQ).

    Letters of ASCII may be as they like.
    """
    around = map("".join, zip(f" {text}", text, f"{text[1:]} ", strict=False))
    return all(three[1].isascii() or (_OF_NAMES.fullmatch(three[1]) and not is_out_of_place(three)) for three in around)


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
    tried = [name for name in CANDIDATES if name != _EBCDIC or not _ASCII_MARKS.search(data)]
    found = likely(sample, tried) or likely(data[start:end], tried)
    best: dict[str, Reading] = {}
    for each in found:
        best.setdefault(data[start:end].decode(each.encoding, "replace"), each)
    least = found[0].oddity if found else 0.0
    near = [cell for cell, each in best.items() if each.oddity <= least + _FAR_WORSE]
    shown = (near if len(near) > 1 else list(best)[:2])[:_SHOWN]
    return [(_also_common(best[cell], found, cell, data[start:end]), shortened(cell)) for cell in shown]


def _also_common(best: Reading, found: Sequence[Reading], reading: str, cell: bytes) -> str:
    """Name besides an encoding the commonest of all, where it reads a cell likewise: other cells tell."""
    common = next((each for each in found if each.encoding == COMMONEST and each is not best), None)
    alike = common is not None and common.oddity <= best.oddity + _FAR_WORSE
    return f"{best.encoding} or {COMMONEST}" if alike and _decoded(cell, COMMONEST) == reading else best.encoding


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

"""Encodings that make a uid of any text, as polars expressions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

import polars as pl

from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.source import Encoding

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_BYTES = {f"{value:02x}": f"{value:08b}" for value in range(256)}
_PAIRS = {f"{value:010b}": _DIGITS[value >> 5] + _DIGITS[value & 31] for value in range(1024)}

LONGEST_UID: Final = Constraints().uid_max_length
"""As documented, whatever a config says."""

_KEPT: Final = 90
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE36_DIGITS: Final = 7
# Byte by byte is fast for whole columns, but only as long as its longest text is short.
_LONGEST_IN_COLUMNS: Final = 128


class UidForm(NamedTuple):
    """What an encoding makes of a column: how many different uids, and how many are none."""

    distinct: int
    illegal: int


def encoded(text: pl.Expr, encoding: Encoding, *, lower: bool = False, namespace: UUID | None = None) -> pl.Expr:
    """Encode text (String) so that it can be a uid; null stays null.

    base32     RFC 4648 of the UTF-8 bytes, in lower case and without padding
    hex        of the UTF-8 bytes, in lower case
    slug       ASCII letters (in lower case) and digits of the text without its marks, `-` for each run of anything
               else; text that has none of them stays as it is
    cometchat  what CometChat's migration guides tell an app to make of a foreign id
    uuid5      the name-based UUID (RFC 9562, version 5) of the text in `namespace`, which it needs

    lower      fold the text first, so that texts that differ in case only are one
    """
    text = text.str.to_lowercase() if lower else text
    if encoding is not Encoding.UUID5:
        return _ENCODERS[encoding](text)
    if namespace is None:
        raise ValueError("a name-based UUID needs a namespace")
    return text.map_batches(partial(_uuid5, namespace), pl.String)


def _base32(text: pl.Expr) -> pl.Expr:
    """Write the bits and read them by tens: the standard library's way, row by row, takes more than twice as long."""
    bits = text.str.encode("hex").str.replace_many(_BYTES)
    digits = (text.str.len_bytes() * 8 + 4) // 5
    return pl.concat_str([bits, pl.lit("0" * 9)]).str.replace_many(_PAIRS).str.slice(0, digits)


def _hex(text: pl.Expr) -> pl.Expr:
    return text.str.encode("hex")


def _slug(text: pl.Expr) -> pl.Expr:
    letters = text.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    slug = letters.str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-")
    return pl.when(slug != "").then(slug).otherwise(text)


def _cometchat(texts: pl.Series) -> pl.Series:
    """Replace what a uid cannot hold by `_`, and end what was changed with a hash of the text.

    alice             alice                      unchanged
    ann@example.org   ann_example_org_3ylxtt     the hash is of the text as it was
    x😀               x___2u14                   a character beyond the BMP is two UTF-16 code units
    """
    lowered = texts.str.to_lowercase()  # by Unicode's full mapping, as JavaScript's: `İ` becomes `i` and a dot
    plain = lowered.str.replace_all(r"[\x{10000}-\x{10FFFF}]", "__").str.replace_all("[^a-z0-9_-]", "_")
    ended = pl.concat_str([plain.str.slice(0, _KEPT), pl.lit("_"), _base36(pl.lit(_hashes(texts)))])
    unchanged = (plain == texts) & (plain.str.len_bytes() <= LONGEST_UID)
    return pl.select(pl.when(unchanged).then(texts).otherwise(ended)).to_series()


def _hashes(texts: pl.Series) -> pl.Series:
    """Give h = 31 h + c modulo 2^32 over the code points c of each text (UInt32), null for null."""
    long = texts.str.len_bytes() > _LONGEST_IN_COLUMNS
    hashes = _hashes_in_columns(pl.select(pl.when(~long).then(texts)).to_series())
    return hashes.scatter(long.arg_true(), [_hash(text) for text in texts.filter(long)])


def _hash(text: str) -> int:
    total = 0
    for point in map(ord, text):
        total = (31 * total + point) & 0xFFFFFFFF
    return total


def _hashes_in_columns(texts: pl.Series) -> pl.Series:
    """Hash short texts, a column of their UTF-8 bytes after the other; the arithmetic wraps at 32 bits.

    Texts are filled up at their beginning: zeros leave a hash of nothing as it is. A code point's first byte takes
    the hash one step further, those that follow put it right.
    """
    width = max(1, int(texts.str.len_bytes().max() or 0))  # type: ignore[arg-type]
    filled = texts.str.encode("hex").str.pad_start(2 * width, "0").str.decode("hex")
    columns = filled.bin.reinterpret(dtype=pl.Array(pl.UInt8, width))
    total = point = pl.select(pl.when(texts.is_not_null()).then(pl.lit(0, pl.UInt32))).to_series()
    is_ascii = texts.str.len_bytes().sum() == texts.str.len_chars().sum()
    for at in range(width):
        byte = columns.arr.get(at)
        if is_ascii:
            total = total * 31 + byte
            continue
        follows, bits = byte.is_between(0x80, 0xBF), _POINT_BITS.gather(byte)
        total = (total + point * 63 + bits).zip_with(follows, total * 31 + bits)
        point = (point * 64 + bits).zip_with(follows, bits)
    return total


def _point_bits(byte: int) -> int:
    """Give the bits that a byte of UTF-8 adds to its code point."""
    for leading, kept in ((0x80, 0x7F), (0xC0, 0x3F), (0xE0, 0x1F), (0xF0, 0x0F)):
        if byte < leading:
            return byte & kept
    return byte & 0x07


_POINT_BITS: Final = pl.Series([_point_bits(byte) for byte in range(256)], dtype=pl.UInt32)


def _base36(number: pl.Expr) -> pl.Expr:
    digits = pl.lit(pl.Series(list(_BASE36)))
    places = [digits.gather(number // 36**at % 36) for at in reversed(range(_BASE36_DIGITS))]
    text = pl.concat_str(places).str.strip_chars_start("0")
    return pl.when(text == "").then(pl.lit("0")).otherwise(text)


def _uuid5(namespace: UUID, texts: pl.Series) -> pl.Series:
    digest = _sha1(namespace.bytes, texts)
    one, two, three, four, five = (digest.str.slice(*part) for part in ((0, 8), (8, 4), (13, 3), (17, 3), (20, 12)))
    variant = digest.str.slice(16, 1).replace_strict(_VARIANT)
    form = pl.format("{}-{}-5{}-{}{}-{}", *map(pl.lit, (one, two, three, variant, four, five)))
    return pl.select(form).to_series()


_VARIANT: Final = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


def _sha1(prefix: bytes, texts: pl.Series) -> pl.Series:
    """Give the SHA-1 of a prefix and each text, in hex; the prefix is hashed once."""
    begun = hashlib.sha1(prefix, usedforsecurity=False)

    def digests() -> Iterable[str | None]:
        for text in texts:
            if text is None:
                yield None
                continue
            digest = begun.copy()
            digest.update(text.encode())
            yield digest.hexdigest()

    return pl.Series(texts.name, digests(), dtype=pl.String)


_ENCODERS: Mapping[Encoding, Callable[[pl.Expr], pl.Expr]] = MappingProxyType(
    {
        Encoding.BASE32: _base32,
        Encoding.HEX: _hex,
        Encoding.SLUG: _slug,
        Encoding.COMETCHAT: lambda text: text.map_batches(_cometchat, pl.String),
    }
)

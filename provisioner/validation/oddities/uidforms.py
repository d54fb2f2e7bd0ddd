r"""What uids look like: what is really in those that are refused, and what a spreadsheet has made of them.

    1000.0            decimal       ann@example.org   e-mail        ann_lee      underscore
    {6F9619FF-8B86}   braces        'a1'              quotes        “a1”         typographic
    ="00123"          formula       a\u200bb          invisible     a b          none of these

The first kind that fits is the one to mend.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl

from provisioner.roster.columns import all_named
from provisioner.validation.constraints import EMAILS_WITH_CAPITALS
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import NO_TEXT, NOWHERE, Column, true_at
from provisioner.validation.fields.source import REVERSIBLE, Encoding, encodings_of, parts_of
from provisioner.wording import INVISIBLE

_KINDS: Final = {
    "numbers with .0": r"^[+-]?[0-9]+[.,]0+$",
    "e-mail addresses": r"^[^@\s]+@[^@\s]+$",
    "end marks of COPY": r"^\\\.$",
    "underscores": r"^[A-Za-z0-9_-]+$",
    "braces": r"^\{[A-Za-z0-9_-]+\}$",
    "single quotes": r"^'.*'$",
    "typographic quotes": "^[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a].*[\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a]$",  # noqa: E501
    "formulas": '^=".*"$',
    "times": r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[t ])?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?(?:z|[+-][0-9:]{5})?$",
    "invisible characters": f"[{INVISIBLE}]",
}

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = rf"^(?:{_DAY}-{_MONTH}|{_MONTH}-[0-9]{{2}}|(?:19|20)[0-9]{{2}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))$"
_LENGTHS_OF_DATES = (5, 6, 10)
_EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
# Letters of base32, or pairs of hexadecimal digits, an @ (40) among them.
_ENCODED: Final = r"^(?:[A-Za-z2-7]+=*|(?:[0-9A-Fa-f]{2})+?40(?:[0-9A-Fa-f]{2})+)$"
# From here on the type no longer tells neighbouring whole numbers apart.
_EXACT_WHOLE: Final = 2**24

USUAL: Final = 0.8
"""The part of the texts that are encoded which is e-mail addresses at least, where another text is odd."""


def kind_of_uid() -> pl.Expr:
    """Name what is in a uid that is refused (String, null for anything else)."""
    uid, capitals = pl.col("uid"), pl.col("uid_input").str.contains(r"\p{Lu}")
    addresses = pl.when(uid.str.contains(_KINDS["e-mail addresses"]) & capitals).then(pl.lit(EMAILS_WITH_CAPITALS))
    kinds = [pl.when(uid.str.contains(pattern)).then(pl.lit(kind)) for kind, pattern in _KINDS.items()]
    return pl.coalesce(addresses, *kinds)


def dates(uids: pl.Series) -> Column:
    """Tell the uids that are dates, as a spreadsheet makes of text such as 3-Apr.

    3-apr, jan-02    in a text; 2026-04-03    as a cell of a workbook or a column of dates is read
    """
    short = uids.str.len_bytes().is_in(_LENGTHS_OF_DATES).arg_true()
    return true_at(short.filter(uids.gather(short).str.contains(_DATE)), len(uids))


def imprecise(frame: pl.DataFrame, binding: Binding) -> Column:
    """Tell the rows whose uid is made of a number of a type of 24 binary digits, and has more."""
    columns = [name for name in binding.fields["uid"].columns if binding.schema[name] == pl.Float32]
    if not columns:
        return NOWHERE
    large = pl.any_horizontal(all_named(columns).abs() >= _EXACT_WHOLE)
    return frame.select(large.fill_null(value=False)).to_series()


def encoded_texts(frame: pl.DataFrame, binding: Binding) -> list[pl.Series]:
    """Give for each source of the uid that is encoded the texts that become uids by it (String, null elsewhere)."""
    parts = parts_of(binding.fields["uid"])
    texts = cells.read(frame, {f"{at}": source for at, (source, _) in enumerate(parts)}, binding)
    found = []
    for at, (_, encoded) in enumerate(parts):
        if encoded:
            before = [pl.col(f"{earlier}").is_null() for earlier in range(at)]
            text = pl.col(f"{at}")
            found.append(texts.select(pl.when(*before).then(text) if before else text).to_series())
    return found


class Addressed:
    """Counts the texts that are encoded as uids, and those that are e-mail addresses; it does not grow with them."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._counts = [(0, 0)] * sum(encoded for _, encoded in parts_of(binding.fields["uid"]))

    def add(self, frame: pl.DataFrame) -> None:
        """Count the texts of a batch."""
        if self._counts:
            texts = encoded_texts(frame, self._binding)
            self._counts = [
                (filled + each.count(), addresses + int(each.str.contains(_EMAIL).sum()))
                for (filled, addresses), each in zip(self._counts, texts, strict=True)
            ]

    @property
    def usual(self) -> tuple[bool, ...]:
        """Tell of each source that is encoded whether nearly all of its texts, but not all, are e-mail addresses."""
        return tuple(USUAL * filled <= addresses < filled for filled, addresses in self._counts)


def unaddressed(frame: pl.DataFrame, binding: Binding, usual: Sequence[bool]) -> Column:
    """Give the texts that are encoded and no e-mail addresses, where `usual` says the others are."""
    if not any(usual):
        return NO_TEXT
    texts = [text for text, is_usual in zip(encoded_texts(frame, binding), usual, strict=True) if is_usual]
    odd = [pl.when(~pl.lit(text).str.contains(_EMAIL)).then(pl.lit(text)) for text in texts]
    return pl.select(pl.coalesce(odd)).to_series()


class EncodedEmails:
    """Looks whether the uids of a roster can be turned back into e-mail addresses; it does not grow with them.

    Where the roster's own mapping encodes them, every row is looked at, else a sample.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._encodings = encodings_of(binding.fields["uid"]) & REVERSIBLE
        self.found: Encoding | None = None
        """How one of them was encoded; null while there is none."""

    def add(self, frame: pl.DataFrame, uids: pl.Series, sample: pl.Series) -> None:
        """Look at a batch; `uids` as they would be sent, `sample` the positions of some rows."""
        if self.found is not None:
            return
        if self._encodings:
            text = cells.as_it_stands(self._binding.fields["uid"], self._binding).str.strip_chars()
            if frame.select(text.str.contains(_EMAIL).any()).item():
                self.found = min(self._encodings)
            return
        some = uids.gather(sample).drop_nulls()
        for uid in some.filter(some.str.contains(_ENCODED)):  # of the uids of most rosters none
            self.found = next((encoding for encoding in _DECODERS if _is_email_in(encoding, uid)), None)
            if self.found is not None:
                return


def _is_email_in(encoding: Encoding, uid: str) -> bool:
    try:
        return re.search(_EMAIL, _DECODERS[encoding](uid).decode("ascii")) is not None
    except (ValueError, binascii.Error):
        return False


_DECODERS: Final[Mapping[Encoding, Callable[[str], bytes]]] = {
    Encoding.BASE32: lambda uid: base64.b32decode(uid.upper() + "=" * (-len(uid) % 8)),
    Encoding.HEX: bytes.fromhex,
}

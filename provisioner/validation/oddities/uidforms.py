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
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from provisioner.roster.columns import all_named
from provisioner.validation.constraints import EMAILS_WITH_CAPITALS
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import column_of
from provisioner.validation.fields.source import REVERSIBLE, Encoding, encodings_of
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


def kind_of_uid() -> pl.Expr:
    """Name what is in a uid that is refused (String, null for anything else)."""
    uid, capitals = pl.col("uid"), pl.col("uid_input").str.contains(r"\p{Lu}")
    addresses = pl.when(uid.str.contains(_KINDS["e-mail addresses"]) & capitals).then(pl.lit(EMAILS_WITH_CAPITALS))
    kinds = [pl.when(uid.str.contains(pattern)).then(pl.lit(kind)) for kind, pattern in _KINDS.items()]
    return pl.coalesce(addresses, *kinds)


def dates(uids: pl.Series) -> pl.Series | None:
    """Tell the uids that are dates, as a spreadsheet makes of text such as 3-Apr; null for none.

    3-apr, jan-02    in a text; 2026-04-03    as a cell of a workbook or a column of dates is read
    """
    short = uids.str.len_bytes().is_in(_LENGTHS_OF_DATES).arg_true()
    if not len(short):
        return None
    found = column_of(value=False, height=len(uids), kind=pl.Boolean)
    return found.scatter(short.filter(uids.gather(short).str.contains(_DATE)), True)


def imprecise(frame: pl.DataFrame, binding: Binding) -> pl.Series | None:
    """Tell the rows whose uid is made of a number of a type of 24 binary digits, and has more; null for none."""
    columns = [name for name in binding.fields["uid"].columns if binding.schema[name] == pl.Float32]
    if not columns:
        return None
    large = pl.any_horizontal(all_named(columns).abs() >= _EXACT_WHOLE)
    return frame.select(large.fill_null(value=False)).to_series()


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

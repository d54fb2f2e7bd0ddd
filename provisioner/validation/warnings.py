"""What is allowed and yet looks wrong, as a table: warnings, in the same shape as the rules.

They are judged over the fields of `provisioner.validation.rules` and beside them

    twin_row, twin      Int64, String    the first row of this name in another spelling, and how it is spelled there
    email_row, email    Int64, String    the first row of this row's e-mail address, which has another uid
    tags_unsplit        Boolean          one text with commas became one tag
    remark row.swallowed  Boolean    so for each of `REMARKS`: what the reader has said of the row
    metadata_characters Int64            code points of the metadata; null for at most `METADATA_CHARACTERS` bytes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from provisioner.validation.constraints import Advice
from provisioner.validation.digits import DIGITS, EXACT_DIGITS, ROUNDED
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import shown
from provisioner.validation.fields.source import FirstOf, FromColumn, Template
from provisioner.validation.rules import Rule, other_row

WARNINGS: Mapping[str, Advice] = MappingProxyType(
    {
        "row.swallowed": Advice(
            "a cell holds line ends, and behind one of them what looks like a row of this file",
            "look for a stray quote before it; where the text belongs in the cell, leave it",
        ),
        "uid.scientific": Advice(
            "the uid looks like a number as a spreadsheet shortens it, such as 7.39E+10",
            "format the uid column as text and export it from the source again, because the digits are gone",
        ),
        "uid.rounded": Advice(
            "the uid has more than 15 digits and only zeros after the 15th, which is how a spreadsheet rounds",
            "format the uid column as text and export it from the source again, because the digits are gone",
        ),
        "uid.zeros_lost": Advice(
            "the uid is a shorter number than nearly all others, and none begins with 0: leading zeros may be lost",
            "format the uid column as text and fill the uids up with leading zeros, or leave them if they are right",
        ),
        "name.twin": Advice(
            "an earlier row has this name in another spelling: upper and lower case, accents composed, blanks",
            "look whether both rows are the same person, and keep one of them",
        ),
        "name.placeholder": Advice(
            "the name is what programs and people write where there is no name",
            "write the person's name",
        ),
        "email.shared": Advice(
            "an earlier row with another uid has this e-mail address",
            "look whether both rows are the same person, and keep one of them or mend the address",
        ),
        "tags.not_split": Advice(
            "one tag holds two commas or more, so it may have been meant as several",
            "write ; between the tags, or set tags_separator under [columns] to what is there",
        ),
        "metadata.long": Advice(
            "the metadata have more than 1600 characters, the limit on an older page of the API's documentation",
            "shorten the metadata if the API refuses them",
        ),
    }
)
"""Code of a warning → what it means and how to mend it, in the order in which the warnings of a row are reported."""

PLACEHOLDERS = (
    "null", "(null)", "<null>", "none", "n/a", "n.a.", "#n/a", "#ref!", "#name?", "#value!", "#null!", "#num!",
    "#div/0!", "undefined", "unknown", "tbd", "tba", "test", "no name", r"\n",
    "-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "\u2026", "?", "??", "???", "_",
)  # fmt: skip
"""Names that are none, in any case."""

EXACT_PLACEHOLDERS = ("NA", "nan", "NaN", "NAN")
"""Names that are none, in this case only: Na and Nan are names of people. `NA` is how R writes a missing value."""

METADATA_CHARACTERS = 1600

REMARKS = ("row.swallowed",)
"""Warnings that a reader has given already, by their code."""

# A shortened number has a sign in its exponent, or a fraction; `12e4` may be a hexadecimal id.
_SCIENTIFIC = r"^[+-]?[0-9]{1,3}(?:[.,][0-9]+e\+?|e\+)[0-9]{1,3}$"


def warning_rules(usual_digits: int | None, *, rounded: bool) -> tuple[Rule, ...]:
    """Give the rule of each warning in reporting order, for a roster with such a survey (`survey`)."""
    return (
        _remarked("row.swallowed", "a cell holds what looks like a row of this file"),
        _scientific(),
        _rounded(rounded),
        _zeros_lost(usual_digits),
        _earlier("name.twin", "name", "twin_row", [pl.lit(" is spelled "), shown(pl.col("twin"))]),
        _placeholder(),
        _earlier("email.shared", "email", "email_row", [pl.lit(" is the e-mail address of another uid")]),
        _unsplit(),
        _long_metadata(),
    )


def remarked(remarks: Mapping[str, Sequence[int]], height: int) -> pl.DataFrame:
    """Give a Boolean column for each of `REMARKS`: true for the rows of a batch (indexes) the reader has said it of."""
    none = pl.repeat(value=False, n=height, eager=True)
    return pl.DataFrame({f"remark {code}": none.scatter(list(remarks.get(code, ())), True) for code in REMARKS})


def suspicions(frame: pl.DataFrame, binding: Binding, fields: pl.DataFrame) -> pl.DataFrame:
    """Give `tags_unsplit` and `metadata_characters`: only the few rows that may be suspect are looked at closely."""
    metadata = fields["metadata"]
    long = (metadata.str.len_bytes() > METADATA_CHARACTERS).arg_true()
    characters = pl.repeat(None, frame.height, dtype=pl.Int64, eager=True)
    if len(long):
        characters = characters.scatter(long, metadata.gather(long).str.len_chars().cast(pl.Int64))
    unsplit = _unsplit_tags(frame, binding, fields)
    return pl.DataFrame({"tags_unsplit": unsplit, "metadata_characters": characters})


def _unsplit_tags(frame: pl.DataFrame, binding: Binding, fields: pl.DataFrame) -> pl.Series:
    """Tell which rows have a text with two commas or more, and no separator, for their only tag."""
    source = binding.fields.get("tags")
    suspects = (fields["tags_count"] == 1).arg_true()
    suspects = suspects.filter(fields["tags"].gather(suspects).str.contains(",.*,"))
    unsplit = pl.repeat(value=False, n=frame.height, eager=True)
    if suspects.is_empty() or not isinstance(source, FromColumn | FirstOf | Template):
        return unsplit
    if any(binding.schema[name].is_nested() for name in source.columns):
        return unsplit
    text = cells.read(frame[suspects], {"text": source}, binding)["text"]
    split = text.str.starts_with("[") | text.str.contains(binding.tags_separator, literal=True)
    return unsplit.scatter(suspects.filter(~split), True)


def _remarked(code: str, message: str) -> Rule:
    return Rule(code, pl.col(f"remark {code}"), pl.lit(message))


def _scientific() -> Rule:
    uid = pl.col("uid")
    found = [shown(uid), pl.lit(" looks like a number shortened by a spreadsheet")]
    return Rule("uid.scientific", uid.str.contains(_SCIENTIFIC), pl.concat_str(found))


def _rounded(wanted: bool) -> Rule:
    uid = pl.col("uid")
    found = [shown(uid), pl.lit(f" has only zeros after {EXACT_DIGITS} digits, so it may be rounded")]
    return Rule("uid.rounded", uid.str.contains(ROUNDED) if wanted else pl.lit(value=False), pl.concat_str(found))


def _zeros_lost(usual: int | None) -> Rule:
    uid = pl.col("uid")
    found = [shown(uid), pl.lit(f" has fewer digits than the usual {usual}, so leading zeros may be lost")]
    shorter = pl.lit(value=False) if usual is None else uid.str.contains(DIGITS) & (uid.str.len_bytes() < usual)
    return Rule("uid.zeros_lost", shorter, pl.concat_str(found))


def _earlier(code: str, field: str, row: str, relation: list[pl.Expr]) -> Rule:
    found = [shown(pl.col(field)), *relation, pl.lit(" in "), other_row(row)]
    return Rule(code, pl.col(row).is_not_null(), pl.concat_str(found))


def _placeholder() -> Rule:
    name = pl.col("name")
    folded, exact = ("|".join(map(pl.escape_regex, words)) for words in (PLACEHOLDERS, EXACT_PLACEHOLDERS))
    broken = name.str.contains(f"^(?:(?i:{folded})|{exact})$")
    return Rule("name.placeholder", broken, pl.concat_str([shown(name), pl.lit(" stands for no name")]))


def _unsplit() -> Rule:
    tag = pl.col("tags").str.strip_prefix('["').str.strip_suffix('"]')
    found = pl.concat_str([shown(tag), pl.lit(" became one tag, with its commas")])
    return Rule("tags.not_split", pl.col("tags_unsplit"), found)


def _long_metadata() -> Rule:
    length = pl.col("metadata_characters")
    found = pl.concat_str([length, pl.lit(f" characters, an older page allows {METADATA_CHARACTERS}")])
    return Rule("metadata.long", length > METADATA_CHARACTERS, found)

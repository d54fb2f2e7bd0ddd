"""What is allowed and yet looks wrong, as a table: warnings, in the same shape as the rules.

They are judged over the fields of `provisioner.validation.rules` and, beside them, `twin_row` and `twin` (the first row
of this name in another spelling, and how it is spelled there), `email_row` and `email` (the first row of this row's
e-mail address, which has another uid), `not_a_person` (what else the row is), and what
`provisioner.validation.oddities.suspicions` finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import polars as pl

from provisioner.roster.workbook.numbers import EXACT_DIGITS
from provisioner.validation.constraints import COLUMNS_NAMED, Advice
from provisioner.validation.fields.cells import shown
from provisioner.validation.oddities import entries, mojibake
from provisioner.validation.oddities.suspicions import METADATA_CHARACTERS, REMARKS
from provisioner.validation.rules import Rule, other_row
from provisioner.validation.uidnumbers import DIGITS, ROUNDED, SCIENTIFIC
from provisioner.validation.vocabulary.nothing import NO_NAMES, NO_NAMES_EXACTLY

_FLOAT = "32-bit floats"
_ENCODED = (
    "leave out --encoding (in a config file: encoding) if the file is UTF-8, and name its own encoding if it is "
    "not, or export it as UTF-8 again"
)

WARNINGS: Mapping[str, Advice] = MappingProxyType(
    {
        "row.repeated": Advice(
            "an earlier row has the same uid and says the same; in a sync they are one row",
            "take one of the two rows out where the roster comes from",
        ),
        "row.swallowed": Advice(
            "a cell holds line ends, and behind one of them what looks like a row of this file",
            "look for a stray quote before it; where the text belongs in the cell, leave it",
        ),
        "row.quoted_whole": Advice(
            "the whole line is in quotes, so that all of it is the first cell and the others are empty",
            'take away the quotes around the line, and write " for "" in it',
        ),
        "row.not_a_person": Advice(
            "the row is a rule of dashes, or a total or a trailer that is shaped unlike the others",
            "delete the row, unless it is a person",
        ),
        "row.hidden": Advice(
            "the row is hidden in the workbook, by a filter, a folded group or by hand",
            "show the row and look whether it belongs to the roster, or delete it",
        ),
        "row.unnamed_column": Advice(
            "a cell stands in a column without a name, so nothing is made of it: maybe the rest of a cell before it",
            "give the column a name in the header, or empty these cells; where a CSV cut a cell at a delimiter within "
            "it, put quotes around all of that cell",
        ),
        "row.number_lost": Advice(
            "the cell of _row is no number, so it is not known which row of the earlier round this was",
            "write into _row the number that the row had, or empty the cell if the row is new",
        ),
        "uid.scientific": Advice(
            "the uid looks like a number as a spreadsheet shortens it, such as 7.39E+10",
            "format the uid column as text and export it from the source again, because the digits are gone",
        ),
        "uid.looks_rounded": Advice(
            "the uid has more than 15 digits and only zeros after the 15th, which is how a spreadsheet rounds, or is "
            "a 32-bit float beyond 16777216",
            "format the uid column as text and export it from the source again, because the digits are gone",
            {_FLOAT: "write the uid column as integers or texts: a 32-bit float has rounded numbers beyond 16777216"},
        ),
        "uid.zeros_lost": Advice(
            "the uid is a shorter number than nearly all others, and none begins with 0: leading zeros may be lost",
            "format the uid column as text and fill the uids up with leading zeros, or leave them if they are right",
        ),
        "uid.looks_like_a_date": Advice(
            "the uid is a date, such as a spreadsheet makes of an id: 3-Apr, Jan-02, 2026-04-03",
            "format the uid column as text and export it from the source again, unless the uid is right",
        ),
        "uid.not_an_address": Advice(
            "the uid is encoded from a text that is no e-mail address, and nearly all others are made of addresses",
            "write the person's e-mail address, or leave the text if it is the right one: no uid can be changed later",
        ),
        "name.twin": Advice(
            "an earlier row has this name in another spelling: upper and lower case, accents composed, blanks",
            "look whether both rows are the same person, and keep one of them",
        ),
        "name.placeholder": Advice(
            "the name is what programs and people write where there is no name",
            "write the person's name",
        ),
        "name.mojibake": Advice(
            "the name is damaged, mostly by an encoding: ZoÃ« for Zoë, or a sign in place of a letter",
            _ENCODED,
            {
                **dict.fromkeys((mojibake.UTF8, mojibake.LATIN), _ENCODED),
                mojibake.LOST: "the letters are gone: export the roster from the source again, as UTF-8",
                mojibake.HTML: "write the letters that the codes stand for, such as ë for &euml;",
            },
        ),
        "name.control_characters": Advice(
            "the name holds control characters, such as NUL, escape or a CR alone",
            "delete what cannot be seen in the name; where a CR stands between two rows, begin a line there",
        ),
        "email.shared": Advice(
            "an earlier row with another uid has this e-mail address",
            "look whether both rows are the same person, and keep one of them or mend the address",
        ),
        "tags.not_split": Advice(
            "nearly all cells of tags hold another separator than the one in force, so each became one tag",
            "write ; between the tags, or set tags_separator under [columns] to what is there",
            {
                name: f"{name} separates them in nearly all cells: set tags_separator = {text} under [columns], "
                "or write the separator in force between them"
                for name, text in {",": '","', "|": '"|"', "/": '"/"', "line end": r'"\n"'}.items()
            },
        ),
        "value.placeholder": Advice(
            "a cell holds a word for nothing, such as None or undefined, and is sent as it stands",
            "empty these cells, or list the word in null_values under [columns]",
        ),
        "metadata.long": Advice(
            "the metadata have more than 1600 characters, the limit on an older page of the API's documentation",
            "shorten the metadata if the API refuses them",
        ),
    }
)
"""Code of a warning → what it means and how to mend it, in the order in which the warnings of a row are reported."""

OVERRULED_WARNINGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "row.header_again": frozenset(WARNINGS),
        "row.repeated": frozenset(WARNINGS) - {"row.repeated"},
        "row.not_a_person": frozenset(WARNINGS) - {"row.not_a_person", "row.hidden", "row.swallowed"},
        "uid.rounded": frozenset({"uid.scientific", "uid.looks_rounded", "uid.zeros_lost"}),
        "name.not_text": frozenset(name for name in WARNINGS if name.startswith("name.")),
    }
)
"""Code of a defect or warning → the warnings that only follow from it."""

REPEATED = Rule(
    "row.repeated", pl.col("repeats_row").is_not_null(), pl.concat_str([pl.lit("repeats "), other_row("repeats_row")])
)
"""The warning of a row that is one with an earlier one."""


@lru_cache(16)
def warning_rules(
    usual_digits: int | None, tags_separator: str | None = None, *, rounded: bool, fed_again: bool = False
) -> tuple[Rule, ...]:
    """Give the rule of each warning in reporting order, for a roster with such a survey (`survey`)."""
    judges = (
        REPEATED,
        _remarked("row.swallowed"),
        _remarked("row.quoted_whole"),
        Rule("row.not_a_person", pl.col("not_a_person").is_not_null(), pl.col("not_a_person")),
        _remarked("row.hidden"),
        _remarked("row.unnamed_column"),
        _remarked("row.number_lost"),
        _scientific(),
        _looks_rounded(rounded),
        _zeros_lost(usual_digits),
        _date(),
        _unaddressed(),
        _earlier("name.twin", "name", "twin_row", [pl.lit(" is spelled "), shown(pl.col("twin"))]),
        _placeholder(),
        _damaged(),
        Rule("name.control_characters", pl.col("name_control"), _holds("name", "control characters")),
        _earlier("email.shared", "email", "email_row", [pl.lit(" is the e-mail address of another uid")]),
        _unsplit(tags_separator),
        _word(),
        _long_metadata(),
    )
    return tuple(_or_before(rule) if fed_again and rule.code in entries.OF_OTHERS else rule for rule in judges)


def _or_before(rule: Rule) -> Rule:
    """Have a rule be broken as well where it was before and nothing has changed that it is about."""
    now, before = rule.broken.fill_null(value=False), pl.col(f"said {rule.code}")
    found = pl.when(now).then(rule.found).otherwise(before)
    return replace(rule, broken=now | before.is_not_null(), found=found)


def _remarked(code: str) -> Rule:
    return Rule(code, pl.col(f"remarked {code}"), pl.lit(REMARKS[code]))


def _scientific() -> Rule:
    # Where uids are encoded, of what they are made; its case is the spreadsheet's.
    uid = pl.col("uid_input").str.strip_chars().str.to_lowercase()
    found = [shown(uid), pl.lit(" looks like a number shortened by a spreadsheet")]
    return Rule("uid.scientific", uid.str.contains(SCIENTIFIC), pl.concat_str(found))


def _looks_rounded(wanted: bool) -> Rule:
    uid, imprecise = pl.col("uid"), pl.col("uid_imprecise")
    zeros = pl.lit(f" has only zeros after {EXACT_DIGITS} digits, so it may be rounded")
    float32 = pl.lit(" is a 32-bit float, so it may be rounded")
    found = pl.concat_str([shown(uid), pl.when(imprecise).then(float32).otherwise(zeros)])
    broken = imprecise | uid.str.contains(ROUNDED) if wanted else imprecise
    return Rule("uid.looks_rounded", broken, found, pl.when(imprecise).then(pl.lit(_FLOAT)))


def _date() -> Rule:
    return Rule("uid.looks_like_a_date", pl.col("uid_date"), _holds("uid", "a date", "looks like"))


def _unaddressed() -> Rule:
    text = pl.col("uid_unaddressed")
    found = pl.concat_str([shown(text), pl.lit(" is no e-mail address, as nearly all others are that become uids")])
    return Rule("uid.not_an_address", text.is_not_null(), found)


def _holds(field: str, what: str, verb: str = "holds") -> pl.Expr:
    return pl.concat_str([shown(pl.col(field)), pl.lit(f" {verb} {what}")])


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
    folded, exact = ("|".join(map(pl.escape_regex, words)) for words in (NO_NAMES, NO_NAMES_EXACTLY))
    broken = name.str.contains(f"^(?:(?i:{folded})|{exact})$")
    return Rule("name.placeholder", broken, pl.concat_str([shown(name), pl.lit(" stands for no name")]))


def _damaged() -> Rule:
    damage = pl.col("name_damage")
    words = damage.replace_strict(list(mojibake.DAMAGES), list(mojibake.DAMAGES.values()), return_dtype=pl.String)
    found = pl.concat_str([shown(pl.col("name")), pl.lit(" holds "), words])
    return Rule("name.mojibake", damage.is_not_null(), found, damage)


def _word() -> Rule:
    columns = pl.col("word_columns")
    rest = columns.list.len().cast(pl.Int64) - COLUMNS_NAMED
    more = pl.when(rest > 0).then(pl.format(" and {} more", rest)).otherwise(pl.lit(""))
    named = columns.list.head(COLUMNS_NAMED).list.join(", ")
    found = pl.concat_str([named, more, pl.lit(": a word for nothing, sent as it stands")])
    return Rule("value.placeholder", columns.is_not_null(), found, columns)


def _unsplit(separator: str | None) -> Rule:
    tag = pl.col("tags").str.strip_prefix('["').str.strip_suffix('"]')
    found = pl.concat_str([shown(tag), pl.lit(f" became one tag, and holds {separator} as nearly all cells do")])
    return Rule("tags.not_split", pl.col("tags_unsplit"), found, pl.repeat(separator, pl.len(), dtype=pl.String))


def _long_metadata() -> Rule:
    length = pl.col("metadata_characters")
    found = pl.concat_str([length, pl.lit(f" characters, an older page allows {METADATA_CHARACTERS}")])
    return Rule("metadata.long", length > METADATA_CHARACTERS, found)

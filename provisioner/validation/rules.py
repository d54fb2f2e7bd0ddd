"""The rules a row has to keep, as a table: defect code → polars expressions for `broken` and for what to say.

They are judged over the fields of a batch as the validator prepares them: a column for each user field, trimmed and
null when missing, and beside them

    uid_input      String   the cell as it stands
    leaves         String   the cell that says whether somebody is deactivated, only where there is one;
                            `deactivated` (Boolean): what it says, null when none of it
    first_row      Int64    the earlier row with the same uid; where persons were compared, the one that says otherwise
    repeats_row    Int64    the earlier row with the same uid that says the same; only where persons were compared
    first_rejected Boolean  that row is rejected too
    header_again   Boolean  the row is the header once more
    uid_word       Boolean  the uid is a word for nothing
    uid_rounded    Boolean  the uid is a number that a workbook has rounded
    uid_not_text, name_not_text     Boolean   the cell is an object, a list or a boolean
    tags_defect, metadata_defect    String    why the cell could not be read
    tags_kind, metadata_kind        String    which of the kinds of what is nearly JSON it is, null when none
    tags_count, tags_longest        Int64     number of tags, code points of the longest

and beside each number of another row (`OTHER_ROWS`) where its owner sees it, see `places`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import polars as pl

from provisioner.validation.constraints import DEFECTS, Constraints
from provisioner.validation.fields.cells import column_of, shown
from provisioner.validation.oddities.uidforms import kind_of_uid
from provisioner.validation.vocabulary.leaving import FALSE, TRUE

BODY_TOO_LARGE = "body.too_large"

_SCHEME = r"^(?i-u:https?)://"
_USER = r"(?:[^/?#\s\p{Cc}]*@)?"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\\\s\p{Cc}]+)"
_REST = r"(?::[0-9]*)?(?:[/?#][^\s\p{Cc}]*)?$"
URL = f"{_SCHEME}{_USER}{_HOST}{_REST}"
"""An absolute http or https URL: a host, and no white space or control character anywhere."""


_ROUNDED = " is a number of more than 15 digits in a workbook or a float, which keep only 15"

FIRST_ROWS = 5
"""As many rows are named as examples of one defect."""

OVERRULED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "row.header_again": frozenset(DEFECTS) - {"row.header_again"},
        "uid.not_text": frozenset({"uid.missing", "uid.placeholder", "uid.charset", "uid.too_long", "uid.duplicate"}),
        "name.not_text": frozenset({"name.missing", "name.too_long"}),
        "uid.placeholder": frozenset({"uid.charset", "uid.duplicate"}),
        "uid.rounded": frozenset({"uid.charset", "uid.duplicate"}),
    }
)
"""Code → the others that only follow from it, and are not reported beside it."""


OTHER_ROWS = ("first_row", "repeats_row", "twin_row", "email_row")
"""The columns that hold the number of another row."""

Place: TypeAlias = Callable[[int], str | None]
"""How the owner of a roster sees a row, such as `sheet row 6`; null when its number says it."""


def no_place(_: int) -> None:
    """Say nothing of a row: its number says it."""
    return


def places(rows: pl.Series, place: Place) -> pl.Series:
    """Give what a message puts behind the numbers of other rows: ` (sheet row 6)` or nothing (String)."""
    found = column_of("", len(rows), pl.String).alias(f"{rows.name}_place")
    if rows.null_count() == len(rows):
        return found
    at = rows.is_not_null().arg_true()
    said = [f" ({each})" if (each := place(row)) else "" for row in rows.gather(at)]
    return found.scatter(at, pl.Series(said, dtype=pl.String))


def other_row(column: str) -> pl.Expr:
    """Name another row in a message: `row 4`, `row 4 (sheet row 6)`."""
    return pl.concat_str([pl.lit("row "), pl.col(column), pl.col(f"{column}_place")])


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `broken` is a Boolean that counts only when true, `found` what the message says after the code.

    kinds  what kind it is in a row that breaks the rule, one or a list of them: see `Advice.kinds`
    """

    code: str
    broken: pl.Expr
    found: pl.Expr
    kinds: pl.Expr | None = None

    @property
    def message(self) -> pl.Expr:
        """The defect in words, null where the rule is kept."""
        return pl.when(pl.col(self.code)).then(pl.concat_str([pl.lit(f"{self.code}: "), self.found]))


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows have a defect or a warning, and the first of them (ascending, at most `FIRST_ROWS`).

    kinds  what was found more closely → how many of it: see `Advice.kinds`
    """

    rows: int
    first_rows: tuple[int, ...]
    kinds: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, later: Found) -> Found:
        """Add what was found in later rows."""
        kinds = {kind: self.kinds.get(kind, 0) + later.kinds.get(kind, 0) for kind in (*self.kinds, *later.kinds)}
        return Found(self.rows + later.rows, (*self.first_rows, *later.first_rows)[:FIRST_ROWS], kinds)


def broken_rules(broken: pl.DataFrame, judges: Sequence[Rule]) -> list[Rule]:
    """Choose those that any row breaks; `broken` has a Boolean column for each."""
    return [rule for rule in judges if broken[rule.code].any()]


def found(fields: pl.DataFrame, broken: pl.DataFrame, judges: Sequence[Rule]) -> dict[str, Found]:
    """Name the first rows of each code that was found at all, and what was found more closely."""
    judges = broken_rules(broken, judges)
    kinds = _kinds(fields, broken, {rule.code: rule.kinds for rule in judges if rule.kinds is not None})
    return {rule.code: found_in(fields["row"], broken[rule.code], kinds.get(rule.code)) for rule in judges}


def _kinds(fields: pl.DataFrame, broken: pl.DataFrame, kinds: Mapping[str, pl.Expr]) -> dict[str, pl.Series]:
    """Look closely at the rows that break any of these: one question for all of them, and of those rows alone."""
    if not kinds:
        return {}
    needed = sorted({column for kind in kinds.values() for column in kind.meta.root_names()})
    some = broken.select(*kinds).hstack(fields.select(needed)).filter(pl.any_horizontal(*kinds))
    found = some.select(pl.when(pl.col(code)).then(kind).alias(code) for code, kind in kinds.items())
    return {code: found[code] for code in kinds}


def found_in(rows: pl.Series, broken: pl.Series, kinds: pl.Series | None = None) -> Found:
    """Name the first of the rows that break one rule; `kinds` has of each row what it is, or a list of it, or null."""
    rows = rows.filter(broken)
    first_rows = tuple(rows.head(FIRST_ROWS).to_list())
    if kinds is None:
        return Found(len(rows), first_rows)
    kinds = kinds.drop_nulls()
    kinds = kinds.explode() if kinds.dtype == pl.List else kinds
    return Found(len(rows), first_rows, dict(Counter(kinds.to_list())))


@lru_cache(16)  # as costly to make as a small roster is to check
def rules(
    constraints: Constraints, *, encoded_uids: bool = False, persons: bool = False, leaving: bool = False
) -> tuple[Rule, ...]:
    """Give all rules but that of the body, which is written only for rows that keep these, in reporting order.

    With `encoded_uids` a message about a repeated uid says what it was made of. With `persons` rows of one uid that
    contradict each other are all duplicates, the first as well. With `leaving` a column says who is deactivated.
    """
    return (
        Rule("row.header_again", pl.col("header_again"), pl.lit("the header once more, no person")),
        _missing("uid"),
        _missing("name"),
        _not_text("uid", pl.col("uid_input")),
        _not_text("name", pl.col("name")),
        _uid_word(),
        _uid_charset(constraints.uid_allow_underscore),
        _too_long("uid", constraints.uid_max_length),
        Rule("uid.rounded", pl.col("uid_rounded"), pl.concat_str([shown(pl.col("uid")), pl.lit(_ROUNDED)])),
        _duplicate(encoded_uids, persons),
        _too_long("name", constraints.name_max_length),
        _too_long("avatar", constraints.url_max_length),
        _too_long("link", constraints.url_max_length),
        _not_a_url("avatar"),
        _not_a_url("link"),
        _role(constraints.role_max_length),
        _unreadable("tags", "not_a_list", "a JSON array of strings"),
        _above("tags.too_many", pl.col("tags_count"), constraints.tags_max, "tags"),
        _above("tags.too_long", pl.col("tags_longest"), constraints.tag_max_length, "characters in one tag"),
        _unreadable("metadata", "not_an_object", "a JSON object"),
        _above("metadata.too_large", pl.col("metadata").str.len_bytes(), constraints.metadata_max_bytes, "bytes"),
        _not_a_boolean(),
        *((_not_leaving(),) if leaving else ()),
    )


def body_rule(constraints: Constraints) -> Rule:
    """Give the rule for the whole request: `request_bytes` is its length as it will be sent."""
    return _above(BODY_TOO_LARGE, pl.col("request_bytes"), constraints.body_max_bytes, "bytes")


def _missing(field: str) -> Rule:
    return Rule(f"{field}.missing", pl.col(field).is_null(), pl.lit(f"no {field}, one is required"))


def _above(code: str, value: pl.Expr, limit: int, unit: str) -> Rule:
    return Rule(code, value > limit, pl.concat_str([value, pl.lit(f" {unit}, at most {limit}")]))


def _too_long(field: str, limit: int) -> Rule:
    return _above(f"{field}.too_long", pl.col(field).str.len_chars(), limit, "characters")


def _uid_charset(underscore: bool) -> Rule:
    allowed, words = ("A-Za-z0-9_-", "-, _") if underscore else ("A-Za-z0-9-", "-")
    charset = _charset("uid", allowed, f"only ASCII letters, digits and {words} are allowed")
    return replace(charset, kinds=kind_of_uid())


def _not_text(field: str, value: pl.Expr) -> Rule:
    found = [shown(value), pl.lit(f" is JSON of several values or a boolean, a {field} is one text or number")]
    return Rule(f"{field}.not_text", pl.col(f"{field}_not_text"), pl.concat_str(found))


def _uid_word() -> Rule:
    found = [shown(pl.col("uid_input")), pl.lit(" stands for nothing, a uid is needed")]
    return Rule("uid.placeholder", pl.col("uid_word"), pl.concat_str(found))


def _charset(field: str, allowed: str, words: str) -> Rule:
    value, foreign = pl.col(field), f"([^{allowed}])"
    found = [shown(value.str.extract(foreign)), pl.lit(" in "), shown(value), pl.lit(f", {words}")]
    return Rule(f"{field}.charset", value.str.contains(foreign), pl.concat_str(found))


def _role(limit: int) -> Rule:
    """Length and characters of a role are one code, so one of two messages."""
    charset = _charset("role", "A-Za-z0-9_-", "only ASCII letters, digits, - and _ are allowed")
    length = _too_long("role", limit)
    found = pl.when(charset.broken).then(charset.found).otherwise(length.found)
    return Rule(charset.code, charset.broken | length.broken, found)


def _duplicate(encoded: bool, persons: bool) -> Rule:
    uid = shown(pl.col("uid"))
    if encoded:
        uid = pl.concat_str([uid, pl.lit(" (of "), shown(pl.col("uid_input")), pl.lit(")")])
    if persons:
        more = [pl.lit(" as well, which says otherwise, so neither is taken")]
    else:
        too = pl.when("first_rejected").then(pl.lit(", which is rejected too")).otherwise(pl.lit(""))
        more = [pl.lit(" already"), too]
    found = [uid, pl.lit(" is the uid of "), other_row("first_row"), *more]
    return Rule("uid.duplicate", pl.col("first_row").is_not_null(), pl.concat_str(found))


def _not_a_url(field: str) -> Rule:
    value = pl.col(field)
    found = [shown(value), pl.lit(" is no URL, one with http:// or https:// and a host is needed")]
    return Rule(f"{field}.not_a_url", ~value.str.contains(URL), pl.concat_str(found))


def _unreadable(field: str, defect: str, needed: str) -> Rule:
    reason = pl.col(f"{field}_defect")
    found = pl.concat_str([reason, pl.lit(f", {needed} is needed")])
    return Rule(f"{field}.{defect}", reason.is_not_null(), found, pl.col(f"{field}_kind"))


def _not_a_boolean() -> Rule:
    value = pl.col("withAuthToken")
    found = [shown(value), pl.lit(" is neither true nor false (nor yes, no, 1, 0, t, f, y, n)")]
    known = value.str.to_lowercase().is_in([*TRUE, *FALSE])
    return Rule("with_auth_token.not_a_boolean", ~known, pl.concat_str(found))


def _not_leaving() -> Rule:
    value = pl.col("leaves")
    found = [shown(value), pl.lit(" is neither true nor false, nor a date such as 2026-12-31 or 31.12.2026")]
    return Rule("deactivated.not_a_boolean", pl.col("deactivated").is_null(), pl.concat_str(found))

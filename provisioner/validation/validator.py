"""Judges the rows of a roster: a batch comes in, what is to be sent and what is rejected, and why, comes out.

fields (trimmed, read) → rules and warnings → bodies → sizes → Checked
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from provisioner.model import TOKEN_BYTES, AuthTokens
from provisioner.roster.formats.rows import ADDED, RosterBatch
from provisioner.validation.constraints import Constraints
from provisioner.validation.duplicates import Lookalikes
from provisioner.validation.fields import cells, jsontext
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.mapping import FIELD_WORDS
from provisioner.validation.fields.metadata import read_metadata
from provisioner.validation.fields.tags import read_tags
from provisioner.validation.repeats import FirstSeen
from provisioner.validation.rules import (
    BODY_TOO_LARGE,
    FALSE,
    OTHER_ROWS,
    Place,
    Rule,
    body_rule,
    no_place,
    places,
    rules,
)
from provisioner.validation.warnings import remarked, suspicions, warning_rules

if TYPE_CHECKING:  # the rules need what a survey found, and have nothing to do with files
    from provisioner.validation.survey import Survey

FIRST_ROWS = 5
"""As many rows are named as examples of one defect."""

_TEXT_FIELDS = tuple(name for name in FIELD_WORDS if name not in {"uid", "metadata", "tags"})


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows have a defect or a warning, and the first of them (ascending, at most `FIRST_ROWS`)."""

    rows: int
    first_rows: tuple[int, ...]

    def __add__(self, later: Found) -> Found:
        """Add what was found in later rows."""
        return Found(self.rows + later.rows, (*self.first_rows, *later.first_rows)[:FIRST_ROWS])


@dataclass(frozen=True, slots=True)
class Checked:
    """One batch after the rules. `len(valid) + len(rejected) == len(lines)`, always.

    lines     one line per roster row, in roster order: row (Int64), uid (String, as it would be sent, null
              when missing), uid_input (String, the cell as it stands), error_code and error_message (String,
              null for a valid row; the code of the first defect, and all defects in words)
    valid     row (Int64), uid (String), body (String: the compact JSON of the request without
              `withAuthToken`), token (Boolean: whether an auth token is wanted), role (String, as it is sent,
              null when there is none)
    rejected  the roster's own columns, untouched, then `_row` (Int64) and `_errors` (String)
    defects   code → the rows it was found in, in reporting order; a row can count under several
    warnings  code → the rows that are only warned of, valid or rejected; none when the validator is strict
    """

    lines: pl.DataFrame
    valid: pl.DataFrame
    rejected: pl.DataFrame
    defects: Mapping[str, Found]
    warnings: Mapping[str, Found] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.valid) + len(self.rejected) != len(self.lines):
            message = f"{len(self.lines)} rows became {len(self.valid)} valid, {len(self.rejected)} rejected"
            raise AssertionError(message)


class Validator:
    """Applies the rules to the batches of one roster, which must come in order and once each.

    All it remembers from batch to batch is where the values that the survey found repeated came first. With
    `strict` a row with a warning is rejected; `place` says how the owner of the roster sees a row.
    """

    def __init__(
        self,
        binding: Binding,
        constraints: Constraints,
        survey: Survey,
        *,
        auth_tokens: AuthTokens,
        strict: bool = False,
        place: Place = no_place,
    ) -> None:
        self._binding = binding
        self._constraints = constraints
        self._auth_tokens = auth_tokens
        self._strict = strict
        self._place = place
        self._uids: FirstSeen[int] = FirstSeen(survey.repeated)
        self._lookalikes = Lookalikes(binding, survey.respelled, survey.shared_emails)
        self._rules = rules(constraints, encoded_uids=binding.encodes_uids)
        self._warnings = warning_rules(survey.digits, rounded=survey.rounded)
        self._body_rule = body_rule(constraints)

    def check(self, batch: RosterBatch) -> Checked:
        """Sort the rows of a batch into valid and rejected ones.

        uid   name   rules                   body          goes to
        ann   Ann    kept                    fits          valid, with the body `{"uid":"ann","name":"Ann"}`
        tim   test   kept; name.placeholder  fits          valid and warned of; rejected when strict
        eve   Eve…   kept                    too large     rejected: body.too_large
        b b   Bob    uid.charset             not written   rejected: uid.charset
        """
        fields = self._fields(batch)
        broken, warned = _judged(fields, self._rules), _judged(fields, self._warnings)
        sound = ~_any(broken)
        written = self._written(fields.filter(sound)).hstack(warned.filter(sound))
        good = self._good(written)
        defective = _stacked(fields.hstack(broken).hstack(warned).filter(~sound), written.filter(~good))
        lines = _lines(fields, self._verdicts(defective))
        defects = _found(fields["row"], broken) | _found(written["row"], written.select(BODY_TOO_LARGE))
        warnings = _found(fields["row"], warned)
        if self._strict:
            defects, warnings = defects | warnings, {}
        return Checked(lines, _sent(written.filter(good)), _rejected(batch, lines), defects, warnings)

    def _fields(self, batch: RosterBatch) -> pl.DataFrame:
        """Read the cells of every field; see `provisioner.validation.rules` for the columns."""
        frame, binding = batch.frame, self._binding
        rows = pl.int_range(batch.first_row, batch.first_row + pl.len(), dtype=pl.Int64)
        texts = cells.read(frame, {name: binding.fields.get(name) for name in _TEXT_FIELDS}, binding)
        uid_input = cells.as_it_stands(binding.fields["uid"], binding)
        uids = cells.uids(frame, binding)
        fields = (
            frame.select(rows.alias("row"), uid_input.alias("uid_input"))
            .with_columns(uids, self._earlier(uids, batch.first_row))
            .hstack(texts)
            .hstack(read_tags(frame, binding, self._constraints.tag_max_length))
            .hstack(read_metadata(frame, binding))
        )
        suspect = suspicions(frame, binding, fields).hstack(remarked(batch.remarks, frame.height))
        fields = fields.hstack(suspect).hstack(self._lookalikes.columns(frame, fields))
        return fields.with_columns(places(fields[name], self._place) for name in OTHER_ROWS)

    def _earlier(self, uids: pl.Series, first_row: int) -> pl.Series:
        """Find the earlier row with the same uid (Int64 `first_row`, null when there is none)."""
        earlier: list[int | None] = [None] * len(uids)
        for index in self._uids.positions(uids):
            row = first_row + index
            first = self._uids.first(uids[index], row)
            earlier[index] = first if first != row else None
        return pl.Series("first_row", earlier, dtype=pl.Int64)

    def _written(self, sound: pl.DataFrame) -> pl.DataFrame:
        """Add what is sent to rows that keep the rules: `body`, `token`, `request_bytes`, and whether that is too much.

        withAuthToken   body                           token   request_bytes   body.too_large
        yes             {"uid":"ann","name":"Ann"}     true    26 + 21         false
        """
        token = pl.repeat(value=False, n=pl.len())
        if self._auth_tokens is not AuthTokens.NONE:
            token = ~pl.col("withAuthToken").str.to_lowercase().is_in(FALSE).fill_null(value=False)
        spliced = pl.when("token").then(TOKEN_BYTES).otherwise(0)
        size = (pl.col("body").str.len_bytes() + spliced).cast(pl.Int64)
        written = sound.with_columns(jsontext.write_bodies(sound), token.alias("token"))
        written = written.with_columns(size.alias("request_bytes"))
        return written.hstack(_judged(written, [self._body_rule]))

    def _good(self, written: pl.DataFrame) -> pl.Series:
        """Tell which of the written rows are sent: those that fit, and with `strict` are not warned of either."""
        fits = ~written[BODY_TOO_LARGE]
        return fits & ~_any(written.select(rule.code for rule in self._warnings)) if self._strict else fits

    def _verdicts(self, defects: pl.DataFrame) -> pl.DataFrame:
        """Put the defects of each row in words: `row`, `error_code` of the first one, `error_message` of all."""
        every = [*self._rules, self._body_rule, *(self._warnings if self._strict else ())]
        first = pl.coalesce([pl.when(pl.col(rule.code)).then(pl.lit(rule.code)) for rule in every])
        message = pl.concat_str([rule.message for rule in every], separator="; ", ignore_nulls=True)
        return defects.select("row", first.alias("error_code"), message.alias("error_message"))


def _judged(fields: pl.DataFrame, judges: Sequence[Rule]) -> pl.DataFrame:
    """Give a Boolean column without nulls for each rule, true where it is broken."""
    return fields.select(rule.broken.fill_null(value=False).alias(rule.code) for rule in judges)


def _any(broken: pl.DataFrame) -> pl.Series:
    return broken.select(pl.any_horizontal(pl.all())).to_series()


def _found(rows: pl.Series, broken: pl.DataFrame) -> dict[str, Found]:
    """Name the first rows of each code that was found at all."""
    return {
        code.name: Found(int(code.sum()), tuple(rows.filter(code).head(FIRST_ROWS))) for code in broken if code.any()
    }


def _stacked(unsound: pl.DataFrame, unfit: pl.DataFrame) -> pl.DataFrame:
    """Put the rows that break a rule and those that are written in vain under each other, null where one knows less."""
    return pl.concat([unsound, unfit.drop("body", "token")], how="diagonal")


def _lines(fields: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Give `Checked.lines`: every row, with the verdict of those that have one."""
    return fields.select("row", "uid", "uid_input").join(verdicts, on="row", how="left", maintain_order="left")


def _sent(good: pl.DataFrame) -> pl.DataFrame:
    """Give `Checked.valid`."""
    return good.select("row", "uid", "body", "token", pl.col("role").str.to_lowercase())


def _rejected(batch: RosterBatch, lines: pl.DataFrame) -> pl.DataFrame:
    """Give `Checked.rejected`: the roster's own columns of the rows with a defect, and what is wrong with them.

    lines     row 1, ann, no error_code           row 2, b b, uid.charset
    rejected                                      uid="B b", name="Bob", _row=2, _errors="uid.charset: …"
    """
    is_rejected = lines["error_code"].is_not_null()
    errors = lines.filter(is_rejected)
    rows = batch.frame.drop(ADDED, strict=False).filter(is_rejected)
    return rows.with_columns(errors["row"].alias("_row"), errors["error_message"].alias("_errors"))


def reject(checked: Checked, batch: RosterBatch, code: str, reasons: Mapping[int, str]) -> Checked:
    """Move rows that the rules let pass to the rejected ones; `reasons` says why for each row number."""
    words = pl.DataFrame(
        {"row": list(reasons), "why": [f"{code}: {reason}" for reason in reasons.values()]},
        schema={"row": pl.Int64, "why": pl.String},
    )
    lines = checked.lines.join(words, on="row", how="left", maintain_order="left").select(
        "row",
        "uid",
        "uid_input",
        error_code=pl.when(pl.col("why").is_not_null()).then(pl.lit(code)).otherwise("error_code"),
        error_message=pl.coalesce("error_message", "why"),
    )
    valid = checked.valid.filter(~pl.col("row").is_in(list(reasons)))
    defects = {**checked.defects, code: Found(len(reasons), tuple(sorted(reasons)[:FIRST_ROWS]))}
    return Checked(lines, valid, _rejected(batch, lines), defects, checked.warnings)

"""Judges the rows of a roster: a batch comes in, what is to be sent and what is rejected, and why, comes out.

fields (trimmed, read) → rules and warnings → bodies → sizes → Checked
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from provisioner import model
from provisioner.model import AuthTokens
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.constraints import Constraints
from provisioner.validation.duplicates import Lookalikes
from provisioner.validation.fields import cells, jsontext
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.mapping import FIELD_WORDS
from provisioner.validation.fields.metadata import read_metadata
from provisioner.validation.fields.tags import read_tags
from provisioner.validation.repeats import FirstSeen
from provisioner.validation.rules import BODY_TOO_LARGE, FALSE, Rule, body_rule, rules
from provisioner.validation.warnings import suspicions, warning_rules

if TYPE_CHECKING:  # the rules need what a survey found, and have nothing to do with files
    from provisioner.validation.survey import Survey
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.roster.formats.rows import ADDED

if TYPE_CHECKING:
    import polars as pl
import polars as pl

_TEXT_FIELDS = tuple(name for name in FIELD_WORDS if name not in {"uid", "metadata", "tags"})


class Validator:
    """Applies the rules to the batches of one roster, which must come in order and once each.

    All it remembers from batch to batch is where the values that the survey found repeated were first seen. With
    `strict` a row with a warning is rejected.
    """

    def __init__(
        self,
        binding: Binding,
        constraints: Constraints,
        survey: Survey,
        *,
        auth_tokens: AuthTokens,
        strict: bool = False,
    ) -> None:
        self._binding = binding
        self._constraints = constraints
        self._auth_tokens = auth_tokens
        self._strict = strict
        self._uids: FirstSeen[int] = FirstSeen(survey.repeated)
        self._lookalikes = Lookalikes(binding, survey.respelled, survey.shared_emails)
        self._rules = rules(constraints, encoded_uids=binding.encodes_uids)
        self._warnings = warning_rules(survey.digits, rounded=survey.rounded)
        self._body_rule = body_rule(constraints)

    def check(self, batch: RosterBatch) -> Checked:
        """Sort the rows of a batch into valid and rejected ones."""
        fields = self._fields(batch)
        broken = _judged(fields, self._rules)
        warned = _judged(fields, self._warnings)
        sound = ~_any(broken)
        spared = ~_any(warned) if self._strict else pl.repeat(value=True, n=fields.height, eager=True)
        written = self._written(fields.filter(sound))
        fits = ~written.select(self._body_rule.broken).to_series()
        good = fits & spared.filter(sound)
        defects = pl.concat(
            [
                fields.hstack(broken).hstack(warned).filter(~sound),
                written.hstack(warned.filter(sound)).filter(~good).drop("body", "token"),
            ],
            how="diagonal",
        ).with_columns(self._body_rule.broken.alias(BODY_TOO_LARGE))
        judged = {
            **_found(fields["row"], broken),
            **_found(defects["row"], defects.select(BODY_TOO_LARGE)),
        }
        doubtful = _found(fields["row"], warned)
        return self._checked(
            batch,
            fields,
            written.filter(good),
            self._verdicts(defects),
            {**judged, **doubtful} if self._strict else judged,
            {} if self._strict else doubtful,
        )

    def _checked(
        self,
        batch: RosterBatch,
        fields: pl.DataFrame,
        valid: pl.DataFrame,
        verdicts: pl.DataFrame,
        defects: Mapping[str, Found],
        warnings: Mapping[str, Found],
    ) -> Checked:
        lines = fields.select("row", "uid", "uid_input").join(verdicts, on="row", how="left", maintain_order="left")
        errors = lines.filter(pl.col("error_code").is_not_null())
        rejected = batch.frame.drop(ADDED, strict=False).filter(lines["error_code"].is_not_null())
        rejected = rejected.with_columns(errors["row"].alias("_row"), errors["error_message"].alias("_errors"))
        if valid.height + rejected.height != lines.height:
            raise AssertionError(f"{lines.height} rows became {valid.height} valid, {rejected.height} rejected")
        sent = valid.select("row", "uid", "body", "token", pl.col("role").str.to_lowercase())
        return Checked(lines, sent, rejected, defects, warnings)

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
        return fields.hstack(suspicions(frame, binding, fields)).hstack(self._lookalikes.columns(frame, fields))

    def _earlier(self, uids: pl.Series, first_row: int) -> pl.Series:
        """Find the earlier row with the same uid (Int64 `first_row`, null when there is none)."""
        earlier: list[int | None] = [None] * len(uids)
        for index in self._uids.positions(uids):
            row = first_row + index
            first = self._uids.first(uids[index], row)
            earlier[index] = first if first != row else None
        return pl.Series("first_row", earlier, dtype=pl.Int64)

    def _written(self, sound: pl.DataFrame) -> pl.DataFrame:
        """Add the body, whether a token is wanted, and the bytes of the request to rows that keep the rules."""
        token = pl.repeat(value=False, n=pl.len())
        if self._auth_tokens is not AuthTokens.NONE:
            token = ~pl.col("withAuthToken").str.to_lowercase().is_in(FALSE).fill_null(value=False)
        spliced = pl.when("token").then(len(model.WITH_AUTH_TOKEN)).otherwise(0)
        size = (pl.col("body").str.len_bytes() + spliced).cast(pl.Int64)
        return sound.with_columns(jsontext.write_bodies(sound), token.alias("token")).with_columns(
            size.alias("request_bytes")
        )

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


def reject(checked: Checked, batch: RosterBatch, code: str, reasons: Mapping[int, str]) -> Checked:
    """Move rows that the rules let pass to the rejected ones; `reasons` says why for each row number."""
    words = pl.DataFrame(
        {"row": list(reasons), "why": [f"{code}: {reason}" for reason in reasons.values()]},
        schema={"row": pl.Int64, "why": pl.String},
    )
    lines = checked.lines.join(words, on="row", how="left", maintain_order="left")
    moved = lines["why"].is_not_null()
    added = (
        batch.frame.drop(ADDED, strict=False)
        .filter(moved)
        .with_columns(lines.filter(moved)["row"].alias("_row"), lines.filter(moved)["why"].alias("_errors"))
    )
    return Checked(
        lines.select(
            "row",
            "uid",
            "uid_input",
            error_code=pl.when(pl.col("why").is_not_null()).then(pl.lit(code)).otherwise("error_code"),
            error_message=pl.coalesce("error_message", "why"),
        ),
        checked.valid.filter(~pl.col("row").is_in(list(reasons))),
        pl.concat([checked.rejected, added]).sort("_row"),
        {**checked.defects, code: Found(len(reasons), tuple(sorted(reasons)[:FIRST_ROWS]))},
        checked.warnings,
    )


FIRST_ROWS = 5
"""As many rows are named as examples of one defect."""


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

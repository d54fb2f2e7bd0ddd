"""Judges the rows of a roster: a batch comes in, what is to be sent and what is rejected, and why, comes out.

fields (trimmed, read) → rules → bodies → sizes → Checked
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from provisioner import bodies, cells
from provisioner.columns import FIELD_WORDS, Binding
from provisioner.constraints import DEFECTS, Constraints
from provisioner.metadata import read_metadata
from provisioner.model import AuthTokens, Checked, RosterBatch
from provisioner.rules import BODY_TOO_LARGE, FALSE, body_rule, rules
from provisioner.survey import Survey, fingerprints
from provisioner.tags import read_tags

ADDED = ("_row", "_errors")
"""Columns of a rejected file behind the roster's own; those of an earlier round are replaced."""

_TEXT_FIELDS = tuple(name for name in FIELD_WORDS if name not in {"uid", "metadata", "tags"})


class Validator:
    """Applies the rules to the batches of one roster, which must come in order and once each.

    All it remembers from batch to batch is where the uids that the survey found repeated were first seen.
    """

    def __init__(self, binding: Binding, constraints: Constraints, survey: Survey, *, auth_tokens: AuthTokens) -> None:
        self._binding = binding
        self._constraints = constraints
        self._auth_tokens = auth_tokens
        self._repeated = survey.repeated
        self._first_rows: dict[str, int] = {}
        self._rules = rules(constraints)
        self._body_rule = body_rule(constraints)

    def check(self, batch: RosterBatch) -> Checked:
        """Sort the rows of a batch into valid and rejected ones."""
        fields = self._fields(batch)
        broken = fields.select(rule.broken.fill_null(value=False).alias(rule.code) for rule in self._rules)
        sound = ~broken.select(pl.any_horizontal(pl.all())).to_series()
        written = self._written(fields.filter(sound))
        fits = ~written.select(self._body_rule.broken).to_series()
        defects = pl.concat(
            [
                fields.hstack(broken).filter(~sound),
                written.filter(~fits).select(*fields.columns, "request_bytes"),
            ],
            how="diagonal",
        ).with_columns(self._body_rule.broken.alias(BODY_TOO_LARGE))
        return self._checked(batch, fields, written.filter(fits), defects)

    def _checked(self, batch: RosterBatch, fields: pl.DataFrame, valid: pl.DataFrame, defects: pl.DataFrame) -> Checked:
        verdicts = self._verdicts(defects)
        lines = fields.select("row", "uid", "uid_input").join(verdicts, on="row", how="left", maintain_order="left")
        errors = lines.filter(pl.col("error_code").is_not_null())
        rejected = batch.frame.drop(ADDED, strict=False).filter(lines["error_code"].is_not_null())
        rejected = rejected.with_columns(errors["row"].alias("_row"), errors["error_message"].alias("_errors"))
        if valid.height + rejected.height != lines.height:
            raise AssertionError(f"{lines.height} rows became {valid.height} valid, {rejected.height} rejected")
        counts = {code: defects[code].sum() for code in DEFECTS if code in defects.columns}
        found = {code: int(count) for code, count in counts.items() if count}
        return Checked(
            lines, valid.select("row", "uid", "body", "token", pl.col("role").str.to_lowercase()), rejected, found
        )

    def _fields(self, batch: RosterBatch) -> pl.DataFrame:
        """Read the cells of every field; see `provisioner.rules` for the columns."""
        frame, binding = batch.frame, self._binding
        rows = pl.int_range(batch.first_row, batch.first_row + pl.len(), dtype=pl.Int64)
        texts = cells.read(frame, {name: binding.fields.get(name) for name in _TEXT_FIELDS}, binding)
        uid_input = cells.as_it_stands(binding.fields["uid"], binding)
        uids = cells.uids(frame, binding)
        return (
            frame.select(rows.alias("row"), uid_input.alias("uid_input"))
            .with_columns(uids, self._earlier(uids, batch.first_row))
            .hstack(texts)
            .hstack(read_tags(frame, binding, self._constraints.tag_max_length))
            .hstack(read_metadata(frame, binding))
        )

    def _earlier(self, uids: pl.Series, first_row: int) -> pl.Series:
        """Find the earlier row with the same uid (Int64 `first_row`, null when there is none)."""
        earlier: list[int | None] = [None] * len(uids)
        for index in self._candidates(uids):
            row = first_row + index
            first = self._first_rows.setdefault(uids[index], row)
            earlier[index] = first if first != row else None
        return pl.Series("first_row", earlier, dtype=pl.Int64)

    def _candidates(self, uids: pl.Series) -> pl.Series:
        """Give the positions of the uids that may come more than once: their fingerprint does."""
        if self._repeated.is_empty():
            return pl.Series(dtype=pl.UInt32)
        prints = fingerprints(uids)
        nearest = self._repeated.search_sorted(prints).clip(upper_bound=len(self._repeated) - 1)
        return (uids.is_not_null() & (self._repeated.gather(nearest) == prints)).arg_true()

    def _written(self, sound: pl.DataFrame) -> pl.DataFrame:
        """Add the body, whether a token is wanted, and the bytes of the request to rows that keep the rules."""
        token = pl.repeat(value=False, n=pl.len())
        if self._auth_tokens is not AuthTokens.NONE:
            token = ~pl.col("withAuthToken").str.to_lowercase().is_in(FALSE).fill_null(value=False)
        spliced = pl.when("token").then(len(bodies.WITH_AUTH_TOKEN)).otherwise(0)
        size = (pl.col("body").str.len_bytes() + spliced).cast(pl.Int64)
        return sound.with_columns(bodies.write_bodies(sound), token.alias("token")).with_columns(
            size.alias("request_bytes")
        )

    def _verdicts(self, defects: pl.DataFrame) -> pl.DataFrame:
        """Put the defects of each row in words: `row`, `error_code` of the first one, `error_message` of all."""
        every = [*self._rules, self._body_rule]
        first = pl.coalesce([pl.when(pl.col(rule.code)).then(pl.lit(rule.code)) for rule in every])
        said = pl.concat_str([rule.message for rule in every], separator="; ", ignore_nulls=True)
        return defects.select("row", first.alias("error_code"), said.alias("error_message"))


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
        {**checked.defects, code: len(reasons)},
    )

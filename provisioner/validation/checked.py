"""What is known of the rows of a batch: what the rules made of them, and what is found out later.

Whether a role exists only the app knows, and whose row it is that was rejected before only a journal: by then the rows
behind it are checked, and say of its uid that it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import polars as pl

from provisioner.roster.columns import ADDED
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.rules import FIRST_ROWS, Found

REPEATS: Final = {"row": pl.Int64(), "first_row": pl.Int64(), "error_message": pl.String()}
"""The columns of `Checked.repeats`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One batch after the rules. `len(valid) + len(rejected) == len(lines)`, always.

    lines     one line per roster row, in roster order, but for rows that are one with an earlier one: row (Int64),
              uid and name (String, as they would be sent, null when missing), uid_input (String, the cell as it
              stands), error_code and error_message (String, null for a valid row; the code of the first defect, and
              all defects in words); of rejected rows that are fed in again `_row` (Int64), the number before
    valid     row (Int64), uid (String), body (String: the compact JSON of the request without `withAuthToken`; null
              where none is wanted), token (Boolean: whether an auth token is wanted), role (String, as it is sent,
              null when there is none), deactivated (Boolean, null where no column says so), filled (Int64: bits of
              the fields that the body fills, in the order of `model.FIELDS`)
    rejected  the roster's own columns, untouched, then `_row` (Int64) and `_errors` (String)
    defects   code → the rows it was found in, in reporting order; a row can count under several
    warnings  code → the rows that are only warned of, valid or rejected; none when the validator is strict
    firsts    row numbers of the valid rows (Int64) of which later ones may say that they have the uid already
    repeats   of rejected rows that say so of one that the rules let pass: row, first_row (Int64), and the
              error_message (String) that is true if that one is rejected after all
    """

    lines: pl.DataFrame
    valid: pl.DataFrame
    rejected: pl.DataFrame
    defects: Mapping[str, Found]
    warnings: Mapping[str, Found] = field(default_factory=dict)
    firsts: pl.Series = field(default_factory=partial(pl.Series, dtype=pl.Int64))
    repeats: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=REPEATS))

    def __post_init__(self) -> None:
        if len(self.valid) + len(self.rejected) != len(self.lines):
            message = f"{len(self.lines)} rows became {len(self.valid)} valid, {len(self.rejected)} rejected"
            raise AssertionError(message)


class Verdicts:
    """Tells which rows are rejected in the end. The batches come in order and once each.

    It remembers the rows of uids that come again which were rejected after the rules had let them pass.
    """

    def __init__(self) -> None:
        self._late: set[int] = set()

    def settle(self, checked: Checked, batch: RosterBatch, unknown_roles: Mapping[int, str]) -> Checked:
        """Reject the rows with an unknown role, row → why, and let repeats of rejected rows say that those are so."""
        if unknown_roles:
            checked = reject(checked, batch, "role.unknown", unknown_roles)
        late = checked.firsts.is_in(checked.rejected["_row"].implode())
        self._late.update(checked.firsts.filter(late))
        again = checked.repeats.filter(pl.col("first_row").is_in(list(self._late)))
        if again.is_empty():
            return checked
        words = again.select("row", pl.col("error_message").alias("again"))
        told = checked.lines.join(words, on="row", how="left", maintain_order="left")
        lines = told.with_columns(error_message=pl.coalesce("again", "error_message")).drop("again")
        return replace(checked, lines=lines, rejected=rejected_rows(batch, lines))


def rejected_rows(batch: RosterBatch, lines: pl.DataFrame) -> pl.DataFrame:
    """Give `Checked.rejected`: the roster's own columns of the rows with a defect, and what is wrong with them.

    lines     row 1, ann, no error_code           row 2, b b, uid.charset
    rejected                                      uid="B b", name="Bob", _row=2, _errors="uid.charset: …"
    """
    is_rejected = lines["error_code"].is_not_null()
    errors = lines.filter(is_rejected)
    rows = batch.frame[batch.positions(errors["row"]), [name for name in batch.frame.columns if name not in ADDED]]
    return rows.with_columns(errors["row"].alias("_row"), errors["error_message"].alias("_errors"))


def reject(checked: Checked, batch: RosterBatch, code: str, reasons: Mapping[int, str]) -> Checked:
    """Move rows that the rules let pass to the rejected ones; `reasons` says why for each row number."""
    words = pl.DataFrame(
        {"row": list(reasons), "why": [f"{code}: {reason}" for reason in reasons.values()]},
        schema={"row": pl.Int64, "why": pl.String},
    )
    told = checked.lines.join(words, on="row", how="left", maintain_order="left").with_columns(
        error_code=pl.when(pl.col("why").is_not_null()).then(pl.lit(code)).otherwise("error_code"),
        error_message=pl.coalesce("error_message", "why"),
    )
    lines = told.drop("why")
    valid = checked.valid.filter(~pl.col("row").is_in(list(reasons)))
    known = checked.defects.get(code, Found(0, ()))
    first_rows = tuple(sorted((*known.first_rows, *reasons))[:FIRST_ROWS])
    defects = {**checked.defects, code: Found(known.rows + len(reasons), first_rows)}
    return replace(checked, lines=lines, valid=valid, rejected=rejected_rows(batch, lines), defects=defects)

"""The files a run leaves: results, rejected rows, summary. Results are an export of the journal, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from provisioner.journal.columns import OUTCOME_COLUMNS
from provisioner.model import Outcome
from provisioner.results.formats.outcomes import MOMENT, OF_ROW, RESULT_SCHEMA, write_outcomes
from provisioner.results.spool import Spool
from provisioner.sending.users.failures import DEACTIVATED

_OUTCOME_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    name: pl.Float64() if name == "settled_at" else RESULT_SCHEMA[name] for name in OUTCOME_COLUMNS
}

# What became of users who are there as the row has them.
_MADE: Final = (Outcome.CREATED.value, Outcome.UPDATED.value)

Fetch = Callable[[list[str]], list[tuple[Any, ...]]]


@dataclass(slots=True)
class Counts:
    """What the result lines add up to.

    deactivated  lines of users who are there, and deactivated as the roster says
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failed_by_code: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    deactivated: int = 0

    @property
    def rows(self) -> int:
        """How many lines there were."""
        return self.outcomes.total()

    def add(self, results: pl.DataFrame) -> None:
        """Count some more lines."""
        self.outcomes.update(dict(results["outcome"].value_counts().iter_rows()))
        failed = results.filter(outcome=Outcome.FAILED.value)
        self.failed_by_code.update(dict(failed["error_code"].value_counts().iter_rows()))
        self.tokens += results["auth_token"].count()
        self.deactivated += results.filter(pl.col("outcome").is_in(_MADE), error_code=DEACTIVATED).height


def result_lines(lines: pl.DataFrame, fetch: Fetch) -> pl.DataFrame:
    """Join `Checked.lines` with what the journal knows; `RESULT_SCHEMA`, and their `OF_ROW`, in roster order."""
    valid = pl.col("error_code").is_null()
    known = pl.DataFrame(
        fetch(lines.filter(valid)["uid"].to_list()), schema=dict(_OUTCOME_SCHEMA), orient="row"
    ).rename({"error_code": "said_code", "error_message": "said_message"})
    # A rejected row may share its uid with a valid one: only valid rows are looked up by it.
    wanted = lines.with_columns(key=pl.when(valid).then("uid"))
    return wanted.join(known, left_on="key", right_on="uid", how="left", maintain_order="left").select(
        "row",
        "uid",
        "uid_input",
        outcome=pl.when(valid).then(pl.col("outcome").fill_null("pending")).otherwise(pl.lit("rejected")),
        http_status="http_status",
        attempts=pl.col("attempts").fill_null(0),
        error_code=pl.coalesce("error_code", "said_code"),
        error_message=pl.coalesce("error_message", "said_message"),
        auth_token=pl.col("auth_token"),
        created_at="created_at",
        settled_at=pl.from_epoch((pl.col("settled_at") * 1000).cast(pl.Int64), time_unit="ms").cast(MOMENT),
        name="name",
        **({OF_ROW: pl.col(OF_ROW)} if OF_ROW in lines.columns else {}),
    )


def write_results(path: Path, lines: Spool, fetch: Fetch, more: Iterable[pl.DataFrame] = ()) -> Counts:
    """Write one line per roster row, and `more` behind them; say what they add up to."""
    counts, fed_again = Counts(), lines.schema is not None and OF_ROW in lines.schema

    def counted() -> Iterator[pl.DataFrame]:
        for frame in chain(lines.frames(), more):
            results = result_lines(frame, fetch)
            if fed_again and OF_ROW not in results.columns:  # of a row that is in no roster
                results = results.with_columns(pl.lit(None, pl.Int64).alias(OF_ROW))
            counts.add(results)
            yield results

    write_outcomes(path, counted(), fed_again=fed_again)
    return counts


def count_unsent(lines: Spool) -> Counts:
    """Say what the lines add up to when nothing was sent: every valid row is pending."""
    return count_lines(lines.frames(), lambda _: [])


def count_lines(lines: Iterable[pl.DataFrame], fetch: Fetch) -> Counts:
    """Say what lines add up to that are not written."""
    counts = Counts()
    for frame in lines:
        counts.add(result_lines(frame, fetch))
    return counts

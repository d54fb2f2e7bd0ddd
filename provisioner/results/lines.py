"""Result lines: what became of each row, exported from the journal batch by batch; auth tokens may stand apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl

from provisioner.files.writing import PRIVATE, written_whole
from provisioner.journal.columns import OUTCOME_COLUMNS
from provisioner.journal.statements import Columns
from provisioner.model import FINAL, Outcome
from provisioner.results.formats.outcomes import MOMENT, OF_ROW, RESULT_SCHEMA, fill_outcomes
from provisioner.results.formats.writing import write_frames
from provisioner.results.manifest import RESULTS, rewrite, written_last
from provisioner.results.outputs import Outputs
from provisioner.results.spool import Spool
from provisioner.sending.users.failures import DEACTIVATED
from provisioner.tally import RowTally

TOKEN_SCHEMA: Final = {name: RESULT_SCHEMA[name] for name in ("row", "uid", "auth_token")}
"""Of a file with the auth tokens alone: a line for each row that has one."""

TOKENS: Final = "tokens"
"""What that file is called among the outputs."""

_OUTCOME_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    name: pl.Int64() if name == "settled_at" else RESULT_SCHEMA[name] for name in OUTCOME_COLUMNS
}

# What became of users who are there as the row has them.
_MADE: Final = (Outcome.CREATED.value, Outcome.UPDATED.value)
_DONE: Final = tuple(each.value for each in Outcome if each in FINAL)

Fetch: TypeAlias = Callable[[list[str]], Columns]
"""Gives `OUTCOME_COLUMNS` of users."""

Lines: TypeAlias = Callable[[], Iterable[pl.DataFrame]]
"""Gives lines of results, anew each time it is asked."""


@dataclass(slots=True)
class Counts:
    """What the result lines add up to.

    deactivated  lines of users who are there, and deactivated as the roster says
    tokenless    of those that a run is done with and whose users may log in: outcome → lines without an auth token
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failed_by_code: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    deactivated: int = 0
    tokenless: Counter[str] = field(default_factory=Counter)

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
        here = pl.col("outcome").is_in(_DONE) & pl.col("error_code").ne_missing(DEACTIVATED)
        without = results.filter(here & pl.col("auth_token").is_null())
        self.tokenless.update(dict(without["outcome"].value_counts().iter_rows()))
        self.deactivated += results.filter(pl.col("outcome").is_in(_MADE), error_code=DEACTIVATED).height


class TokensApart:
    """Takes the auth tokens out of result lines, for a file of their own.

    written  `digest_of` what was written there last; None when that is not known. `digest`: of what is there now
    """

    def __init__(self, path: Path, written: str | None) -> None:
        self._path, self._written = path, written
        self.digest: str | None = None
        self._tokens = Spool(path.parent, late=True)

    @classmethod
    def of(cls, outputs: Outputs) -> TokensApart | None:
        """Give what writes them where the outputs have them; None when they stand in the results."""
        if outputs.tokens is None:
            return None
        return cls(outputs.tokens, written_last(outputs.summary, TOKENS))

    def taken_from(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Give the lines without their tokens."""
        for frame in frames:
            self._tokens.append(frame.select(list(TOKEN_SCHEMA)).drop_nulls("auth_token"))
            yield frame.with_columns(auth_token=pl.lit(None, pl.String))

    def write(self) -> None:
        """Write them; a file there that is not what was written last is set aside."""
        frames, schema = self._tokens.frames(), pl.Schema(TOKEN_SCHEMA)
        self.digest = rewrite(self._path, self._written, lambda: write_frames(self._path, frames, schema, PRIVATE))

    def close(self) -> None:
        """Let go of the disk space."""
        self._tokens.close()


def write_lines(
    path: Path,
    frames: Iterator[pl.DataFrame],
    apart: TokensApart | None,
    *,
    fed_again: bool = False,
) -> None:
    """Write result lines.

    apart      takes their auth tokens; None to leave them where they are
    fed_again  see `fill_outcomes`
    """
    with closing(apart) if apart else nullcontext(), written_whole(path, PRIVATE) as whole:
        lines = frames if apart is None else apart.taken_from(frames)
        fill_outcomes(whole, lines, path.suffix, fed_again=fed_again)
        if apart is not None:
            apart.write()  # before the results take the place of those that may hold tokens


def result_lines(lines: pl.DataFrame, fetch: Fetch) -> pl.DataFrame:
    """Join `Checked.lines` with what the journal knows; `RESULT_SCHEMA`, and their `OF_ROW`, in roster order."""
    valid = pl.col("error_code").is_null()
    known = pl.DataFrame(fetch(lines.filter(valid)["uid"].to_list()), schema=dict(_OUTCOME_SCHEMA))
    # A rejected row may share its uid with a valid one: only valid rows are looked up by it.
    wanted = lines.with_columns(key=pl.when(valid).then("uid"))
    return wanted.join(known, left_on="key", right_on="uid", how="left", maintain_order="left").select(
        "row",
        "uid",
        "uid_input",
        outcome=pl.when(valid).then(pl.col("outcome").fill_null("pending")).otherwise(pl.lit("rejected")),
        http_status="http_status",
        attempts=pl.col("attempts").fill_null(0),
        error_code=pl.coalesce("error_code", "error_code_right"),
        error_message=pl.coalesce("error_message", "error_message_right"),
        auth_token=pl.col("auth_token"),
        created_at="created_at",
        settled_at=pl.from_epoch("settled_at", time_unit="ms").cast(MOMENT),
        name="name",
        **({OF_ROW: pl.col(OF_ROW)} if OF_ROW in lines.columns else {}),
    )


def keep_results(
    outputs: Outputs, lines: Spool, fetch: Fetch, more: Iterable[pl.DataFrame] = ()
) -> tuple[Counts, dict[str, str | None]]:
    """Write the results of a job as `write_results` does; what they add up to, and what `keep_lines` gives."""
    counts = Counts()

    def write(apart: TokensApart | None) -> None:
        nonlocal counts
        counts = write_results(outputs.results, lines, fetch, more, apart)

    digests = keep_lines(outputs, write)
    return counts, digests


def keep_lines(outputs: Outputs, write: Callable[[TokensApart | None], None]) -> dict[str, str | None]:
    """Have results written, and their auth tokens apart where they are to stand so; name → digest.

    What is not what was written there last is set aside first.
    """
    apart = TokensApart.of(outputs)
    digest = rewrite(outputs.results, written_last(outputs.summary, RESULTS), lambda: write(apart))
    return {RESULTS: digest, TOKENS: apart.digest if apart is not None else None}


def write_results(
    path: Path, lines: Spool, fetch: Fetch, more: Iterable[pl.DataFrame] = (), apart: TokensApart | None = None
) -> Counts:
    """Write one line per roster row, and `more` behind them; say what they add up to."""
    counts, fed_again = Counts(), OF_ROW in lines.schema

    def counted() -> Iterator[pl.DataFrame]:
        for frame in chain(lines.frames(), more):
            results = result_lines(frame, fetch)
            if fed_again and OF_ROW not in results.columns:  # of a row that is in no roster
                results = results.with_columns(pl.lit(None, pl.Int64).alias(OF_ROW))
            counts.add(results)
            yield results

    write_lines(path, counted(), apart, fed_again=fed_again)
    return counts


def count_unsent(rows: RowTally) -> Counts:
    """Say what the lines would add up to when nothing was sent: every valid row is pending."""
    return Counts(Counter({Outcome.PENDING: rows.valid, Outcome.REJECTED: rows.rejected}))


def count_lines(lines: Iterable[pl.DataFrame], fetch: Fetch) -> Counts:
    """Say what lines add up to that are not written."""
    counts = Counts()
    for frame in lines:
        counts.add(result_lines(frame, fetch))
    return counts


def unless_unwritten(files: Mapping[str, str | None], *, results: bool, summary: bool) -> dict[str, str | None]:
    """Have what could not be written after all be null among the files that a summary names."""
    there = {RESULTS: results, TOKENS: results, "summary": summary}
    return {name: path if there.get(name, True) else None for name, path in files.items()}

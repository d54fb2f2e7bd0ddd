"""A run and the rounds in which its rejected rows were fed in again, as one set of results.

round 1   row 1 created   row 2 rejected   row 3 rejected
round 2   of row 3: created
together  row 1 created   row 2 rejected   row 3 created

Each later line takes the place of the rejected one that it was mended from, and has its number in the first roster.
What has no such place, because it was added by hand or split in two, comes behind the last row: no outcome and no token
is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.errors import OutputError
from provisioner.files.looking import digest_of, same_file
from provisioner.model import Outcome
from provisioner.results.findings import Mended, Report
from provisioner.results.formats.outcomes import OF_ROW, RESULT_SCHEMA, typed
from provisioner.results.lines import TOKENS, Counts, keep_lines, write_lines
from provisioner.results.manifest import (
    REJECTED,
    RESULTS,
)
from provisioner.results.merging.numbers import has_strangers, is_in_doubt
from provisioner.results.merging.ordered import rows_of, with_tokens
from provisioner.results.merging.parts import (
    Part,
    refuse_other_apps,
    refuse_outdated,
    refuse_unreadable,
    refuse_working,
    sum_up,
)
from provisioner.results.merging.shards import merging_to
from provisioner.results.outputs import Outputs, told_of_results
from provisioner.results.rejections import reasons_in
from provisioner.results.resubmission import job_of_rejected
from provisioner.results.spool import Spool
from provisioner.results.summary import Summary
from provisioner.validation.rules import Found

_LINE: Final = (*RESULT_SCHEMA, OF_ROW)
# What the summary of a sync tells, and that of no run.
_OF_A_SYNC: Final = "leavers"
# Rows of a round whose later lines are held at once.
_BUCKET: Final = 100_000


def merge_rounds(results: Sequence[Path], output: Path, tokens: Path | None = None) -> Summary:
    """Write results and summary of a run and of its mended rounds, which are named in their order.

    tokens  where auth tokens are to stand, when that is apart from the results

    Rows that are still rejected stay in the rejected file of the last round. Raises `OutputError` when a file is none
    of these, `JournalError` while another merge writes there, `RosterError` when it is not as it was written,
    `StorageError` when the disk takes no more.
    """
    for number, path in enumerate(results):
        if any(same_file(path, each) for each in results[:number]):
            raise OutputError(f"{path}: is named twice; name each round once, in their order")
    rounds = [_finished(path) for path in results]
    for before, later in pairwise(rounds):
        _refuse_unrelated(before, later)
    refuse_other_apps(rounds)
    outputs = Outputs.beside(output, output.suffix, (), tokens=tokens)
    with merging_to(outputs, rounds, rounds[0].document["rows"], [file for each in rounds for file in _files(each)]):
        return _merged(rounds, outputs)


def _merged(rounds: Sequence[Part], outputs: Outputs) -> Summary:
    told = _Told()
    with ExitStack() as stack:
        lines = told.lines(_together(rounds, outputs.results.parent, stack))
        digests = keep_lines(outputs, lambda apart: write_lines(outputs.results, lines, apart))
    stops = [stop for each in rounds if (stop := each.stop) is not None]
    # Of the last that was stopped, rows are pending.
    last = stops[-1] if stops and told.counts.outcomes[Outcome.PENDING.value] else None
    return sum_up(rounds, outputs, None, told.counts, _report(rounds[0], told), last, digests)


def _files(each: Part) -> tuple[Path, ...]:
    """Name what must not be overwritten."""
    named = [each.rejected] if each.rejected is not None else []
    rosters = map(Path, each.document["roster"])
    return (*Outputs.beside(each.results, each.results.suffix, (), tokens=each.tokens).paths(), *named, *rosters)


def _finished(results: Path) -> Part:
    """Find what a run has left. Raises `OutputError` when it has not come to its end."""
    outputs = Outputs.beside(results, results.suffix, ())
    refuse_working(results)
    refuse_unreadable(results, outputs.summary)
    try:
        document = told_of_results(outputs.summary)
        named = document["outputs"]["results"]
        for name in ("rows", "rejected", "requests", "retries", "rate_limited", "started_at", "finished_at", "roster"):
            document[name]
    except (OSError, ValueError, KeyError, TypeError):
        named = None
    if not named or Path(named).name != results.name or not results.is_file():
        message = f"has no finished results with {outputs.summary.name} beside them; name the results of a run"
        raise OutputError(f"{results}: {message}")
    if _OF_A_SYNC in document:
        message = "is of a sync, which goes on by its state; mend the rows in the roster itself, and sync that"
        raise OutputError(f"{results}: {message}")
    each = Part(results, document)
    refuse_outdated(each, "run that round again")
    if (known := each.digest(RESULTS)) is not None and digest_of(results) != known:
        again = "run that round again, which writes them anew and keeps these beside them"
        raise OutputError(f"{results}: are not the results that were written there; {again}")
    if (tokens := each.tokens) is not None:
        refuse_unreadable(tokens)
        if digest_of(tokens) != each.digest(TOKENS):
            again = "put it back, or run that round again, which writes it anew"
            raise OutputError(f"{tokens}: the auth tokens of {results} are not what was written there; {again}")
    return each


def _refuse_unrelated(before: Part, later: Part) -> None:
    """Raise `OutputError` when a round is none of the rejected rows of the one before."""
    jobs = {job for where in later.document["roster"] if (job := job_of_rejected(Path(where).stem)) is not None}
    if len(jobs) > 1:
        message = f"is about the rejected rows of {', '.join(sorted(jobs))} at once, and whose are whose is not told"
        raise OutputError(f"{later.results}: {message}; run the rejected rows of each by themselves, and merge those")
    if jobs and before.results.stem not in jobs:
        message = f"is about the rejected rows of {', '.join(sorted(jobs))}, not of {before.results}"
        raise OutputError(f"{later.results}: {message}; name a run and its mended rounds in their order")
    mends = later.document.get("mends")
    if mends is not None and mends != before.digest(REJECTED):
        raise _older(before, later)
    first = next(rows_of(later.results, ","), None)
    if first is not None and OF_ROW not in first.columns:
        if later.document.get("shard") is not None:
            todo = f"name the folder of all shards alone: provisioner merge {later.results.parent}"
            raise OutputError(f"{later.results}: holds a shard of a roster, and no mended rows; {todo}")
        message = f"does not say which rows of {before.results} its rows were"
        raise OutputError(f"{later.results}: {message}; run that round again, with the columns _row and _errors")


def _older(before: Part, later: Part) -> OutputError:
    message = f"mended rows of {before.results} as they were before that was run again; they may have other numbers"
    # Under its own name again, its journal goes on with the numbers that it had; one of a digest is told by that.
    where = " under another --output" if later.document.get("mends") is None else ""
    again = f"mend the rows that it rejects now and run these{where}, or leave {later.results} out"
    return OutputError(f"{later.results}: {message} now; {again}")


def _lines_of(each: Part) -> Iterator[pl.DataFrame]:
    for frame in with_tokens(each.results, each.tokens):
        columns = [name for name in _LINE if name != OF_ROW or name in frame.columns]
        try:
            lines = frame.select(typed(frame.schema, each.results.suffix, columns))
        except pl.exceptions.PolarsError as error:
            raise OutputError(f"{each.results}: is not as a run wrote it; run it again") from error
        yield lines if OF_ROW in columns else lines.with_columns(pl.lit(None, pl.Int64).alias(OF_ROW))


def _together(rounds: Sequence[Part], folder: Path, stack: ExitStack) -> Iterator[pl.DataFrame]:
    """Give the lines of a round with those of all later ones in their places."""
    first, *others = rounds
    if not others:
        return _lines_of(first)
    later = _Later(folder, stack)
    for frame in _together(others, folder, stack):
        later.add(frame)
    return _replaced(first, others[0], later)


class _Later:
    """Lines of a later round by the row of the round before, on disk; `rest` has what no row of that one waits for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._lines = stack.enter_context(closing(Spool(folder)))
        self.rest = stack.enter_context(closing(Spool(folder)))
        self._numbers: dict[int, list[int]] = {}

    def add(self, frame: pl.DataFrame) -> None:
        """Keep some more lines."""
        has_place = (pl.col(OF_ROW) > 0).fill_null(value=False)
        self.rest.append(frame.filter(~has_place))
        placed = frame.filter(has_place)
        for (bucket,), part in placed.group_by(pl.col(OF_ROW) // _BUCKET, maintain_order=True):
            self._numbers.setdefault(int(str(bucket)), []).append(len(self._lines))
            self._lines.append(part)

    def of_rows(self, first: int, last: int) -> pl.DataFrame:
        """Give those of a range of rows, in the order in which they came."""
        buckets = [each for each in self._numbers if first // _BUCKET <= each <= last // _BUCKET]
        parts = [self._lines.frame(number) for each in sorted(buckets) for number in self._numbers[each]]
        if not parts:
            return pl.DataFrame(schema={**RESULT_SCHEMA, OF_ROW: pl.Int64()})
        return pl.concat(parts).filter(pl.col(OF_ROW).is_between(first, last))


def _replaced(first: Part, second: Part, later: _Later) -> Iterator[pl.DataFrame]:
    """Put later lines in the places of rejected ones, and those without a place behind the last row.

    Raises `OutputError` where one is of a row that is not rejected any more: what it mended, the roster has by now. So
    it is where a number is in doubt, and is that of somebody else, or of no row.
    """
    last, in_doubt = 0, is_in_doubt(first, second)
    for frame in _lines_of(first):
        begin, last = last + 1, max((last, *frame["row"].drop_nulls()))
        lines, settled = later.of_rows(begin, last), frame.filter(pl.col("outcome") != Outcome.REJECTED.value)["row"]
        if lines[OF_ROW].is_in(settled.implode()).any() or (in_doubt and has_strangers(lines, frame)):
            raise _older(first, second)
        yield _placed(frame, lines, later.rest)
    beyond = later.of_rows(last + 1, 2**62)
    if in_doubt and beyond.height:
        raise _older(first, second)
    later.rest.append(beyond)
    for frame in later.rest.frames():
        numbers = pl.int_range(last + 1, last + 1 + frame.height, dtype=pl.Int64, eager=True)
        last += frame.height
        yield frame.with_columns(numbers.alias("row"), pl.lit(None, pl.Int64).alias(OF_ROW))


def _placed(frame: pl.DataFrame, later: pl.DataFrame, rest: Spool) -> pl.DataFrame:
    waiting = frame.filter(outcome=Outcome.REJECTED.value)["row"]
    fits = later[OF_ROW].is_in(waiting.implode()) & later[OF_ROW].is_first_distinct()
    rest.append(later.filter(~fits))
    placed = later.filter(fits).with_columns(row=OF_ROW)
    kept = frame.filter(~pl.col("row").is_in(placed["row"].implode()).fill_null(value=False))
    before = frame.select("row", OF_ROW)
    placed = placed.drop(OF_ROW).join(before, on="row", how="left", maintain_order="left").select(frame.columns)
    return pl.concat([kept, placed]).sort("row", nulls_last=True)


class _Told:
    """What the lines add up to, seen on their way into a file."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.defects: dict[str, Found] = {}

    def lines(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Count frames, and pass them on without `OF_ROW`."""
        for frame in frames:
            self.counts.add(frame)
            self._look_at(frame.filter(outcome=Outcome.REJECTED.value))
            yield frame.drop(OF_ROW)

    def _look_at(self, rejected: pl.DataFrame) -> None:
        for row, errors in rejected.select("row", "error_message").iter_rows():
            for code, _ in reasons_in(errors or ""):
                self.defects[code] = self.defects.get(code, Found(0, ())) + Found(1, (row,))


def _report(first: Part, told: _Told) -> Report:
    rejected, before = told.counts.outcomes[Outcome.REJECTED.value], first.document["rejected"]
    return Report(told.defects, {}, Mended(before, min(rejected, before)))

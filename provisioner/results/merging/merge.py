"""`merge`: what the shards of a roster have left becomes what one run would have left, in flat memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from provisioner.errors import OutputError
from provisioner.results.findings import Mended, Report
from provisioner.results.formats.outcomes import OF_ROW, RESULT_SCHEMA, typed
from provisioner.results.lines import Counts, keep_lines, write_lines
from provisioner.results.manifest import REJECTED
from provisioner.results.merging.ordered import in_order, rows_of, with_tokens
from provisioner.results.merging.parts import sum_up
from provisioner.results.merging.shards import FinishedShard, finished_shards, merging_to
from provisioner.results.outputs import Outputs, journal_of, summary_of
from provisioner.results.rejections import WORKBOOK, Dress, keep_rejected
from provisioner.results.spool import Spool
from provisioner.results.summary import Summary
from provisioner.roster.columns import ADDED, all_named
from provisioner.roster.files.inputs import FAMILIES
from provisioner.roster.formats.ndjsonline import LINE
from provisioner.roster.workbook.package import open_package
from provisioner.validation.rules import FIRST_ROWS, Found

_MARK: Final = codecs.BOM_UTF8
# Bytes of a header.
_HEAD: Final = 2**20


def merge(folder: Path, output: Path, tokens: Path | None = None) -> Summary:
    """Write results, rejected rows and summary of all shards in a folder, rows in the order of the roster.

    tokens  where auth tokens are to stand, when that is apart from the results

    Raises `OutputError` when a shard is missing, unfinished or unlike the others, or the output cannot be used;
    `JournalError` while another merge writes there; `RosterError` when a file is not as it was written; `StorageError`
    when the disk takes no more.
    """
    shards = finished_shards(folder)
    suffix = next((shard.rejected.suffix for shard in shards if shard.rejected is not None), ".csv")
    outputs = Outputs.beside(output, suffix, (), tokens=tokens)
    with merging_to(outputs, shards, shards[0].rows, [each for shard in shards for each in _files(shard)]):
        return _merged(shards, outputs)


def _merged(shards: Sequence[FinishedShard], outputs: Outputs) -> Summary:
    counts = Counts()
    first = (frame for shard in shards for frame in islice(rows_of(shard.results, ","), 1))
    fed_again = any(OF_ROW in frame.columns for frame in first)
    lines = _lines(shards, counts, fed_again=fed_again)
    digests = keep_lines(outputs, lambda apart: write_lines(outputs.results, lines, apart, fed_again=fed_again))
    rejected, digest = _write_rejected(outputs, [shard.rejected for shard in shards if shard.rejected is not None])
    report = _report([shard.document for shard in shards])
    stops = [stop for shard in shards if (stop := shard.stop) is not None]
    worst = max(stops, key=lambda stop: stop.exit_code, default=None)
    return sum_up(shards, outputs, rejected, counts, report, worst, digests | {REJECTED: digest})


def _files(shard: FinishedShard) -> Iterator[Path]:
    yield shard.results
    yield summary_of(shard.results)
    yield journal_of(shard.results)
    yield from (path for path in (shard.rejected, shard.tokens) if path is not None)
    yield from map(Path, shard.document["roster"])


def _lines(shards: Sequence[FinishedShard], total: Counts, *, fed_again: bool) -> Iterator[pl.DataFrame]:
    """Give the lines of all shards in the order of the roster, and count them.

    fed_again  they have `OF_ROW` as well

    Raises `OutputError` when they do not say what the summaries say.
    """
    counts = [Counts() for _ in shards]
    columns = [*RESULT_SCHEMA, *([OF_ROW] if fed_again else [])]
    upcoming = 1
    for frame in in_order([_lines_of(*each, columns) for each in zip(shards, counts, strict=True)], "row"):
        expected = pl.int_range(upcoming, upcoming + frame.height, dtype=pl.Int64, eager=True)
        if not frame["row"].equals(expected):
            at = int((frame["row"] != expected).arg_max() or 0) + upcoming
            raise OutputError(f"row {at}: is in no shard, or in two; run all shards again, then merge")
        upcoming += frame.height
        total.add(frame)
        yield frame
    if upcoming - 1 != shards[0].rows:
        raise OutputError(f"row {upcoming}: is in no shard; run all shards again, then merge")
    for shard, found in zip(shards, counts, strict=True):
        _compare(shard, found)


def _lines_of(shard: FinishedShard, counts: Counts, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    for frame in with_tokens(shard.results, shard.tokens):
        try:
            lines = frame.select(typed(frame.schema, shard.results.suffix, columns))
        except (pl.exceptions.InvalidOperationError, pl.exceptions.ColumnNotFoundError) as error:
            raise OutputError(f"{shard.results}: is not as a run wrote it; run that shard again") from error
        counts.add(lines)
        yield lines


def _compare(shard: FinishedShard, counts: Counts) -> None:
    found = {name: number for name, number in counts.outcomes.items() if number}
    found |= {"tokens": counts.tokens} if counts.tokens else {}
    if found != shard.counts:
        message = f"holds {found}, its summary says {shard.counts}; run {shard.name} again"
        raise OutputError(f"{shard.results}: {message}")


def _write_rejected(outputs: Outputs, files: Sequence[Path]) -> tuple[Path | None, str | None]:
    """Write the rejected rows of all shards as one file, as one run would; the file and its digest."""
    with closing(Spool(outputs.results.parent)) as spool:
        dresses = [_dress(path) for path in files]
        sources = [_numbered(path, dress.delimiter) for path, dress in zip(files, dresses, strict=True)]
        for frame in in_order(sources, "_row"):
            spool.append(frame)
        return keep_rejected(outputs, spool, dresses[0] if dresses else Dress())


def _dress(path: Path) -> Dress:
    """Tell how the rejected rows of a shard are written: what separates the cells stands before `_errors`."""
    if path.suffix == WORKBOOK:
        with open_package(path) as package:
            return Dress(sheet=package.sheets[0].name)
    first = b""
    with path.open("rb") as file:
        # A name may hold line ends: as long as its quotes are open, the header goes on.
        while (line := file.readline(_HEAD)) and len(first) < _HEAD:
            first += line
            if not first.count(b'"') % 2:
                break
    is_csv = FAMILIES.get(path.suffix) in {"csv", "tsv"}
    before = first.rpartition(b"_errors")[0].removesuffix(b'"')[-1:]
    return Dress(delimiter=before.decode() if is_csv else ",", marked=first.startswith(_MARK))


def _numbered(path: Path, delimiter: str) -> Iterator[pl.DataFrame]:
    for frame in rows_of(path, delimiter):
        kept = [name for name in frame.columns if LINE not in frame.columns or name in {LINE, *ADDED}]
        yield frame.select(all_named(kept)).with_columns(pl.col("_row").cast(pl.Int64))


def _report(documents: Sequence[Any]) -> Report:
    mended = [document["mended"] for document in documents if "mended" in document]
    before, again = (sum(each[name] for each in mended) for name in ("before", "rejected"))
    defects, warnings = (_findings([document[name] for document in documents]) for name in ("defects", "warnings"))
    return Report(defects, warnings, Mended(before, again) if before else None)


def _findings(several: Sequence[Any]) -> dict[str, Found]:
    codes = {code for each in several for code in each}
    return {code: _found([each[code] for each in several if code in each]) for code in codes}


def _found(entries: Sequence[Any]) -> Found:
    first = sorted(row for each in entries for row in each["first_rows"])[:FIRST_ROWS]
    return Found(sum(each["rows"] for each in entries), tuple(first))

"""The files a run leaves: results, rejected rows, summary. Results are an export of the journal, batch by batch."""

from __future__ import annotations

import codecs
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from provisioner.errors import OutputError, StorageError
from provisioner.files import PRIVATE, SHARED, written_whole
from provisioner.journal.journal import OUTCOME_COLUMNS
from provisioner.model import Outcome
from provisioner.roster.files.inputs import FAMILIES
from provisioner.roster.formats.rows import ADDED

RESULT_SCHEMA: Final[Mapping[str, type[pl.DataType]]] = {
    "row": pl.Int64,
    "uid": pl.String,
    "uid_input": pl.String,
    "outcome": pl.String,
    "http_status": pl.Int64,
    "attempts": pl.Int64,
    "error_code": pl.String,
    "error_message": pl.String,
    "auth_token": pl.String,
    "created_at": pl.Int64,
    "settled_at": pl.String,
}

_OUTCOME_SCHEMA: Final[Mapping[str, type[pl.DataType]]] = {
    name: pl.Float64 if name == "settled_at" else RESULT_SCHEMA[name] for name in OUTCOME_COLUMNS
}

# Rows that a Parquet file is written in at once: the writer holds them, and their encoded form.
_GROUP: Final = 20_000

Fetch = Callable[[list[str]], list[tuple[Any, ...]]]
Writer = Callable[[Path, Iterator[pl.DataFrame], pl.Schema], None]


class Spool:
    """Frames kept on disk until they are wanted, so that memory does not grow with the roster.

    Its file has no name: it is gone when the process is, and nobody else can open it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the run
        except OSError as error:
            said = f"{folder}: no file can be made there ({error.strerror}); choose another --output"
            raise OutputError(said) from error
        self._folder = folder
        self._ends = [0]
        self.rows = 0
        self.schema: pl.Schema | None = None

    def append(self, frame: pl.DataFrame) -> None:
        """Keep one more frame; frames without rows are not kept."""
        if self.schema is None:
            self.schema = frame.schema
        if not frame.height:
            return
        try:
            frame.write_ipc_stream(self._file)
            self._file.flush()
        except (OSError, pl.exceptions.ComputeError) as error:
            said = f"{self._folder}: no room for the rows of the results ({_reason(error)}); make room, then resume"
            raise StorageError(said) from error
        self._ends.append(self._file.tell())
        self.rows += frame.height

    def frames(self) -> Iterator[pl.DataFrame]:
        """Give the frames back, in order."""
        for begin, end in zip(self._ends, self._ends[1:], strict=False):
            self._file.seek(begin)
            yield pl.read_ipc_stream(self._file.read(end - begin))

    def close(self) -> None:
        """Let go of the disk space."""
        self._file.close()


@dataclass(slots=True)
class Counts:
    """What the result lines add up to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failed_by_code: Counter[str] = field(default_factory=Counter)
    tokens: int = 0

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


def result_lines(lines: pl.DataFrame, fetch: Fetch) -> pl.DataFrame:
    """Join `Checked.lines` with what the journal knows; `RESULT_SCHEMA`, in roster order."""
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
        settled_at=_iso("settled_at"),
    )


def write_results(path: Path, lines: Spool, fetch: Fetch, more: Iterable[pl.DataFrame] = ()) -> Counts:
    """Write one line per roster row, and `more` behind them; say what they add up to."""
    counts = Counts()

    def counted() -> Iterator[pl.DataFrame]:
        for frame in chain(lines.frames(), more):
            results = result_lines(frame, fetch)
            counts.add(results)
            yield results

    write_frames(path, counted(), pl.Schema(RESULT_SCHEMA), PRIVATE)
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


def write_rejected(
    path: Path, rejected: Spool, columns: Sequence[str] = (), delimiter: str = ",", *, marked: bool = False
) -> None:
    """Write the rejected rows in the format of the path's suffix, or remove a stale file when there are none.

    columns    the roster's own, without what a reader added for itself; every column of the frames when there are none
    delimiter  separates the cells of a text
    marked     begin a text with a byte order mark, which says that it is UTF-8 whatever the roster was
    """
    if not rejected.rows or rejected.schema is None:
        path.unlink(missing_ok=True)
        return
    if FAMILIES.get(path.suffix) == "ndjson":
        from provisioner.roster.formats.ndjsonline import write_rejected_lines

        write_frames(path, rejected.frames(), rejected.schema, SHARED, _begun(write_rejected_lines, marked=marked))
        return
    kept = [name for name in rejected.schema if not columns or name in {*columns, *ADDED}]
    schema = pl.Schema({name: rejected.schema[name] for name in kept})
    text = _begun(partial(_write_csv, delimiter=delimiter), marked=marked)
    write = _write_parquet if path.suffix == ".parquet" else text
    write_frames(path, (frame.select(kept) for frame in rejected.frames()), schema, SHARED, write)


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write the summary as indented JSON."""
    with written_whole(path, SHARED) as temporary:
        temporary.write_bytes(encode(summary, indent=2))


def encode(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Write JSON with a line end; a file name that is not UTF-8 is written with escapes, which a reader undoes."""
    return (json.dumps(document, indent=indent, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def write_frames(
    path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, mode: int, write: Writer | None = None
) -> None:
    """Write frames one after the other, in the format of the path's suffix unless another one is given."""
    write = write or _WRITERS[path.suffix.lower()]
    with written_whole(path, mode) as temporary:
        try:
            write(temporary, frames, schema)
        except pl.exceptions.ComputeError as error:
            raise OSError(None, _reason(error)) from error


def _begun(write: Writer, *, marked: bool) -> Writer:
    """Have a text begin with a byte order mark; what writes a text adds to what is there."""

    def write_marked(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
        path.write_bytes(codecs.BOM_UTF8)
        write(path, frames, schema)

    return write_marked if marked else write


def _write_csv(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, delimiter: str = ",") -> None:
    with path.open("ab") as file:
        pl.DataFrame(schema=schema).write_csv(file, separator=delimiter)
        for frame in frames:
            frame.write_csv(file, include_header=False, separator=delimiter)


def _write_ndjson(path: Path, frames: Iterator[pl.DataFrame], _: pl.Schema) -> None:
    with path.open("wb") as file:
        for frame in frames:
            frame.write_ndjson(file)


def _write_parquet(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
    def source(*_: object) -> Iterator[pl.DataFrame]:
        return frames

    register_io_source(source, schema=schema, is_pure=False).sink_parquet(path, row_group_size=_GROUP)


_WRITERS: Final[Mapping[str, Writer]] = {
    ".csv": _write_csv,
    ".ndjson": _write_ndjson,
    ".parquet": _write_parquet,
}


def _reason(error: Exception) -> str:
    """Give the system's words: polars wraps them in its own."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).split(" (os error")[0].splitlines()[0].rsplit(": ", 1)[-1]


def _iso(column: str) -> pl.Expr:
    milliseconds = (pl.col(column) * 1000).cast(pl.Int64)
    return pl.from_epoch(milliseconds, time_unit="ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")

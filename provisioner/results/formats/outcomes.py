"""The table of results: its columns, what each format makes of them, and how they are read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.errors import NoResultsError, OutputError
from provisioner.files.looking import open_file
from provisioner.results.formats.writing import WRITERS, fill
from provisioner.roster.columns import ADDED
from provisioner.roster.csv import apostrophes

MOMENT: Final = pl.Datetime("ms", "UTC")
RESULT_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "row": pl.Int64(),
    "uid": pl.String(),
    "uid_input": pl.String(),
    "outcome": pl.String(),
    "http_status": pl.Int64(),
    "attempts": pl.Int64(),
    "error_code": pl.String(),
    "error_message": pl.String(),
    "auth_token": pl.String(),
    "created_at": pl.Int64(),
    "settled_at": MOMENT,
    "name": pl.String(),
}
OF_ROW: Final = ADDED[0]
"""A column more of rejected rows that were fed in again: which row of the roster before each was (Int64)."""

_KINDS: Final = {**RESULT_SCHEMA, OF_ROW: pl.Int64()}
_ISO: Final = "%Y-%m-%dT%H:%M:%S%.3fZ"
# Texts of people and servers, which may begin with anything; a token is what programs need as it stands.
_FREE: Final = ("uid_input", "error_code", "error_message", "name")
_PATTERN: Final = re.compile(r"([*?[])")
_MIDNIGHT: Final = "T00:00:00"

Shape = Callable[[pl.DataFrame], pl.DataFrame]


def fill_outcomes(temporary: Path, frames: Iterator[pl.DataFrame], suffix: str, *, fed_again: bool) -> None:
    """Write lines of `RESULT_SCHEMA` into the temporary file of `written_whole`, in the format of a suffix.

    fed_again  they have `OF_ROW` as well

    Raises OSError.
    """
    suffix = suffix.lower()
    schema = pl.Schema(_KINDS if fed_again else RESULT_SCHEMA)
    shape = _SHAPES.get(suffix)
    if shape is not None:
        frames, schema = map(shape, frames), shape(pl.DataFrame(schema=schema)).schema
    fill(temporary, frames, schema, WRITERS[suffix])


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Write moments in ISO 8601."""
    return frame.with_columns(pl.col("settled_at").dt.strftime(_ISO))


def _harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """Write moments in ISO 8601, and what a spreadsheet program would run so that it does not."""
    marked = {name: apostrophes.marked(pl.col(name)) for name in _FREE}
    return _plain(frame).with_columns(**marked, uid=apostrophes.marked(pl.col("uid"), ids=True))


def _seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Make a moment of each time: a person does not read seconds since 1970."""
    return frame.with_columns(pl.from_epoch("created_at", "s").cast(MOMENT))


_SHAPES: Final[Mapping[str, Shape]] = {".csv": _harmless, ".ndjson": _plain, ".xlsx": _seen}


def scan_results(path: Path, columns: Sequence[str] = tuple(RESULT_SCHEMA)) -> pl.LazyFrame:
    """Give columns of `RESULT_SCHEMA` back, read when they are collected.

    Raises KeyError for another ending, OutputError for a file that lacks one of them, OSError and what polars raises.
    """
    kinds = {name: _KINDS[name] for name in columns}
    match path.suffix.lower():
        case ".csv":
            read = pl.scan_csv(path, infer_schema=False, glob=False)
        case ".ndjson":
            itself = _PATTERN.sub(r"[\1]", str(path))  # which it would take for one, and cannot be told not to
            if path.stat().st_size:  # what is missing in a line would be null
                _refuse_others(path, pl.scan_ndjson(itself, infer_schema_length=1).collect_schema(), columns)
            texts = {name: pl.String() if kind == MOMENT else kind for name, kind in kinds.items()}
            read = pl.scan_ndjson(itself, schema=texts)
        case ".parquet":
            read = pl.scan_parquet(path, glob=False)
        case ".xlsx":
            return pl.defer(partial(_read_sheet, path, columns), schema=pl.Schema(kinds))
        case _:
            raise KeyError(f"{path}: results are read from .csv, .parquet, .ndjson and .xlsx")
    schema = read.collect_schema()
    _refuse_others(path, schema, columns)
    return read.select(typed(schema, path.suffix, columns))


def open_results(path: Path) -> pl.LazyFrame:
    """Give the columns of `RESULT_SCHEMA` back, read when they are collected.

    Raises NoResultsError when there is no such file, OutputError when it cannot be read or holds no results; of a
    workbook only once it is collected.
    """
    try:
        open_file(path).close()
        return scan_results(path)
    except FileNotFoundError:
        raise NoResultsError(f"{path}: no such file; name the results file of a run or a sync") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror or error}") from None
    except KeyError as error:
        raise OutputError(error.args[0]) from None
    except pl.exceptions.PolarsError as error:
        raise OutputError(f"{path} is no results file, or is damaged: {str(error).splitlines()[0]}") from None


def _refuse_others(path: Path, schema: Mapping[str, pl.DataType], columns: Sequence[str]) -> None:
    """Tell a file that lacks one of the columns; results of older versions have no names. Raises OutputError."""
    lacking = next((name for name in columns if name not in schema and name != "name"), None)
    if lacking is not None:
        what = f"is no results file, for it has no column {lacking!r}; name the results file of a run or a sync"
        raise OutputError(f"{path} {what}")


def _read_sheet(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    from provisioner.roster.workbook.file import open_workbook
    from provisioner.roster.workbook.header import SheetOptions

    frame = open_workbook(path, SheetOptions(missing=lambda _: 0)).frame
    _refuse_others(path, frame.schema, columns)
    return frame.select(typed(frame.schema, path.suffix, columns))


def typed(
    schema: Mapping[str, pl.DataType], suffix: str, columns: Sequence[str] = tuple(RESULT_SCHEMA)
) -> list[pl.Expr]:
    """Read columns of results of a format, `OF_ROW` among them, as they were before they were written.

    Results of older versions have no names, and no apostrophes.
    """
    marks = suffix.lower() == ".csv" and "name" in schema
    return [_read(name, _KINDS[name], schema, marks=marks).alias(name) for name in columns]


def _read(name: str, kind: pl.DataType, schema: Mapping[str, pl.DataType], *, marks: bool) -> pl.Expr:
    if name not in schema:
        return pl.lit(None, kind) if name == "name" else pl.col(name)
    cell, is_text = pl.col(name), schema[name] == pl.String
    if kind == MOMENT and is_text:
        return _moment(cell)
    if name == "created_at" and is_text:
        is_moment = cell.str.contains("-")
        seconds = _moment(pl.when(is_moment).then(cell)).dt.epoch("s")
        return pl.coalesce(seconds, pl.when(~is_moment).then(cell).cast(pl.Int64))
    if marks and name in {*_FREE, "uid"}:
        return apostrophes.unmarked(cell, ids=name == "uid")
    return cell.cast(kind)


def _moment(text: pl.Expr) -> pl.Expr:
    """Read ISO 8601 in UTC; a day alone, as a workbook has it, is its midnight."""
    whole = pl.when(text.str.len_chars() == len("2026-01-31")).then(text + _MIDNIGHT).otherwise(text)
    return whole.str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ms", time_zone="UTC")

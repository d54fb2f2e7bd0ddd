"""The rejected rows, in a file that can be mended and fed in again."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.files.writing import SHARED, remove
from provisioner.logs.events import get_logger
from provisioner.results.formats.writing import Writer, write_csv, write_frames, write_parquet
from provisioner.results.manifest import REJECTED, remove_other, rewrite, written_last
from provisioner.results.outputs import Outputs
from provisioner.results.spool import Spool
from provisioner.roster.columns import ADDED, MARKED, named
from provisioner.roster.csv import apostrophes
from provisioner.roster.files.inputs import FAMILIES
from provisioner.roster.formats.ndjsonline import LINE
from provisioner.validation.constraints import DEFECTS
from provisioner.validation.warnings import WARNINGS

log = get_logger()

WORKBOOK: Final = ".xlsx"
SHEET: Final = "Rejected rows"

_ERRORS: Final = ADDED[-1]
# A text as `wording.shortened` quotes it, its characters escaped; it may hold quotes within words.
_QUOTED: Final = r"(?<![^\s(=:])'(?:[^']|'(?![\s,;:.)]|$)){0,250}'(?=[\s,;:.)]|$)"
# What codes call a field by another name.
_FIELDS: Final = {"with_auth_token": "withAuthToken"}


@dataclass(frozen=True, slots=True)
class Dress:
    """How rejected rows are written, beyond what the ending of the file says.

    columns    the roster's own, without what a reader added for itself; every column of the frames when there are none
    delimiter  separates the cells of a text
    marked     begin a text with a byte order mark, which says that it is UTF-8 whatever the roster was
    sheet      title of the sheet of a workbook
    stored     column of text → its type in the roster, which a Parquet file has too
    feeds      field → the columns that feed it: a workbook marks the cells that are wrong
    """

    columns: Sequence[str] = ()
    delimiter: str = ","
    marked: bool = False
    sheet: str = SHEET
    feeds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stored: Mapping[str, pl.DataType] = field(default_factory=dict)


def keep_rejected(outputs: Outputs, rejected: Spool, dress: Dress) -> tuple[Path | None, str | None]:
    """Write the rejected rows of a job; the file and its digest, None when nothing is rejected.

    A file that somebody has begun to mend is set aside first; one of another format that nobody has touched goes. A
    workbook has no room for some rows: they go into a CSV, which is told.
    """
    path = outputs.rejected
    if path.suffix == WORKBOOK and (why := why_no_workbook(rejected, dress)) is not None:
        path = path.with_suffix(".csv")
        log.warning("rejected.as_csv", file=str(path), reason=why)
    known = written_last(outputs.summary, REJECTED)
    remove_other(outputs.summary, path)
    digest = rewrite(path, known, lambda: write_rejected(path, rejected, dress))
    return path if rejected.rows else None, digest


def write_rejected(path: Path, rejected: Spool, dress: Dress | None = None) -> None:
    """Write the rejected rows in the format of the path's suffix, or remove a stale file when there are none."""
    dress = dress or Dress()
    if not rejected.rows:
        remove(path)
        return
    write: Writer
    if FAMILIES.get(path.suffix) == "ndjson":
        from provisioner.roster.formats.ndjsonline import write_rejected_lines

        write_frames(path, rejected.frames(), rejected.schema, SHARED, _begun(write_rejected_lines, dress))
        return
    if path.suffix == ".parquet":
        frames, write = _as_stored(_frames(rejected, dress), dress.stored), write_parquet
    elif path.suffix == WORKBOOK:
        from provisioner.results.formats.sheet import Look, write_sheet

        look = Look(dress.sheet, partial(_wrong_cells, dress.feeds))
        frames, write = _texts(rejected, dress), partial(write_sheet, look=look)
    else:
        frames, write = _harmless(rejected, dress), _begun(partial(write_csv, delimiter=dress.delimiter), dress)
    first = next(frames)
    write_frames(path, chain([first], frames), first.schema, SHARED, write)


def why_no_workbook(rejected: Spool, dress: Dress) -> str | None:
    """Say why the rejected rows cannot be a workbook; None when they can, or when there are none."""
    from provisioner.results.formats import sheet

    if not rejected.rows:
        return None
    longest = columns = 0
    for frame in _texts(rejected, dress):
        longest, columns = max(longest, sheet.units(frame)), frame.width
    return sheet.why_not(rejected.rows, columns, longest)


def reasons_in(errors: str) -> list[tuple[str, str]]:
    """Give code and words of each defect that a cell of `_errors` names: `uid.charset: …; name.missing: …`."""
    starts = [match.start(1) for match in _code_begins().finditer(errors) if match[1]]
    parts = [errors[at:end].removesuffix("; ") for at, end in zip(starts, [*starts[1:], None], strict=False)]
    return [(part.partition(": ")[0], part) for part in parts]


def _frames(rejected: Spool, dress: Dress) -> Iterator[pl.DataFrame]:
    """Give the rows as the roster has them, without what a reader added for itself."""
    wanted = {*dress.columns, *ADDED}
    for frame in rejected.frames():
        yield frame[[name for name in frame.columns if name != LINE and (not dress.columns or name in wanted)]]


def _as_stored(frames: Iterator[pl.DataFrame], stored: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """Give texts the types that they have in the roster, but for those that a check writes."""
    for frame in frames:
        own = frame.schema.keys() - {*ADDED}
        yield frame.with_columns(named(name).cast(kind) for name, kind in stored.items() if name in own)


def _texts(rejected: Spool, dress: Dress) -> Iterator[pl.DataFrame]:
    """Give the rows as texts."""
    from provisioner.results.formats.plaintext import as_text

    for frame in _frames(rejected, dress):
        yield as_text(frame, ADDED[:1], dress.feeds.get("tags", ()))


def _harmless(rejected: Spool, dress: Dress) -> Iterator[pl.DataFrame]:
    """Give the rows as texts that no spreadsheet program runs, and say of which rows they are not as they were."""
    if not any(apostrophes.needs_marks(frame).any() for frame in _texts(rejected, dress)):
        yield from _texts(rejected, dress)
        return
    for frame in _texts(rejected, dress):
        marked = apostrophes.needs_marks(frame)
        texts = [
            apostrophes.marked(named(name)).alias(name) for name, kind in frame.schema.items() if kind == pl.String
        ]
        yield frame.with_columns(texts).with_columns(pl.when(marked).then(pl.lit("yes")).alias(MARKED))


def _wrong_cells(feeds: Mapping[str, Sequence[str]], errors: str) -> dict[str, str]:
    """Say what is wrong with the cells of a row: column → the words of all defects that it has part in.

    A defect of the whole row, or of a field that no column feeds, is one of the cell that tells of it.
    """
    wrong: dict[str, list[str]] = {}
    for code, words in reasons_in(errors):
        about = code.partition(".")[0]
        for column in feeds.get(_FIELDS.get(about, about)) or (_ERRORS,):
            wrong.setdefault(column, []).append(words)
    return {column: "\n".join(words) for column, words in wrong.items()}


@cache
def _code_begins() -> re.Pattern[str]:
    """Find the codes; what is quoted of a cell, which may say the same, is stepped over in one piece."""
    return re.compile(rf"{_QUOTED}|(?:^|; )((?:{'|'.join(map(re.escape, {**DEFECTS, **WARNINGS}))}): )")


def _begun(write: Writer, dress: Dress) -> Writer:
    """Have a text begin with a byte order mark; what writes a text adds to what is there."""

    def write_marked(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
        path.write_bytes(codecs.BOM_UTF8)
        write(path, frames, schema)

    return write_marked if dress.marked else write

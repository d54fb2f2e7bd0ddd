"""What the tests of the validation share: rows go in as one batch or as a small roster, verdicts come out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from provisioner.model import AuthTokens
from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import open_csv
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.checked import Checked
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import Binding, bind
from provisioner.validation.fields.mapping import ColumnMapping, parse_mapping
from provisioner.validation.fields.structured.metadata import read_metadata
from provisioner.validation.oddities.persons import Shapes
from provisioner.validation.oddities.tagforms import TagForms
from provisioner.validation.oddities.uidforms import Addressed
from provisioner.validation.survey import Survey, survey
from provisioner.validation.validator import Validator

ANN = {"uid": "ann", "name": "Ann"}


def check(
    rows: list[dict[str, Any]] | pl.DataFrame,
    *,
    mapping: ColumnMapping | None = None,
    constraints: Constraints | None = None,
    auth_tokens: AuthTokens = AuthTokens.NONE,
    writes: bool = True,
) -> Checked:
    """Check rows as one batch; rows of texts are those of a CSV."""
    frame = rows if isinstance(rows, pl.DataFrame) else csv_frame(rows)
    binding, survey = bind(frame.schema, mapping), Survey(frame.height)
    validator = Validator(binding, constraints or Constraints(), survey, auth_tokens=auth_tokens, writes=writes)
    return validator.check(RosterBatch(1, frame))


def csv_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A frame as a CSV gives it: text in every column, null where a row has none."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return pl.DataFrame({column: [row.get(column) for row in rows] for column in columns}).cast(pl.String)


def codes(**cells: Any) -> list[str]:
    """The codes of the defects of one row, in the order in which they are reported."""
    checked = check([{**ANN, **cells}])
    message = checked.lines["error_message"].item()
    return [part.partition(":")[0] for part in message.split("; ")] if message else []


def messages(**cells: Any) -> str:
    """All that is wrong with one row, in words."""
    return str(check([{**ANN, **cells}]).lines["error_message"].item())


def body(**cells: Any) -> Any:
    """The body of one valid row of a CSV, parsed."""
    return parsed(check([{**ANN, **cells}]))


def parsed(checked: Checked) -> Any:
    """The body of the only row, which is valid, parsed."""
    assert checked.lines["error_message"].to_list() == [None]
    return json.loads(checked.valid["body"].item())


def typed(**columns: Any) -> pl.DataFrame:
    """A frame of one person with further columns of any type."""
    return pl.DataFrame({"uid": ["ann"], "name": ["Ann"], **{key: [value] for key, value in columns.items()}})


def bound(frame: pl.DataFrame, table: dict[str, Any]) -> Binding:
    """Bind a table to the columns of a frame; uid and name have a constant if it maps none."""
    needed = {name: {"value": "x"} for name in ("uid", "name") if name not in table}
    return bind(frame.schema, parse_mapping(table | needed))


def metadata(table: dict[str, Any], frame: pl.DataFrame) -> list[Any]:
    """Give the metadata of each row, parsed."""
    read = read_metadata(frame, bound(frame, {"metadata": table}))
    assert read["metadata_defect"].to_list() == [None] * frame.height
    return [None if text is None else json.loads(text) for text in read["metadata"]]


SMALL = BlockSizes(first=50, block=200, first_batch=2, batch=3)


def check_warnings(frame: pl.DataFrame, columns: Mapping[str, Any] | None = None, *, strict: bool) -> Checked:
    """Check a frame as one batch, by the table `columns`."""
    binding = bind(frame.schema, parse_mapping(columns or {}))
    validator = Validator(binding, Constraints(), learned(frame, binding), auth_tokens=AuthTokens.NONE, strict=strict)
    return validator.check(RosterBatch(1, frame))


def learned(frame: pl.DataFrame, binding: Binding) -> Survey:
    """What a survey learns of the columns of a frame."""
    shapes, tags, addressed = Shapes(), TagForms(binding), Addressed(binding)
    shapes.add(frame)
    tags.add(frame)
    addressed.add(frame)
    return Survey(frame.height, shape=shapes.whole(), tags_separator=tags.separator, addressed=addressed.usual)


def warnings(frame: pl.DataFrame, columns: Mapping[str, Any] | None = None) -> dict[str, tuple[int, ...]]:
    """Code → rows warned of, of a frame as one batch."""
    return {code: found.first_rows for code, found in check_warnings(frame, columns, strict=False).warnings.items()}


def looked_over(
    folder: Path, rows: Sequence[Mapping[str, str]], *, strict: bool = True, identity: bool = True, run_length: int = 10
) -> list[tuple[int, str]]:
    """Row and message of each row that a strict check rejects, in small batches, with the survey on disk."""
    path = folder / "r.csv"
    pl.DataFrame(rows).write_csv(path)
    roster = open_csv(path, sizes=SMALL)
    binding = bind(roster.schema)
    surveyed = survey(roster, binding, folder, identity=identity, run_length=run_length)
    validator = Validator(binding, Constraints(), surveyed, auth_tokens=AuthTokens.NONE, strict=strict)
    lines = pl.concat([validator.check(batch).lines for batch in roster.batches()])
    return lines.drop_nulls("error_message").select("row", "error_message").rows()


def people(**cells: str) -> pl.DataFrame:
    """A frame of one person with these cells."""
    return pl.DataFrame({"uid": ["ann"], "name": ["Ann"], **{name: [cell] for name, cell in cells.items()}})


def rows_of(uids: Sequence[str]) -> list[dict[str, str]]:
    """Rows with these uids and one name."""
    return [{"uid": uid, "name": "n"} for uid in uids]

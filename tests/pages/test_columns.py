"""The page about `[columns]`: every example on it, run."""

from __future__ import annotations

import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.reader import open_roster
from provisioner.settings.tables import Settings
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator
from tests.rig.command import ROOT

PAGE = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```\n\n```csv\n(.*?)```\n\n```json\n(.*?)```\n", PAGE, re.DOTALL)


def outcomes(table: dict[str, Any], roster_file: Path) -> list[Any]:
    """Give the body of each valid row, and of each rejected one the reasons."""
    roster = open_roster(roster_file)
    settings = Settings(columns=parse_mapping(table))
    binding = bind(roster.schema, settings.columns)
    validator = Validator(
        binding, settings.constraints, survey(roster, binding, roster_file.parent), auth_tokens=AuthTokens.NONE
    )
    found: dict[int, Any] = {}
    for batch in roster.batches():
        checked = validator.check(batch)
        found |= {row: json.loads(body) for row, body in checked.valid.select("row", "body").iter_rows()}
        found |= dict(checked.rejected.select("_row", "_errors").iter_rows())
    return [found[row] for row in sorted(found)]


@pytest.mark.sampled
@pytest.mark.parametrize(("table", "roster", "expected"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_does_what_the_page_says(tmp_path: Path, table: str, roster: str, expected: str) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(roster, encoding="utf-8")
    assert outcomes(tomllib.loads(table)["columns"], file) == [json.loads(line) for line in expected.splitlines()]


def test_the_page_shows_nothing_that_is_not_run() -> None:
    assert len(EXAMPLES) == PAGE.count("```toml") == PAGE.count("```") / 6 > 5


def test_every_form_in_the_table_is_one() -> None:
    """With the dots filled in, and the columns there."""
    forms = re.findall(r"^\| `(.*?)` \| ", PAGE.partition("## ")[0], re.MULTILINE)
    for form in forms:
        written = form.replace("\\|", "|").replace("column = …", 'column = "team"').replace("{…}", '{ "a" = "b" }')
        value = tomllib.loads("x = " + written.replace("default = …", 'default = "c"'))["x"]
        target = "tags" if "columns" in form else "uid"
        schema = pl.read_csv(io.StringIO("name,employee_id,first,last,nick,display,email,team,site\n")).schema
        assert bind(schema, parse_mapping({"uid": "team"} | {target: value})).fields[target]
    assert len(forms) == 8

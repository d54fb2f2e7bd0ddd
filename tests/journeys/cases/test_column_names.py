"""What columns are called is the owner's business: no name is a pattern, a word of ours, or another column's."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.rig.cases import users
from tests.rig.command import provisioner
from tests.rig.workbooks import texts, workbook

NAMES = (
    "*", "^.*$", "^uid$", "^u.*$", "^$", "self", "exprs", "row", "column", "cell", "opened", "email", "body", "a\nb",
    "=1", "{uid}", "b.c", "$", "é", "words",
)  # fmt: skip
"""Patterns of polars, words of its functions, names of ours, and signs that mean something somewhere."""


def _roster(folder: Path, form: str, rows: Sequence[Mapping[str, str | None]]) -> Path:
    path = folder / f"people.{form}"
    match form:
        case "csv":
            pl.DataFrame(rows).write_csv(path)
        case "parquet":
            pl.DataFrame(rows).write_parquet(path)
        case "ndjson":
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        case "json":
            path.write_text(json.dumps(rows), encoding="utf-8")
        case "xlsx":
            workbook(folder, ("People", texts([*rows[0]], *(list(row.values()) for row in rows))), name=path.name)
    return path


@pytest.mark.sampled
@pytest.mark.parametrize("more", [0, 200])
@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson", "json", "xlsx"])
def test_columns_of_any_name_go_where_they_belong_and_come_back(tmp_path: Path, form: str, more: int) -> None:
    """Into the metadata, each with its own cells; and into the rejected rows, which are read again, in every format."""
    names = [*NAMES, *(f"z{number}" for number in range(more))]
    ann = {name: f"v{number}" for number, name in enumerate(names)} | {"email": "ann@example.com"}
    bob = dict.fromkeys(names, "=x")
    roster = _roster(tmp_path, form, [{"uid": "ann", "name": "Ann", **ann}, {"uid": None, "name": "Bob", **bob}])
    config = tmp_path / "config.toml"
    config.write_text('[columns]\nothers = "metadata"\n')
    shown = provisioner("validate", roster, "--config", config, "--show", 1, cwd=tmp_path)
    assert shown.exit_code == 1, shown.stderr
    (body,) = (json.loads(line) for line in shown.stdout.splitlines() if line.startswith("{"))
    assert body["metadata"] == ann
    (rejected,) = tmp_path.glob("*.check.rejected.*")
    again = provisioner("validate", rejected, "--config", config, "--json", cwd=tmp_path)
    assert [*json.loads(again.stdout)["defects"]] == ["uid.missing"]
    fields = {"uid": "^u.*$", "name": "*", "metadata.first": "^.*$"}
    mapping = "".join(f"{key} = {json.dumps(name)}\n" for key, name in fields.items())
    config.write_text(f"[columns]\n{mapping}")
    mapped = provisioner("validate", roster, "--config", config, "--show", 1, cwd=tmp_path)
    (body,) = (json.loads(line) for line in mapped.stdout.splitlines() if line.startswith("{"))
    assert (body["uid"], body["name"], body["metadata"]) == (ann["^u.*$"], ann["*"], {"first": ann["^.*$"]})


@pytest.mark.parametrize(
    "header", ["uid,name,,_column_3,", "uid,name,a,_column_5_a,a", "uid,name,,_column_3,_column_3_"]
)
def test_a_name_that_we_would_give_is_left_to_whose_it_is(tmp_path: Path, header: str) -> None:
    """Columns without a name of their own get one that no other column has."""
    roster, config = tmp_path / "r.csv", tmp_path / "config.toml"
    roster.write_text(f"{header}\na1,Ann,1,2,3\n")
    config.write_text(f'[columns]\nstatusMessage = "{header.split(",")[3]}"\n')
    ended = provisioner("validate", roster, "--config", config, "--show", 1, cwd=tmp_path)
    assert ended.exit_code == 0, ended.stderr
    assert '"statusMessage":"2"' in ended.stdout


def test_a_key_without_a_name_and_a_column_of_the_line_are_their_owners(tmp_path: Path) -> None:
    """An empty key is a name in JSON; `_line` is one in a CSV, also in a folder that says something of its rows."""
    config = tmp_path / "config.toml"
    config.write_text('[columns]\nothers = "metadata"\n')
    nameless = tmp_path / "r.ndjson"
    nameless.write_text('{"uid":"ann","name":"Ann","":"x","column_2":"y"}\n')
    shown = provisioner("validate", nameless, "--config", config, "--show", 1, cwd=tmp_path)
    assert '"metadata":{"":"x","column_2":"y"}' in shown.stdout, shown.stderr
    folder = tmp_path / "people" / "team=red"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("uid,name,_line\nann,Ann,hello\n,Bob,there\n")
    config.write_text('[columns]\nstatusMessage = "_line"\n')
    shown = provisioner("validate", folder.parent, "--config", config, "--show", 1, cwd=tmp_path)
    assert '"statusMessage":"hello"' in shown.stdout, shown.stderr
    (rejected,) = tmp_path.glob("**/*.check.rejected.csv")
    assert rejected.read_text().splitlines()[1].startswith(",Bob,there")


def test_a_moment_beyond_the_calendar_of_python_is_written_as_it_is(tmp_path: Path) -> None:
    """In the metadata, as texts: the year 10000 east of Greenwich, and a date behind it."""
    utc = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    moment = pl.Series([utc]).dt.convert_time_zone("Asia/Tokyo")
    roster = tmp_path / "r.parquet"
    pl.DataFrame({"uid": ["ann"], "name": ["Ann"], "until": moment}).write_parquet(roster)
    config = tmp_path / "config.toml"
    config.write_text('[columns]\nothers = "metadata"\n')
    shown = provisioner("validate", roster, "--config", config, "--show", 1, cwd=tmp_path)
    assert '"metadata":{"until":"+10000-01-01T08:59:59+09:00"}' in shown.stdout, shown.stderr


@pytest.mark.sampled
@pytest.mark.parametrize("form", ["same", "csv", "xlsx"])
def test_a_moment_that_no_calendar_has_stops_nothing(tmp_path: Path, form: str) -> None:
    """PostgreSQL's infinity, as data frames keep it: ignored, sent, proposed, and in rejected rows of any format."""
    never = pl.Series([2**63 - 1] * 3, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    roster = tmp_path / "r.parquet"
    frame = pl.DataFrame({"uid": ["uid", "ann", "b!"], "name": ["name", "Ann", "Bob"], "until": never})
    frame.with_columns(all=pl.struct("until", pl.concat_list("until").alias("list"))).write_parquet(roster)
    config = tmp_path / "config.toml"
    told = {"until": "infinity", "list": ["infinity"]}
    for mapping, metadata in [("", None), ('others = "metadata"', {"until": "infinity", "all": told})]:
        config.write_text(f"[columns]\n{mapping}\n")
        output = tmp_path / f"{len(mapping)}" / "r.csv"
        arguments = ("--config", config, "--rejected-format", form, "--show", 2, "--output", output)
        shown = provisioner("validate", roster, *arguments, cwd=tmp_path)
        assert shown.exit_code == 1, shown.stderr
        bodies = [json.loads(line) for line in shown.stdout.splitlines() if line.startswith("{")]
        assert [body.get("metadata") for body in bodies] == [metadata, metadata]
        (rejected,) = output.parent.glob("*.check.rejected.*")
        again = provisioner("validate", rejected, "--config", config, "--json", cwd=tmp_path)
        assert [*json.loads(again.stdout)["defects"]] == ["uid.charset"]
    proposed = provisioner("init", roster, cwd=tmp_path)
    assert proposed.exit_code == 0, proposed.stderr


@pytest.mark.parametrize(
    ("uid", "sent"),
    [("_column_1", ["total", "b2"]), ("{_column_1}-x", ["total-x", "b2-x"])],
    ids=["column", "template"],
)
def test_columns_of_which_none_has_a_name_are_mapped_by_their_places(tmp_path: Path, uid: str, sent: list[str]) -> None:
    """There is no first column by whose name, or in which, a header or a total would be found."""
    (tmp_path / "r.csv").write_text(",,\ntotal,Ann,\nb2,Ben,x\n")
    found = users(tmp_path / "r.csv", tmp_path, columns={"uid": uid, "name": "_column_2"})
    assert [user["uid"] for user in found] == sent

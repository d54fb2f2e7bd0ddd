"""Rosters of every kind, through the real command: their rejected rows can be fed in again, and no secret is shown."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]

from provisioner.roster.workbook.file import open_workbook
from tests.rig.command import provisioner, rows
from tests.rig.objectstore import object_store

pytestmark = pytest.mark.process

SECRET = "not-to-be-seen"


def test_rejected_rows_of_several_files_are_one_file_that_can_be_fed_in(tmp_path: Path) -> None:
    """With row numbers of the whole roster, and the delimiter that the files share."""
    (tmp_path / "p1.csv").write_text("uid;name\na;Ann\nb c;Bob, J\n")
    (tmp_path / "p2.csv").write_text("name;uid\nCleo;\n")
    done = provisioner("validate", "p*.csv", "-o", "out/r.csv", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["rows"], done.summary["rejected"]) == (1, 3, 2), done.stderr
    assert (tmp_path / "out/r.check.rejected.csv").read_text().splitlines()[:2] == [
        "uid;name;_row;_errors",
        "b c;Bob, J;2;uid.charset: ' ' in 'b c', only ASCII letters, digits and - are allowed",
    ]
    mended = (tmp_path / "out/r.check.rejected.csv").read_text().replace("b c;", "b-c;").replace("\n;Cleo", "\nc;Cleo")
    (tmp_path / "mended.csv").write_text(mended)
    again = provisioner("run", "mended.csv", "--emulator", "-o", "out/again.csv", cwd=tmp_path)
    assert again.exit_code == 0, again.stderr
    assert [row["uid"] for row in rows(tmp_path / "out/again.csv")] == ["b-c", "c"]


def test_the_rejected_lines_can_be_mended_and_fed_in_again(tmp_path: Path) -> None:
    """The whole round, with the real command: nothing but the errors is added, and they are replaced."""
    lines = [
        '{"uid": "ok", "name": "Ann", "tags": ["a", "b"], "metadata": {"n": 1.50}}',
        '{"uid":"a b","name":"Bob","x":1e3}',
    ]
    (tmp_path / "r.ndjson").write_text("\n".join(lines))
    done = provisioner("validate", "r.ndjson", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["rows"], done.summary["rejected"]) == (1, 2, 1), done.stderr
    rejected = tmp_path / "r.results.check.rejected.ndjson"
    first = rejected.read_text()
    assert first.startswith('{"uid":"a b","name":"Bob","x":1e3,"_row":2,"_errors":"uid.charset')
    rejected.rename(tmp_path / "again.ndjson")
    assert provisioner("validate", "again.ndjson", cwd=tmp_path).exit_code == 1
    again = (tmp_path / "again.results.check.rejected.ndjson").read_text()
    assert again == first.replace('"_row":2', '"_row":1')


def test_the_command_reads_a_workbook_and_gives_its_rejected_rows_as_one(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "r.xlsx") as book:
        book.add_worksheet("Old").write(0, 0, "x")
        people = book.add_worksheet("People")
        for number, line in enumerate((["uid", "name"], [7, "Ann"], ["a b", "Bob"])):
            people.write_row(number, 0, line)
    done = provisioner("validate", "r.xlsx", "--sheet", "People", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["rows"], done.summary["rejected"]) == (1, 2, 1), done.stderr
    found = open_workbook(tmp_path / "r.results.check.rejected.xlsx")
    assert (found.sheet, found.frame.select("uid", "name", "_row").rows()) == ("People", [("a b", "Bob", "2")])
    again = provisioner("validate", found.path.name, "--sheet", "People", "--json", cwd=tmp_path)
    assert again.summary["mended"] == {"before": 1, "mended": 0, "rejected": 1}, again.stderr


def test_the_command_reads_parquet_and_csv_at_an_address_and_shows_no_secret(tmp_path: Path) -> None:
    """Neither in its output nor in any file it leaves."""
    frame = io.BytesIO()
    pl.DataFrame({"uid": [f"u{number}" for number in range(5000)], "name": ["né"] * 5000}).write_parquet(frame)
    objects = {"/b/1.parquet": frame.getvalue(), "/b/r.csv": 'uid,name\r\na,"b\n\rc"\r\n\r\nd,é'.encode()}
    with object_store(objects) as store:
        for name, number in (("1.parquet", 5000), ("r.csv", 2)):
            where = f"{store.url.replace('://', f'://me:{SECRET}@')}/b/{name}?sig={SECRET}"
            done = provisioner("validate", where, "--json", "-v", "--log-file", "log", cwd=tmp_path)
            assert (done.exit_code, done.summary["rows"]) == (0, number), done.stderr
            assert SECRET not in done.stdout + done.stderr
            kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
            assert {path for path in kept if not path.endswith(".summary.json")} == {"log"}
            assert not any(SECRET in text for text in kept.values())


def test_an_address_where_nobody_listens_is_given_up_without_its_secrets(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        done = provisioner("validate", f"http://me:{SECRET}@{host}/r.csv?sig={SECRET}", cwd=tmp_path)
    assert (done.exit_code, SECRET in done.stdout + done.stderr) == (2, False)
    assert f"http://{host}/r.csv cannot be read: nothing answers there (connection refused)" in done.stderr

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_an_address_where_nobody_listens_is_given_up_without_its_secrets(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        done = provisioner("validate", f"http://me:{SECRET}@{host}/r.csv?sig={SECRET}", cwd=tmp_path)
    assert (done.exit_code, SECRET in done.stdout + done.stderr) == (2, False)
    assert f"http://{host}/r.csv cannot be read: nothing answers there (connection refused)" in done.stderr


@pytest.mark.slow
def test_two_tables_in_one_file_create_nobody_and_as_two_files_everybody(tmp_path: Path) -> None:
    """What `cat` put together: the refusal names the row, and the files themselves are a roster."""
    (tmp_path / "a.csv").write_text("uid,name\nz1,Ann\nz2,Bob\n")
    (tmp_path / "b.csv").write_text("name,uid\nCy,z3\nDi,z4\n")
    (tmp_path / "ab.csv").write_bytes(b"".join((tmp_path / f"{name}.csv").read_bytes() for name in "ab"))
    for command in (("run", "--emulator"), ("run", "--dry-run"), ("validate",)):
        refused = provisioner(*command, "ab.csv", cwd=tmp_path)
        said = "ab.csv: row 3 (line 4) ('name', 'uid') is the header of another table; save the rows from there on as a"
        assert (refused.exit_code, said in refused.stderr, refused.stdout) == (2, True, "")
    done = provisioner("run", "a.csv", "b.csv", "--emulator", "-o", "out.csv", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    users = [(row["uid"], row["name"], row["outcome"]) for row in rows(tmp_path / "out.csv")]
    assert users == [(f"z{number}", name, "created") for number, name in enumerate(("Ann", "Bob", "Cy", "Di"), 1)]


def test_another_header_is_told_with_its_own_file_among_several(tmp_path: Path) -> None:
    """And with the place in it that its owner sees."""
    (tmp_path / "a.csv").write_text("uid,name\na1,Ann\n")
    (tmp_path / "b.csv").write_text("name,uid\nBob,b2\nuid,name\nc3,Cy\n")
    refused = provisioner("validate", "a.csv", "b.csv", cwd=tmp_path)
    assert refused.exit_code == 2
    said = "error: b.csv: row 2 (line 3) ('name', 'uid') is the header of another"
    assert refused.stderr.splitlines()[-1].startswith(said)


@pytest.mark.slow
def test_a_pair_of_stray_quotes_that_hides_a_person_is_warned_of(tmp_path: Path) -> None:
    """With --strict the row is rejected."""
    (tmp_path / "r.csv").write_text('uid,name,tags\n1,"Ann,red\n2,Bob",blue\n3,Cy,x\n')
    done = provisioner("validate", "r.csv", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["warnings"]["row.swallowed"]["first_rows"]) == (0, [1])
    done = provisioner("validate", "r.csv", "--strict", "--json", cwd=tmp_path)
    assert (done.exit_code, done.summary["defects"]["row.swallowed"]["first_rows"]) == (1, [1])


def test_a_roster_in_quotes_tells_its_delimiter_whoever_names_another(tmp_path: Path) -> None:
    """The config file's is overruled by the one that the refusal says to give; rejected rows saved with commas too."""
    (tmp_path / "r.csv").write_text('"uid";"name"\n"a b";"Ann"\n')
    (tmp_path / "c.toml").write_text('[run]\ndelimiter = ";"\n')
    assert provisioner("validate", "r.csv", "-c", "c.toml", cwd=tmp_path).exit_code == 1
    rejected = (tmp_path / "r.results.check.rejected.csv").read_text().splitlines()
    mended = [[cell.replace("a b", "ab") for cell in line.split(";", 3)] for line in rejected]
    (tmp_path / "mended.csv").write_text("".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in mended))
    refused = provisioner("validate", "mended.csv", "-c", "c.toml", cwd=tmp_path)
    said = "error: mended.csv: its cells are separated by ','; give --delimiter ','"
    assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (2, said)
    assert provisioner("validate", "mended.csv", "-c", "c.toml", "--delimiter", ",", cwd=tmp_path).exit_code == 0

"""Rosters that are the answer to a query: every command that reads a roster takes one, and no password is told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.rig.command import KEY, emulator, provisioner, rows

SQL = "SELECT login AS uid, name, dept AS 'metadata.dept' FROM staff ORDER BY id"
ADDRESS = "sqlite:///hr.db"
QUERY = ("--query", SQL, "--database", ADDRESS)


@pytest.fixture(autouse=True)
def here(tmp_path: Path) -> Path:
    """A folder with a small database."""
    with closing(sqlite3.connect(tmp_path / "hr.db")) as database, database:
        database.execute("CREATE TABLE staff (id INTEGER, login TEXT, name TEXT, dept INTEGER)")
        people = [(1, "ann", "Ann", 7), (2, "bob", "Bob", None), (3, "c d", "Cy", 9)]
        database.executemany("INSERT INTO staff VALUES (?, ?, ?, ?)", people)
    return tmp_path


@pytest.mark.slow
def test_a_run_takes_its_rows_from_a_query(here: Path) -> None:
    """Typed, read twice and asked once; files are called as the database is, messages name the row of the query."""
    with emulator(here) as api:
        command = ("run", *QUERY, *api.flags(), "--json")
        ended = provisioner(*command, cwd=here, COMETCHAT_API_KEY=KEY)
        again = provisioner(*command, cwd=here, COMETCHAT_API_KEY=KEY)
        assert sorted(api.created()) == ["ann", "bob"]
        ann = api.users()["ann"]
    assert (ended.exit_code, ended.summary["created"], ended.summary["rejected"]) == (1, 2, 1), ended.stderr
    assert ann["metadata"] == {"dept": 7}
    assert [row["outcome"] for row in rows(here / "hr.results.csv")] == ["created", "created", "rejected"]
    assert ended.summary["defects"]["uid.charset"]["first_rows"] == [3]
    assert (here / "hr.results.rejected.parquet").exists()
    assert again.summary["requests"] == 0
    assert not list(here.glob("*set_aside*"))


@pytest.mark.slow
def test_a_validation_asks_too_and_a_config_can_hold_the_query(here: Path) -> None:
    """A file that is named wins over the query of a config."""
    (here / "provisioner.toml").write_text(f"[run]\nquery = {json.dumps(SQL)}\ndatabase = '{ADDRESS}'\n")
    assert provisioner("validate", "--json", cwd=here).summary["rows"] == 3
    (here / "other.csv").write_text("uid,name\nx,X\n")
    assert provisioner("validate", "other.csv", "--json", cwd=here).summary["rows"] == 1


@pytest.mark.slow
def test_a_sync_and_its_kept_plan_take_their_rows_from_a_query(here: Path) -> None:
    """A night needs no export; who left the table has left."""
    with emulator(here) as api:
        flags = ("--base-url", api.url, "--state", "s.db", "--max-rejected", "50%")
        plan = provisioner("plan", *QUERY, *flags, "--adopt", "-o", "tonight.json", cwd=here, COMETCHAT_API_KEY=KEY)
        assert plan.exit_code == 1, plan.stderr
        first = provisioner("sync", *QUERY, *flags, "--adopt", "--json", cwd=here, COMETCHAT_API_KEY=KEY)
        with closing(sqlite3.connect(here / "hr.db")) as database, database:
            database.execute("UPDATE staff SET name = 'Robert' WHERE login = 'bob'")
        kept = provisioner("plan", *QUERY, *flags, "-o", "tonight.json", cwd=here, COMETCHAT_API_KEY=KEY)
        command = ("sync", "tonight.json", "--json", "--base-url", api.url)
        unasked = provisioner(*command, cwd=here, COMETCHAT_API_KEY=KEY)
        done = provisioner(*command, *QUERY, cwd=here, COMETCHAT_API_KEY=KEY)
    assert (unasked.exit_code, "give --query and --database" in unasked.stderr) == (2, True)
    assert (first.exit_code, first.summary["created"], kept.exit_code) == (1, 2, 1), first.stderr
    assert (done.exit_code, done.summary.get("updated")) == (1, 1), done.stderr


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no roster: name a file, or give --query and --database"),
        (("--query", SQL), "no database: --query and --database go together; give --database"),
        (("--database", ADDRESS), "no query: --query and --database go together; give --query"),
        (("hr.csv", *QUERY), "ROSTER and --query are two rosters; give one of them"),
        (("--query", "SELECT name FROM staff", "--database", ADDRESS), "query of hr: the roster has no uid column"),
        (("--query", "SELECT nme FROM staff", "--database", ADDRESS), "query of hr: SQLite: no such column: nme"),
        (
            ("--query", SQL, "--database", "postgresql://app:s3cret@127.0.0.1:1/hr"),
            "--database: a password does not belong into the address of a database: set PROVISIONER_DATABASE_PASSWORD",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_sentence_and_nothing_is_sent(
    here: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit 2, and no password anywhere."""
    ended = provisioner("run", *arguments, "--emulator", "--log-file", "l.log", cwd=here)
    assert ended.exit_code == 2
    assert ended.stderr.splitlines()[-1].startswith(f"error: {message}")
    written = [path.read_bytes() for path in here.iterdir() if path.name != "hr.db"]
    assert not any(b"s3cret" in each for each in (*written, ended.stdout.encode(), ended.stderr.encode()))


@pytest.mark.slow
def test_a_password_is_read_from_the_environment_or_a_file_and_told_nowhere(here: Path) -> None:
    """A server that is not there: the sentence says so, and nothing else."""
    (here / "pw").write_text("s3cret\n")
    (here / "provisioner.toml").write_text("[run]\ndatabase_password_file = 'pw'\n")
    for address in ("postgresql://app@127.0.0.1:9/hr", "mysql://app@127.0.0.1:9/hr"):
        for variables in ({}, {"PROVISIONER_DATABASE_PASSWORD": "s3cret"}):
            command = ("validate", "--query", "SELECT 1", "--database", address, "-v", "--json")
            ended = provisioner(*command, cwd=here, **variables)
            assert ended.exit_code == 2
            assert "refused" in ended.stderr
            assert "s3cret" not in ended.stdout + ended.stderr
    (here / "pw").write_text("")
    ended = provisioner("validate", "--query", "SELECT 1", "--database", "mysql://app@127.0.0.1:9/hr", cwd=here)
    assert "run.database_password_file: pw is empty" in ended.stderr

"""Addresses of databases: what each part is, and that none of them holds a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError
from provisioner.roster.database.address import Query, parse_address, seen_from


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("postgresql://app@db.example:5433/hr?sslmode=require", "postgresql", "hr"),
        ("postgres://db/h%20r", "postgresql", "hr"),
        ("mysql://app@db/staff", "mysql", "staff"),
        ("mariadb://app@db/staff", "mysql", "staff"),
        ("sqlite:///out/staff.db", "sqlite", "staff"),
        ("sqlite:////srv/people.sqlite3", "sqlite", "people"),
    ],
)
def test_an_address_says_which_kind_and_what_it_is_called(given: str, kind: str, name: str) -> None:
    """Files of a run are called by it."""
    address = parse_address(given)
    assert (address.kind, address.name) == (kind, name)


def test_the_path_of_a_file_is_relative_unless_it_has_four_slashes() -> None:
    """As other tools have it."""
    assert [parse_address(each).file for each in ("sqlite:///a/b.db", "sqlite:////a/b.db")] == ["a/b.db", "/a/b.db"]


@pytest.mark.parametrize("folder", ["/x", "x/y", "/a:b@c/pwd=1", "/50%/a?b#c", "/Büro;[1]", "/latin-\udcfc"])
def test_a_file_seen_from_another_folder_is_the_same_file(folder: str) -> None:
    """Whatever the folder is called: no character of it becomes a part of the address."""
    moved = parse_address(seen_from(Path(folder), "sqlite:///d/h%20r.db"))
    assert (moved.kind, moved.file) == ("sqlite", f"{folder}/d/h r.db")


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://app:s3cret@db/hr", "postgresql://app:s3/c@ret@db/hr", "postgresql://app:@db/hr",
        "postgresql://db/hr?password=s3cret", "mysql://db/hr?user=a&PASSWD=s3cret", "host=db password=s3cret",
        "oracle://app:s3cret@db/hr", "Server=db;Pwd=s3cret", "app:s3cret@db/hr",
    ],
)  # fmt: skip
def test_a_password_in_it_is_refused_and_not_repeated(given: str) -> None:
    """Whatever the form of the address; the other ways are named."""
    with pytest.raises(ConfigurationError) as refused:
        parse_address(given)
    assert "s3" not in str(refused.value)
    assert "PROVISIONER_DATABASE_PASSWORD, or name a file" in str(refused.value)


@pytest.mark.parametrize(
    "given",
    ["", "hr.db", "oracle://db/hr", "postgresql://", "postgresql:///hr", "postgresql://db", "postgresql://db:x/hr",
     "mysql://db/", "sqlite://", "sqlite://out/staff.db", "sqlite://localhost/srv/staff.db"],
)  # fmt: skip
def test_what_is_no_address_is_told_what_one_looks_like(given: str) -> None:
    """One sentence with an example of each; a file has no host, and a folder in its place would be another file."""
    with pytest.raises(ConfigurationError, match=r"give one like postgresql://user@host/database, mysql"):
        parse_address(given)


def test_a_query_does_not_show_its_password() -> None:
    """Not even where it is printed by chance."""
    assert "s3cret" not in repr(Query("SELECT 1", parse_address("mysql://db/hr"), "s3cret"))


@pytest.mark.parametrize(
    ("sql", "address", "same"),
    [
        ("SELECT 1", "postgresql://ann@db:5432/hr", True),
        ("\n SELECT 1 ;\n", "postgresql://ann@db:5432/hr", True),
        ("SELECT 1", "postgres://bob@DB:5432/hr?sslmode=require", True),
        ("SELECT 2", "postgresql://ann@db:5432/hr", False),
        ("SELECT  1", "postgresql://ann@db:5432/hr", False),  # blanks may stand within a text
        ("SELECT 1", "postgresql://ann@db:5433/hr", False),
        ("SELECT 1", "postgresql://ann@other:5432/hr", False),
        ("SELECT 1", "postgresql://ann@db:5432/hr2", False),
        ("SELECT 1", "mysql://ann@db:5432/hr", False),
    ],
)
def test_a_query_is_known_by_its_digest(sql: str, address: str, *, same: bool) -> None:
    """By what is asked and where, whoever asks."""
    digest = Query("SELECT 1", parse_address("postgresql://ann@db:5432/hr")).digest
    assert (Query(sql, parse_address(address), "s3cret").digest == digest) is same


def test_a_database_that_is_a_file_is_known_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its whole path."""
    monkeypatch.chdir(tmp_path)
    digests = {Query("SELECT 1", parse_address(f"sqlite:///{path}")).digest for path in ("hr.db", tmp_path / "hr.db")}
    assert len(digests) == 1
    assert Query("SELECT 1", parse_address("sqlite:///sub/hr.db")).digest not in digests

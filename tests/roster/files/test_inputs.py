"""Inputs: what the ROSTER arguments mean, and what their names tell of the files a run leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import InputFile, Location, find_inputs, shown

pytestmark = pytest.mark.usefixtures("here")


def refused(*arguments: str) -> str:
    with pytest.raises(RosterError) as error:
        find_inputs(arguments)
    return str(error.value)


@pytest.mark.parametrize(
    ("argument", "location", "suffix", "compression", "stem", "rejected"),
    [
        ("users.csv", Location.FILE, ".csv", None, "users", ".csv"),
        ("a/Users.CSV", Location.FILE, ".csv", None, "Users", ".csv"),
        ("users.txt", Location.FILE, ".txt", None, "users", ".txt"),
        ("users.tsv", Location.FILE, ".tsv", None, "users", ".tsv"),
        ("users.tab", Location.FILE, ".tab", None, "users", ".tab"),
        ("users.ndjson", Location.FILE, ".ndjson", None, "users", ".ndjson"),
        ("users.jsonl", Location.FILE, ".jsonl", None, "users", ".jsonl"),
        ("users.parquet", Location.FILE, ".parquet", None, "users", ".parquet"),
        ("users.xlsx", Location.FILE, ".xlsx", None, "users", ".xlsx"),
        ("users.csv.gz", Location.FILE, ".csv", "gzip", "users", ".csv"),
        ("users.2026.tsv.ZST", Location.FILE, ".tsv", "zstd", "users.2026", ".csv"),
        ("users.gz", Location.FILE, "", "gzip", "users", ".csv"),
        ("users", Location.FILE, "", None, "users", ".csv"),
        ("-", Location.STREAM, ".csv", None, "stdin", ".csv"),
        ("/dev/stdin", Location.STREAM, ".csv", None, "stdin", ".csv"),
        ("/dev/fd/63", Location.STREAM, ".csv", None, "stdin", ".csv"),
        ("s3://bucket/a/part-*.parquet", Location.REMOTE, ".parquet", None, "part-", ".parquet"),
        ("s3://bucket/*.parquet", Location.REMOTE, ".parquet", None, "roster", ".parquet"),
        ("HTTPS://u:p@host/users.csv?sig=secret", Location.REMOTE, ".csv", None, "users", ".csv"),
        ("az://container/users.ndjson.gz", Location.REMOTE, ".ndjson", "gzip", "users", ".csv"),
    ],
)
def test_a_name_says_where_what_and_what_the_outputs_are_called(
    argument: str, location: Location, suffix: str, compression: str | None, stem: str, rejected: str
) -> None:
    inputs = find_inputs([argument])
    assert inputs.files == (InputFile(argument, location, suffix, compression),)
    assert (inputs.stem, inputs.rejected_suffix) == (stem, rejected)


def test_local_paths_are_those_no_output_may_overwrite() -> None:
    inputs = find_inputs(["-", "a.csv", "s3://bucket/b.csv", "/dev/fd/9"])
    assert inputs.paths == (Path("a.csv"), Path("/dev/fd/9"))


@pytest.mark.parametrize(
    ("arguments", "rejected"),
    [
        (["a.csv", "b.txt"], ".csv"),
        (["a.jsonl", "b.ndjson"], ".jsonl"),
        (["a.parquet", "b.parquet"], ".parquet"),
        (["a.tsv", "b.csv"], ".csv"),
        (["a.ndjson", "b.csv"], ".csv"),
        (["a.ndjson", "b.ndjson.gz"], ".csv"),
        (["a.xlsx", "b.xlsx"], ".xlsx"),
    ],
)
def test_rejected_rows_of_several_files_have_their_format_when_they_share_one(
    arguments: list[str], rejected: str
) -> None:
    assert find_inputs(arguments).rejected_suffix == rejected


def test_a_pattern_is_expanded_in_order_of_names(here: Path) -> None:
    for name in ("p10.csv", "p2.csv", "p1.csv", "other.txt"):
        (here / name).touch()
    inputs = find_inputs(["./p?*.csv", "other.txt"])
    assert inputs.names == ("./p1.csv", "./p10.csv", "./p2.csv", "other.txt")
    assert inputs.stem == "p1"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here: Path) -> None:
    (here / "users[1].csv").touch()
    (here / "users1.csv").touch()
    assert find_inputs(["users[1].csv"]).names == ("users[1].csv",)


def test_a_pattern_that_fits_nothing_is_told() -> None:
    assert refused("exports/*.csv") == "exports/*.csv: no file matches"


def test_no_name_is_not_the_current_folder() -> None:
    """A variable that is not set would have everything read that lies here."""
    for given in ([""], ["a.csv", ""]):
        with pytest.raises(RosterError) as error:
            find_inputs(given)
        assert str(error.value) == (
            "an empty name as the roster; name a file (a variable that is not set gives nothing)"
        )


def test_a_missing_file_is_the_readers_affair() -> None:
    assert find_inputs(["missing.csv"]).names == ("missing.csv",)


def test_a_file_given_twice_is_told_however_it_is_spelled(here: Path) -> None:
    (here / "a.csv").touch()
    (here / "link.csv").symlink_to("a.csv")
    assert refused("a.csv", "b.csv", "a.csv") == "a.csv is given twice; name each file once"
    assert refused("a.csv", "link.csv") == "link.csv is given twice, also as a.csv; name each file once"
    assert refused("a.csv", "a*.csv") == "a.csv is given twice; name each file once"
    assert refused("gone.csv", "gone.csv") == "gone.csv is given twice; name each file once"
    assert refused("-", "/dev/stdin") == "/dev/stdin is given twice, also as standard input; name each file once"
    assert refused("s3://b/a.csv", "s3://b/a.csv") == "s3://b/a.csv is given twice; name each file once"


def test_an_address_of_another_kind_is_told_without_what_is_secret_in_it() -> None:
    known = "abfss://, az://, gs://, http://, https://, s3:// are"
    said = "ftp://host/users.csv: addresses that begin with ftp:// are not read; " + known
    assert refused("ftp://me:secret@host/users.csv") == said


@pytest.mark.parametrize(
    ("where", "seen"),
    [
        ("https://me:secret@host:81/a/b.csv?X-Amz-Signature=secret#secret", "https://host:81/a/b.csv"),
        ("http://host/a@b.csv?secret", "http://host/a@b.csv"),
        ("https://me:sec/ret@host:81/a.csv", "https://host:81/a.csv"),
        ("https://me:sec?ret@host/a.csv", "https://host/a.csv"),
        ("https://me:sec#ret@host/a.csv", "https://host/a.csv"),
        ("https://me:s@c/re@t@host/a.csv?sig=secret", "https://host/a.csv"),
        ("https://me:secret@host/a.csv?mail=me@secret", "https://host/a.csv"),
        ("https://me:sec?r=et@host/a.csv", "https://host/a.csv"),
        ("https://me:@host/a.csv", "https://host/a.csv"),
        ("https://host:81/a@b.csv", "https://host:81/a@b.csv"),
        ("https://host/10:30/a@b.csv", "https://host/10:30/a@b.csv"),
        ("s3://key:sec/ret@box/u.csv", "s3://box/u.csv"),
        ("ftp://me:sec/ret@host/u.csv", "ftp://host/u.csv"),
        ("https://host?secret@x/y", "https://host"),
        ("s3://bucket/part-?.csv", "s3://bucket/part-?.csv"),
        ("az://box/u.csv?sv=2024&sig=secret", "az://box/u.csv"),
        ("abfss://box@me.dfs.core.windows.net/u.csv", "abfss://box@me.dfs.core.windows.net/u.csv"),
        ("users?.csv", "users?.csv"),
        ("--base-url", "--base-url"),
    ],
)
def test_an_address_is_shown_without_user_password_and_query(where: str, seen: str) -> None:
    """Presigned addresses carry their secret in the query; it must not get into logs and files."""
    assert shown(where) == seen


def test_the_address_itself_stays_out_of_representations() -> None:
    assert "secret" not in repr(find_inputs(["https://host/u.csv?secret"]))


def test_a_pipe_is_read_once_and_its_name_tells_its_format(here: Path) -> None:
    for name in ("pipe", "users.ndjson", "users.parquet"):
        os.mkfifo(here / name)
    found = find_inputs(["pipe", "users.ndjson", "users.parquet"]).files
    assert [(file.location, file.suffix) for file in found] == [
        (Location.STREAM, ".csv"),
        (Location.STREAM, ".ndjson"),
        (Location.STREAM, ".csv"),
    ]

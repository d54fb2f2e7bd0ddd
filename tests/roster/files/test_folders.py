"""What is written about the files of a folder, of a pattern and of an archive is none of the roster."""

from __future__ import annotations

import gzip
import json
import shlex
import zipfile
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import find_inputs
from provisioner.roster.formats.rows import Notice
from provisioner.roster.reader import open_roster

PEOPLE = "uid,name\na1,Ann\n"
ABOUT = ("README.txt", "readme.md", "Read me first.txt", "LICENSE", "manifest.json", "metadata.json", "schema.json",
         "SHA256SUMS", "checksums.txt", "CHANGELOG.md", "Thumbs.db", "desktop.ini")  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize("about", ABOUT)
def test_what_is_about_the_files_is_no_roster(tmp_path: Path, about: str) -> None:
    """In a folder, by a pattern, and in an archive, also further in."""
    folder = tmp_path / "people"
    folder.mkdir()
    (folder / "users.csv").write_text(PEOPLE)
    (folder / about).write_text("This is about the export of 1 May.\n")
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("x/users.csv", PEOPLE)
        archive.writestr(f"x/{about}", "This is about the export of 1 May.\n")
        archive.writestr("x/__MACOSX/._users.csv", b"\0\5\x16\7")
        archive.writestr("x/.DS_Store", b"\0")
    for argument in (folder, folder / "*", tmp_path / "r.zip"):
        roster = open_roster(find_inputs([str(argument)]))
        assert [batch.frame.rows() for batch in roster.batches()] == [[("a1", "Ann")]]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    """Once for all of them, with what has to be done if there are people in it after all."""
    folder = tmp_path / "people"
    folder.mkdir()
    for name in ("users.csv", "README.txt", "manifest.json", "desktop.ini"):
        (folder / name).write_text(PEOPLE)
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("users.csv", PEOPLE)
        archive.writestr("schema.json", "{}")
    names = f"{folder}/README.txt, {folder}/manifest.json"
    several = f"{names} are not read: by their names they are about the other files; if there are people in them, "
    one = f"{tmp_path}/r.zip (schema.json) is not read: by its name it is about the other files; "
    told = [Notice("files.left_out", f"{several}name each as a roster")]
    assert open_roster(find_inputs([str(folder)])).notices() == told
    assert open_roster(find_inputs([str(folder / "*")])).notices() == told
    assert open_roster(find_inputs([str(tmp_path / "r.zip")])).notices() == [
        Notice("files.left_out", f"{one}if there are people in it, unpack the archive and name it as a roster")
    ]


OTHERS = ("license_holders.json", "notice_board.json", "schema-team.txt", "version 2.json", "manifest_a.txt",
          "licensees.txt", "copying-desk.json", "metadata_people.json", "README.json", "sha256_users.txt")  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_a_file_of_which_only_the_beginning_is_such_a_name_is_read(tmp_path: Path, other: str) -> None:
    """In a folder, by a pattern, and in an archive, where there are two rosters then."""
    (tmp_path / "people").mkdir()
    people = '[{"uid":"b2","name":"Bob"}]' if other.endswith("json") else PEOPLE.replace("a1,Ann", "b2,Bob")
    suffix = other.rpartition(".")[2]
    (tmp_path / "people" / f"a.{suffix}").write_text(people.replace("b2", "a1").replace("Bob", "Ann"))
    (tmp_path / "people" / other).write_text(people)
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        for file in (tmp_path / "people").iterdir():
            archive.writestr(file.name, file.read_bytes())
    for argument in (tmp_path / "people", tmp_path / "people" / "*"):
        roster = open_roster(find_inputs([str(argument)]))
        rows = [row[:2] for batch in roster.batches() for row in batch.frame.rows()]
        assert (sorted(rows), roster.notices()) == ([("a1", "Ann"), ("b2", "Bob")], [])
    with pytest.raises(RosterError, match="with 2 rosters in it"):
        open_roster(find_inputs([str(tmp_path / "r.zip")]))


def test_a_pattern_that_says_what_it_means_names_its_files(tmp_path: Path) -> None:
    """As the same pattern does that a shell expands."""
    for name in ("a.txt", "version.txt"):
        (tmp_path / name).write_text(PEOPLE)
    inputs = find_inputs([str(tmp_path / "*.txt")])
    assert inputs.names == (f"{tmp_path}/a.txt", f"{tmp_path}/version.txt")
    assert inputs.about == ()


def test_a_file_that_only_is_called_so_is_read_and_two_rosters_stay_two(tmp_path: Path) -> None:
    """Nothing is left out that may hold people: a text of another name, or the only one there is."""
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("readme.txt", PEOPLE)
    assert open_roster(find_inputs([str(tmp_path / "one.zip")])).columns == ("uid", "name")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("users.csv", PEOPLE)
        archive.writestr("notes.txt", PEOPLE)
        archive.writestr("metadata.csv", PEOPLE)
    with pytest.raises(RosterError, match=r"with 3 rosters in it: users\.csv, notes\.txt, metadata\.csv; unpack it"):
        open_roster(find_inputs([str(tmp_path / "two.zip")]))


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("parts", "other", "cure"),
    [
        (["a.csv"], "notes.docx", "fo/*.csv"),
        (["a.csv"], "sub/notes.docx", "fo/*.csv"),
        (["sub/a.csv"], "notes.docx", "fo/**/*.csv"),
        (["a.csv", "sub/b.csv"], "sub/notes.docx", "fo/**/*.csv"),
        (["part-0.parquet", "part-1.parquet"], "notes.docx", "fo/*.parquet"),
        (["a.csv.gz", "b.csv.gz"], "c.png", "fo/*.csv.gz"),
        (["dept=A/a.ndjson", "dept=B/a.ndjson"], "dept=B/x.bin", "fo/**/*.ndjson"),
    ],
)
@pytest.mark.parametrize("argument", ["fo", "fo/**", "f[o]"])
def test_the_pattern_that_is_proposed_reads_all_but_what_is_no_roster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[str], other: str, cure: str, argument: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, part in enumerate(parts):
        path = tmp_path / "fo" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        user = {"uid": f"a{number}", "name": "Ann"}
        if path.suffix == ".parquet":
            pl.DataFrame([user]).write_parquet(path)
        else:
            text = "uid,name\n{uid},{name}\n".format(**user) if ".csv" in part else json.dumps(user)
            path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    (tmp_path / "fo" / other).parent.mkdir(exist_ok=True)
    (tmp_path / "fo" / other).write_bytes(b"\0\1\2")
    with pytest.raises(RosterError) as refused:
        open_roster(find_inputs([argument]))
    assert str(refused.value).endswith(f", or leave it out by a pattern such as {shlex.quote(cure)}")
    with closing(open_roster(find_inputs([cure]))) as roster:
        uids = [uid for batch in roster.batches() for uid in batch.frame["uid"]]
    assert uids == [f"a{number}" for number in range(len(parts))]


def test_no_pattern_is_proposed_that_would_not_leave_it_out(tmp_path: Path) -> None:
    """As where all are called alike."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(PEOPLE)
    (tmp_path / "c.csv").write_bytes(b"%PDF-1.7\n")
    with pytest.raises(RosterError, match=r"c\.csv is a PDF; export the people in it as CSV$"):
        open_roster(find_inputs([str(tmp_path)]))


def test_a_link_to_a_folder_that_it_is_in_adds_nothing(tmp_path: Path) -> None:
    """Wherever it stands; one to another folder is followed."""
    (tmp_path / "people" / "sub").mkdir(parents=True)
    (tmp_path / "more").mkdir()
    (tmp_path / "people" / "a.csv").write_text(PEOPLE)
    (tmp_path / "more" / "b.csv").write_text(PEOPLE)
    (tmp_path / "people" / "itself").symlink_to(".")
    (tmp_path / "people" / "sub" / "up").symlink_to(tmp_path / "people")
    (tmp_path / "people" / "sub" / "other").symlink_to(tmp_path / "more")
    folder = tmp_path / "people"
    assert find_inputs([str(folder)]).names == (f"{folder}/a.csv", f"{folder}/sub/other/b.csv")


def test_a_link_into_what_may_not_be_looked_into_is_told(nobody: Path) -> None:
    """Its rows are not left out in silence; under a name that is set aside it is nothing."""
    (nobody / "locked/in").mkdir(parents=True)
    (nobody / "people").mkdir()
    (nobody / "people/users.csv").write_text(PEOPLE)
    (nobody / "people/.old").symlink_to(nobody / "locked/in")
    (nobody / "locked").chmod(0)
    assert len(find_inputs([str(nobody / "people")]).files) == 1
    (nobody / "people/old").symlink_to(nobody / "locked/in")
    with pytest.raises(RosterError) as error:
        find_inputs([str(nobody / "people")])
    assert str(error.value) == f"{nobody / 'people/old'} cannot be read: Permission denied"
    (nobody / "locked").chmod(0o700)

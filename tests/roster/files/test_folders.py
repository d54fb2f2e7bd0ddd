"""What is written about the files of a folder, of a pattern and of an archive is none of the roster."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import find_inputs
from provisioner.roster.reader import open_roster

PEOPLE = "uid,name\na1,Ann\n"
ABOUT = ("README.txt", "readme.md", "Read me first.txt", "LICENSE", "manifest.json", "metadata.json", "schema.json",
         "SHA256SUMS", "checksums.txt", "CHANGELOG.md", "Thumbs.db", "desktop.ini")  # fmt: skip


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

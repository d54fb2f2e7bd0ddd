"""Files that are never lost to another of their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.files.aside import set_aside, set_edited_aside
from provisioner.files.looking import digest_of


def test_setting_aside_renames(here: Path) -> None:
    """The file is kept under a name with the time, beside where it was; nothing there is no error."""
    assert set_aside(Path("r.csv")) is None
    (here / "r.csv").write_text("tokens")
    aside = set_aside(Path("r.csv"))
    assert aside is not None
    assert aside.match("r.????????T??????.csv")
    assert [(each.name, each.read_text()) for each in here.iterdir()] == [(aside.name, "tokens")]


def test_what_was_set_aside_is_never_overwritten(here: Path) -> None:
    """Five runs within one second leave five files: each may hold the only copy of its tokens."""
    for n in range(5):
        (here / "r.csv").write_text(str(n))
        set_aside(Path("r.csv"))
    assert sorted(each.read_text() for each in here.iterdir()) == list("01234")


def test_what_belongs_to_a_file_goes_along_with_it(here: Path) -> None:
    """Its companions keep their endings behind its new name; a stranger beside it stays."""
    for name in ("r.db", "r.db-wal", "r.db-other"):
        (here / name).write_text(name)
    aside = set_aside(Path("r.db"), ("-wal", "-shm"))
    assert aside is not None
    assert {each.name: each.read_text() for each in here.iterdir()} == {
        aside.name: "r.db",
        f"{aside.name}-wal": "r.db-wal",
        "r.db-other": "r.db-other",
    }


def test_a_link_is_set_aside_wherever_it_leads(here: Path) -> None:
    """What is behind it may be on a disk that is not mounted: it is not lost, nor is one that is aside already."""
    for n in range(3):
        (here / "r.csv").symlink_to(f"/nowhere/{n}")
        assert set_aside(Path("r.csv")) is not None
    (here / "r.csv").symlink_to("r.csv")
    assert set_edited_aside(Path("r.csv"), None) is not None
    leads = sorted(str(each.readlink()) for each in here.iterdir())
    assert leads == ["/nowhere/0", "/nowhere/1", "/nowhere/2", "r.csv"]


@pytest.mark.parametrize("known", [False, True])
def test_what_cannot_be_read_is_somebodys_work(nobody: Path, *, known: bool) -> None:
    """Another account may have mended it: it is kept, whatever was written last. Nothing there is nothing to keep."""
    path = nobody / "r.csv"
    path.write_text("mended")
    written = digest_of(path) if known else None
    path.chmod(0)
    aside = set_edited_aside(path, written)
    assert aside is not None
    assert [each.name for each in nobody.iterdir()] == [aside.name]
    aside.chmod(0o600)
    assert (aside.read_text(), set_edited_aside(path, written)) == ("mended", None)

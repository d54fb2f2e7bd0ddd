"""The watch over files that SQLite has open sees them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.rig.closing import is_held
from tests.rig.command import provisioner


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no /proc")
def test_what_sqlite_has_open_is_held_until_it_is_closed(tmp_path: Path) -> None:
    """The database, by any name, and its index."""
    path = tmp_path / "r.db"
    (tmp_path / "link.db").symlink_to(path)
    assert not is_held(str(path))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE a (b)")
        assert [is_held(str(tmp_path / name)) for name in ("r.db", "link.db", "r.db-shm")] == [True, True, True]
    assert not is_held(str(path))


@pytest.mark.slow
def test_a_round_that_goes_on_from_another_opens_nothing_that_it_has_open(tmp_path: Path) -> None:
    """Nor does the rehearsal of one that goes on; the watch would end either with another code."""
    (tmp_path / "users.csv").write_text("uid,name\nann,Ann\nbob,\n")
    assert provisioner("run", "users.csv", "--emulator", cwd=tmp_path).exit_code == 1
    rejected = tmp_path / "users.results.rejected.csv"
    rejected.write_text(rejected.read_text().replace("bob,,", "bob,Bob,"))
    for more in ((), ("--dry-run",), ()):
        done = provisioner("run", rejected.name, "--emulator", *more, cwd=tmp_path)
        assert done.exit_code == 0, done.stderr

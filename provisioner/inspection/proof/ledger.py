"""Where the roster's side and the app's side of a proof meet: on disk, so that memory grows with neither.

    expected  whoever has to be there, with the profile in its one form (`stored`)
    met       whoever of them the app showed; the profile only where it is another one

Everybody else whom the app shows is none of ours, and nothing is kept of them.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from provisioner.errors import OutputError, StorageError
from provisioner.inspection.proof.stored import FieldDifference, Source, Terms, Told, differences, profile_of
from provisioner.journal.header import closed_on_error
from provisioner.model import Standing
from provisioner.sync.plan.listing import standing_of

MISSING: Final = "missing"
"""The standing of somebody whom the app does not show."""
STANDING: Final = "standing"
"""What the standing is called where fields are named."""

# Nobody goes on with it after a crash, so it need not outlive one.
_SCHEMA: Final = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE expected (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    standing TEXT NOT NULL,
    profile BLOB,
    role TEXT,
    away INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE named (uid TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE met (id INTEGER PRIMARY KEY, standing TEXT NOT NULL, profile BLOB, source INTEGER NOT NULL);
"""
_INDEX: Final = "CREATE UNIQUE INDEX by_uid ON expected (uid)"
_ASKED: Final = """
SELECT expected.id, expected.uid, expected.profile, met.source, coalesce(met.profile, expected.profile)
FROM json_each(?) AS asked JOIN expected ON expected.uid = asked.value LEFT JOIN met ON met.id = expected.id
"""
_UNLIKE: Final = """
SELECT expected.uid, expected.standing, expected.profile, met.standing, met.profile, met.source, expected.role
FROM expected LEFT JOIN met USING (id)
WHERE (met.id IS NULL OR met.standing <> expected.standing OR met.profile IS NOT NULL)
    AND NOT (away AND coalesce(met.standing, 'deactivated') = 'deactivated')
ORDER BY id
"""
_UNMET: Final = """
SELECT uid FROM expected LEFT JOIN met USING (id) WHERE met.id IS NULL AND uid > ? ORDER BY uid LIMIT ?
"""
_IN_ORDER: Final = """
SELECT uid, iif(away, NULL, expected.profile),
    iif(met.standing = iif(away, 'active', expected.standing), coalesce(met.profile, expected.profile), NULL),
    met.source
FROM expected LEFT JOIN met USING (id) WHERE expected.profile IS NOT NULL ORDER BY uid
"""
_LOST: Final = """
DELETE FROM met WHERE id = (SELECT id FROM expected WHERE uid = ?) AND (? OR standing <> 'deactivated')
"""
_SEEN: Final = """
SELECT met.source, count(*), min(uid) FROM expected JOIN met USING (id)
WHERE expected.profile IS NOT NULL AND met.standing = expected.standing GROUP BY 1 ORDER BY 1
"""


class Expected(NamedTuple):
    """Somebody whom the roster names.

    role  that it names; null for the default one
    away  is as it should be when it is not there or deactivated, whatever its profile: it has left, by a sync's word
    """

    uid: str
    profile: bytes
    standing: Standing = Standing.ACTIVE
    role: str | None = None
    away: bool = False


class Unlike(NamedTuple):
    """Somebody who is not as expected; `profile` is whether it has one to be compared: a leaver has none."""

    uid: str
    wanted: str
    standing: str
    profile: bool
    differences: tuple[FieldDifference, ...]
    role: str | None = None


@dataclass(slots=True)
class Totals:
    """What a comparison adds up to.

    deactivated, active  users who are that, and should be the other
    fields   field → users who differ in it
    leavers  users of a state whom the roster does not name, and those of them who are not as the state has them
    """

    users: int = 0
    matching: int = 0
    differing: int = 0
    missing: int = 0
    deactivated: int = 0
    active: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    leavers: int = 0
    leavers_unlike: int = 0


class Ledger:
    """Both sides, in a file that has no name and is gone when it is closed. For one thread at a time.

    Raises `OutputError` when there can be no such file, `StorageError` when there is no room in it any more.
    """

    def __init__(self, folder: Path, terms: Terms) -> None:
        self._folder, self.terms = folder, terms
        self._told = Told()
        self._database = _without_name(folder)
        self._loaded = False

    @property
    def told(self) -> frozenset[str]:
        """The fields that the app has told anything of."""
        return self._told.of(Source.BOTH)

    @property
    def untold(self) -> frozenset[str]:
        """Fields to be compared of which the app tells nothing."""
        return self.terms.fields - self.told

    def left_open(self) -> dict[str, tuple[int, str]]:
        """Say of which fields the app tells nothing of some users only: how many they are, and the first by uid."""
        found: dict[str, tuple[int, str]] = {}
        for source, users, first in self._database.execute(_SEEN):
            for name in self.terms.fields - self.untold - self._told.of(Source(source)):
                before, uid = found.get(name, (0, first))
                found[name] = (before + users, min(uid, first))
        return found

    def expect(self, users: Iterable[Expected]) -> None:
        """Take in users of the roster."""
        with self._writing():
            rows = ((each.uid, each.profile, each.standing.value, each.role, each.away) for each in users)
            into = "INSERT INTO expected (uid, profile, standing, role, away) VALUES (?, ?, ?, ?, ?)"
            self._database.executemany(into, rows)

    def reject(self, roles: Collection[str]) -> int:
        """Leave out whom the roster gives a role that the app does not have; says how many."""
        with self._writing():
            asked = (orjson.dumps(sorted(roles)).decode(),)
            rejected = "FROM expected WHERE role IN (SELECT value FROM json_each(?))"
            self._database.execute(f"INSERT OR IGNORE INTO named SELECT uid {rejected}", asked)
            return self._database.execute(f"DELETE {rejected}", asked).rowcount

    def name(self, uids: Iterable[str]) -> None:
        """Take in uids that the roster names without saying what their users are like."""
        with self._writing():
            self._database.executemany("INSERT OR IGNORE INTO named VALUES (?)", ((uid,) for uid in uids))

    def expect_leavers(self, standings: Sequence[tuple[str, str]]) -> None:
        """Take in uid and standing of users of a state whom the roster does not name; the roster comes first."""
        self._index()
        asked = (orjson.dumps(dict(standings)).decode(),)
        with self._writing():
            self._database.execute(
                "INSERT INTO expected (uid, standing, away) SELECT key, value, value = 'deactivated' "
                "FROM json_each(?) AS given "
                "WHERE NOT EXISTS (SELECT 1 FROM expected WHERE expected.uid = given.key) "
                "AND NOT EXISTS (SELECT 1 FROM named WHERE named.uid = given.key)",
                asked,
            )

    def size(self) -> int:
        """Count those who are expected."""
        return int(self._database.execute("SELECT count(*) FROM expected").fetchone()[0])

    def unmet(self, after: str = "", most: int = 1000) -> list[str]:
        """Give the next of those whom the app has not shown, by their uids."""
        self._index()
        return [uid for (uid,) in self._database.execute(_UNMET, (after, most))]

    def meet(self, users: Iterable[Mapping[str, Any]], listed_as: Standing, *, by_list: bool = True) -> None:
        """Compare users as the app shows them; whoever was shown before is now as shown last.

        by_list  a list shows them, and with it their tags
        """
        self._index()
        by_uid = {user["uid"].lower(): user for user in users}
        self._told.learn(by_uid.values(), Source.LIST if by_list else Source.ANSWER)
        asked = (orjson.dumps(list(by_uid)).decode(),)
        with self._writing():
            ours = self._database.execute(_ASKED, asked).fetchall()
            rows = []
            for key, uid, roster, before, known in ours:
                user, source = by_uid[uid], Source.LIST if by_list else Source.ANSWER
                if not by_list and known is not None and before in {Source.LIST, Source.BOTH}:
                    # What the answer leaves out is as a list has shown it.
                    user, source = {**orjson.loads(known), **user}, Source.BOTH
                rows.append((key, standing_of(user, listed_as).value, self._unlike(user, roster), source))
            self._database.executemany("INSERT OR REPLACE INTO met VALUES (?, ?, ?, ?)", rows)

    def lose(self, uid: str, *, everywhere: bool = True) -> None:
        """Note that no such user is active, whatever was shown before; `everywhere`: none is deactivated either."""
        with self._writing():
            self._database.execute(_LOST, (uid, everywhere))

    def unlike(self) -> Iterator[Unlike]:
        """Give those who are not as expected, in the order in which they were taken in."""
        for uid, wanted, roster, standing, app, source, role in self._database.execute(_UNLIKE):
            told: tuple[FieldDifference, ...] = ()
            if standing == wanted and app is not None:
                told = tuple(differences(*self._compared_of(roster, app, source)))
            if standing != wanted or told:
                yield Unlike(uid, wanted, standing or MISSING, roster is not None, told, role)

    def totals(self) -> Totals:
        """Add up."""
        row = self._database.execute("SELECT count(profile), sum(profile IS NULL) FROM expected").fetchone()
        totals = Totals(users=row[0], leavers=row[1] or 0)
        for each in self.unlike():
            if not each.profile:
                totals.leavers_unlike += 1
            elif each.standing == MISSING:
                totals.missing += 1
            elif each.standing != each.wanted:
                totals.deactivated += each.wanted == Standing.ACTIVE
                totals.active += each.wanted == Standing.DEACTIVATED
            else:
                totals.differing += 1
                totals.fields.update(difference.field for difference in each.differences)
        unlike = totals.differing + totals.missing + totals.deactivated + totals.active
        totals.matching = totals.users - unlike
        return totals

    def digests(self) -> tuple[str, str]:
        """Give the SHA-256 of both sides, roster first: over the lines `uid TAB sha256(profile)`, sorted by uid."""
        sides = (hashlib.sha256(), hashlib.sha256())
        for uid, roster, app, source in self._database.execute(_IN_ORDER):
            one, other = (roster or app, app or roster)
            if one is None or other is None:
                continue
            ours, theirs = self._compared_of(one, other, source)
            line = _line(uid, ours)
            if roster is not None:
                sides[0].update(line)
            if app is not None:
                sides[1].update(line if theirs == ours else _line(uid, theirs))
        return sides[0].hexdigest(), sides[1].hexdigest()

    def close(self) -> None:
        """Let go of the disk space."""
        self._database.close()

    def _unlike(self, user: Mapping[str, Any], roster: bytes | None) -> bytes | None:
        """Give the profile of somebody who is expected; None where it is the roster's, or none is compared."""
        app = profile_of(user, self.terms.fields) if roster is not None else None
        return None if app == roster else app

    def _compared_of(self, roster: bytes, app: bytes, source: int | None) -> tuple[bytes, bytes]:
        """Leave out of both profiles what is not compared of whom the app has shown there, or nowhere (None)."""
        told = self._told.of(Source.BOTH if source is None else Source(source))
        return self.terms.compared(roster, app, told)

    def _index(self) -> None:
        if not self._loaded:
            with self._writing():
                self._database.execute(_INDEX)
            self._loaded = True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._database:
                self._database.execute("BEGIN")
                yield
        except sqlite3.OperationalError as error:
            raise _no_room(self._folder, error) from error


def _line(uid: str, profile: bytes) -> bytes:
    return f"{uid}\t{hashlib.sha256(profile).hexdigest()}\n".encode()


def _without_name(folder: Path) -> sqlite3.Connection:
    """Make a database that is gone when the process is: its file has lost its name before anything is in it."""
    try:
        file, name = tempfile.mkstemp(".part", ".proof-", folder)
    except OSError as error:
        raise OutputError(f"{folder}: no file can be made there ({error.strerror}); choose another --output") from error
    os.close(file)
    try:
        with closed_on_error(sqlite3.connect(name, isolation_level=None, check_same_thread=False)) as database:
            database.executescript(_SCHEMA)
            return database
    except sqlite3.OperationalError as error:
        raise _no_room(folder, error) from error
    finally:
        Path(name).unlink()


def _no_room(folder: Path, error: sqlite3.Error) -> StorageError:
    return StorageError(f"{folder}: no room to compare the roster with the app ({error}); make room, then run again")

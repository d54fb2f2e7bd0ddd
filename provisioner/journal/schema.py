"""The tables of a journal, and how one of an older format becomes one of the present.

users   one row for each uid that was ever sent (see `journal`, and for the later columns `syncstate`)
nights  one row for each sync
runs    one row for each run that may send, and `pace` the stretches of it: see `course`
events  what was out of the ordinary in the life of a user: see `course.events`
mints   how often an auth token was minted for a user: see `course.mints`
former  what was known of users who were gone, and are created anew: see `state.gone`
meta    what the journal was made for

overwrites  what users were before updates of this job (see `undo.overwrites`)
reversals   what undos did, user by user (see `undo.reversals`)
undos       one row for each undo (see `undo.undojournal`)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Final

VERSION: Final = 4
FIRST_WITH_NIGHTS: Final = 2
# "PRVS": SQLite keeps it in the file's header, so that another program's database is known for what it is.
APPLICATION_ID: Final = 0x50525653

BEFORE: Final = 2
"""What `ours` is of a user whom an earlier round of the job has created; of one whom this one has, it is 1."""

AWAY_BEFORE: Final = 3
"""The same of one whom the earlier round had deactivated as well, or may have; until this one finds it active."""

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    row INTEGER NOT NULL,
    body_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'settled')),
    sent_at REAL NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    http_status INTEGER,
    error_code TEXT,
    error_message TEXT,
    auth_token TEXT,
    created_at INTEGER,
    settled_at REAL,
    doubt_since REAL,
    doubt_hash TEXT
);
"""

# What a sync knows beside that; see `provisioner.journal.state.syncstate`. Format 1 had none of it.
_SINCE_2: Final = """
ALTER TABLE users ADD COLUMN operation TEXT;
ALTER TABLE users ADD COLUMN certain INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN standing TEXT;
ALTER TABLE users ADD COLUMN live_hash TEXT;
ALTER TABLE users ADD COLUMN digests BLOB;
ALTER TABLE users ADD COLUMN absent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN epoch INTEGER;
CREATE TABLE nights (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    started_at REAL NOT NULL,
    finished_at REAL,
    good INTEGER NOT NULL DEFAULT 0,
    plan TEXT,
    rows INTEGER,
    summary TEXT
);
"""

# That this job created a user outlives whatever is sent for it later. The profile is the one that was last carried
# out, packed: see `provisioner.sending.users.profile`. How each run went, and how fast: see
# `provisioner.journal.course`. What is known of the auth tokens of a leaver: see `provisioner.journal.state.managed`.
# What a user may have besides its body, since a run updated it, is written as in `live_hash`. Of whom an earlier
# version updated, it may be any field. A row is owed that was edited since its user was created, until that is
# carried out. Which fields of a user the job has filled is not known of earlier versions.
_SINCE_4: Final = """
ALTER TABLE users ADD COLUMN ours INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN profile BLOB;
ALTER TABLE users ADD COLUMN night_outcome TEXT;
UPDATE users SET ours = 1 WHERE state = 'settled' AND outcome = 'created';
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,
    finished_at REAL,
    command TEXT NOT NULL,
    epoch INTEGER,
    asked TEXT NOT NULL,
    stopped_by TEXT,
    requests INTEGER
);
CREATE TABLE pace (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    ends_at REAL NOT NULL,
    seconds REAL NOT NULL,
    requests INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    rate_limited INTEGER NOT NULL,
    paused REAL NOT NULL,
    core INTEGER NOT NULL,
    standard INTEGER NOT NULL,
    core_limit REAL NOT NULL,
    standard_limit REAL NOT NULL,
    held_by TEXT NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,
    at REAL NOT NULL,
    epoch INTEGER,
    kind TEXT NOT NULL,
    operation TEXT,
    outcome TEXT,
    http_status INTEGER,
    code TEXT,
    message TEXT,
    attempts INTEGER
);
ALTER TABLE users ADD COLUMN sessions TEXT;
ALTER TABLE users ADD COLUMN made_hash TEXT;
ALTER TABLE users ADD COLUMN besides TEXT;
ALTER TABLE users ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN filled INTEGER;
UPDATE users SET owed = 1 WHERE ours AND outcome <> 'created';
UPDATE users SET besides = '+12356' WHERE outcome = 'updated';
CREATE TABLE mints (uid TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE former (id INTEGER PRIMARY KEY, auth_token TEXT, created_at INTEGER NOT NULL, ours INTEGER NOT NULL);
"""

# mark: UNIX seconds by the server, of our last answer that changed the user. withdrawn: an undo has deactivated the
# user, whom this job had created; 2 once a run has begun to bring it back. Of whom an earlier version updated, or may
# have, nothing is known of before.
_UNDO: Final = """
ALTER TABLE users ADD COLUMN mark INTEGER;
ALTER TABLE users ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
CREATE TABLE overwrites (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('kept', 'own', 'unknown')),
    before BLOB,
    untold INTEGER NOT NULL DEFAULT 0,
    fields INTEGER NOT NULL DEFAULT 0,
    carried BLOB NOT NULL DEFAULT x'',
    confirmed INTEGER NOT NULL DEFAULT 0,
    doubted INTEGER NOT NULL DEFAULT 0,
    kept_at REAL NOT NULL
);
CREATE TABLE reversals (
    id INTEGER PRIMARY KEY,
    undo INTEGER NOT NULL,
    action TEXT CHECK (action IN ('deactivate', 'delete', 'restore')),
    state TEXT NOT NULL CHECK (state IN ('sent', 'settled')),
    sent_at REAL,
    verdict TEXT NOT NULL DEFAULT 'pending',
    reason TEXT,
    message TEXT,
    http_status INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    settled_at REAL,
    again_at REAL
);
CREATE TABLE undos (
    id INTEGER PRIMARY KEY,
    round INTEGER NOT NULL,
    permanent INTEGER NOT NULL DEFAULT 0,
    started_at REAL NOT NULL,
    finished_at REAL,
    good INTEGER NOT NULL DEFAULT 0,
    summary TEXT
);
CREATE INDEX reversing ON reversals (id) WHERE state = 'sent';
INSERT INTO overwrites (id, kind, kept_at)
    SELECT id, 'unknown', sent_at FROM users
    WHERE operation IS NULL AND NOT ours AND (outcome = 'updated' OR state = 'sent' OR doubt_since IS NOT NULL);
"""

# What each format added to the one before; no version was released with a format 3.
_ADDED: Final = ((FIRST_WITH_NIGHTS, _SINCE_2), (VERSION, _SINCE_4), (VERSION, _UNDO))

# Up to format 2 the moments of doubts are those of the sending machine's clock. They are converted once, when a run
# that goes on with them learns the server's time; until then `meta` says what they are.
_LOCAL_TIMES: Final = """
INSERT INTO meta SELECT 'times', 'local'
WHERE EXISTS (SELECT 1 FROM users WHERE state = 'sent' OR doubt_since IS NOT NULL)
"""
_TIMES_CONVERTED: Final = (
    "UPDATE users SET sent_at = sent_at + :ahead, doubt_since = doubt_since + :ahead",
    "UPDATE meta SET value = value + :ahead WHERE key = 'copied_at'",
    "DELETE FROM meta WHERE key = 'times'",
)
HAS_LOCAL_TIMES: Final = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'times')"


class Meta:
    """What an open journal keeps by name, each as a text; part of the transaction that is open, if one is."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """Give what is kept; None when nothing is."""
        found = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def put(self, key: str, text: str) -> None:
        """Keep this, in place of what was kept before."""
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def drop(self, key: str) -> None:
        """Keep nothing any more."""
        self._database.execute("DELETE FROM meta WHERE key = ?", (key,))


def bring_up_to_date(database: sqlite3.Connection, version: int, facts: Mapping[str, str]) -> None:
    """Make the tables of an empty file (format 0), or add to an older format what it lacks; all or nothing.

    facts  what a new journal is made for
    """
    if version == VERSION:
        return
    with database:
        database.execute("BEGIN IMMEDIATE")
        if version == 0:
            _carry_out(database, _SCHEMA)
            database.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for first, added in _ADDED:
            if version < first:
                _carry_out(database, added)
        if version > 0:
            database.execute(_LOCAL_TIMES)
        database.execute(f"PRAGMA user_version = {VERSION}")


def convert_times(database: sqlite3.Connection, ahead: float) -> None:
    """Have the moments of doubts be the server's, whose clock is so many seconds ahead of ours; all or nothing."""
    with database:
        database.execute("BEGIN IMMEDIATE")
        for statement in _TIMES_CONVERTED:
            database.execute(statement, {"ahead": ahead})


def copied_up_to_date(database: sqlite3.Connection, version: int, facts: Mapping[str, str]) -> sqlite3.Connection:
    """Bring an older format up to date in a copy, which SQLite keeps in a file without a name, and close the original.

    facts  as for `bring_up_to_date`
    """
    copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    try:
        with closing(database):
            database.backup(copy)
        bring_up_to_date(copy, version, facts)
    except BaseException:
        copy.close()
        raise
    return copy


def _carry_out(database: sqlite3.Connection, script: str) -> None:
    """Carry out several statements within the transaction that is open, which `executescript` would end."""
    for statement in script.split(";\n"):
        database.execute(statement)

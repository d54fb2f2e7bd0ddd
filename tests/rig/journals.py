"""Journals as runs leave them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from provisioner.journal import schema
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.schema import APPLICATION_ID
from provisioner.model import Outcome, Settlement, State, UserRequest

HERE = Identity("app", "http://h/v3")

# What a journal looked like before there were syncs.
FORMAT_1 = f"""
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
INSERT INTO meta VALUES ('app_id', 'app1'), ('base_url', 'https://app1.api-eu.cometchat.io/v3'), ('made_at', '1.0');
INSERT INTO users (uid, row, body_hash, state, sent_at, outcome, error_code, auth_token, doubt_since) VALUES
    ('made', 1, 'h1', 'settled', 5.0, 'created', NULL, 'token-1', NULL),
    ('updated', 2, 'h2', 'settled', 5.0, 'updated', NULL, NULL, NULL),
    ('there', 3, 'h3', 'settled', 5.0, 'existing', NULL, NULL, NULL),
    ('away', 4, 'h4', 'settled', 5.0, 'existing', 'deactivated', NULL, NULL),
    ('failed', 5, 'h5', 'settled', 5.0, 'failed', 'ERR_BAD_REQUEST', NULL, NULL),
    ('doubted', 6, 'h6', 'settled', 5.0, 'failed', 'in_doubt', NULL, 4.0),
    ('sent', 7, 'h7', 'sent', 5.0, 'pending', NULL, NULL, NULL),
    ('pending', 8, 'h8', 'pending', 5.0, 'pending', NULL, NULL, NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = 1;
"""


def a_journal(path: Path) -> Path:
    """A journal as a kill leaves it: one created, one failed and in doubt, one on the wire."""
    requests = [UserRequest(n, n, f"u{n}", b"{}", "00", token=False) for n in (1, 2, 3)]
    with Journal(path, HERE) as journal:
        journal.sent(requests, 100.0)
        journal.settle(
            [
                Settlement(1, State.SETTLED, Outcome.CREATED, 1, 200, auth_token="u1_secret", settled_at=101.0),
                Settlement(2, State.SETTLED, Outcome.FAILED, 8, settled_at=101.0, doubt_since=100.0),
            ]
        )
    return path


def as_format_2(path: Path) -> None:
    """Have a journal be what the version before server times would have left of it."""
    old = path.with_name("old.db")
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.executescript(schema._SCHEMA + schema._SINCE_2)
        database.execute("ATTACH ? AS new", (str(path),))
        columns = ", ".join(name for _, name, *_ in database.execute("PRAGMA main.table_info(users)"))
        database.execute(f"INSERT INTO users ({columns}) SELECT {columns} FROM new.users")
        database.execute("INSERT INTO meta SELECT * FROM new.meta WHERE key IN ('app_id', 'base_url', 'made_at')")
        database.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2;")
    old.replace(path)

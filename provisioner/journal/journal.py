"""The journal: one SQLite file that knows what became of every user, and the only state there is.

A row is written as *sent* before its request may leave, and as *settled* once its outcome is known; each call here is
one commit, and a commit is on disk when the call returns (WAL, synchronous=FULL). Many rows go into one statement:
`executemany` would take Python's global lock back after every row, and wait for the event loop each time.

A `Journal` is for one thread at a time.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias

import orjson

from provisioner.errors import JournalError, StorageError
from provisioner.files import free_name
from provisioner.journal import schema
from provisioner.journal.lock import JournalLock
from provisioner.journal.schema import APPLICATION_ID, VERSION
from provisioner.journal.view import Identity
from provisioner.model import Outcome, Past, Settlement, State, UserRequest

# A row that was sent and never settled was left behind by a kill: in doubt since it was sent.
_SENT: Final = """
INSERT INTO users (id, uid, row, body_hash, sent_at, state)
SELECT column1, column2, column3, column4, column5, 'sent' FROM (VALUES {rows}) WHERE true
ON CONFLICT (uid) DO UPDATE SET
    row = excluded.row,
    body_hash = excluded.body_hash,
    doubt_since = iif(state = 'sent', coalesce(doubt_since, sent_at), doubt_since),
    doubt_hash = iif(state = 'sent' OR doubt_since IS NOT NULL, coalesce(doubt_hash, body_hash), NULL),
    sent_at = excluded.sent_at,
    state = 'sent',
    outcome = 'pending',
    http_status = NULL,
    error_code = NULL,
    error_message = NULL,
    settled_at = NULL
"""

_SETTLED: Final = """
UPDATE users SET
    state = column2,
    outcome = column3,
    attempts = column4,
    http_status = column5,
    error_code = column6,
    error_message = column7,
    auth_token = column8,
    created_at = column9,
    settled_at = column10,
    doubt_since = column11,
    doubt_hash = iif(column11 IS NULL, NULL, coalesce(doubt_hash, body_hash))
FROM (VALUES {rows}) WHERE users.id = column1
"""

_MOVED: Final = "UPDATE users SET row = column2 FROM (VALUES {rows}) WHERE users.id = column1"

# Rows to a statement, tried in this order.
_PIECES: Final = (1000, 100, 10, 1)

_KNOWN: Final = """
SELECT uid, users.id, row, body_hash, state, outcome, attempts, auth_token, created_at,
    iif(state = 'sent', coalesce(doubt_since, sent_at), doubt_since), coalesce(doubt_hash, body_hash)
FROM json_each(?) AS asked JOIN users ON users.uid = asked.value
"""

FINAL: Final = frozenset({Outcome.CREATED, Outcome.EXISTING, Outcome.UPDATED})
"""Outcomes with which a run has nothing more to do for a row, unless the row is edited."""

_FINALLY: Final = """
SELECT uid, body_hash, users.id, row FROM json_each(?) AS asked JOIN users ON users.uid = asked.value
WHERE state = 'settled' AND outcome IN ('created', 'existing', 'updated')
"""

_OUTCOMES: Final = """
SELECT uid, outcome, http_status, attempts, error_code, error_message, auth_token, created_at, settled_at
FROM json_each(?) AS asked JOIN users ON users.uid = asked.value
"""
OUTCOME_COLUMNS: Final = (
    "uid", "outcome", "http_status", "attempts", "error_code", "error_message", "auth_token", "created_at",
    "settled_at",
)  # fmt: skip


Written: TypeAlias = tuple[str, Sequence[tuple[Any, ...]]]
"""A statement with a place for many rows (`{rows}`), and the rows."""


class Known(NamedTuple):
    """What the journal knows of a uid; `past()` says it in our terms."""

    key: int
    row: int
    body_hash: str
    state: str
    outcome: str
    attempts: int
    auth_token: str | None
    created_at: int | None
    doubt_since: float | None
    doubt_hash: str

    def past(self, *, changed: bool, edited: bool = False) -> Past:
        """Tell a row's past; `changed` and `edited` compare its body with the roster's, see `Past`."""
        state, outcome = State(self.state), Outcome(self.outcome)
        known = (self.attempts, self.auth_token, self.created_at, self.doubt_since)
        return Past(state, outcome, *known, changed, edited)


class Journal:
    """An open journal, locked. Use as a context manager.

    Raises `JournalError` when it cannot be used, `StorageError` when it can no longer be written.
    """

    instead = "choose another --output"
    """What to do about a file that cannot be used."""
    another_app = "choose another --output, or --restart to set it aside"
    """What to do about a journal of another app."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self._identity = identity
        self._lock = JournalLock(path, self.instead)

    def __enter__(self) -> Self:
        with self._unusable():
            self._lock.__enter__()
        try:
            with self._unusable():
                self._database = self._open()
                try:
                    self._next_key = 1 + int(self._one("SELECT coalesce(max(id), 0) FROM users"))
                except BaseException:
                    self._database.close()
                    raise
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        self.is_new = self._next_key == 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._database.close()
        finally:
            self._lock.__exit__(kind, error, trace)

    def new_key(self) -> int:
        """Give out the number of a uid that the journal does not know yet."""
        key = self._next_key
        self._next_key += 1
        return key

    def known(self, uids: Sequence[str]) -> dict[str, Known]:
        """Look up many uids; those never met are not in the answer."""
        if self.is_new:
            return {}
        with self._unreadable():
            return {uid: Known._make(rest) for uid, *rest in self._database.execute(_KNOWN, (_json(uids),))}

    def settled(self, uids: Sequence[str]) -> list[tuple[str, str, int, int]]:
        """Give uid, body hash, key and roster row of those of these uids that are settled with a `FINAL` outcome."""
        if self.is_new:
            return []
        with self._unreadable():
            return self._database.execute(_FINALLY, (_json(uids),)).fetchall()

    def sent(self, requests: Iterable[UserRequest], now: float) -> None:
        """Record that these may leave from now on (UNIX seconds); on disk before this returns."""
        self._commit(*self._as_sent(list(requests), now))

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """Record outcomes, and what is known of rows without one; on disk before this returns."""
        self._commit(*self._as_settled(list(settlements)))

    def move(self, rows: Iterable[tuple[int, int]]) -> None:
        """Record (key, roster row) of users that stand elsewhere in the roster than they did."""
        self._commit((_MOVED, list(rows)))

    def outcomes(self, uids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Fetch `OUTCOME_COLUMNS` of those of these uids that the journal has met, in no particular order."""
        with self._unreadable():
            return self._database.execute(_OUTCOMES, (_json(uids),)).fetchall()

    def _as_sent(self, requests: Sequence[UserRequest], now: float) -> Iterator[Written]:
        yield _SENT, [(each.key, each.uid, each.row, each.body_hash, now) for each in requests]

    def _as_settled(self, settlements: Sequence[Settlement]) -> Iterator[Written]:
        yield _SETTLED, [_columns(each) for each in settlements]

    def _commit(self, *written: Written) -> None:
        """Write rows through statements with a place for many (`{rows}`), all in one transaction."""
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                for template, rows in written:
                    for piece in _pieces(rows):
                        statement = _statement(template, len(piece), len(piece[0]))
                        self._database.execute(statement, list(chain.from_iterable(piece)))
        except (sqlite3.Error, OverflowError) as error:
            message = f"{self.path}: cannot be written any more ({error}); make room or mend the disk, then resume"
            raise StorageError(message) from error

    def _one(self, statement: str) -> Any:
        return self._database.execute(statement).fetchone()[0]

    def _open(self) -> sqlite3.Connection:
        # Made by us first: SQLite would make it as wide as the umask allows, and gives its own files the same mode.
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(PermissionError):  # a journal put back from a backup, perhaps by another user
            os.fchmod(file, 0o600)
        os.close(file)
        # Polars pulls the results through a thread of its own while ours waits for it.
        database = self._database = sqlite3.connect(self.path, isolation_level=None, timeout=5, check_same_thread=False)
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        if (mark := self._one("PRAGMA application_id")) not in {0, APPLICATION_ID} or (
            mark == 0 and self._one("SELECT count(*) FROM sqlite_master")
        ):
            raise JournalError(f"{self.path}: not a journal of provisioner; move it away or {self.instead}")
        if (version := self._one("PRAGMA user_version")) > VERSION:
            message = (
                f"{self.path}: written by a newer provisioner (format {version}, this one reads {VERSION}); update it"
            )
            raise JournalError(message)
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "cache_size = -65536",
            "wal_autocheckpoint = 4000",
        ):
            database.execute(f"PRAGMA {setting}")
        told = {"app_id": self._identity.app_id, "base_url": self._identity.base_url, "made_at": str(time.time())}
        schema.bring_up_to_date(database, version, told)
        self._check_identity(database)

    def _check_identity(self, database: sqlite3.Connection) -> None:
        facts: Mapping[str, str] = dict(database.execute("SELECT key, value FROM meta"))
        made_for = Identity(facts.get("app_id", ""), facts.get("base_url", ""))
        if made_for != self._identity:
            message = (
                f"{self.path}: made for app {made_for.app_id or '(none)'} at {made_for.base_url}, not for "
                f"{self._identity.app_id or '(none)'} at {self._identity.base_url}; "
                f"{self.another_app}"
            )
            raise JournalError(message)

    @contextmanager
    def _unreadable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"{self.path}: cannot be read any more ({error}); mend the disk, then resume") from error

    @contextmanager
    def _unusable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            message = f"{self.path}: cannot be used as a journal ({error}); mend that, or {self.instead}"
            raise JournalError(message) from error


def set_aside(path: Path) -> Path | None:
    """Rename an earlier run's journal; its new path, None if there is none."""
    if not path.exists():
        return None
    with JournalLock(path):
        # Closing it as SQLite does leaves one file and no log: one rename, which cannot be cut in half.
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        aside = free_name(path)
        for suffix in ("-wal", "-shm", ""):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + suffix))
    return aside


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _columns(settlement: Settlement) -> tuple[Any, ...]:
    # Plain strings: SQLite's adapter looks up every enum member it is given.
    key, state, outcome, *rest, _ = settlement
    return (key, state.value, outcome.value, *rest)


def _pieces(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    at = 0
    for size in _PIECES:
        while len(rows) - at >= size:
            yield rows[at : at + size]
            at += size


@cache
def _statement(template: str, rows: int, columns: int) -> str:
    row = "(" + ", ".join("?" * columns) + ")"
    return template.format(rows=", ".join([row] * rows))

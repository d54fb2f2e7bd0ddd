"""The journal: one SQLite file that knows what became of every user, and the only state there is.

A row is written as *sent* before its request may leave, and as *settled* once its outcome is known; each call here is
one commit, and a commit is on disk when the call returns (WAL, synchronous=FULL). Many rows go into one statement:
`executemany` would take Python's global lock back after every row, and wait for the event loop each time.

A `Journal` is for one thread at a time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Self

from provisioner.errors import JournalError
from provisioner.files.cures import ANOTHER_OUTPUT
from provisioner.journal import columns, schema
from provisioner.journal.columns import Known, MovedRow, Noted, sent_rows
from provisioner.journal.copies import mark
from provisioner.journal.copies.place import Place
from provisioner.journal.course import unreached
from provisioner.journal.course.events import HAPPENED, LAST_WORD, Event
from provisioner.journal.course.mints import FLUSHED, count_mints, take_over_mints
from provisioner.journal.course.table import ENDING_FORGOTTEN, Course
from provisioner.journal.earlier import TAKEN_OVER, EarlierUser
from provisioner.journal.header import (
    Header,
    Identity,
    claim,
    closed_on_error,
    content_in,
    header_of,
    is_bound,
    is_unused,
    leave_as_found,
    make_private,
    open_for_reading,
    owner_of,
)
from provisioner.journal.lock import JournalLock, unreadable, unusable, unwritable
from provisioner.journal.schema import Meta
from provisioner.journal.state.managed import SENT_BY_RUN, sent_by_run_rows
from provisioner.journal.statements import Bulk, Columns, UserKey, Written, fetch_columns, json_list
from provisioner.journal.undo import overwrites
from provisioner.journal.undo.reversals import EVER_UNDONE, SENT_SINCE, TAKEN_UP, sent_since_rows, taken_up_rows
from provisioner.model import Settlement, UserRequest


class Journal:
    """An open journal, locked. Use as a context manager.

    Raises `JournalError` when it cannot be used, `StorageError` when it can no longer be written.
    """

    instead = ANOTHER_OUTPUT
    another_app = "choose another --output, or --restart to set it aside"
    """What to do about a file that cannot be used, and about a journal of another app."""

    may_be_blank = True
    copied_at: float | None = None
    """When the copy was made that this is (UNIX seconds, the server's), until a run has come to its end with it."""

    made = False
    _found: bytes | None = None
    """Whether there was nothing before it was opened: no file, or one that holds nothing; and what is in that one."""

    unwanted = False
    """Whether what was made is not to stay unless something is recorded, though all went well."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        self._lock = JournalLock(path, self.instead)

    def __enter__(self) -> Self:
        self._lock.__enter__()
        try:
            with self._unusable():
                self._database = self._open()
                with closed_on_error(self._database):
                    self._next_key = 1 + int(self._one("SELECT coalesce(max(id), 0) FROM users"))
                    self.undone = bool(self._one(EVER_UNDONE))  # as long as it is ours, nobody undoes anything
                    self.is_new = self._next_key == 1
                    if self.is_new:
                        take_over_mints(self._database, self.path, self.identity)
                    self.has_local_times = bool(self._one(schema.HAS_LOCAL_TIMES))
                    self.copied_at = mark.copied_at(self._database)
                    self._ran = Course(self._database).last
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Close it. Whatever was made for work that ended before anything was recorded is gone again."""
        try:
            if error is not None:
                Course(self._database).cut_short(self._ran, error)
            unused = (kind is not None or self.unwanted) and self.made and is_unused(self._database)
            with closing(self._database), closing(self.place):
                if not unused:
                    self.place.put_back(self._database)
            if unused:
                leave_as_found(self.path, self._found)
        finally:
            self._lock.__exit__(kind, error, trace)

    @property
    def database(self) -> sqlite3.Connection:
        """The open connection, for what is only looked at where it lies."""
        return self._database

    @property
    def course(self) -> Course:
        """How the runs of this journal went."""
        return Course(self._database)

    def claim(self, shard: str) -> None:
        """Be for one shard of a roster, or for a whole one, see `header.claim`. Raises `JournalError`."""
        with self._unusable():
            claim(self._database, self.path, shard)

    def new_key(self) -> int:
        """Give out the number of a uid that the journal does not know yet."""
        self._next_key += 1
        return self._next_key - 1

    def known(self, uids: Sequence[str]) -> dict[str, Known]:
        """Look up many uids; those never met are not in the answer."""
        if self.is_new:
            return {}
        with self._unreadable():
            return {uid: Known._make(rest) for uid, *rest in self._database.execute(columns.KNOWN, (json_list(uids),))}

    def settled(self, uids: Sequence[str]) -> Columns:
        """Fetch `DONE_COLUMNS` of those of these uids that are settled with an outcome that is `FINAL`."""
        if self.is_new:
            return {name: [] for name in columns.DONE_COLUMNS}
        with self._unreadable():
            return fetch_columns(self._database, columns.DONE, (json_list(uids),))

    def sent(self, requests: Iterable[UserRequest], now: float) -> None:
        """Record that these may leave from now on (UNIX seconds, the server's); on disk before this returns."""
        self.refuse_lost()
        self._commit(*self._as_sent(list(requests), now))

    def convert_times(self, ahead: float) -> None:
        """Have the moments of doubts be the server's, whose clock is so many seconds ahead of ours."""
        with self._unwritable():
            schema.convert_times(self._database, ahead)
        self.has_local_times = False

    def refuse_lost(self) -> None:
        """Raise `StorageError` once somebody has deleted the file or moved it away, see `copies.place`."""
        self.place.refuse_lost(self._database)

    def mark_as_copy(self) -> None:
        """Take the journal for a copy, see `copies.mark`; raises `JournalError` also for one that is damaged."""
        with self._unusable():
            self.copied_at = mark.mark_as_copy(self._database, self.path)

    def forget_copy(self) -> None:
        """Know all there is to know again: a run has come to its end."""
        if self.copied_at is not None:
            with self._unwritable():
                Meta(self._database).drop(mark.COPIED)
            self.copied_at = None

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """Record outcomes, and what is known of rows without one; on disk before this returns."""
        self._commit(*self._as_settled(list(settlements)))

    def remember(self, events: Sequence[Event]) -> None:
        """Record what was out of the ordinary; on disk before this returns."""
        epoch = self._epoch
        self._commit((HAPPENED, [each._replace(epoch=epoch) for each in events]))

    @property
    def _epoch(self) -> int | None:
        """The night that is not over yet, of a sync."""
        return None

    def move(self, rows: Iterable[tuple[int, int]]) -> None:
        """Record (key, roster row) of users that stand elsewhere in the roster than they did."""
        self._commit((columns.MOVED, [MovedRow(id=key, row=row) for key, row in rows]))

    def note(self, rows: Sequence[Noted], *bulks: Bulk) -> None:
        """Record what has to be known before a request leaves (without `bulks` old profiles); on disk on return."""
        self._commit(*((bulk, rows) for bulk in bulks or (overwrites.NOTED, overwrites.WHOSE)))

    def take_over(self, users: Iterable[EarlierUser]) -> None:
        """Record users whom an earlier round has created, each under a number of this journal."""
        self._commit((TAKEN_OVER, [each._replace(id=self.new_key()) for each in users]))
        self.is_new = False

    def before(self, key: int) -> bytes | None:
        """Give what is kept of a user from before our updates, packed; null when nothing is."""
        with self._unreadable():
            return next((before for (before,) in self._database.execute(overwrites.BEFORE_OF, (key,))), None)

    def count_mints(self, uids: Sequence[str]) -> set[str]:
        """Record that an auth token is minted for each of these, but for those it gives back: they have had `MOST`."""
        with self._unwritable():
            return count_mints(self._database, uids)

    def outcomes(self, uids: Sequence[str]) -> Columns:
        """Fetch `OUTCOME_COLUMNS` of those of these uids that the journal has met, in no particular order."""
        with self._unreadable():
            return unreached.outcomes(self._database, uids)

    def _as_sent(self, requests: Sequence[UserRequest], now: float) -> Iterator[Written]:
        yield LAST_WORD, [UserKey(each.key) for each in requests if each.past is not None]
        if (since := self.copied_at) is not None:
            unmet = [mark.UnmetRow(each.key, each.uid, each.row, each.body_hash, since) for each in requests]
            yield from ((bulk, unmet) for bulk in mark.UNMET)
        yield SENT_SINCE, sent_since_rows(requests, now) if self.undone else []
        yield SENT_BY_RUN, sent_by_run_rows(requests)
        yield columns.SENT, sent_rows(requests, now)

    def _as_settled(self, settlements: Sequence[Settlement]) -> Iterator[Written]:
        yield from columns.settled(settlements)
        yield overwrites.CONFIRMED, overwrites.confirmed_rows(settlements)
        yield FLUSHED, [UserKey(each.key) for each in settlements if each.flushed or each.parted]
        yield TAKEN_UP, taken_up_rows(settlements) if self.undone else []

    def _commit(self, *written: Written) -> None:
        """Write rows through statements for many, all in one transaction."""
        with self._unwritable(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(ENDING_FORGOTTEN)
            for bulk, rows in written:
                for statement, values in bulk.pieces(rows):
                    self._database.execute(statement, values)

    def _one(self, statement: str) -> Any:
        return self._database.execute(statement).fetchone()[0]

    def _open(self) -> sqlite3.Connection:
        self._was_there = make_private(self.path)
        # Polars pulls the results through a thread of its own while ours waits for it.
        database = self._database = sqlite3.connect(self.path.absolute(), isolation_level=None, check_same_thread=False)
        with closed_on_error(database):
            self._prepare(database)
            self.place = Place(self.path, self._lock)
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        self.made = (header := self._usable_header(database)).blank
        self._found = content_in(database) if header.blank and self._was_there else None
        for setting in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16384", "wal_autocheckpoint = 4000"):
            database.execute(f"PRAGMA {setting}")
        schema.bring_up_to_date(database, header.version, self._facts)
        if self._is_anothers(database):
            database.executemany("REPLACE INTO meta VALUES (?, ?)", self._facts.items())

    def _usable_header(self, database: sqlite3.Connection) -> Header:
        header = header_of(database)
        header.refuse_unusable(self.path, self.instead, may_be_blank=self.may_be_blank)
        return header

    @property
    def _facts(self) -> dict[str, str]:
        return {"app_id": self.identity.app_id, "base_url": self.identity.base_url, "made_at": str(time.time())}

    def _is_anothers(self, database: sqlite3.Connection) -> bool:
        """Whether it was made for another app, and knows of nobody there; raises `JournalError` when it does."""
        if (owner := owner_of(database)) != self.identity and is_bound(database):
            asked = str(self.identity).removeprefix("app ")
            raise JournalError(f"{self.path}: made for {owner}, not for {asked}; {self.another_app}")
        return owner != self.identity

    def _unwritable(self) -> AbstractContextManager[None]:
        return unwritable(self.path)

    def _unreadable(self) -> AbstractContextManager[None]:
        return unreadable(self.path)

    def _unusable(self) -> AbstractContextManager[None]:
        return unusable(self.path, self.instead)


class JournalReader(Journal):
    """A journal that is only looked at, whoever may be using it; it takes look-ups, and records nothing.

    identity  for whom it has to be made; None when anybody's will do
    """

    def __init__(self, path: Path, identity: Identity | None) -> None:
        super().__init__(path, identity or Identity("", ""))
        self._anybodys = identity is None

    def __enter__(self) -> Self:
        with self._unusable():
            self._database = self._open()
            with closed_on_error(self._database):
                if not self._anybodys:
                    self._is_anothers(self._database)
                self.copied_at = mark.copied_at(self._database)
        # Numbers are given out as if they were recorded, and never are.
        self.is_new, self._next_key = False, 1
        return self

    def standings(self) -> Iterator[tuple[str, str]]:
        """Give uid and standing of every user that a state knows for certain; none of a run's journal."""
        with self._unreadable():
            yield from self._database.execute(columns.STANDINGS)

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        database = open_for_reading(self.path, in_any_thread=True)
        with closed_on_error(database):
            if (version := self._usable_header(database).version) < schema.VERSION:
                database = schema.copied_up_to_date(database, version, self._facts)
        return database

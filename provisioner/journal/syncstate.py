"""The state of a nightly sync: the journal, kept from night to night, with what is known of each user on the server.

What is in it with a standing is what this tool manages; nobody else's users are ever touched. A night that was cut
short and the one that ends it share an *epoch*: what happened to a user in this epoch is what the results tell.

    standing   active or deactivated; null while the user is not known to exist
    certain    0 from the moment a change is recorded as sent until it is settled
    live_hash  body of the roster row that was last carried out
    digests    the profile that was last carried out, see `provisioner.sync.plan.profile`
    absent     good nights in a row in which the user was not in the roster
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import orjson

from provisioner.errors import JournalError
from provisioner.journal.journal import Journal, Written
from provisioner.journal.view import Identity
from provisioner.model import Action, Live, Outcome, Settlement, Standing, State, UserRequest

# A deactivation leaves the profile as it is: while one is in doubt, the profile that was certain before it still is.
_OPERATION: Final = """
UPDATE users SET live_hash = iif(certain OR operation = column2, live_hash, NULL),
    digests = iif(certain OR operation = column2, digests, NULL), operation = column2, certain = 0
FROM (VALUES {rows}) WHERE users.id = column1
"""
_LIVE: Final = """
UPDATE users SET certain = 1, live_hash = column2, digests = column3, standing = column4
FROM (VALUES {rows}) WHERE users.id = column1
"""
_EPOCH: Final = "UPDATE users SET epoch = column2 FROM (VALUES {rows}) WHERE users.id = column1"

# A user whose place in the state was taken by finding it in the directory: no request was sent for it.
_ADOPTED: Final = """
INSERT INTO users (id, uid, row, body_hash, sent_at, state, outcome, operation, certain, live_hash, digests, standing,
    epoch, settled_at, created_at)
SELECT column1, column2, column3, column4, column5, 'settled', 'unchanged', 'adopt', 1, column4, column6, column7,
    column8, column5, column9
FROM (VALUES {rows}) WHERE true
ON CONFLICT (uid) DO UPDATE SET row = excluded.row, live_hash = excluded.live_hash, digests = excluded.digests,
    standing = excluded.standing, certain = 1, operation = 'adopt'
"""

# Rows that an ordinary run left in this journal: those it settled are managed from now on.
_TAKEN_OVER: Final = """
UPDATE users SET operation = 'create', certain = 1,
    standing = iif(error_code = 'deactivated', 'deactivated', 'active'),
    live_hash = iif(outcome IN ('created', 'updated'), body_hash, NULL)
WHERE operation IS NULL AND state = 'settled' AND outcome IN ('created', 'updated', 'existing')
"""

_MET: Final = """
SELECT uid, users.id, operation, certain, standing, live_hash, digests,
    iif(epoch = :epoch OR state <> 'settled', outcome, NULL)
FROM json_each(:uids) AS asked JOIN users ON users.uid = asked.value
"""

# What was planned and not settled in this night is pending; what was not planned is as it should be.
_TONIGHT: Final = """
SELECT uid,
    CASE
        WHEN epoch = :epoch AND state = 'settled' AND (planned OR outcome <> 'failed') THEN outcome
        WHEN planned THEN 'pending'
        ELSE 'unchanged'
    END,
    iif(epoch = :epoch, http_status, NULL), iif(epoch = :epoch, attempts, 0),
    iif(epoch = :epoch AND (planned OR outcome <> 'failed'), error_code, NULL),
    iif(epoch = :epoch AND (planned OR outcome <> 'failed'), error_message, NULL),
    auth_token, created_at, iif(epoch = :epoch, settled_at, NULL)
FROM (
    SELECT users.*, EXISTS (SELECT 1 FROM temp.planned WHERE temp.planned.uid = users.uid) AS planned
    FROM json_each(:uids) AS asked JOIN users ON users.uid = asked.value
)
"""

_LEAVERS: Final = """
SELECT uid, absent FROM users
WHERE standing IS NOT NULL AND NOT (standing = 'deactivated' AND certain)
    AND NOT EXISTS (SELECT 1 FROM temp.seen WHERE temp.seen.uid = users.uid)
ORDER BY users.id
"""

_SEEN: Final = "INSERT OR IGNORE INTO temp.seen SELECT value FROM json_each(?)"
_PLANNED: Final = "INSERT OR IGNORE INTO temp.planned SELECT value FROM json_each(?)"

# Bytes; pages are a multiple of it.
_LEAST_PAGE: Final = 512
_MAGIC: Final = b"SQLite format 3\0"

_NIGHTS: Final = "SELECT id, epoch, started_at, finished_at, good, rows, summary FROM nights"


class Met(NamedTuple):
    """What the state knows of a uid that a roster names."""

    uid: str
    key: int
    operation: str | None
    certain: int
    standing: str | None
    live_hash: str | None
    digests: bytes | None
    tonight: str | None

    @property
    def live(self) -> Live | None:
        """What is known for certain; None when the last change is in doubt, or the user is not known to exist."""
        if not self.certain or self.standing is None:
            return None
        return Live(self.live_hash, self.digests, Standing(self.standing))

    @property
    def exists(self) -> bool:
        """Whether the user is known to exist; one whose adoption was cut short was found in the directory."""
        return self.standing is not None or self.operation in {Action.UPDATE, Action.REACTIVATE}

    @property
    def deactivated(self) -> Live:
        """What will be known once the user is deactivated."""
        kept = self.certain or self.operation == Action.DEACTIVATE
        return Live(*((self.live_hash, self.digests) if kept else (None, None)), Standing.DEACTIVATED)

    @property
    def again(self) -> Outcome | None:
        """What became of the user earlier in this night, and is still to be told when more is done for it."""
        told = {Outcome.CREATED, Outcome.REACTIVATED}
        return Outcome(self.tonight) if self.tonight in told else None


@dataclass(frozen=True, slots=True)
class Night:
    """One sync, as `history` tells it.

    started, finished  UNIX seconds; null when it was killed
    good               it carried out all that it had planned
    rows               rows of its roster
    """

    number: int
    epoch: int
    started: float
    finished: float | None
    good: bool
    rows: int | None
    summary: Mapping[str, Any]


class SyncState(Journal):
    """An open state, locked; a `Journal` whose settlements carry what is known of the user.

    Raises `JournalError` when it is not there (and not to be made), damaged, foreign or in use.
    """

    instead = "check --state"
    another_app = "check --state, the app id and the region"

    def __init__(self, path: Path, identity: Identity, *, make: bool = False) -> None:
        super().__init__(path, identity)
        self._make = make

    def __enter__(self) -> Self:
        if not self._make and not self.path.exists():
            message = (
                f"{self.path}: no such state file; check --state, or begin with --adopt, which makes one and takes "
                "over those users of the roster that exist"
            )
            raise JournalError(message)
        with self._unusable():
            self._refuse_cut_short()
        super().__enter__()
        try:
            self._check()
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    def _refuse_cut_short(self) -> None:
        """See what SQLite would not: a file of nothing is a new one to it, and half a page is filled up with zeros."""
        log = self.path.with_name(self.path.name + "-wal")
        if not self.path.exists() or (log.exists() and log.stat().st_size):
            return
        size = self.path.stat().st_size
        if size >= len(_MAGIC):
            with self.path.open("rb") as file:
                cut = size % _LEAST_PAGE > 0 and file.read(len(_MAGIC)) == _MAGIC
        else:
            cut = size > 0 or not self._make
        if cut:
            raise sqlite3.DatabaseError(f"cut short to {size:,} bytes")

    def _check(self) -> None:
        """Have SQLite look for damage, and take over what an ordinary run left."""
        with self._unusable():
            if (found := self._one("PRAGMA quick_check(1)")) != "ok":
                raise sqlite3.DatabaseError(found)
            with self._database:
                self._database.execute(_TAKEN_OVER)
                for table in ("seen", "planned"):
                    self._database.execute(f"CREATE TEMP TABLE {table} (uid TEXT PRIMARY KEY) WITHOUT ROWID")

    @contextmanager
    def _unusable(self) -> Iterator[None]:
        """Tell damage, and the way back from it, from a file that cannot be opened or written just now."""
        try:
            with super()._unusable():
                yield
        except JournalError as error:
            cause = error.__cause__
            if not isinstance(cause, sqlite3.DatabaseError) or isinstance(cause, sqlite3.OperationalError):
                raise
            way_back = "move it away and begin anew with --adopt, which takes over those users of the roster that exist"
            message = f"the state is damaged, or no state ({cause}); check --state, put a copy back, or {way_back}"
            raise JournalError(f"{self.path}: {message}") from cause

    @property
    def epoch(self) -> int:
        """The number of the night that is not over yet."""
        return 1 + int(self._one("SELECT coalesce(max(epoch), 0) FROM nights WHERE good"))

    def managed(self) -> int:
        """How many active users the state knows."""
        return int(self._one("SELECT count(*) FROM users WHERE standing = 'active'"))

    def left_tonight(self) -> list[tuple[str, int]]:
        """Give uid and `absent` of the leavers that an earlier attempt of this night has deactivated."""
        statement = (
            "SELECT uid, absent FROM users WHERE epoch = ? AND outcome = 'deactivated' "
            "AND NOT EXISTS (SELECT 1 FROM temp.seen WHERE temp.seen.uid = users.uid) ORDER BY id"
        )
        return self._database.execute(statement, (self.epoch,)).fetchall()

    def is_leaver(self, uids: Sequence[str]) -> set[str]:
        """Give those of the uids that the state manages and that were not seen tonight."""
        statement = (
            "SELECT uid FROM json_each(?) AS asked JOIN users ON users.uid = asked.value WHERE standing IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM temp.seen WHERE temp.seen.uid = users.uid)"
        )
        return {uid for (uid,) in self._database.execute(statement, (orjson.dumps(uids).decode(),))}

    @property
    def database(self) -> sqlite3.Connection:
        """The open connection, for what is compared with the state where it lies."""
        return self._database

    def mark(self) -> str:
        """Give a text that is another one as soon as anything in the state has changed."""
        users = self._database.execute("SELECT count(*), max(sent_at), max(settled_at) FROM users").fetchone()
        nights = self._database.execute("SELECT count(*), max(started_at), max(finished_at) FROM nights").fetchone()
        return orjson.dumps([*users, *nights]).decode()

    def met(self, uids: Sequence[str]) -> dict[str, Met]:
        """Look up many uids; those never met are not in the answer."""
        with self._unreadable():
            rows = self._database.execute(_MET, self._tonights(uids))
            return {row[0]: Met._make(row) for row in rows}

    def _tonights(self, uids: Sequence[str]) -> dict[str, Any]:
        return {"uids": orjson.dumps(uids).decode(), "epoch": self.epoch}

    def see(self, uids: Sequence[str]) -> None:
        """Note uids that stand in tonight's roster, whether their rows are valid or not; for this session only."""
        self._note(_SEEN, uids)

    def plan(self, uids: Sequence[str]) -> None:
        """Note uids for which something is to be done tonight; for this session only."""
        self._note(_PLANNED, uids)

    def _note(self, statement: str, uids: Sequence[str]) -> None:
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute(statement, (orjson.dumps(uids).decode(),))

    def leavers(self) -> Iterator[tuple[str, int]]:
        """Give uid and `absent` of the users that were not seen tonight and may still log in."""
        with self._unreadable():
            yield from self._database.execute(_LEAVERS)

    def tonight(self, uids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Fetch what became of these uids in this night, as `Journal.outcomes` does; `unchanged` if nothing did."""
        with self._unreadable():
            return self._database.execute(_TONIGHT, self._tonights(uids)).fetchall()

    def adopt(self, users: Iterable[tuple[str, int, Live, int | None]], now: float) -> None:
        """Take over users that are as the roster has them: uid, row, what is known, when they were created."""
        epoch = self.epoch
        rows = [
            (self.new_key(), uid, row, live.body_hash or "", now, live.digests, live.standing.value, epoch, created_at)
            for uid, row, live, created_at in users
        ]
        self._commit((_ADOPTED, rows))
        self.is_new = False

    def _as_sent(self, requests: Sequence[UserRequest], now: float) -> Iterator[Written]:
        """Along with the request: what is known of its user is in doubt from now on."""
        yield from super()._as_sent(requests, now)
        yield _OPERATION, [(each.key, each.change.action.value) for each in requests if each.change]

    def _as_settled(self, settlements: Sequence[Settlement]) -> Iterator[Written]:
        """Along with the outcome: what is known of the user now."""
        yield from super()._as_settled(settlements)
        epoch = self.epoch
        yield _EPOCH, [(each.key, epoch) for each in settlements if each.state is State.SETTLED]
        known = [(each.key, each.live) for each in settlements if each.live is not None]
        yield _LIVE, [(key, live.body_hash, live.digests, live.standing.value) for key, live in known]

    def begin_night(self, now: float, plan: str | None = None) -> int:
        """Record that a sync begins (UNIX seconds), and which kept plan it carries out: its number."""
        with self._database:
            statement = "INSERT INTO nights (epoch, started_at, plan) VALUES (?, ?, ?)"
            return int(self._database.execute(statement, (self.epoch, now, plan)).lastrowid or 0)

    def unfinished_plan(self) -> str | None:
        """Name the kept plan that the last sync began to carry out, unless it came to its end."""
        row = self._database.execute("SELECT plan FROM nights WHERE NOT good ORDER BY id DESC LIMIT 1").fetchone()
        last = self._database.execute("SELECT good FROM nights ORDER BY id DESC LIMIT 1").fetchone()
        return row[0] if row and last and not last[0] else None

    def end_night(self, number: int, now: float, rows: int, summary: Mapping[str, Any], *, good: bool) -> None:
        """Record how a sync ended; after a good night the leavers have been absent for one night more."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            if good:
                self._database.execute(
                    "UPDATE users SET absent = 0 WHERE absent AND uid IN (SELECT uid FROM temp.seen)"
                )
                self._database.execute(
                    "UPDATE users SET absent = absent + 1 WHERE standing IS NOT NULL "
                    "AND uid NOT IN (SELECT uid FROM temp.seen)"
                )
            self._database.execute(
                "UPDATE nights SET finished_at = ?, good = ?, rows = ?, summary = ? WHERE id = ?",
                (now, good, rows, orjson.dumps(summary).decode(), number),
            )

    def nights(self, last: int | None = None) -> list[Night]:
        """Give the last nights, or all, the earliest first."""
        with self._unreadable():
            rows = self._database.execute(f"{_NIGHTS} ORDER BY id DESC LIMIT ?", (-1 if last is None else last,))
            return [_night(row) for row in rows.fetchall()][::-1]

    def last_good_night(self) -> Night | None:
        """Give the last night that carried out all that it had planned."""
        with self._unreadable():
            row = self._database.execute(f"{_NIGHTS} WHERE good ORDER BY id DESC LIMIT 1").fetchone()
            return _night(row) if row else None


def _night(row: tuple[Any, ...]) -> Night:
    number, epoch, started, finished, good, rows, summary = row
    return Night(number, epoch, started, finished, bool(good), rows, orjson.loads(summary) if summary else {})

"""Users whom an earlier round of a job has created, or may have: what its journal knows goes on in that of this round.

A round has a journal of its own, and its rows are of the job: whom the rounds before created is never somebody else's.
`ours` of such a user is `BEFORE`, or `AWAY_BEFORE`, so that an undo of this round takes back what this round did, and
not that there is a user.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from provisioner.files.looking import leads_nowhere
from provisioner.journal.columns import ASKED, DONE, IN_DOUBT, REVERSING, Done, hash_of
from provisioner.journal.header import Identity, header_of, open_for_reading, owner_of
from provisioner.journal.lock import unusable
from provisioner.journal.schema import AWAY_BEFORE, BEFORE, VERSION, bring_up_to_date
from provisioner.journal.statements import Bulk, fetch_columns, json_list, select
from provisioner.model import Outcome, State

UNMET: Final = "users.body_hash = ''"
"""Of a user of others it is known where the row stands, which was rejected, and nothing else: see `standing_at`."""

_INSTEAD: Final = "move it away, and whom that round has created counts as somebody else's user"


class EarlierUser(NamedTuple):
    """What a journal knows of a user; see the columns of `users`."""

    id: int
    uid: str
    row: int
    body_hash: str
    state: str
    sent_at: float
    outcome: str
    attempts: int = 0
    http_status: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    auth_token: str | None = None
    created_at: int | None = None
    settled_at: float | None = None
    doubt_since: float | None = None
    doubt_hash: str | None = None
    ours: int = 0
    mark: int | None = None
    withdrawn: int = 0
    made_hash: str | None = None
    besides: str | None = None
    owed: int = 0
    filled: int | None = None

    @property
    def has_token(self) -> bool:
        """Whether an auth token was recorded."""
        return self.auth_token is not None

    @property
    def parted(self) -> bool:
        """Whether the job may have deactivated it."""
        return self.made_hash is not None


class Said(NamedTuple):
    """What a row says of a user, as `Checked.valid` has it."""

    body: str
    token: bool
    deactivated: bool | None


def is_as_settled(said: Said, user: Done | EarlierUser) -> bool:
    """Tell whether a row says just what a user was settled with.

    The body is not all of it: whether the user is deactivated and is given an auth token stands beside it.
    """
    if user.body_hash != hash_of(said.body.encode()):
        return False
    if user.parted:  # who is deactivated has no token
        return said.deactivated is not False
    if said.deactivated:
        return False
    # A user of others has one only where everybody is given one, so that none says nothing of what the row asked for.
    telling = user.has_token or user.outcome == Outcome.CREATED.value
    return not telling or said.token == bool(user.has_token)


_WITHDRAWN: Final = f"(withdrawn OR (ours AND {REVERSING}))"
_AWAY: Final = "(made_hash IS NOT NULL AND (state <> 'settled' OR error_code IS 'deactivated'))"
# Who was deactivated by an undo, and is brought back by this round, is there by its doing.
_EARLIER: Final = select(
    EarlierUser._fields,
    f"{ASKED} WHERE ours OR {IN_DOUBT}",
    {
        "id": "users.id",
        "withdrawn": _WITHDRAWN,
        "ours": f"iif(ours, iif(ours = 1 AND {_WITHDRAWN}, 1, iif({_AWAY}, {AWAY_BEFORE}, {BEFORE})), 0)",
    },
)

_COLUMNS: Final = ", ".join(EarlierUser._fields)
TAKEN_OVER: Final = Bulk(
    EarlierUser._fields,
    f"INSERT INTO users ({_COLUMNS}) SELECT {_COLUMNS} FROM given WHERE true ON CONFLICT DO NOTHING",  # noqa: S608 - of constants
)


_TABLES: Final = "SELECT sql FROM sqlite_master WHERE type = 'table'"
# Not whom a round has only taken over, nor of whom it only knows where the row stands.
_OWN: Final = f"SELECT uid {ASKED} WHERE ours < {BEFORE} AND NOT {UNMET}"
_ROWS: Final = select(("uid", "row"), ASKED)
_ASKED_USERS: Final = "SELECT users.* FROM json_each(?) AS asked JOIN users ON users.uid = asked.value"


def created_in(path: Path, uids: Sequence[str], owner: Identity | None) -> list[EarlierUser]:
    """Look up those of these uids that the journal at `path` has created, or may have, in the app of `owner`.

    None when it is of another app, or there is none. Raises `JournalError` for one that cannot be read.
    """
    with _opened(path, uids) as database:
        if database is not None and owner_of(database) == owner:
            return created_by(database, uids)
    return []


def created_by(database: sqlite3.Connection, uids: Sequence[str]) -> list[EarlierUser]:
    """Look up the same in a journal that is open. Raises `sqlite3.Error`."""
    return list(map(EarlierUser._make, database.execute(_EARLIER, (json_list(uids),))))


def done_in(path: Path, uids: Sequence[str]) -> list[Done]:
    """Look up those of these uids that the journal at `path` knows as done with; none when there is no journal.

    Raises `JournalError` for one that cannot be read.
    """
    with _opened(path, uids) as database:
        if database is not None:
            return list(map(Done._make, zip(*fetch_columns(database, DONE, (json_list(uids),)).values(), strict=True)))
    return []


def own_in(path: Path, uids: Sequence[str], owner: Identity | None) -> set[str]:
    """Give those of these uids with whose users the journal's own round has done something; see `created_in`."""
    with _opened(path, uids) as database:
        return own_of(database, uids) if database is not None and owner_of(database) == owner else set()


def own_of(database: sqlite3.Connection, uids: Sequence[str]) -> set[str]:
    """Give the same of a journal that is open. Raises `sqlite3.Error`."""
    return {uid for (uid,) in database.execute(_OWN, (json_list(uids),))}


def rows_in(path: Path, uids: Sequence[str]) -> set[tuple[str, int]]:
    """Give those of these uids that the journal at `path` knows, whatever of them, each with its row.

    Raises `JournalError` for one that cannot be read.
    """
    with _opened(path, uids) as database:
        return set() if database is None else set(database.execute(_ROWS, (json_list(uids),)))


def standing_at(uid: str, row: int) -> EarlierUser:
    """Give what a round is to know of a user of others whose row it rejects: where that row stands."""
    return EarlierUser(0, uid, row, "", State.PENDING.value, 0.0, Outcome.PENDING.value)


def refuse_unreadable(path: Path) -> None:
    """Raise `JournalError` for a journal that is there and in which nobody can be looked up."""
    created_in(path, [], None)


@contextmanager
def _opened(path: Path, uids: Sequence[str]) -> Iterator[sqlite3.Connection | None]:
    """Open a journal for a look at these users; null when there is none, or it is another program's."""
    with unusable(path, _INSTEAD):
        try:
            database = open_for_reading(path)
        except FileNotFoundError:
            if leads_nowhere(path):  # a disk that is not mounted may hold it
                raise
            database = sqlite3.connect(":memory:")
        with closing(database):
            header = header_of(database)
            header.refuse_newer(path)
            if not header.ours:
                yield None
            elif header.version == VERSION:
                yield database
            else:
                with closing(_brought_up_to_date(database, header.version, uids)) as copy:
                    yield copy


def _brought_up_to_date(database: sqlite3.Connection, version: int, uids: Sequence[str]) -> sqlite3.Connection:
    """Give what an older format knows of these users in the present one, in memory: all of it may be much."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    for (made,) in database.execute(_TABLES).fetchall():
        copy.execute(made)
    copy.executemany("INSERT INTO meta VALUES (?, ?)", database.execute("SELECT key, value FROM meta"))
    users = database.execute(_ASKED_USERS, (json_list(uids),))
    copy.executemany(f"INSERT INTO users VALUES ({', '.join('?' * len(users.description))})", users)  # noqa: S608 - marks
    bring_up_to_date(copy, version, {})
    return copy

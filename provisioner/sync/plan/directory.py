"""The app's users as the API lists them, a thousand at a time, kept in a temporary table while a sync compares.

And one by one: whether those who may have been created, and are in no roster any more, are ours.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from provisioner.errors import DirectoryError
from provisioner.journal.managed import Doubt
from provisioner.journal.syncstate import SyncState
from provisioner.logs import get_logger
from provisioner.model import NOBODY, Standing
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.retry import Verdict
from provisioner.sending.users import profile

PER_PAGE: Final = 1000
# Users in doubt who are asked for at once.
_AT_ONCE: Final = 16
# The list shows these of every user that has them. Whether it shows the others is learned from what it shows.
_ALWAYS_LISTED: Final = frozenset({"name", "avatar", "link", "role", "tags"})
_UNSURE: Final = ("statusMessage", "metadata")

_TABLE: Final = """
CREATE TEMP TABLE directory (
    uid TEXT PRIMARY KEY, digests BLOB NOT NULL, standing TEXT NOT NULL, created_at INTEGER
) WITHOUT ROWID
"""
_GONE: Final = """
SELECT count(*) FROM users WHERE standing = 'active'
    AND NOT EXISTS (SELECT 1 FROM temp.directory WHERE temp.directory.uid = users.uid)
"""
_DEACTIVATED: Final = """
SELECT count(*) FROM users JOIN temp.directory USING (uid)
WHERE users.standing = 'active' AND temp.directory.standing = 'deactivated'
"""
_WOKEN: Final = """
FROM users JOIN temp.directory USING (uid)
WHERE users.standing = 'deactivated' AND users.certain AND temp.directory.standing = 'active'
"""
_STRANGERS: Final = """
SELECT count(*) FROM temp.directory
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.uid = temp.directory.uid AND users.standing IS NOT NULL)
"""

InThread = Callable[[Callable[[], None]], Awaitable[None]]

log = get_logger()


class Shown(NamedTuple):
    """A user as the directory shows it."""

    digests: bytes
    standing: Standing
    created_at: int | None


class Directory:
    """What was read; it lives in the connection of the state, so that both can be compared there."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._met_fields: set[str] = set()
        self.pages = 0
        database.execute("DROP TABLE IF EXISTS temp.directory")
        database.execute(_TABLE)

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a profile that it tells anything of."""
        return _ALWAYS_LISTED | self._met_fields

    def add(self, users: Sequence[Mapping[str, Any]], standing: Standing) -> None:
        """Keep one page. A page read while users come and go can repeat some of the last: the later one counts."""
        self._met_fields.update(name for name in _UNSURE if any(name in user for user in users))
        rows = [
            (user["uid"], profile.digests_of(user, profile.FIELDS), _standing(user, standing).value, _created_at(user))
            for user in users
        ]
        self._database.executemany("INSERT OR REPLACE INTO temp.directory VALUES (?, ?, ?, ?)", rows)
        self.pages += 1

    def find(self, uids: Sequence[str]) -> dict[str, Shown]:
        """Look up many uids."""
        statement = (
            "SELECT uid, digests, standing, created_at FROM json_each(?) AS asked "
            "JOIN temp.directory ON temp.directory.uid = asked.value"
        )
        rows = self._database.execute(statement, (orjson.dumps(uids).decode(),))
        return {uid: Shown(digests, Standing(standing), at) for uid, digests, standing, at in rows}

    def woken(self) -> list[str]:
        """Give the uids of users that are deactivated as far as the state knows, and are not."""
        return [uid for (uid,) in self._database.execute(f"SELECT users.uid {_WOKEN}")]

    def drift(self) -> dict[str, int]:
        """Count what another hand did to users of the state, and the users that are none of ours."""
        queries = {
            "deleted": _GONE,
            "deactivated": _DEACTIVATED,
            "reactivated": f"SELECT count(*) {_WOKEN}",
            "strangers": _STRANGERS,
        }
        return {name: int(self._database.execute(query).fetchone()[0]) for name, query in queries.items()}


async def read_directory(exchanger: Exchanger, directory: Directory, in_thread: InThread) -> bool:
    """Read every page; False when the run was stopped. Raises `DirectoryError` when it cannot be read whole."""
    for standing, which in ((Standing.ACTIVE, ""), (Standing.DEACTIVATED, "&onlyDeactivated=true")):
        number = 0
        while True:
            number += 1
            query = f"perPage={PER_PAGE}&page={number}&withTags=true{which}"
            verdict, reply = await exchanger(Operation.LIST, NOBODY, token=False, note=_unnoted, query=query)
            if verdict is not Verdict.DONE:
                if exchanger.stopper:
                    return False
                raise _unread(number, str(reply.message or reply.failure))
            data = reply.data or {}
            users, last = data["items"], _last_page(data)
            if not all(isinstance(each, dict) and isinstance(each.get("uid"), str) for each in users):
                raise _unread(number, "it lists something that is no user")
            if not users and last is not None and number < last:
                raise _unread(number, f"it is empty, and {last:,} pages are promised")
            await in_thread(partial(directory.add, users, standing))
            if not users or (last is not None and number >= last):
                break
    log.info("directory.read", pages=directory.pages, told=sorted(directory.fields))
    return True


async def resolve_doubts(exchanger: Exchanger, state: SyncState, doubts: Sequence[Doubt], in_thread: InThread) -> bool:
    """Ask for each user in doubt and record who is ours; False when the run was stopped.

    Raises `DirectoryError` when there is no answer to go by.
    """
    for start in range(0, len(doubts), _AT_ONCE):
        some = doubts[start : start + _AT_ONCE]
        found = await asyncio.gather(*(_read(exchanger, each.uid) for each in some))
        for doubt, (verdict, reply) in zip(some, found, strict=True):
            if verdict not in {Verdict.DONE, Verdict.ABSENT}:
                if exchanger.stopper:
                    return False
                why = str(reply.message or reply.failure)
                message = f"whether {doubt.uid} was created cannot be told ({why}); nothing was changed, run again"
                raise DirectoryError(message)
            at = _created_at(reply.data or {})
            ours = verdict is Verdict.DONE and at is not None and at >= math.floor(doubt.since)
            await in_thread(partial(state.resolve, doubt.uid, Standing.ACTIVE if ours else None))
            log.info("doubt.resolved", uid=doubt.uid, ours=ours)
    return True


def _read(exchanger: Exchanger, uid: str) -> Awaitable[tuple[Verdict | None, Reply]]:
    return exchanger(Operation.READ, NOBODY._replace(uid=uid), token=False, note=_unnoted)


def _unnoted(*_: object) -> None:
    """Take no note of an answer: reading leaves nothing in doubt."""


def _unread(page: int, why: str) -> DirectoryError:
    log.error("directory.unread", page=page, reason=why)
    message = f"the app's users cannot be listed: page {page} ({why}); nothing was changed, run again"
    return DirectoryError(message)


def _last_page(data: Mapping[str, Any]) -> int | None:
    """Give the number of the last page; None without a word on it: then there is one more to be tried."""
    meta = data.get("meta")
    paging = meta.get("pagination") if isinstance(meta, dict) else None
    total = paging.get("total_pages") if isinstance(paging, dict) else None
    return total if isinstance(total, int) and total > 0 else None


def _standing(user: Mapping[str, Any], listed_as: Standing) -> Standing:
    return Standing.DEACTIVATED if user.get("deactivatedAt") else listed_as


def _created_at(user: Mapping[str, Any]) -> int | None:
    value = user.get("createdAt")
    return value if isinstance(value, int) and 0 <= value < 2**53 else None

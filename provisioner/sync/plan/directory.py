"""The app's users as the API lists them, a thousand at a time, kept in a temporary table while a sync compares."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from provisioner.logs import get_logger
from provisioner.model import NOBODY, Standing
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation
from provisioner.sending.retry import Verdict
from provisioner.sync.plan import profile

PER_PAGE: Final = 1000
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
        known = [user for user in users if isinstance(user.get("uid"), str)]
        self._met_fields.update(name for name in _UNSURE if any(name in user for user in known))
        rows = [
            (user["uid"], profile.digests_of(user, profile.FIELDS), _standing(user, standing).value, _created_at(user))
            for user in known
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

    def drift(self) -> dict[str, int]:
        """Count what another hand did to users of the state, and the users that are none of ours."""
        queries = {"deleted": _GONE, "deactivated": _DEACTIVATED, "strangers": _STRANGERS}
        return {name: int(self._database.execute(query).fetchone()[0]) for name, query in queries.items()}


async def read_directory(exchanger: Exchanger, directory: Directory, in_thread: InThread) -> bool:
    """Read every page; False when the API does not list them, or the run was stopped."""
    for standing, which in ((Standing.ACTIVE, ""), (Standing.DEACTIVATED, "&onlyDeactivated=true")):
        number = 0
        while True:
            number += 1
            query = f"perPage={PER_PAGE}&page={number}&withTags=true{which}"
            verdict, reply = await exchanger(Operation.LIST, NOBODY, token=False, note=_unnoted, query=query)
            if verdict is not Verdict.DONE:
                if not exchanger.stopper:
                    log.warning("directory.unread", status=reply.status, reason=reply.message or str(reply.failure))
                return False
            data = reply.data or {}
            users = [each for each in data["items"] if isinstance(each, dict)]
            await in_thread(partial(directory.add, users, standing))
            if not users or number >= _last_page(data, number):
                break
    log.info("directory.read", pages=directory.pages, told=sorted(directory.fields))
    return True


def _unnoted(*_: object) -> None:
    """Take no note of an answer: reading leaves nothing in doubt."""


def _last_page(data: Mapping[str, Any], number: int) -> int:
    """Give the number of the last page; without a word on it there is one more to be tried."""
    meta = data.get("meta")
    paging = meta.get("pagination") if isinstance(meta, dict) else None
    total = paging.get("total_pages") if isinstance(paging, dict) else None
    return total if isinstance(total, int) and total > 0 else number + 1


def _standing(user: Mapping[str, Any], listed_as: Standing) -> Standing:
    return Standing.DEACTIVATED if user.get("deactivatedAt") else listed_as


def _created_at(user: Mapping[str, Any]) -> int | None:
    value = user.get("createdAt")
    return value if isinstance(value, int) and 0 <= value < 2**53 else None

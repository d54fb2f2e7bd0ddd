"""Users whom an earlier round of a job has created, or may have: what its journal knows goes on in that of this round.

A round has a journal of its own, and its rows are of the job: whom the rounds before created is never somebody else's.
`ours` of such a user is `BEFORE`, so that an undo of this round takes back what this round did, and not that there is a
user.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from provisioner.journal.columns import ASKED, BEFORE, IN_DOUBT, REVERSING
from provisioner.journal.header import Identity, header_of, open_for_reading, owner_of
from provisioner.journal.statements import Bulk, json_list, select


class EarlierUser(NamedTuple):
    """What a journal knows of a user; see the columns of `users`."""

    id: int
    uid: str
    row: int
    body_hash: str
    state: str
    sent_at: float
    outcome: str
    attempts: int
    http_status: int | None
    error_code: str | None
    error_message: str | None
    auth_token: str | None
    created_at: int | None
    settled_at: float | None
    doubt_since: float | None
    doubt_hash: str | None
    ours: int
    mark: int | None
    withdrawn: int
    made_hash: str | None


_WITHDRAWN: Final = f"(withdrawn OR (ours AND {REVERSING}))"
# Who was deactivated by an undo, and is brought back by this round, is there by its doing.
_EARLIER: Final = select(
    EarlierUser._fields,
    f"{ASKED} WHERE ours OR {IN_DOUBT}",
    {"id": "users.id", "withdrawn": _WITHDRAWN, "ours": f"iif(ours, iif({_WITHDRAWN}, 1, {BEFORE}), 0)"},
)

_COLUMNS: Final = ", ".join(EarlierUser._fields)
TAKEN_OVER: Final = Bulk(
    EarlierUser._fields,
    f"INSERT INTO users ({_COLUMNS}) SELECT {_COLUMNS} FROM given WHERE true ON CONFLICT DO NOTHING",  # noqa: S608 - of constants
)


def created_in(path: Path, uids: Sequence[str], owner: Identity | None) -> list[EarlierUser]:
    """Look up those of these uids that the journal at `path` has created, or may have, in the app of `owner`.

    None when it is of another app or cannot be read.
    """
    with suppress(sqlite3.Error, OSError, KeyError), closing(open_for_reading(path)) as database:
        if header_of(database).ours and owner_of(database) == owner:
            return list(map(EarlierUser._make, database.execute(_EARLIER, (json_list(uids),))))
    return []

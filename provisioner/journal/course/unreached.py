"""Rows that a run which is being stopped has not reached: pending in what it tells, and as they were in the journal.

Something is still to be sent for them, though an earlier run was done with them. What that run has settled stays, for
the next one has to know it; so they are kept as long as the journal is open, and no longer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from provisioner.journal.columns import ASKED, FINAL_OUTCOMES, MILLISECONDS, OUTCOME_COLUMNS, OUTCOMES
from provisioner.journal.statements import Columns, fetch_columns, json_list, select_columns

_TABLE: Final = "CREATE TEMP TABLE IF NOT EXISTS unreached (id INTEGER PRIMARY KEY)"
_ADDED: Final = "INSERT OR IGNORE INTO unreached SELECT value FROM json_each(?)"
_IS_THERE: Final = "SELECT EXISTS (SELECT 1 FROM sqlite_temp_master WHERE name = 'unreached')"

# Whoever failed is still told with the reason; the others would pass for done.
_PASSES: Final = f"(unreached.id IS NOT NULL AND state = 'settled' AND outcome IN ({FINAL_OUTCOMES}))"
_TOLD: Final = select_columns(
    OUTCOME_COLUMNS,
    f"{ASKED} LEFT JOIN temp.unreached ON unreached.id = users.id",
    {
        "outcome": f"iif({_PASSES}, 'pending', outcome)",
        "http_status": f"iif({_PASSES}, NULL, http_status)",
        "error_code": f"iif({_PASSES}, NULL, error_code)",
        "error_message": f"iif({_PASSES}, NULL, error_message)",
        "settled_at": f"iif({_PASSES}, NULL, {MILLISECONDS})",
    },
)


def leave(database: sqlite3.Connection, keys: Iterable[int]) -> None:
    """Know, as long as this connection is open, that these users were not reached. Raises `sqlite3.Error`."""
    database.execute(_TABLE)
    database.execute(_ADDED, (json_list(list(keys)),))


def outcomes(database: sqlite3.Connection, uids: Sequence[str]) -> Columns:
    """Fetch `OUTCOME_COLUMNS` of these users, see `Journal.outcomes`. Raises `sqlite3.Error`."""
    statement = _TOLD if database.execute(_IS_THERE).fetchone()[0] else OUTCOMES
    return fetch_columns(database, statement, (json_list(uids),))

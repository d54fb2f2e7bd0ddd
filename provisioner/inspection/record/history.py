"""`history`: the last nights of a state, with counts, duration, what stopped them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from provisioner.errors import ExitCode, JournalError
from provisioner.journal.header import header_of, open_for_reading
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import FIRST_WITH_NIGHTS
from provisioner.journal.state.nights import Night, Nights
from provisioner.results.tables import printed
from provisioner.wording import duration, iso_time, json_text

COUNTS: Final = {
    "created": "new",
    "updated": "updated",
    "unchanged": "same",
    "reactivated": "back",
    "deactivated": "left",
    "sessions_flushed": "flushed",
    "existing": "existing",
    "rejected": "rejected",
    "failed": "failed",
    "pending": "pending",
}
"""Members of a night's summary, and the heads of their columns."""


def history_of(state: Path, last: int, *, as_json: bool) -> str:
    """Tell the last nights, the latest first; raises `JournalError`."""
    nights = [_plain(night) for night in reversed(_read(state, last))]
    if nights and nights[0]["stopped_by"] == "killed" and holder_of(state) is not None:
        nights[0]["stopped_by"] = "running"
    if as_json:
        return json_text({"nights": nights})
    return _table(nights) if nights else f"{state}: no night yet"


def _read(state: Path, last: int) -> Sequence[Night]:
    try:
        with closing(open_for_reading(state)) as database:
            header = header_of(database)
            if not header.ours:
                raise JournalError(f"{state}: not a state of provisioner; check --state")
            header.refuse_newer(state)
            return Nights(database).last(last) if header.version >= FIRST_WITH_NIGHTS else []
    except FileNotFoundError:
        raise JournalError(f"{state}: no such state file; check --state") from None
    except (OSError, sqlite3.DatabaseError) as error:
        why = getattr(error, "strerror", None) or error
        raise JournalError(f"{state}: cannot be read as a state ({why}); check --state") from None


def _plain(night: Night) -> dict[str, Any]:
    summary = night.summary
    return {
        "night": night.number,
        "started_at": iso_time(night.started, "seconds"),
        "seconds": None if night.seconds is None else round(night.seconds, 1),
        "rows": night.rows,
        **{name: summary.get(name) for name in COUNTS},
        "requests": summary.get("requests"),
        "stopped_by": "killed" if night.finished is None else summary.get("stopped_by"),
        "good": night.good,
        "exit_code": summary.get("exit_code"),
        **({"attempt": night.attempt} if night.attempt > 1 else {}),
    }


def _table(nights: list[dict[str, Any]]) -> str:
    """Give a line for each attempt at a night.

    A count that no night has is left out, so that the others fit a terminal; so is what attempt it was, of nights that
    took one each.
    """
    several = any("attempt" in night for night in nights)
    counts = {name: short for name, short in COUNTS.items() if any(night[name] for night in nights)}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("night", justify="right")
    table.add_column("began (UTC)", no_wrap=True)
    for name in ("rows", *counts.values(), "sent", "took"):
        table.add_column(name, justify="right")
    if several:
        table.add_column("attempt", justify="right")
    table.add_column("ended")
    for night in nights:
        numbers = [_number(night[name]) for name in ("rows", *counts, "requests")]
        took = duration(night["seconds"]) if night["seconds"] is not None else ""
        ended = night["stopped_by"] or (
            "good" if night["exit_code"] == ExitCode.OK else f"good (exit {night['exit_code']})"
        )
        attempt = [str(night.get("attempt", 1))] if several else []
        table.add_row(str(night["night"]), night["started_at"][:16].replace("T", " "), *numbers, took, *attempt, ended)
    return printed(lambda console: console.print(table), width=140)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"

"""Which of the valid rows still need a request: those that the journal does not know as settled and unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import polars as pl

from provisioner.journal.journal import FINAL, Journal, Known
from provisioner.model import State, UserRequest

# Rows looked up at once: a look-up holds up the commits behind it, so it has to be short.
_LOOKUP: Final = 4000

_SETTLED: Final = {"uid": pl.String, "body_hash": pl.String, "key": pl.Int64, "was": pl.Int64}


@dataclass(frozen=True, slots=True)
class Admitted:
    """What is to be sent of some rows, how many were settled before, and which of those stand elsewhere now."""

    requests: Sequence[UserRequest]
    skipped: int
    moved: Sequence[tuple[int, int]]


def admit(valid: pl.DataFrame, journal: Journal) -> Iterator[Admitted]:
    """Sort out a batch's valid rows (`Checked.valid`), a few thousand at a time.

    Rows are matched by uid and body, never by position: a roster may be edited or re-sorted between two runs.
    """
    for part in valid.iter_slices(_LOOKUP):
        hashes = [blake2b(body.encode(), digest_size=8).hexdigest() for body in part["body"].to_list()]
        rows = part.select("row", "uid", "body", "token").with_columns(body_hash=pl.Series(hashes, dtype=pl.String))
        settled = pl.DataFrame(journal.settled(part["uid"].to_list()), schema=dict(_SETTLED), orient="row")
        # On a resume nearly all rows are these, so they are not looked at one by one.
        same = rows.join(settled, on=["uid", "body_hash"])
        moved = same.filter(pl.col("row") != pl.col("was")).select("key", "row").rows()
        rest = rows.join(settled, on=["uid", "body_hash"], how="anti", maintain_order="left") if same.height else rows
        yield Admitted(list(_requests(rest, journal)), same.height, moved)


def _requests(rows: pl.DataFrame, journal: Journal) -> Iterator[UserRequest]:
    known = journal.known(rows["uid"].to_list())
    for row, uid, body, token, body_hash in rows.iter_rows():
        met = known.get(uid)
        if met is None:
            yield UserRequest(journal.new_key(), row, uid, body.encode(), body_hash, token)
        else:
            edited = met.doubt_since is not None and met.doubt_hash != body_hash
            past = met.past(changed=_is_settled(met), edited=edited)
            yield UserRequest(met.key, row, uid, body.encode(), body_hash, token, past)


def _is_settled(met: Known) -> bool:
    return met.state == State.SETTLED and met.outcome in FINAL

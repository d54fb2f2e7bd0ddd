"""Which of the valid rows still need a request: those that the journal does not know as settled and unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import polars as pl

from provisioner.journal import Journal, Known
from provisioner.model import Outcome, State, UserRequest

# Rows looked up at once: a look-up holds up the commits behind it, so it has to be short.
_LOOKUP: Final = 4000

_FINAL: Final = frozenset({Outcome.CREATED, Outcome.EXISTING, Outcome.UPDATED})


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
        known = journal.known(part["uid"].to_list())
        requests: list[UserRequest] = []
        moved: list[tuple[int, int]] = []
        for row, uid, body, token in part.select("row", "uid", "body", "token").iter_rows():
            encoded = body.encode()
            body_hash = blake2b(encoded, digest_size=8).hexdigest()
            met = known.get(uid)
            if met is None:
                requests.append(UserRequest(journal.new_key(), row, uid, encoded, body_hash, token))
            elif _is_settled(met) and met.body_hash == body_hash:
                if met.row != row:
                    moved.append((met.key, row))
            else:
                edited = met.doubt_since is not None and met.doubt_hash != body_hash
                past = met.past(changed=_is_settled(met), edited=edited)
                requests.append(UserRequest(met.key, row, uid, encoded, body_hash, token, past))
        yield Admitted(requests, part.height - len(requests), moved)


def _is_settled(met: Known) -> bool:
    return met.state == State.SETTLED and met.outcome in _FINAL

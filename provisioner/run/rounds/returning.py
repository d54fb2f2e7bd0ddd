"""Rows that come back after they were rejected, whose users this job has created before.

A row that is what it was, mended or not, is of a user of ours: what the round before knows of it goes on in the journal
of this one, before anything is sent. Any other row with that uid would be somebody else's.

    _row and uid as the round before has created it, and no repeat  ─→ taken over: an update, and it stays created
    the very row that was created                                   ─→ taken over: there is nothing to do
    another row                                                     ─→ rejected, if it is valid: `uid.duplicate`

So is another row with the uid of somebody who was there before, whom a round has settled. Where the row of that one is
rejected again, this round knows where it stands: by that the next one tells it from others. Only what this round itself
has done with a user is asked no earlier one: whom it has taken over may be given to another row before it is run again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from provisioner.journal.earlier import (
    EarlierUser,
    Said,
    created_in,
    is_as_settled,
    own_in,
    own_of,
    rows_in,
    standing_at,
)
from provisioner.journal.header import EMULATOR, Identity, owner_in
from provisioner.journal.lock import unreadable
from provisioner.results.resubmission import DUPLICATE, EarlierRounds, of_another
from provisioner.roster.columns import ADDED
from provisioner.run.intake import CheckedBatch
from provisioner.validation.checked import reject

if TYPE_CHECKING:
    from provisioner.journal.journal import Journal

_BEFORE, _ERRORS = ADDED
# Rows looked up at once.
_AT_ONCE: Final = 4000
_REPEATED: Final = rf"(?:^\s*|; ){DUPLICATE}: "


class _Returned(NamedTuple):
    """A row that was rejected before.

    before    its number then; `repeat`: it was, or is, rejected because another row had the uid
    said      what it says of its user; null when it is rejected again
    """

    row: int
    uid: str
    before: int
    repeat: bool
    said: Said | None


def take_over(
    journal: Journal, earlier: EarlierRounds, checked: CheckedBatch, *, rejected_only: bool = False
) -> CheckedBatch:
    """Take over what earlier rounds know of the users of a batch, and reject who would take the uid of one of them.

    rejected_only  only of those whose rows are rejected: the others are not come to, and stay pending

    Raises `StorageError`.
    """
    rows = [each for each in _returned(checked) if each.said is None or not rejected_only]
    known = journal.known([each.uid for each in rows])
    own = _own(journal, list(known))
    rows = [each for each in rows if each.uid not in own]
    ours, others = _told_apart(rows, dict.fromkeys(earlier.journals, journal.identity), earlier.last)
    if fresh := [each for each in ours if each.uid not in known]:
        journal.take_over(fresh)
    return _without(checked, others)


def foresee(own: Path | Journal, earlier: EarlierRounds, owner: Identity | None, checked: CheckedBatch) -> CheckedBatch:
    """Reject whom a run would reject, for one that sends nothing.

    own    the journal of this round, which there may be already; the open one where this process has it open
    owner  for whom the run would be; null where that is not known: each round is believed
    """
    rows = list(_returned(checked)) if earlier.journals else []
    if not rows:
        return checked
    uids = [each.uid for each in rows]
    known = own_in(own, uids, owner or owner_in(own)) if isinstance(own, Path) else _own(own, uids)
    rounds = {path: owner or owner_in(path) for path in earlier.journals}
    _, others = _told_apart([each for each in rows if each.uid not in known], rounds, earlier.last)
    return _without(checked, others)


def _own(journal: Journal, uids: Sequence[str]) -> set[str]:
    with unreadable(journal.path):
        return own_of(journal.database, uids)


def _told_apart(
    rows: Sequence[_Returned], rounds: Mapping[Path, Identity | None], last: Collection[Path]
) -> tuple[list[EarlierUser], dict[int, str]]:
    """Give what goes on of the users whose rows these are, each with its row of now, and why other rows are rejected.

    rounds  journal → for whom it has to be; the last round first
    last    those of the last round
    """
    ours: list[EarlierUser] = []
    others: dict[int, str] = {}
    found = _found(rounds, [each.uid for each in rows])
    for each in rows:
        user, path = found.get(each.uid, (None, None))
        if user is None:
            continue
        if _is_the_one(each, user, numbered=path in last):
            ours.append(user._replace(row=each.row))
        elif user.ours and each.said is not None:
            others[each.row] = of_another(each.uid, user.row, path)
    strangers = [each for each in rows if each.uid not in found]
    telling = [path for path, owner in _telling(rounds).items() if owner_in(path) == owner]
    for each, reason in _settled_before(strangers, telling, last):
        if each.said is None and reason is None and not each.repeat:
            ours.append(standing_at(each.uid, each.row))
        elif each.said is not None and reason is not None:
            others[each.row] = reason
    return ours, others


def _settled_before(
    rows: Sequence[_Returned], rounds: Sequence[Path], last: Collection[Path]
) -> Iterator[tuple[_Returned, str | None]]:
    """Give those of these rows whose users, of others, one of the rounds has settled, and why they are another's rows.

    Null for a row that is that one: the last round knows it by uid and number, or it says just what was settled.
    """
    uids = [each.uid for each in rows]
    stands = set[tuple[str, int]]().union(*(rows_in(path, uids) for path in rounds if path in last)) if uids else ()
    settled = EarlierRounds(rounds).settled(uids) if uids else {}
    for each in rows:
        done, path = settled.get(each.uid, (None, None))
        if done is None:
            continue
        same = (each.uid, each.before) in stands or (each.said is not None and is_as_settled(each.said, done))
        yield each, None if same else of_another(each.uid, done.was, path)


def _without(checked: CheckedBatch, others: Mapping[int, str]) -> CheckedBatch:
    if not others:
        return checked
    return replace(checked, checked=reject(checked.checked, checked.batch, DUPLICATE, others))


def follow(journal: Journal, checked: CheckedBatch, unknown_roles: Collection[int]) -> None:
    """Have the journal know where users stand whose rows are rejected now: by that they are known in the next round.

    unknown_roles  rows that the rules let pass, and that are rejected for a role which the app does not have

    Raises `StorageError`.
    """
    by_rules = pl.col("error_code").is_not_null() & ~_repeated("error_message")
    lines = checked.checked.lines.filter(by_rules | pl.col("row").is_in(list(unknown_roles)))
    stands = dict(lines.drop_nulls("uid").select("uid", "row").iter_rows())
    known = journal.known(list(stands)) if stands else {}
    if moved := [(known[uid].key, row) for uid, row in stands.items() if uid in known and known[uid].row != row]:
        journal.move(moved)


def _returned(checked: CheckedBatch) -> Iterator[_Returned]:
    """Give the rows of a batch that have been rejected before."""
    lines, frame = checked.checked.lines, checked.batch.frame
    if _BEFORE not in lines.columns or _ERRORS not in frame.columns:
        return iter(())
    errors = _words(frame[_ERRORS]).gather(checked.batch.positions(lines["row"]))
    rows = lines.with_columns(errors.alias("errors")).drop_nulls(["uid", _BEFORE])
    rows = rows.join(checked.valid.select("row", *Said._fields), on="row", how="left", maintain_order="left")
    rows = rows.select("row", "uid", _BEFORE, _repeated("errors") | _repeated("error_message"), *Said._fields)
    return map(_as_returned, chain.from_iterable(part.iter_rows() for part in rows.iter_slices(_AT_ONCE)))


def _words(errors: pl.Series) -> pl.Series:
    """Give why rows were rejected before, in words; nothing where it is no text any more, but a list, say."""
    if errors.dtype.is_nested() or isinstance(errors.dtype, pl.Binary):
        return pl.repeat(None, len(errors), dtype=pl.String, eager=True)
    return errors.cast(pl.String)


def _as_returned(values: tuple[Any, ...]) -> _Returned:
    said = Said._make(values[4:])
    return _Returned._make((*values[:4], said if said.body is not None else None))


def _repeated(column: str) -> pl.Expr:
    return pl.col(column).str.contains(_REPEATED).fill_null(value=False)


def _found(rounds: Mapping[Path, Identity | None], uids: Sequence[str]) -> Mapping[str, tuple[EarlierUser, Path]]:
    """Give uid → what the latest round knows that has created the user, or may have, and that round's journal."""
    found: dict[str, tuple[EarlierUser, Path]] = {}
    for path, owner in _telling(rounds).items() if uids else ():
        for user in created_in(path, uids, owner):
            found.setdefault(user.uid, (user, path))
    return found


def _telling(rounds: Mapping[Path, Identity | None]) -> Mapping[Path, Identity]:
    """Give those of the rounds that may know users of the app; the built-in emulator begins empty each time."""
    return {path: owner for path, owner in rounds.items() if owner is not None and owner != EMULATOR}


def _is_the_one(each: _Returned, user: EarlierUser, *, numbered: bool) -> bool:
    """Tell whether it is the row of that user, or says just what was sent for it.

    numbered  the round that knows the user is the one in which the row had its number: in others it was somebody else's
    """
    same = each.said is not None and bool(user.ours) and is_as_settled(each.said, user)
    return same or (numbered and each.before == user.row and not each.repeat)

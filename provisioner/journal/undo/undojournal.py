"""The journal of a run, opened to be undone: its settlements are those of an undo."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import orjson

from provisioner.errors import JournalError
from provisioner.journal.course.events import LAST_UNDO, LAST_WORD, UndoRow
from provisioner.journal.course.lifetimes import Lifetimes
from provisioner.journal.header import Identity, closed_on_error, header_of, open_for_reading
from provisioner.journal.journal import Journal, JournalReader
from provisioner.journal.statements import UserKey, Written
from provisioner.journal.undo.reversals import (
    CANDIDATES,
    FLUSHED,
    LEAVING,
    OWNED,
    PARTLY_BACK,
    VERDICT,
    Candidate,
    LeavingRow,
    OwnedRow,
    PartlyBackRow,
    VerdictRow,
)
from provisioner.journal.undo.telling import LINES, TO_DO, TOKENS_LEFT, UNTOUCHED, Line, ToDo
from provisioner.model import Outcome, Settlement, State, UserRequest

_IS_STATE: Final = "SELECT EXISTS (SELECT 1 FROM nights)"

# The undos of a journal are in the table `undos`: one row for each command, several of which can be one round, which is
# what an undo that was killed or stopped and the one that ends it have in common. Whatever is undone after a good one,
# that has come to its end, is another round.
_ROUND: Final = "SELECT 1 + coalesce(max(round), 0) FROM undos WHERE good"
_BEGIN: Final = "INSERT INTO undos (round, started_at, permanent) VALUES (:round, :now, :permanent)"
_END: Final = "UPDATE undos SET finished_at = :now, good = :good, summary = :summary WHERE id = :number"

Record: TypeAlias = LeavingRow | OwnedRow | PartlyBackRow
"""What is recorded of a user while it is being looked at."""


def refuse_what_is_no_run(path: Path) -> None:
    """Say what it is that was named instead of the results of a run, or of its journal; raises `JournalError`."""
    message = "no results of a run;" if path.exists() else "no such file;"
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        if header_of(database).ours:
            message = "a journal by another name, a copy perhaps; have it beside its results, as ….journal.db, and"
            _refuse_state(database, path)
    raise JournalError(f"{path}: {message} name the results of a run, as its --output has them")


def _refuse_state(database: sqlite3.Connection, path: Path) -> None:
    if database.execute(_IS_STATE).fetchone()[0]:
        message = (
            "is the state of a sync, and what a sync did is not undone; sync the roster as it was before, which "
            "brings everybody back to it"
        )
        raise JournalError(f"{path}: {message}")


class Undoable(Journal):
    """The journal of a run, asked what there is to be undone.

    permanent  users are to be deleted for good
    tags       the bit of the tags among the fields of `overwrites`
    """

    instead = "check the name, which is that of the results as --output has it"
    another_app = "check the app id and the region, or --base-url"
    may_be_blank = False

    def __init__(self, path: Path, identity: Identity, *, permanent: bool, tags: int) -> None:
        super().__init__(path, identity)
        self.permanent, self._tags = permanent, tags

    def __enter__(self) -> Self:
        if not self.path.exists():
            raise JournalError(f"{self.path}: no such journal; {self.instead}")
        return super().__enter__()

    def _open(self) -> sqlite3.Connection:
        database = super()._open()
        with closed_on_error(database):
            _refuse_state(database, self.path)
            self.round = int(database.execute(_ROUND).fetchone()[0])
        return database

    def to_do(self) -> ToDo:
        """Count what there is to be undone."""
        with self._unreadable():
            return ToDo._make(self._database.execute(TO_DO, self._asked | {"tags": self._tags}).fetchone())

    @property
    def _asked(self) -> dict[str, Any]:
        return {"round": self.round, "permanent": self.permanent}


class UndoReader(Undoable, JournalReader):
    """The journal of a run that is only looked at, whoever may be using it."""


class UndoJournal(Undoable):
    """The open journal of a run, locked.

    Raises `JournalError` when it is not there, the state of a sync, foreign or in use.
    """

    def lifetimes(self) -> Lifetimes | None:
        """Say how long each run can have gone on; None when that is not known.

        Of a copy it is not: the run went on with what was lost.
        """
        with self._unreadable():
            return None if self.copied_at is not None else self.course.lifetimes()

    def candidates(self, after: int, most: int) -> list[Candidate]:
        """Give the users that are still to be looked at, from the one behind number `after` on."""
        asked = self._asked | {"after": after, "most": most}
        with self._unreadable():
            return [Candidate._make(each) for each in self._database.execute(CANDIDATES, asked)]

    def record(self, records: Sequence[Record]) -> None:
        """Record what has to be on disk before a request leaves; on disk before this returns."""
        owned = [each for each in records if isinstance(each, OwnedRow)]
        partly = [each for each in records if isinstance(each, PartlyBackRow)]
        leaving = [each for each in records if isinstance(each, LeavingRow)]
        words = LAST_WORD, [UserKey(each.id) for each in partly]
        before = LAST_UNDO, [UndoRow(each.id, each.undo) for each in leaving]
        self._commit(
            (OWNED, owned),
            words,
            *((bulk, partly) for bulk in PARTLY_BACK),
            before,
            *((bulk, leaving) for bulk in (LEAVING, FLUSHED)),
        )

    def lines(self) -> Iterator[Line]:
        """Give what is to be told of every user this job created or updated, or may have, in the roster's order."""
        with self._unreadable():
            yield from map(Line._make, self._database.execute(LINES, self._asked))

    def untouched(self) -> int:
        """Count those in doubt of whom it turned out that this job had changed nothing."""
        return int(self._database.execute(UNTOUCHED, self._asked).fetchone()[0])

    def tokens_left(self) -> int:
        """Count the auth tokens of users who were there before this job."""
        return int(self._one(TOKENS_LEFT))

    def begin(self, now: float) -> int:
        """Record that an undo begins (UNIX seconds): its number."""
        with self._unwritable(), self._database:
            asked = {"round": self.round, "now": now, "permanent": self.permanent}
            return int(self._database.execute(_BEGIN, asked).lastrowid or 0)

    def end(self, undo: int, now: float, summary: Mapping[str, Any], *, good: bool) -> None:
        """Record how an undo ended."""
        values = {"now": now, "good": good, "summary": orjson.dumps(summary).decode(), "number": undo}
        with self._unwritable(), self._database:
            self._database.execute(_END, values)

    def sent(self, requests: Iterable[UserRequest], now: float) -> None:
        """Record nothing: a user has to be looked at before anything may leave, see `record`."""

    def _as_settled(self, settlements: Sequence[Settlement]) -> Iterator[Written]:
        """Along with the verdict: the rows of users that are reversed begin anew."""
        rows = [self._verdict(each) for each in settlements if each.state is State.SETTLED]
        anew = {Outcome.REVERSED, Outcome.UNTOUCHED}
        yield LAST_WORD, [UserKey(each.id) for each in rows if each.verdict in anew]
        yield LAST_UNDO, [UndoRow(each.id, each.undo) for each in rows]
        yield from ((bulk, rows) for bulk in VERDICT)

    def _verdict(self, each: Settlement) -> VerdictRow:
        # A failure that leaves it open whether the request was carried out is in doubt from now on.
        state = "sent" if each.outcome is Outcome.FAILED and each.doubt_since is not None else "settled"
        return VerdictRow(
            id=each.key,
            undo=self.round,
            state=state,
            verdict=each.outcome.value,
            reason=each.error_code,
            message=each.error_message,
            http_status=each.http_status,
            attempts=each.attempts,
            settled_at=each.settled_at,
            doubt_since=each.doubt_since,
            mark=each.mark,
        )

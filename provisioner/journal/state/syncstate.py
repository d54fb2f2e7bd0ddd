"""The state of a nightly sync: the journal, kept from night to night, with what is known of each user on the server.

What is in it with a standing is what this tool manages; nobody else's users are ever touched. A night that was cut
short and the one that ends it share an *epoch*: what happened to a user in this epoch is what the results tell.

    standing       active or deactivated; null while the user is not known to exist
    certain        0 from the moment a change is recorded as sent until it is settled
    live_hash      body of the roster row that was last carried out; after a `+`, fields that the user has besides, for
                   which the roster had no column then
    digests        the profile that was last carried out, see `provisioner.sending.users.profile`
    absent         good nights in a row in which the user was not in the roster
    profile        that profile itself, packed: who left is told by name, and what changes with its old value
    sessions       whether the auth tokens of a leaver are flushed, see `provisioner.journal.state.managed.Sessions`
    night_outcome  created, reactivated or updated, when the user became that before a later change of the same epoch
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self, TypeAlias

import orjson

from provisioner.errors import JournalError
from provisioner.journal.beside import log_of, refuse_beside
from provisioner.journal.copies.mark import HEARD
from provisioner.journal.course.table import ENDING_FORGOTTEN, RUN_FORGOTTEN, Course
from provisioner.journal.header import Identity, damage_in, header_of, refuse_cut_short
from provisioner.journal.journal import Journal
from provisioner.journal.lock import unnoted, unwritable
from provisioner.journal.schema import Meta
from provisioner.journal.state import gone, nights
from provisioner.journal.state.managed import (
    ADOPTED,
    CARRIED_OUT,
    DRIFT,
    GIVEN_BACK,
    LIVE,
    MET,
    OPERATION,
    PROFILE,
    PROFILES,
    TAKEN_OVER,
    TONIGHT,
    AdoptedRow,
    Adoption,
    DriftRow,
    LiveRow,
    Met,
    OperationRow,
    ProfileRow,
)
from provisioner.journal.state.nights import Doubt, EpochRow, Nights
from provisioner.journal.statements import Columns, UserKey, Written, fetch_columns, json_list
from provisioner.model import Action, Settlement, Standing, State, UserRequest

Values: TypeAlias = Sequence[Any] | Mapping[str, Any]
Failing: TypeAlias = Callable[[Path], AbstractContextManager[None]]


class SyncState(Journal):
    """An open state, locked; a `Journal` whose settlements carry what is known of the user.

    Raises `JournalError` when it is not there (and not to be made), damaged, foreign or in use.
    """

    instead = "check --state"
    another_app = "check --state, the app id and the region"
    if_absent = (
        "check --state, or begin with --adopt, once and by hand, which makes one and takes over those users of the "
        "roster that exist"
    )
    if_damaged = (
        "check --state, put a copy back, or move it away and begin with --adopt, by hand, which takes over users of "
        "the roster that exist"
    )

    def __init__(self, path: Path, identity: Identity, *, make: bool = False) -> None:
        super().__init__(path, identity)
        self._make = make
        self._absent_found = False

    def __enter__(self) -> Self:
        if not self._make and not self.path.exists():
            raise JournalError(f"{self.path}: no such state file; {self.if_absent}")
        with self._unusable():
            refuse_beside(self.path)
            refuse_cut_short(self.path, new=self._make)
            self._logged = log_of(self.path).exists()
        return super().__enter__()

    def __exit__(self, *ended: Any) -> None:  # noqa: PYI036 - they are handed on
        with suppress(sqlite3.Error), self._database:
            self._database.execute(GIVEN_BACK)
        super().__exit__(*ended)

    def _prepare(self, database: sqlite3.Connection) -> None:
        if not self._make and header_of(database).blank:
            raise sqlite3.DatabaseError("it holds nothing")
        super()._prepare(database)
        # A log that a kill left is played back into whatever stands beside it: of another file the indexes tell.
        if (damage := damage_in(database, thorough=self._logged)) is not None:
            raise sqlite3.DatabaseError(damage)
        with database:  # what an ordinary run left is taken over
            for statement in (GIVEN_BACK, TAKEN_OVER, RUN_FORGOTTEN, *nights.SESSION_TABLES):
                database.execute(statement)

    @contextmanager
    def _unusable(self) -> Iterator[None]:
        """Tell damage, and the way back from it, from a file that cannot be opened or written just now."""
        try:
            with super()._unusable():
                yield
        except JournalError as error:
            cause = error.__cause__
            if not isinstance(cause, sqlite3.DatabaseError) or isinstance(cause, sqlite3.OperationalError):
                raise
            message = f"the state is damaged, or no state ({cause}); {self.if_damaged}"
            raise JournalError(f"{self.path}: {message}") from cause

    @property
    def nights(self) -> Nights:
        """The nights of this state."""
        return Nights(self._database, self._unreadable)

    @property
    def course(self) -> Course:
        """How the runs of the night went that is not over yet, and how the last one ended."""
        return Course(self._database, self.nights.epoch)

    def managed(self) -> int:
        """How many active users the state knows, those included whom another hand has reactivated."""
        return int(self._one(nights.MANAGED))

    def absent_before(self) -> int:
        """How many of them the last good night's roster did not name either."""
        return int(self._one(nights.ABSENT_BEFORE))

    def profiles(self, uids: Sequence[str]) -> dict[str, bytes]:
        """Look up the profiles that were last carried out, packed; those not kept are not in the answer."""
        with self._unreadable():
            return dict(self._database.execute(PROFILES, (json_list(uids),)).fetchall())

    def keep_profiles(self, profiles: Iterable[tuple[str, bytes]]) -> None:
        """Record (uid, packed profile) of users that are as they should be."""
        self._commit((PROFILE, [ProfileRow._make(each) for each in profiles]))

    def note_others(
        self, changed: Iterable[DriftRow], replaced: Iterable[gone.ReplacedRow], let_go: Sequence[gone.LetGoRow] = ()
    ) -> None:
        """Record whose profiles another hand has changed, and in whose place it has created somebody else.

        let_go  those of the latter who are not managed any more
        """
        self._commit((DRIFT, list(changed)), (gone.REPLACED, list(replaced)), (gone.LET_GO, let_go))

    def note_found(self, found: Sequence[gone.FoundRow], missing: Sequence[UserKey]) -> None:
        """Record how users were found, and who of them is not there any more."""
        self._commit((gone.FOUND, found), (gone.REMEMBERED, missing), (gone.MISSING, missing))

    def left_tonight(self) -> list[tuple[str, int]]:
        """Give uid and `absent` of the leavers that an earlier attempt of this night has deactivated."""
        with self._knowing_absent():
            return self._database.execute(nights.LEFT_TONIGHT, (self.nights.epoch,)).fetchall()

    def flushed_tonight(self) -> int:
        """How many leavers were deactivated in this night and have no auth token any more for certain."""
        with self._knowing_absent():
            return int(self._database.execute(nights.FLUSHED_TONIGHT, (self.nights.epoch,)).fetchone()[0])

    def name(self, rows: Sequence[tuple[str, int]]) -> None:
        """Note (uid, roster row) of those whom tonight's roster names as deactivated; for this session only.

        They are leavers as those are whom it does not name any more.
        """
        self._write((nights.NOTE_NAMED,), (orjson.dumps(dict(rows)).decode(),), unnoted)

    def named(self, uids: Sequence[str]) -> dict[str, int]:
        """Give those of the uids that tonight's roster names as deactivated, with their rows."""
        with self._unreadable():
            return dict(self._database.execute(nights.NAMED, (json_list(uids),)).fetchall())

    def is_leaver(self, uids: Sequence[str]) -> set[str]:
        """Give those of the uids that the state manages and that tonight's roster does not name."""
        with self._knowing_absent():
            return {uid for (uid,) in self._database.execute(nights.IS_LEAVER, (json_list(uids),))}

    def mark(self) -> str:
        """Give a text that is another one as soon as anything in the state has changed."""
        users = self._database.execute("SELECT count(*), max(sent_at), max(settled_at) FROM users").fetchone()
        return orjson.dumps([*users, *self.nights.mark(), self.copied_at]).decode()

    def carried_out(self, uids: Sequence[str]) -> list[tuple[str, str]]:
        """Give uid and body hash of those of these who are active, for certain just as a row was carried out."""
        with self._unreadable():
            return self._database.execute(CARRIED_OUT, (json_list(uids),)).fetchall()

    def met(self, uids: Sequence[str]) -> dict[str, Met]:
        """Look up many uids; those never met are not in the answer."""
        with self._unreadable():
            return {met.uid: met for met in map(Met._make, self._database.execute(MET, self._tonights(uids)))}

    def _tonights(self, uids: Sequence[str]) -> dict[str, Any]:
        return {"uids": json_list(uids), "epoch": self.nights.epoch}

    def see(self, uids: Sequence[str]) -> None:
        """Note uids that stand in tonight's roster, whether their rows are valid or not; for this session only."""
        self._write((nights.NOTE_PRESENT,), (json_list(uids),), unnoted)
        self._absent_found = False

    def plan(self, uids: Sequence[str]) -> None:
        """Note uids for which something is to be done tonight; for this session only."""
        self._write((nights.NOTE_PLANNED,), (json_list(uids),), unnoted)

    def _write(self, statements: Sequence[str], values: Values = (), failing: Failing = unwritable) -> None:
        with failing(self.path), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for statement in statements:
                self._database.execute(statement, values)

    @contextmanager
    def _knowing_absent(self) -> Iterator[None]:
        """Read, with those known whom tonight's roster lacks; whoever comes into the state later stands in it."""
        with self._unreadable():
            if not self._absent_found:
                self._write(nights.FIND_ABSENT, failing=unnoted)
                self._absent_found = True
            yield

    def leavers(self) -> Iterator[tuple[str, int]]:
        """Give uid and `absent` of whom tonight's roster does not name and who may log in, or may have been created."""
        with self._knowing_absent():
            yield from self._database.execute(nights.LEAVERS)

    def in_doubt(self) -> list[Doubt]:
        """Give the users that tonight's roster does not name and of whom it is not known whether we created them."""
        with self._knowing_absent():
            return [Doubt._make(each) for each in self._database.execute(nights.DOUBTS)]

    def resolve(self, uid: str, standing: Standing | None, *, former: bool = False) -> None:
        """Record what became of a user in doubt: it is ours, or the former one, or (None) none that we manage."""
        statements = (ENDING_FORGOTTEN, gone.FOUND_AGAIN if former else nights.RESOLVED)
        self._write(statements, {"uid": uid, "standing": standing and standing.value})

    def wake(self, uids: Sequence[str]) -> None:
        """Note that users who were deactivated are active: for the session, and once a change is recorded for good."""
        self._write((nights.NOTE_WOKEN,), (json_list(uids),), unnoted)

    def record_woken(self) -> None:
        """Record that the users noted as such are active."""
        self._write((ENDING_FORGOTTEN, nights.WOKEN))

    def sent_anew(self, request: UserRequest, now: float) -> None:
        """Record that a user who is gone may be created anew from now on (UNIX seconds); with it goes the old token."""
        anew = gone.SentAnewRow(id=request.key, body_hash=request.body_hash, now=now)
        self._commit((gone.REMEMBERED, [UserKey(request.key)]), (gone.SENT_ANEW, [anew]))

    def tonight(self, uids: Sequence[str]) -> Columns:
        """Fetch what became of these uids in this night, as `Journal.outcomes` does; `unchanged` if nothing did."""
        with self._knowing_absent():
            return fetch_columns(self._database, TONIGHT, self._tonights(uids))

    def hear(self, now: float) -> None:
        """Record the server's time (UNIX seconds), learned while nothing was sent that is recorded."""
        with self._unwritable():
            Meta(self._database).put(HEARD, repr(now))

    def adopt(self, users: Iterable[Adoption], now: float) -> None:
        """Take over users that are as the roster has them (UNIX seconds)."""
        epoch = self.nights.epoch
        self._commit((ADOPTED, [AdoptedRow.of(user, key=self.new_key(), epoch=epoch, now=now) for user in users]))
        self.is_new = False

    @property
    def _epoch(self) -> int | None:
        return self.nights.epoch

    def _as_sent(self, requests: Sequence[UserRequest], now: float) -> Iterator[Written]:
        """Along with the request: what is known of its user is in doubt from now on."""
        epoch = self.nights.epoch
        yield nights.NIGHT_OUTCOME, [EpochRow(id=each.key, epoch=epoch) for each in requests]
        creates = [UserKey(each.key) for each in requests if each.change and each.change.action is Action.CREATE]
        yield from ((statement, creates) for statement in (gone.REMEMBERED, gone.FORGOTTEN))
        yield from super()._as_sent(requests, now)
        changes = [(each.key, each.change) for each in requests if each.change]
        yield OPERATION, [OperationRow(key, each.action.value, each.flush, each.unsure) for key, each in changes]

    def _as_settled(self, settlements: Sequence[Settlement]) -> Iterator[Written]:
        """Along with the outcome: what is known of the user now."""
        yield from super()._as_settled(settlements)
        epoch = self.nights.epoch
        settled = [each.key for each in settlements if each.state is State.SETTLED]
        yield nights.EPOCH, [EpochRow(id=key, epoch=epoch) for key in settled]
        known = [(each.key, each.live, each.flushed) for each in settlements if each.live is not None]
        yield LIVE, [LiveRow.of(key, live, flushed=flushed) for key, live, flushed in known]
        yield from ((statement, [UserKey(key) for key in settled]) for statement in (gone.RESTORED, gone.ENDED))

    def begin_night(self, now: float, plan: str | None = None) -> int:
        """Record that a sync begins (UNIX seconds), and which kept plan it carries out: its number."""
        with self._unwritable(), self._database:
            return self.nights.begin(now, plan)

    def end_night(
        self, number: int, now: float, rows: int, summary: Mapping[str, Any], *, good: bool, quiet: bool = False
    ) -> None:
        """Record how a sync ended: a good one counts absences, and a quiet one has read no row for that."""
        with nullcontext() if quiet else self._knowing_absent():
            self._write(*nights.ending(number, now, rows, summary, good=good, quiet=quiet))
        if good and not quiet:
            self.forget_copy()


class PlannedState(SyncState):
    """The state of a kept plan: no option names another one, or lets another begin."""

    instead = "make a new plan"
    another_app = if_absent = if_damaged = f"put it back as it was, or {instead}"

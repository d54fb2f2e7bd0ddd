"""One case: everything that happens in it, drawn from its seed, as plain data that can be made smaller."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Op(StrEnum):
    """A call of the API."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    MINT = "mint"
    FLUSH = "flush"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    ROLES = "roles"
    LIST = "list"


class Trouble(StrEnum):
    """What can become of a request and its answer."""

    UNREACHED = "no connection"
    LOST_BEFORE = "lost on its way"
    LOST_AFTER = "answer lost"
    TIMEOUT = "carried out, answer too late"
    LATE = "given up, carried out later"
    SLOW = "answer after a while"
    REPEATED = "carried out twice"
    BROKEN_OFF = "answer broken off"
    EMPTY = "answer without a body"
    CUT = "answer with half a body"
    HTML = "answer with a page for its body"
    OTHER_JSON = "answer with other JSON for its body"
    GATEWAY_BEFORE = "502, not carried out"
    GATEWAY_AFTER = "502, carried out"
    ERROR_AFTER = "500 with an envelope, carried out"
    FOREIGN_400 = "400 of a proxy, not carried out"
    FOREIGN_422 = "empty 422 of a proxy, carried out"
    LIMITED = "429"
    LIMITED_UNTIL = "429 with Retry-After"
    DATELESS = "answer without a Date"
    OLD_FORM = "refused in the older form, or 409"
    KEY_REVOKED = "401"


class Act(StrEnum):
    """What a stranger does to a user."""

    CREATE = "create"
    CHANGE = "change"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the roster; `refused` when the server will not have it, and says so."""

    who: int
    token: bool = True
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """A user that is there before the first life; `age` seconds old."""

    who: int
    age: float
    deactivated: bool = False
    same: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Strikes the `nth` request (from 1) of one kind about one user in one life."""

    life: int
    who: int
    op: Op
    nth: int
    trouble: Trouble | None
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Stranger:
    """Acts `at` seconds after a life began, before it when negative."""

    life: int
    at: float
    who: int
    act: Act


@dataclass(frozen=True, slots=True)
class Edit:
    """From this life on, the row says `version` of its user's name; -1 for a row that is not there.

    left  whether it names its user as deactivated
    """

    life: int
    who: int
    version: int
    left: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """From this life on, a run is asked for this."""

    life: int
    on_existing: str = "skip"
    auth_tokens: str = "created"


@dataclass(frozen=True, slots=True)
class Life:
    """A process, from start to end.

    order   draws the order of events; 0 for the plain one
    kill    the step before which it is killed; None for never
    stop    the step at which it is asked to stop; None for never
    ours    seconds its machine's clock is ahead of the truth
    jumps   seconds its machine's clock is put forward while it lives, at a second after its start
    after   seconds since the life before it ended
    """

    order: int = 0
    kill: int | None = None
    stop: int | None = None
    ours: float = 0.0
    jumps: tuple[float, float] | None = None
    after: float = 5.0


@dataclass(frozen=True, slots=True)
class Case:
    """All of it.

    theirs    seconds the server's clock is ahead of the truth
    batch     rows of a batch, and so of a block that is recorded as sent in one commit
    rate      requests a minute
    sync      whether it is nights of a sync; else lives of a run
    refreshes the lives that are to look at the app's users first
    asks      what runs are asked for instead of `on_existing` and `auth_tokens`, in the order of lives
    """

    seed: int
    rows: tuple[Row, ...]
    lives: tuple[Life, ...]
    faults: tuple[Fault, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    edits: tuple[Edit, ...] = ()
    before: tuple[Before, ...] = ()
    theirs: float = 0.0
    on_existing: str = "skip"
    auth_tokens: str = "created"
    batch: int = 3
    workers: int = 2
    rate: int = 6000
    attempts: int = 3
    sync: bool = False
    refreshes: tuple[int, ...] = ()
    asks: tuple[Ask, ...] = ()

    def asked(self, life: int) -> Ask:
        """Give what is asked for in a life."""
        return ([Ask(0, self.on_existing, self.auth_tokens)] + [each for each in self.asks if each.life <= life])[-1]

    def version(self, who: int, life: int) -> int:
        """Which name the row says in a life."""
        return self._edit(who, life).version

    def left(self, who: int, life: int) -> bool:
        """Whether the row names its user as deactivated in a life."""
        return self._edit(who, life).left

    def _edit(self, who: int, life: int) -> Edit:
        done = [edit for edit in self.edits if edit.who == who and edit.life <= life]
        return done[-1] if done else Edit(0, who, 0)

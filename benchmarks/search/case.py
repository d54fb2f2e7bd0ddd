"""One case: everything that happens in it, drawn from its seed, as plain data that can be made smaller."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Op(StrEnum):
    """A call of the API."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    MINT = "mint"
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
    """From this life on, the row says `version` of its user's name; -1 for a row that is not there."""

    life: int
    who: int
    version: int


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

    def version(self, who: int, life: int) -> int:
        """Which name the row says in a life."""
        said = 0
        for edit in self.edits:
            if edit.who == who and edit.life <= life:
                said = edit.version
        return said


_CLOCKS: Final = (0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 5.0, -5.0, 120.0, -120.0, 3600.0, -3600.0)
_MOST_ROWS: Final = 7
_FAULTY: Final = tuple(each for each in Trouble if each is not Trouble.KEY_REVOKED)


def draw(seed: int) -> Case:
    """Draw the case of a seed."""
    chance = Random(seed)
    rows = tuple(
        Row(who, token=chance.random() < 0.8, refused=chance.random() < 0.05)
        for who in range(chance.randint(1, _MOST_ROWS))
    )
    lives = tuple(_life(chance) for _ in range(chance.randint(1, 4)))
    lives = (*lives, Life(order=_order(chance), ours=chance.choice(_CLOCKS), after=_pause(chance)))
    heat = chance.choice((0.05, 0.15, 0.4))
    before = tuple(
        Before(row.who, round(10 ** chance.uniform(0.5, 5), 3), chance.random() < 0.2, chance.random() < 0.4)
        for row in rows
        if chance.random() < 0.2
    )
    return Case(
        seed,
        rows,
        lives,
        faults=tuple(_faults(chance, rows, len(lives) - 1, heat)),
        strangers=tuple(_strangers(chance, rows, len(lives))),
        edits=tuple(_edits(chance, rows, len(lives))),
        before=before,
        theirs=chance.choice(_CLOCKS),
        on_existing=chance.choice(("skip", "skip", "update", "fail")),
        auth_tokens=chance.choice(("created", "created", "all", "none")),
        batch=chance.randint(1, 4),
        workers=chance.randint(1, 4),
        rate=chance.choice((20, 60, 600, 6000)),
        attempts=chance.choice((2, 3, 8)),
    )


def _order(chance: Random) -> int:
    return 0 if chance.random() < 0.1 else chance.randrange(1, 2**31)


def _pause(chance: Random) -> float:
    return round(10 ** chance.uniform(-1, 2.5), 3)


def _life(chance: Random) -> Life:
    kill = int(10 ** chance.uniform(0.8, 3)) if chance.random() < 0.75 else None
    stop = int(10 ** chance.uniform(0.8, 3)) if chance.random() < 0.2 else None
    jumps = (round(chance.uniform(0, 3), 3), chance.choice(_CLOCKS)) if chance.random() < 0.15 else None
    return Life(_order(chance), kill, stop, chance.choice(_CLOCKS), jumps, _pause(chance))


def _faults(chance: Random, rows: tuple[Row, ...], lives: int, heat: float) -> list[Fault]:
    found = []
    for life in range(lives):
        for row in rows:
            for op, most in ((Op.CREATE, 4), (Op.READ, 2), (Op.MINT, 2), (Op.UPDATE, 2)):
                for nth in range(1, most + 1):
                    if chance.random() < heat:
                        seconds = round(10 ** chance.uniform(-1, 1.5), 3)
                        found.append(Fault(life, row.who, op, nth, chance.choice(_FAULTY), seconds))
    if chance.random() < 0.05 and lives:
        found.append(Fault(chance.randrange(lives), chance.choice(rows).who, Op.CREATE, 1, Trouble.KEY_REVOKED))
    return found


def _strangers(chance: Random, rows: tuple[Row, ...], lives: int) -> list[Stranger]:
    found = []
    for row in rows:
        while chance.random() < 0.15:
            at = round(chance.choice((-1, 1)) * 10 ** chance.uniform(-2, 1.5), 3)
            found.append(Stranger(chance.randrange(lives), at, row.who, chance.choice(tuple(Act))))
    return found


def _edits(chance: Random, rows: tuple[Row, ...], lives: int) -> list[Edit]:
    return [
        Edit(life, row.who, chance.randrange(3)) for life in range(1, lives) for row in rows if chance.random() < 0.1
    ]

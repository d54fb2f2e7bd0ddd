"""What the cases are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from benchmarks.search.case import Act, Ask, Before, Case, Edit, Fault, Life, Op, Row, Stranger, Trouble

_CLOCKS: Final = (0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 5.0, -5.0, 120.0, -120.0, 3600.0, -3600.0)
_MOST_ROWS: Final = 7
_ON_EXISTING: Final = ("skip", "skip", "update", "fail")
_AUTH_TOKENS: Final = ("created", "created", "all", "none")
_FAULTY: Final = tuple(each for each in Trouble if each is not Trouble.KEY_REVOKED)
_OF_RUNS: Final = ((Op.CREATE, 4), (Op.READ, 2), (Op.MINT, 2), (Op.UPDATE, 2))
_NIGHTLY: Final = (*_OF_RUNS, (Op.DEACTIVATE, 2), (Op.REACTIVATE, 2), (Op.FLUSH, 2))


def draw(seed: int) -> Case:
    """Draw the case of a seed: every third is nights of a sync."""
    return draw_nights(seed) if seed % 3 == 2 else draw_run(seed)


def draw_run(seed: int) -> Case:
    """Draw lives of a run."""
    chance = Random(seed)
    rows = tuple(
        Row(who, token=chance.random() < 0.8, refused=chance.random() < 0.05)
        for who in range(chance.randint(1, _MOST_ROWS))
    )
    lives = tuple(_life(chance) for _ in range(chance.randint(1, 4)))
    lives = (*lives, Life(order=_order(chance), ours=chance.choice(_CLOCKS), after=_pause(chance)))
    heat = chance.choice((0.05, 0.15, 0.4))
    before = _before(chance, rows)
    return Case(
        seed,
        rows,
        lives,
        faults=tuple(_faults(chance, rows, len(lives) - 1, heat, _OF_RUNS)),
        strangers=tuple(_strangers(chance, rows, len(lives))),
        edits=tuple(_edits(chance, rows, len(lives))),
        before=before,
        theirs=chance.choice(_CLOCKS),
        on_existing=chance.choice(_ON_EXISTING),
        auth_tokens=chance.choice(_AUTH_TOKENS),
        batch=chance.randint(1, 4),
        workers=chance.randint(1, 4),
        rate=chance.choice((20, 60, 600, 6000)),
        attempts=chance.choice((2, 3, 8)),
        asks=tuple(_asks(chance, len(lives))),
    )


def draw_nights(seed: int) -> Case:
    """Draw nights of a sync."""
    chance = Random(seed)
    rows = tuple(Row(who, token=True, refused=chance.random() < 0.03) for who in range(chance.randint(1, _MOST_ROWS)))
    lives = tuple(_life(chance) for _ in range(chance.randint(1, 5)))
    lives = (*lives, Life(order=_order(chance), ours=chance.choice(_CLOCKS), after=_pause(chance)))
    heat = chance.choice((0.0, 0.05, 0.15, 0.4))
    return Case(
        seed,
        rows,
        lives,
        faults=tuple(_faults(chance, rows, len(lives) - 1, heat, _NIGHTLY)),
        strangers=tuple(_strangers(chance, rows, len(lives))) if chance.random() < 0.5 else (),
        edits=tuple(_comings(chance, rows, len(lives))),
        before=_before(chance, rows),
        theirs=chance.choice(_CLOCKS),
        auth_tokens=chance.choice(("created", "created", "none")),
        workers=chance.randint(1, 4),
        rate=chance.choice((60, 6000)),
        attempts=chance.choice((2, 3, 8)),
        sync=True,
        refreshes=tuple(number for number in range(len(lives)) if chance.random() < 0.3),
    )


def _asks(chance: Random, lives: int) -> Iterator[Ask]:
    for life in range(1, lives):
        if chance.random() < 0.15:
            yield Ask(life, chance.choice(_ON_EXISTING), chance.choice(_AUTH_TOKENS))


def _before(chance: Random, rows: tuple[Row, ...]) -> tuple[Before, ...]:
    return tuple(
        Before(row.who, round(10 ** chance.uniform(0.5, 5), 3), chance.random() < 0.2, chance.random() < 0.4)
        for row in rows
        if chance.random() < 0.2
    )


def _comings(chance: Random, rows: tuple[Row, ...], lives: int) -> list[Edit]:
    """Let people come, change, leave and come back; whoever leaves is named or absent."""
    found = [_coming(chance, 0, row, (-1,)) for row in rows if chance.random() < 0.2]
    for life in range(1, lives):
        found += [_coming(chance, life, row, (-1, 0, 1, 2)) for row in rows if chance.random() < 0.25]
    return found


def _coming(chance: Random, life: int, row: Row, versions: tuple[int, ...]) -> Edit:
    version = chance.choice(versions)
    if version == -1 and chance.random() < 0.5:
        return Edit(life, row.who, chance.choice((0, 1)), left=True)
    return Edit(life, row.who, version)


def _order(chance: Random) -> int:
    return 0 if chance.random() < 0.1 else chance.randrange(1, 2**31)


def _pause(chance: Random) -> float:
    return round(10 ** chance.uniform(-1, 2.5), 3)


def _life(chance: Random) -> Life:
    kill = int(10 ** chance.uniform(0.8, 3)) if chance.random() < 0.75 else None
    stop = int(10 ** chance.uniform(0.8, 3)) if chance.random() < 0.2 else None
    jumps = (round(chance.uniform(0, 3), 3), chance.choice(_CLOCKS)) if chance.random() < 0.15 else None
    return Life(_order(chance), kill, stop, chance.choice(_CLOCKS), jumps, _pause(chance))


def _faults(
    chance: Random, rows: tuple[Row, ...], lives: int, heat: float, ops: tuple[tuple[Op, int], ...]
) -> list[Fault]:
    found = []
    for life in range(lives):
        for row in rows:
            for op, most in ops:
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

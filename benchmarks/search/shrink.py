"""Makes a case that fails smaller, as long as it fails in the same way, and prints it as a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final

from benchmarks.search.case import Case, Life

Fails = Callable[[Case], bool]

_LISTS: Final = ("faults", "strangers", "edits", "before", "asks")
_MOST_TRIALS: Final = 3000


class _Budget:
    def __init__(self, fails: Fails) -> None:
        self._fails, self.left = fails, _MOST_TRIALS

    def __call__(self, case: Case) -> bool:
        self.left -= 1
        return self.left > 0 and self._fails(case)


def shrink(case: Case, fails: Fails) -> Case:
    """Take away whatever the failure can do without; `fails` says whether a case still fails as it did."""
    fails = _Budget(fails)
    while True:
        for smaller in _smaller(case):
            if fails(smaller):
                case = smaller
                break
        else:
            return case


def _smaller(case: Case) -> Iterator[Case]:
    """Give simpler cases, those that take away most first."""
    for number in range(len(case.lives) - 1):
        yield _without_life(case, number)
    for row in case.rows if len(case.rows) > 1 else ():
        yield _without_row(case, row.who)
    for name in _LISTS:
        yield from _shorter(case, name)
    yield from _plain_members(case)
    for name in ("lives", "faults", "rows"):
        yield from _plain_items(case, name)


def _plain_members(value: Any) -> Iterator[Any]:
    """Give the same with one member as it is by default, for each that is not."""
    for member in fields(value):
        if (
            member.default is not MISSING
            and member.name not in _LISTS
            and getattr(value, member.name) != member.default
        ):
            yield replace(value, **{member.name: member.default})


def _plain_items(case: Case, name: str) -> Iterator[Case]:
    items = getattr(case, name)
    for at, item in enumerate(items):
        for plainer in (*_plain_members(item), *(_killed_earlier(item) if name == "lives" else ())):
            yield _with(case, name, (*items[:at], plainer, *items[at + 1 :]))


def _killed_earlier(life: Life) -> Iterator[Life]:
    if life.kill:
        for kill in (life.kill // 2, life.kill * 3 // 4, life.kill - 1):
            if 0 < kill < life.kill:
                yield replace(life, kill=kill)


def _with(case: Case, name: str, items: tuple[Any, ...]) -> Case:
    members: dict[str, Any] = {name: items}
    return replace(case, **members)


def _shorter(case: Case, name: str) -> Iterator[Case]:
    items = getattr(case, name)
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            yield _with(case, name, items[:start] + items[start + size :])
        size //= 2


def _without_life(case: Case, number: int) -> Case:
    """Leave out a life and what happens in it; later ones move up."""

    def later(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(each, life=each.life - (each.life > number)) for each in items if each.life != number)

    return replace(
        case,
        lives=case.lives[:number] + case.lives[number + 1 :],
        faults=later(case.faults),
        strangers=later(case.strangers),
        edits=tuple(replace(each, life=each.life - (each.life > number)) for each in case.edits),
        asks=tuple(replace(each, life=each.life - (each.life > number)) for each in case.asks),
    )


def _without_row(case: Case, who: int) -> Case:
    about = [name for name in _LISTS if name != "asks"]
    lists: dict[str, Any] = {name: tuple(each for each in getattr(case, name) if each.who != who) for name in about}
    return replace(case, rows=tuple(row for row in case.rows if row.who != who), **lists)


def as_test(case: Case, offence: str) -> str:
    """Print a case as a test of the search's own."""
    return (
        f'def test_seed_{case.seed}() -> None:\n    """{offence}"""\n    assert () == trial({as_code(case)}).offences\n'
    )


def as_code(value: Any) -> str:
    """Write a value as Python has it, without what is as it is by default."""
    match value:
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case tuple():
            return f"({', '.join(map(as_code, value))}{',' if len(value) == 1 else ''})"
        case _ if is_dataclass(value):
            members = [
                f"{each.name}={as_code(getattr(value, each.name))}"
                for each in fields(value)
                if each.default is MISSING or getattr(value, each.name) != each.default
            ]
            return f"{type(value).__name__}({', '.join(members)})"
    return repr(value)

"""What the crash campaign is made of: a roster, the users that are there before it, and what goes wrong."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any, Final

from provisioner.emulator.app.faults import Fault

RUN_LEVEL: Final = (Fault.REVOKE_KEY, Fault.QUOTA_REACHED)
"""They hold until they are lifted, and end a run."""

STORMS: Final = (Fault.STORM, Fault.SILENT_STORM)
"""They hold for a while, so that a share of the requests says nothing about them."""

ROW_LEVEL: Final = tuple(fault for fault in Fault if fault not in (*RUN_LEVEL, *STORMS))
"""Each strikes one request."""

REFUSALS: Final = (Fault.EMPTY_REFUSAL, Fault.CUT_REFUSAL, Fault.HTML_REFUSAL)
"""Each strikes a request that is refused, and no other."""

STORM_SECONDS: Final = 0.3
# Requests that a storm turns away, about: those on the wire and the first ones that come back.
_STORM_REQUESTS: Final = 10
_STORMS_PLANNED: Final = 200

# What comes back within the command's time limit (see `chaos.CONFIG`), while the default of a second does not.
_IN_TIME: Final = 0.2

ROLE: Final = "member"
"""A role that exists, but that the command has to ask for."""

CREATE, READ, MINT = "POST /users", "GET /users/{uid}", "POST /users/{uid}/auth_tokens"


class Kind(StrEnum):
    """What a roster row is, and so what must become of it."""

    NEW = "new"
    OTHER = "there before, with another profile"
    SAME = "there before, with the very profile of the row"
    DEACTIVATED = "there before, deactivated"
    DUPLICATE = "the uid of an earlier row, in capitals"
    INVALID = "breaks a rule"

    @property
    def valid(self) -> bool:
        """Whether the row is to be sent."""
        return self not in {Kind.DUPLICATE, Kind.INVALID}

    @property
    def there(self) -> bool:
        """Whether the user was there before."""
        return self in {Kind.OTHER, Kind.SAME, Kind.DEACTIVATED}


# Shares of a roster; the rest is new.
_SHARES: Final[Mapping[Kind, float]] = {
    Kind.OTHER: 0.06,
    Kind.SAME: 0.06,
    Kind.DEACTIVATED: 0.04,
    Kind.DUPLICATE: 0.04,
    Kind.INVALID: 0.04,
}


@dataclass(frozen=True, slots=True)
class Person:
    """One roster row.

    asks  its withAuthToken cell: nothing, or no
    role  nothing, or one that exists
    left  whether its account is disabled
    """

    row: int
    uid: str
    name: str
    asks: str
    kind: Kind
    role: str = ""
    left: bool = False


def population(rows: int, random: Random, disabled: float = 0.0) -> list[Person]:
    """Make up a roster in which every kind of row occurs, new ones most often; a share of the accounts is disabled."""
    people: list[Person] = []
    for row in range(1, rows + 1):
        kind = _kind(random.random()) if people else Kind.NEW
        uid = f"person-{row:06}"
        if kind is Kind.DUPLICATE:
            uid = random.choice(people).uid.upper()
        elif kind is Kind.INVALID:
            uid = f"person {row}"
        asks = "no" if random.random() < 0.1 else ""
        role = ROLE if random.random() < 0.2 else ""
        left = disabled > 0 and kind.valid and random.random() < disabled
        people.append(Person(row, uid, f"Person {row}", asks, kind, role, left))
    return people


def _kind(chance: float) -> Kind:
    for kind, share in _SHARES.items():
        if chance < share:
            return kind
        chance -= share
    return Kind.NEW


def write_roster(path: Path, people: Iterable[Person]) -> None:
    """Write the people as a CSV roster."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("uid", "name", "withAuthToken", "role", "left"))
        for person in people:
            writer.writerow((person.uid, person.name, person.asks, person.role, "yes" if person.left else ""))


def edited(people: Iterable[Person], random: Random, disabled: float = 0.0) -> list[Person]:
    """Give another name to a tenth of the valid rows, whatever has become of them so far.

    Where accounts are disabled, so many of others are from now on, and as many of those are so no more.
    """
    edited = [
        replace(person, name=f"{person.name}, edited") if person.kind.valid and random.random() < 0.1 else person
        for person in people
    ]
    if not disabled:
        return edited
    return [
        replace(person, left=not person.left) if person.kind.valid and random.random() < 0.05 else person
        for person in edited
    ]


def users_before(people: Iterable[Person], clock_skew: float, random: Random) -> Iterator[dict[str, Any]]:
    """Give the users that are there before, as the emulator is told of them.

    They were created from ten seconds to about a year ago by the server's clock, which is `clock_skew` seconds ahead.
    """
    now = int(time.time() + clock_skew)
    for person in people:
        if person.kind.there:
            name = person.name if person.kind is Kind.SAME else f"{person.name}, as it was"
            created_at = now - int(10 ** random.uniform(1, 7.5))
            gone = now - 5 if person.kind is Kind.DEACTIVATED else None
            yield {"uid": person.uid, "name": name, "created_at": created_at, "deactivated_at": gone}


@dataclass(frozen=True, slots=True)
class Hostility:
    """What goes wrong in a campaign.

    rates     faults by chance, share of the requests
    script    faults by name of the request, as the emulator takes them
    ambushes  run-level faults, one after the other; each is lifted when it has ended a run
    """

    rates: Mapping[Fault, float]
    script: tuple[Mapping[str, Any], ...]
    ambushes: tuple[Fault, ...]

    def plan(self, ambush: Fault | None, nth: int) -> dict[str, Any]:
        """Give the emulator's plan, with an ambush at the n-th create from now on."""
        waiting = [] if ambush is None else [{"fault": ambush, "nth": nth, "route": CREATE}]
        return {"rates": dict(self.rates), "script": [*waiting, *self.script]}


def hostility(faults: str, rate: float, people: Sequence[Person]) -> Hostility:
    """Choose what goes wrong: `all` by chance, each `once` on every kind of request, `none`, or one fault by name.

    `rate` is the share of the requests that a fault strikes. Raises ValueError for a name that is none.
    """
    match faults:
        case "none":
            return Hostility({}, (), ())
        case "all":
            return Hostility(_even(rate, ROW_LEVEL), _storms(rate, STORMS), RUN_LEVEL * 3)
        case "once":
            return Hostility({}, tuple(_each_once(people)), RUN_LEVEL)
    fault = Fault(faults)
    if fault in RUN_LEVEL:
        return Hostility({}, (), (fault,) * 3)
    if fault in STORMS:
        return Hostility({}, _storms(rate, [fault]), ())
    return Hostility({fault: rate}, (), ())


def _even(rate: float, faults: Sequence[Fault]) -> dict[Fault, float]:
    return {fault: rate / len(faults) for fault in faults}


def _storms(rate: float, storms: Sequence[Fault]) -> tuple[Mapping[str, Any], ...]:
    if not rate:
        return ()
    apart = int(_STORM_REQUESTS / rate)
    return tuple(
        {"fault": storms[number % len(storms)], "nth": number * apart, "seconds": STORM_SECONDS}
        for number in range(1, _STORMS_PLANNED)
    )


def _each_once(people: Sequence[Person]) -> Iterator[Mapping[str, Any]]:
    """Let each fault strike one create, one read and one mint, each of another new user that wants a token.

    What spoils refusals strikes a create that finds its own user there, and a read of a user that is deactivated.
    """
    uids = (person.uid for person in people if person.kind is Kind.NEW and not person.asks)
    away = (person.uid for person in people if person.kind is Kind.DEACTIVATED)
    for fault in REFUSALS:
        for uid, route, nth in ((next(uids), CREATE, 2), (next(away), READ, 1)):
            yield {"fault": Fault.LOST_REPLY, "uid": uid, "route": CREATE}
            yield {"fault": fault, "uid": uid, "route": route, "nth": nth}
    for fault in (*ROW_LEVEL, *STORMS):
        if fault in REFUSALS:
            continue
        lasts = {"seconds": STORM_SECONDS} if fault in STORMS else {}
        yield {"fault": fault, "uid": next(uids), "route": CREATE, **lasts}
        for route in (READ, MINT):
            uid = next(uids)
            # Nothing is read back or minted but after a create whose answer was lost.
            yield {"fault": Fault.LOST_REPLY, "uid": uid, "route": CREATE}
            yield {"fault": fault, "uid": uid, "route": route, "seconds": _IN_TIME}

"""A simulated company: who works there, what changes overnight, and the roster that is exported of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.rig.make_roster import DEPARTMENTS, FAMILY, GIVEN, SITES, STATUSES, TITLES

ROLE: Final = "member"
"""A role that the app has besides its default one."""

# Shares of the company, each night.
_CHANGED, _JOINED, _RETURNED = 0.01, 0.003, 0.001
LEAVE: Final = 0.003
"""Of the company, each night, unless something else is asked for."""
# Of those who leave: the roster goes on to name them, as deactivated.
_NAMED: Final = 0.5
# Rows that look different and mean the same.
_RESPELT: Final = 0.02
_TAGS: Final = (*SITES, "on-call", "first-aider", "keyholder")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a roster says of one person; what is empty is not set. The order of tags means nothing."""

    name: str
    avatar: str = ""
    link: str = ""
    role: str = ""
    status: str = ""
    tags: tuple[str, ...] = ()
    department: str = ""
    title: str = ""
    email: str = ""

    def shown(self) -> dict[str, Any]:
        """Give the fields as the emulator keeps them, without those that are empty, tags sorted."""
        private = {"@private": {"email": self.email}} if self.email else {}
        metadata = {"department": self.department, "title": self.title}
        fields = {
            "name": self.name,
            "avatar": self.avatar,
            "link": self.link,
            "role": self.role or "default",
            "status_message": self.status,
            "tags": sorted(self.tags),
            "metadata": {**{key: value for key, value in metadata.items() if value}, **private},
        }
        return {name: value for name, value in fields.items() if value}

    def user(self, uid: str, **more: object) -> dict[str, Any]:
        """Give a whole user as the emulator takes it behind the API's back."""
        return {"uid": uid, **self.shown(), **more}


@dataclass(frozen=True, slots=True)
class Row:
    """One roster row about `uid`.

    cells     column → text
    profile   what it says, if it is valid
    rejected  whether it breaks a rule
    nameless  whether it does so by having no uid
    left      whether it names its user as deactivated
    """

    uid: str
    cells: Mapping[str, str]
    profile: Profile
    rejected: bool = False
    nameless: bool = False
    left: bool = False


@dataclass(slots=True)
class Company:
    """The truth behind the rosters: employees by uid, those who left, and which of those are still named.

    leave  share of the company, each night
    """

    people: int
    random: Random
    employees: dict[str, Profile] = field(default_factory=dict)
    gone: dict[str, Profile] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    leave: float = LEAVE
    _hired: int = 0

    def __post_init__(self) -> None:
        self._hire(self.people)

    def moves_on(self) -> None:
        """Let a day pass."""
        random, employees = self.random, self.employees
        for uid in random.sample(sorted(employees), self._share(_CHANGED, 6)):
            employees[uid] = changed(employees[uid], random)
        leaving = random.sample(sorted(employees), self._share(self.leave, 3))
        returning = random.sample(sorted(self.gone), min(len(self.gone), self._share(_RETURNED, 1)))
        for uid in leaving:
            self.gone[uid] = employees.pop(uid)
            if random.random() < _NAMED:
                self.named.add(uid)
        for number, uid in enumerate(returning):
            profile = self.gone.pop(uid)
            self.named.discard(uid)
            employees[uid] = changed(profile, random) if number % 2 else profile
        self._hire(self._share(_JOINED, 2))

    def export(self) -> list[Row]:
        """Give tonight's rows: in any order, a few spelt differently, now and then a few that break a rule."""
        random, uids = self.random, list(self.employees)
        rows = [row_of(uid, self.employees[uid]) for uid in uids]
        rows += [row_of(uid, self.gone[uid], left=True) for uid in sorted(self.named)]
        random.shuffle(rows)
        for at in random.sample(range(len(rows)), random.choice((0, 0, 1, 2))):
            rows[at] = broken(rows[at], random)
        if random.random() < 0.15:
            rows[0] = replace(rows[0], cells={**rows[0].cells, "uid": ""}, rejected=True, nameless=True)
        return respelt(rows, random)

    def _hire(self, number: int) -> None:
        for _ in range(number):
            self._hired += 1
            self.employees[f"hr-{self._hired:06}"] = somebody(self.random)

    def _share(self, share: float, least: int) -> int:
        return max(least, round(share * self.people))


def somebody(random: Random) -> Profile:
    """Make up a person; any of the fields that need not be set may be empty."""
    number = random.randrange(10**6)

    def perhaps(text: str) -> str:
        return text if random.random() < 0.7 else ""

    return Profile(
        name=f"{random.choice(GIVEN)} {random.choice(FAMILY)}",
        avatar=perhaps(f"https://cdn.example.com/{number}.png"),
        link=perhaps(f"https://people.example.com/{number}"),
        role=random.choice(("", "", "default", ROLE)),
        status=perhaps(random.choice(STATUSES) or ""),
        tags=tuple(random.sample(_TAGS, random.randrange(4))),
        department=perhaps(random.choice(DEPARTMENTS)),
        title=perhaps(random.choice(TITLES)),
        email=perhaps(f"p{number}@example.com"),
    )


def changed(profile: Profile, random: Random) -> Profile:
    """Change some of the fields, or empty them; the result never means the same.

    Whether there is a status message never changes: no way to empty one is documented, and the emulator knows none.
    """
    while True:
        other = somebody(random)
        match random.randrange(6):
            case 0:
                new = replace(profile, name=other.name)
            case 1:
                new = replace(profile, tags=other.tags)
            case 2:
                new = replace(profile, department=other.department, title=other.title, email=other.email)
            case 3:
                new = replace(profile, avatar=other.avatar, link="")
            case 4:
                status = profile.status and random.choice([each for each in STATUSES if each])
                new = replace(profile, status=status, role=other.role)
            case _:
                new = Profile(profile.name, status=profile.status)
        if new.shown() != profile.shown():
            return new


def row_of(uid: str, profile: Profile, *, left: bool = False) -> Row:
    """Write a person down."""
    cells = {
        "uid": uid,
        "name": profile.name,
        "avatar": profile.avatar,
        "link": profile.link,
        "role": profile.role,
        "statusMessage": profile.status,
        "tags": ";".join(profile.tags),
        "metadata.department": profile.department,
        "metadata.title": profile.title,
        "metadata.@private.email": profile.email,
        "left": "yes" if left else "",
    }
    return Row(uid, cells, profile, left=left)


def broken(row: Row, random: Random) -> Row:
    """Break a rule in a row; whom it is about can still be read."""
    defect = random.choice(
        (
            {"name": ""},
            {"avatar": "no-picture.png"},
            {"role": "no role"},
            {"tags": ";".join(f"tag-{n}" for n in range(26))},
        )
    )
    return replace(row, cells={**row.cells, **defect}, rejected=True)


def respelt(rows: Iterable[Row], random: Random) -> list[Row]:
    """Give the rows in another order, some of them with the same meaning in other letters."""
    mixed = [_respelt(row, random) if random.random() < _RESPELT else row for row in rows]
    random.shuffle(mixed)
    return mixed


def _respelt(row: Row, random: Random) -> Row:
    tags = row.cells["tags"].split(";")
    random.shuffle(tags)
    name = f" {row.cells['name']}  " if row.cells["name"] else ""
    return replace(row, cells={**row.cells, "uid": row.cells["uid"].upper(), "name": name, "tags": "; ".join(tags)})


def write_roster(path: Path, rows: Sequence[Row], *, blanks: bool = False) -> None:
    """Write the rows as CSV, with `blanks` an empty one behind every tenth; one without rows still has its header."""
    empty = dict.fromkeys(row_of("", Profile("")).cells, "")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(empty))
        writer.writeheader()
        for number, row in enumerate(rows, 1):
            writer.writerow(row.cells)
            if blanks and number % 10 == 0:
                writer.writerow(empty)

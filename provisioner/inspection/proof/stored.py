"""A profile as the server would have stored it: what was sent and what is shown become one form, so that both compare.

That form is the one of `provisioner.sending.users.canonical`, which a sync and an undo compare in as well.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import orjson

from provisioner.model import FIELDS
from provisioner.sending.calls import document_of
from provisioner.sending.users.canonical import stored
from provisioner.sending.users.profile import ALWAYS_LISTED, UNSURE

_TAGS: Final = "tags"
# JSON that is nested deeper than can be read stands for itself: no roster's can be.
_TOO_DEEP: Final = b'"nested too deeply to be compared"'


class Source(IntEnum):
    """Where the app has shown a user: in a list, in an answer about it alone, or there after it was listed."""

    LIST = 0
    ANSWER = 1
    BOTH = 2


class FieldDifference(NamedTuple):
    """A field that is not the same on both sides: each value as text, null where there is none."""

    field: str
    roster: str | None
    app: str | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What is compared.

    fields  those that the roster has a source for
    stays   fields that hold whatever they held where the roster has nothing: no sync can empty them
    """

    fields: frozenset[str]
    stays: frozenset[str] = frozenset()

    def compared(self, roster: bytes, app: bytes, told: Collection[str]) -> tuple[bytes, bytes]:
        """Leave out of both profiles what is not compared where the app tells these fields."""
        stays = {name for name in self.stays if not holds(roster, name)}
        left_out = stays.union(self.fields.difference(told))
        return (narrowed(roster, left_out), narrowed(app, left_out)) if left_out else (roster, app)


class Told:
    """Which fields the app tells of users, learned from what it shows: a list and an answer about one tell others.

    A field that one user is shown with is told of everybody who is shown in the same way.
    """

    def __init__(self) -> None:
        self._by: dict[Source, frozenset[str]] = {Source.LIST: frozenset(), Source.ANSWER: frozenset()}

    def learn(self, users: Iterable[Mapping[str, Any]], source: Source) -> None:
        """Take in how users are shown, by a list or by an answer about one of them."""
        always = ALWAYS_LISTED if source is Source.LIST else ALWAYS_LISTED - {_TAGS}
        self._by[source] |= always.union(name for name in (*UNSURE, _TAGS) for user in users if name in user)

    def of(self, source: Source) -> frozenset[str]:
        """Give the fields that are told of users who were seen in this way."""
        if source is Source.BOTH:
            return self.of(Source.LIST) | self.of(Source.ANSWER)
        return self._by[source]


def sent_profile(body: str, fields: Collection[str]) -> bytes:
    """Give the profile that a request's body asks for, as far as these fields go; read as an answer is."""
    return profile_of(document_of(body.encode()) or {}, fields)


def profile_of(user: Mapping[str, Any], fields: Collection[str]) -> bytes:
    """Give the profile of a user, as the API shows it or as it is sent, as far as these fields go."""
    held = {name: stored(name, user[name]) for name in fields if name in user}
    return _text({name: value for name, value in held.items() if value is not None})


def narrowed(profile: bytes, without: Collection[str]) -> bytes:
    """Leave fields out of a profile."""
    members: dict[str, Any] = json.loads(profile)
    if members.keys().isdisjoint(without):
        return profile
    return _text({name: value for name, value in members.items() if name not in without})


def holds(profile: bytes, field: str) -> bool:
    """Whether a profile has a field that holds anything."""
    return field in json.loads(profile)


def differences(roster: bytes, app: bytes) -> Iterator[FieldDifference]:
    """Name the fields in which two profiles differ, in the order of the API's documentation."""
    if roster == app:
        return
    one, other = json.loads(roster), json.loads(app)
    for name in FIELDS:
        ours, theirs = one.get(name), other.get(name)
        if _text(ours) != _text(theirs):
            yield FieldDifference(name, _words(ours), _words(theirs))


def _text(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # nested deeper than it goes
        pass
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        return _TOO_DEEP


def _words(value: Any) -> str | None:
    return value if isinstance(value, str | None) else _text(value).decode()

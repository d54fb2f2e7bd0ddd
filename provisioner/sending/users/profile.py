"""A user's profile, held against what it was: which fields changed, and the `PUT` that brings it up to date.

What a state compares is a digest of 8 bytes for each field. The profile itself it keeps packed, some 100 to 200 bytes a
user, and reads it only for whom something changes: so that a person can be told what it was.

A digest tells every digit: it holds a roster against the roster of the night before, and the bytes of it never change.
What the API shows is held against what is known in another form, see `provisioner.sending.users.canonical`.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import orjson

from provisioner.model import FIELDS, UserRequest

ALWAYS_LISTED: Final = frozenset({"name", "avatar", "link", "role", "tags"})
"""A list shows these of every user that has them."""
UNSURE: Final = ("statusMessage", "metadata")
"""Whether it shows these is learned from what it shows."""

DEFAULT_ROLE: Final = "default"

_SIZE: Final = 8
_ABSENT: Final = bytes(_SIZE)
_UNKNOWN: Final = b"\xff" * _SIZE
_SOMETHING: Final = b"\xfe" * _SIZE  # there may be a value, of which nothing is known
UNTOLD: Final = frozenset({_UNKNOWN, _SOMETHING})
# What an update says of a field that became empty; the others are named in its `unset`. A role cannot be taken away,
# only set back, and for tags an empty list is the likeliest.
_EMPTIED: Final[Mapping[str, str]] = {"role": f'"{DEFAULT_ROLE}"', "tags": "[]"}
NOT_CLEARABLE: Final = "statusMessage"
"""No way to take it away is documented, and a value that is refused would keep the row from ever being carried out."""
_UNSETTABLE: Final = ("avatar", "link", "metadata")
# Bits of the window, and what profiles have in common: a text as short as these is hardly packed without.
_WINDOW: Final = 12
_DICTIONARY: Final = (
    b'"link":"https://www."statusMessage":"role":"default"https://cdn..png.jpg@private":{"email":"@example.com","phone":"+'
    b'"title":"manager"department":"location":"cost_center":"employee_id":"},"tags":["","avatar":"https://'
    b'"metadata":{"@private":{"email":"{"name":"'
)
_DECODER: Final = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal)
# Made once: `json.dumps` makes one for each text.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Difference:
    """The fields of a profile that are to be set, and those to be emptied, in the order of `FIELDS`."""

    changed: tuple[str, ...]
    emptied: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.emptied)

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(name for name in FIELDS if name in self.changed or name in self.emptied)


def members(body: str) -> dict[str, str]:
    """Cut a JSON object, written without blanks, into the text of its members: no number may change on the way."""
    return dict(_members(body))


def _members(body: str) -> Iterator[tuple[str, str]]:
    at = 1
    while body[at] == '"':
        key, colon = _DECODER.raw_decode(body, at)
        _, end = _DECODER.raw_decode(body, colon + 1)
        yield key, body[colon + 1 : end]
        at = end + 1 if body[end] == "," else end


def packed(profile: Mapping[str, str]) -> bytes:
    """Write a profile (field → JSON text) as the state keeps it; what is no field is left out."""
    text = ",".join(f'"{name}":{profile[name]}' for name in FIELDS if name in profile)
    press = zlib.compressobj(6, wbits=-_WINDOW, memLevel=5, zdict=_DICTIONARY)
    return press.compress(f"{{{text}}}".encode("utf-8", "surrogatepass")) + press.flush()


def unpacked(kept: bytes) -> dict[str, str]:
    """Read what `packed` wrote."""
    press = zlib.decompressobj(wbits=-_WINDOW, zdict=_DICTIONARY)
    return members((press.decompress(kept) + press.flush()).decode("utf-8", "surrogatepass"))


def carried_out(old: Mapping[str, str], new: Mapping[str, str], managed: Collection[str]) -> dict[str, str]:
    """Give the profile after an update, as `merged` does its digests."""
    stays = {name: text for name, text in old.items() if name not in managed or name == NOT_CLEARABLE}
    return {**stays, **{name: text for name, text in new.items() if name in FIELDS}}


def same(one: bytes, other: bytes) -> frozenset[str]:
    """Name the fields that are alike in two sets of digests."""
    return frozenset(name for name, a, b in zip(FIELDS, parts(one), parts(other), strict=True) if a == b)


def digests(profile: Mapping[str, str | None]) -> bytes:
    """Give the digests of a profile: field → JSON text; null for one that is empty, as when it is left out."""
    return b"".join(digest(name, profile.get(name)) for name in FIELDS)


def revised(digests: bytes, old: Mapping[str, str | None], new: Mapping[str, str | None]) -> bytes:
    """Give the digests of a new profile; `digests` are those of the old one, and stay where its text does."""
    fields = zip(FIELDS, parts(digests), strict=True)
    return b"".join(was if new.get(name) == old.get(name) else digest(name, new.get(name)) for name, was in fields)


def places(names: Collection[str]) -> list[tuple[int, int]]:
    """Say where in the digests of a profile those of these fields stand: the first byte, from 1, and how many."""
    return [(index * _SIZE + 1, _SIZE) for index, name in enumerate(FIELDS) if name in names]


def texts_of(user: Mapping[str, Any]) -> dict[str, str]:
    """Give the profile of a user as the API shows it: field → JSON text; what is empty is left out."""
    return {name: _text(user[name]) for name in FIELDS if _filled(user.get(name))}


def difference(old: bytes | None, new: bytes, managed: Collection[str]) -> Difference:
    """Compare digests. Fields that the roster has no column for (`managed` has those it has) are left alone.

    Without old ones every field counts as changed. A status message that became empty is left as it was.
    """
    if old == new:  # as nearly all are
        return Difference((), ())
    changed, emptied = [], []
    for index, name in enumerate(FIELDS):
        was = old[index * _SIZE : (index + 1) * _SIZE] if old is not None else None
        now = new[index * _SIZE : (index + 1) * _SIZE]
        if name not in managed or now == was or (was == _UNKNOWN and now == _ABSENT):
            continue
        if now != _ABSENT:
            changed.append(name)
        elif name != NOT_CLEARABLE:
            emptied.append(name)
    return Difference(tuple(changed), tuple(emptied))


def overlaid(known: bytes | None, shown: bytes, listed: Collection[str]) -> bytes:
    """Give the digests of a profile as the directory shows it; a field not `listed` is as it is known, if it is."""
    fields = zip(FIELDS, parts(known or _UNKNOWN * len(FIELDS)), parts(shown), strict=True)
    return b"".join(now if name in listed else was for name, was, now in fields)


def merged(old: bytes | None, new: bytes, managed: Collection[str]) -> bytes:
    """Give the digests after an update: those of managed fields are new, the others stay.

    A status message that became empty stays as well: the update does not take it away.
    """
    if old is None or old == new:
        return new
    return b"".join(
        was if name not in managed or (name == NOT_CLEARABLE and now == _ABSENT) else now
        for name, was, now in zip(FIELDS, parts(old), parts(new), strict=True)
    )


def beyond(old: bytes, new: bytes, managed: Collection[str]) -> str:
    """Write behind the hash of a body what its user has besides: fields that are not managed and that it lacks.

    Given as `+` and their places in `FIELDS`, or nothing. What is not known or cannot be emptied is left out.
    """
    if old == new:
        return ""
    found = zip(FIELDS, parts(old), parts(new), strict=True)
    return besides({name for name, was, now in found if name not in managed and was not in {now, _UNKNOWN}})


def besides(names: Collection[str]) -> str:
    """Write fields as `beyond` does; what cannot be emptied is left out."""
    found = "".join(str(at) for at, name in enumerate(FIELDS) if name in names and name != NOT_CLEARABLE)
    return f"+{found}" if found else ""


def with_besides(digests: bytes, besides: str) -> bytes:
    """Give the digests of a profile beside which the user may have more, as `besides` wrote it."""
    return b"".join(_SOMETHING if str(at) in besides else part for at, part in enumerate(parts(digests)))


def tells(live_hash: str, body_hash: str, managed: Collection[str]) -> bool:
    """Whether a user is just as this body has it, by the hash that was carried out last and what `beyond` wrote."""
    carried, _, places = live_hash.partition("+")
    return carried == body_hash and not any_of(places, managed)


def any_of(besides: str, names: Collection[str]) -> bool:
    """Whether one of these fields is among those that `besides` wrote, with its `+` or without."""
    return any(FIELDS[int(place)] in names for place in besides.removeprefix("+"))


def parts(digests: bytes) -> Iterator[bytes]:
    """Cut digests into those of the fields, in the order of `FIELDS`."""
    return (digests[at : at + _SIZE] for at in range(0, len(digests), _SIZE))


def update(profile: Mapping[str, str], needed: Difference) -> bytes:
    """Write the body of the `PUT` that carries out a difference; empty when there is none."""
    if not needed:
        return b""
    message = {name: profile.get(name) or _EMPTIED.get(name) for name in needed.fields}
    parts = [f'"{name}":{text}' for name, text in message.items() if text is not None]
    if unset := [name for name in needed.emptied if name in _UNSETTABLE]:
        parts.append(f'"unset":{json.dumps(unset, separators=(",", ":"))}')
    return f"{{{','.join(parts)}}}".encode()


def without_uid(request: UserRequest) -> bytes:
    """Give the body of an update: the uid cannot be changed. Cut, not parsed: no number may change on the way."""
    return b"{" + request.body.removeprefix(b'{"uid":"' + request.uid.encode() + b'",')


def emptying(body: bytes, emptied: Collection[str]) -> bytes:
    """Add to the body of a create what an update has to say so that it empties those of these fields that it lacks."""
    given = members(body.decode())
    lacking = tuple(name for name in FIELDS if name in emptied and name not in given and name != NOT_CLEARABLE)
    more = update({}, Difference((), lacking))
    return body[:-1] + b"," + more[1:] if more else body


def _text(value: Any) -> str:
    try:
        return _ENCODER.encode(value)
    except RecursionError:
        return '"nested too deep"'


def _filled(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def digest(name: str, text: str | None) -> bytes:
    """Digest a field so that what means the same has the same digest: order of keys and tags, forms of numbers."""
    if text is None or (name == "role" and text == f'"{DEFAULT_ROLE}"'):
        return _ABSENT
    canonical = _at_once(name, text)
    if canonical is None:
        canonical = _exactly(name, text)
    # The API shows no difference between what is empty and what is not there.
    return blake2b(canonical, digest_size=_SIZE).digest() if canonical else _ABSENT


def _at_once(name: str, text: str) -> bytes | None:
    """Give what `_exactly` gives, for nearly all texts in a fraction of its time; None for all others."""
    if "\\" in text:  # orjson takes no half of a surrogate pair
        return None
    if text[:1] == '"':
        return b"" if text == '""' else text.encode("utf-8", "surrogatepass")
    try:
        value = orjson.loads(text)
        if name == "tags" and type(value) is list:
            if not all(type(each) is str for each in value):
                return None
            value.sort()
        return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS) if _filled(value) else b""
    except (ValueError, TypeError, RecursionError):
        return None


def _exactly(name: str, text: str) -> bytes:
    """Write a JSON text in the one form that all which mean the same have; empty when nothing is in it."""
    value = _DECODER.decode(text)
    if not _filled(value):
        return b""
    if name == "tags" and isinstance(value, list):
        value = sorted(map(str, value))
    try:
        canonical = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:  # nested so deep that it can be compared only as it is written
        canonical = text
    return canonical.encode("utf-8", "surrogatepass")


def _plain(value: Any) -> Any:
    """Write every number as its digits and exponent, exactly: 1.50, 1.5 and 15e-1 are one number."""
    # Of JSON, so the types are exact: to match by class takes several times as long.
    kind = type(value)
    if kind is str:
        return f"\0{value}" if value[:1] == "\0" else value
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    if kind is list:
        return [_plain(item) for item in value]
    if kind is float and math.isfinite(value):
        raise ValueError("a number that may have lost digits")  # see `_at_once`
    if kind is int:
        return _number("-" if value < 0 else "", str(abs(value)), 0)
    if kind is Decimal:
        sign, figures, exponent = value.as_tuple()
        return _number("-" * sign, "".join(map(str, figures)).lstrip("0"), exponent)
    return value


def _number(sign: str, digits: str, exponent: int) -> str:
    kept = digits.rstrip("0")
    return f"\0{sign}{kept}e{exponent + len(digits) - len(kept)}" if kept else "\0000"

"""What an update set of a profile, or emptied, kept small: which fields, and a digest of each.

An entry is one byte for the fields, the first of `FIELDS` in its lowest bit, and the digests of all of them (see
`profile.digests`), in the form in which the API stores them: they are held against what it shows. An earlier version
kept those of the fields as they were sent, or shown. Entries stand one behind the other: each update of a user whose
fate is not known adds one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from provisioner.model import FIELDS
from provisioner.sending.users import canonical, profile

ENTRY: Final = 1 + len(profile.digests({}))
_NO_TAGS: Final = "[]"


def bits_of(names: Collection[str]) -> int:
    """Write a set of fields as one number."""
    return sum(1 << index for index, name in enumerate(FIELDS) if name in names)


def names_of(bits: int) -> tuple[str, ...]:
    """Read what `bits_of` wrote, in the order of `FIELDS`."""
    return tuple(name for index, name in enumerate(FIELDS) if bits >> index & 1)


def entry_of(texts: Mapping[str, str | None]) -> bytes:
    """Give the entry of an update that sets these fields (field → JSON text, null when it is emptied).

    What is no field is left out.
    """
    return bytes([bits_of(texts)]) + profile.digests(canonical.stored_texts(texts))


def set_by(body: bytes) -> dict[str, str | None]:
    """Give the fields that the body of a create or an update sets: field → JSON text, null for one that it empties."""
    given = profile.members(body.decode())
    unset: list[str] = json.loads(given.get("unset", "[]"))
    filled = {name: None if text == _NO_TAGS else text for name, text in given.items() if name in FIELDS}
    return {**filled, **dict.fromkeys(unset)}


def left_by(body: bytes) -> str:
    """Give the fields that an update leaves as they are, as `profile.besides` writes them."""
    return profile.besides(set(FIELDS) - set_by(body).keys())


def between(old: bytes | None, new: bytes | None) -> bytes | None:
    """Give the digests of a profile while an update from one to the other is in doubt; None when one is not known.

    A field in which they differ may hold anything.
    """
    if old is None or new is None:
        return None
    pairs = enumerate(zip(profile.parts(old), profile.parts(new), strict=True))
    return profile.with_besides(new, "".join(str(at) for at, (was, will) in pairs if was != will))


def digests_in(entries: bytes, name: str) -> frozenset[bytes]:
    """Give every digest that a field may have by these entries; none when no entry sets it."""
    index = FIELDS.index(name)
    setting = (digests for bits, digests in _entries(entries) if bits >> index & 1)
    return frozenset(tuple(profile.parts(digests))[index] for digests in setting)


def digest_of(texts: Mapping[str, str], name: str) -> bytes:
    """Give the digest of one field of a profile (field → JSON text)."""
    return profile.digest(name, canonical.stored_texts({name: texts.get(name)})[name])


def is_in(entries: bytes, texts: Mapping[str, str], name: str) -> bool:
    """Whether a field of a profile that is shown is as an entry has it, of any version."""
    return not digests_in(entries, name).isdisjoint({digest_of(texts, name), profile.digest(name, texts.get(name))})


def _entries(entries: bytes) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(entries), ENTRY):
        yield entries[at], entries[at + 1 : at + ENTRY]

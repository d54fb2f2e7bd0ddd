"""Shards of a roster: rows are dealt out by a hash of their uids, so that all rows of a person are in one of them.

The hash is for other programs too: the first 8 bytes of the SHA-256 of the uid as it is sent (UTF-8), as one number
with the highest byte first. Shard I of N holds the uids whose number divided by N leaves I - 1; a row without a uid
counts as one whose uid is the empty text.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

MOST_SHARDS: Final = 10_000
"""As many as any cluster has use for; more is a typing error."""

_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many shards, the first of them being number 1."""

    number: int
    of: int

    def __str__(self) -> str:
        """As it is given: `3/16`."""
        return f"{self.number}/{self.of}"

    @property
    def stem(self) -> str:
        """What its files are called by default: `shard-03-of-16`, so that names sort as numbers do."""
        return f"shard-{self.number:0{len(str(self.of))}}-of-{self.of}"

    def holds(self, uids: Iterable[str | None]) -> list[bool]:
        """Tell which of these uids, as they are sent, are in it; one is null where it is missing."""
        return self.holds_hashed(digests(uids))

    def holds_hashed(self, hashed: bytes) -> list[bool]:
        """Tell it by what `digests` has made of them."""
        of, ours = self.of, self.number - 1
        numbers = struct.unpack(f">{len(hashed) // _BYTES}Q", hashed)
        return [number % of == ours for number in numbers]


@dataclass(frozen=True, slots=True)
class Share:
    """What a shard is of its roster.

    rows         those of the shard
    roster_rows  those of the roster
    fingerprint  of the uids of all rows in their order: 32 hex digits, the same for every shard of a roster
    """

    shard: Shard
    rows: int
    roster_rows: int
    fingerprint: str

    @property
    def document(self) -> dict[str, Any]:
        """As the summary holds it."""
        return {
            "number": self.shard.number,
            "of": self.shard.of,
            "roster_rows": self.roster_rows,
            "fingerprint": self.fingerprint,
        }


@dataclass(slots=True)
class Dealt:
    """Rows of a roster that are being dealt out, as far as one shard is concerned."""

    shard: Shard
    rows: int = 0
    roster_rows: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, uids: Iterable[str | None]) -> list[bool]:
        """Take in the uids of the next rows; tell which of them are in the shard."""
        hashed = digests(uids)
        ours = self.shard.holds_hashed(hashed)
        self._digest.update(hashed)
        self.rows += sum(ours)
        self.roster_rows += len(ours)
        return ours

    @property
    def share(self) -> Share:
        """What the shard is of the rows that were taken in."""
        return Share(self.shard, self.rows, self.roster_rows, self._digest.hexdigest()[:32])


def digests(uids: Iterable[str | None]) -> bytes:
    """Give the hashes of uids, 8 bytes each, one behind the other."""
    sha256 = hashlib.sha256
    return b"".join([sha256((uid or "").encode()).digest()[:_BYTES] for uid in uids])

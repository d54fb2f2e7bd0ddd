"""Finds for each row the other one that is or may be the same person: by its uid, its name or its e-mail address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import polars as pl

from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.emails import email_sources, emails
from provisioner.validation.repeats import FirstSeen, Repeats, fingerprints, folded, no_fingerprints


class Lookalikes:
    """Compares the rows of one roster, whose batches must come in order and once each.

    `respelled` and `shared_emails` are those of the survey. It remembers one row for each of them.
    """

    def __init__(self, binding: Binding, respelled: pl.Series, shared_emails: pl.Series) -> None:
        self._binding = binding
        self._names: FirstSeen[tuple[int, str]] = FirstSeen(respelled)
        self._emails: FirstSeen[tuple[int, str]] = FirstSeen(shared_emails)
        self._sources = email_sources(binding) if len(shared_emails) else ()

    def columns(self, frame: pl.DataFrame, fields: pl.DataFrame) -> pl.DataFrame:
        """Give `twin_row`, `twin`, `email_row` and `email`; see `provisioner.validation.warnings`."""
        return self._twins(fields).hstack(self._shared(frame, fields))

    def _twins(self, fields: pl.DataFrame) -> pl.DataFrame:
        at = self._names.positions(fields["name"])
        names, rows = fields["name"].gather(at), fields["row"].gather(at)
        twins: list[tuple[int, int, str]] = []
        for index, row, name, key in zip(at, rows, names, folded(names), strict=True):
            first_row, first_name = self._names.first(key, (row, name))
            if first_name != name:
                twins.append((index, first_row, first_name))
        return _scattered(fields.height, twins, ("twin_row", "twin"))

    def _shared(self, frame: pl.DataFrame, fields: pl.DataFrame) -> pl.DataFrame:
        """Compare address by address; of a row with several the first that is shared counts."""
        shared: dict[int, tuple[int, str]] = {}
        for source in self._sources:
            addresses = emails(frame, source, self._binding)
            at = self._emails.positions(addresses)
            for index, row, uid, email in zip(
                at, fields["row"].gather(at), fields["uid"].gather(at), addresses.gather(at), strict=True
            ):
                first_row, first_uid = self._emails.first(email, (row, uid)) if uid is not None else (row, uid)
                if first_uid != uid:
                    shared.setdefault(index, (first_row, email))
        found = [(index, *first) for index, first in sorted(shared.items())]
        return _scattered(fields.height, found, ("email_row", "email"))


def _scattered(height: int, found: list[tuple[int, int, str]], names: tuple[str, str]) -> pl.DataFrame:
    """Put what was found into columns of `height` rows, null elsewhere."""
    empty = [cells.column_of(None, height, kind) for kind in (pl.Int64(), pl.String())]
    columns = [series.alias(name) for series, name in zip(empty, names, strict=True)]
    if found:
        index, *values = zip(*found, strict=True)
        columns = [series.scatter(index, list(given)) for series, given in zip(columns, values, strict=True)]
    return pl.DataFrame(columns)


@dataclass(slots=True)
class SameUid:
    """Rows that have a uid in common.

    first, second  the first two of them
    content        of the first one
    rows           how many there are
    alike          whether all of them say the same
    """

    first: int
    content: bytes
    second: int = 0
    rows: int = 1
    alike: bool = True


class Persons:
    """Tells the rows that repeat another one from those that contradict it: one entry for each uid that comes again."""

    def __init__(self) -> None:
        self._known: dict[str, SameUid] = {}

    def add(self, contents: Iterable[tuple[int, str, str]]) -> None:
        """Take in row number, uid and what the row says, in the order of the roster."""
        for row, uid, content in contents:
            digest = blake2b(content.encode(), digest_size=16).digest()
            known = self._known.get(uid)
            if known is None:
                self._known[uid] = SameUid(row, digest)
                continue
            known.second = known.second or row
            known.rows += 1
            known.alike = known.alike and known.content == digest

    @property
    def repeated(self) -> int:
        """How many rows only repeat another one."""
        return sum(same.rows - 1 for same in self._known.values() if same.alike)

    def of(self, uid: str, row: int) -> tuple[int | None, int | None]:
        """Give the row that a row contradicts, and the one that it repeats."""
        same = self._known.get(uid)
        if same is None or same.rows == 1:
            return None, None
        if same.alike:
            return None, same.first if row != same.first else None
        return same.second if row == same.first else same.first, None


class Uids:
    """Finds for each row the other one with the same uid: the first one, or the one that `persons` knows."""

    def __init__(self, repeated: pl.Series, persons: Persons | None) -> None:
        self._seen: FirstSeen[int] = FirstSeen(repeated)
        self._persons = persons

    def columns(self, uids: pl.Series, rows: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
        """Give `first_row` and `repeats_row` of rows with these numbers; see `provisioner.validation.rules`.

        The Boolean `comes_again` says which rows may be that other row to another one.
        """
        first, repeats = (cells.column_of(None, len(uids), pl.Int64) for _ in range(2))
        comes_again = cells.column_of(value=False, height=len(uids), kind=pl.Boolean)
        again = self._seen.positions(uids)
        if len(again):
            found = [self._other(uid, row) for uid, row in zip(uids.gather(again), rows.gather(again), strict=True)]
            first, repeats = (
                rows.scatter(again, pl.Series(others, dtype=pl.Int64))
                for rows, others in zip((first, repeats), zip(*found, strict=True), strict=True)
            )
            comes_again = comes_again.scatter(again, True)
        return first.alias("first_row"), repeats.alias("repeats_row"), comes_again.alias("comes_again")

    def _other(self, uid: str, row: int) -> tuple[int | None, int | None]:
        if self._persons is not None:
            return self._persons.of(uid, row)
        first = self._seen.first(uid, row)
        return (first if first != row else None), None


class Identities:
    """Finds the names and e-mail addresses that hint at one person in two rows."""

    def __init__(self, binding: Binding, folder: Path, run_length: int) -> None:
        self._binding = binding
        self._sources = email_sources(binding)
        self._names = Repeats(folder, run_length)
        self._emails = Repeats(folder, run_length)

    def add(self, frame: pl.DataFrame, uids: pl.Series) -> None:
        """Add a batch; `uids` are the fingerprints of its uids."""
        names = cells.read(frame, {"name": self._binding.fields["name"]}, self._binding)["name"].drop_nulls().unique()
        self._names.add(pl.DataFrame({"key": fingerprints(folded(names)), "form": fingerprints(names)}))
        for source in self._sources:
            addresses = emails(frame, source, self._binding)
            self._emails.add(pl.DataFrame({"key": fingerprints(addresses), "form": uids}).drop_nulls())

    def respelled(self) -> pl.Series:
        """Give the sorted fingerprints of the names of which there is another spelling."""
        found = self._names.repeated()
        return found["form"].unique().sort() if found.height else no_fingerprints()

    def shared_emails(self) -> pl.Series:
        """Give the sorted fingerprints of the addresses that come with more than one uid."""
        return self._emails.repeated()["key"].unique().sort()

    def close(self) -> None:
        """Let go of the disk space."""
        self._names.close()
        self._emails.close()

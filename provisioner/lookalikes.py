"""Finds for each row the earlier one that may be the same person: a name spelled otherwise, a shared e-mail address."""

from __future__ import annotations

import polars as pl

from provisioner.columns import Binding
from provisioner.emails import email_sources, emails
from provisioner.sightings import FirstSeen, folded


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
        """Give `twin_row`, `twin`, `email_row` and `email`; see `provisioner.lint`."""
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
        found = [(index, *said) for index, said in sorted(shared.items())]
        return _scattered(fields.height, found, ("email_row", "email"))


def _scattered(height: int, found: list[tuple[int, int, str]], names: tuple[str, str]) -> pl.DataFrame:
    """Put what was found into columns of `height` rows, null elsewhere."""
    empty = [pl.repeat(None, height, dtype=kind, eager=True) for kind in (pl.Int64(), pl.String())]
    columns = [series.alias(name) for series, name in zip(empty, names, strict=True)]
    if found:
        index, *values = zip(*found, strict=True)
        columns = [series.scatter(index, list(given)) for series, given in zip(columns, values, strict=True)]
    return pl.DataFrame(columns)

"""The first pass over a roster, before anything is sent: it is read to its end, and what comes again is found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.formats.rows import ANOTHER_TABLE, Roster, RosterBatch
from provisioner.roster.shard import Dealt, Shard, Share
from provisioner.threads import one_ahead
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.source import Encoding
from provisioner.validation.lookalikes import Identities
from provisioner.validation.oddities.cleaning import Cleaning
from provisioner.validation.oddities.headers import Headers, OtherHeader
from provisioner.validation.oddities.persons import Shape, Shapes
from provisioner.validation.oddities.tagforms import TagForms
from provisioner.validation.oddities.uidforms import Addressed, EncodedEmails
from provisioner.validation.repeats import RUN_LENGTH, Repeats, fingerprints, no_fingerprints
from provisioner.validation.uidnumbers import DigitUids
from provisioner.wording import shortened

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Survey:
    """What has to be known of the whole roster before its first row is judged.

    The series are sorted fingerprints (UInt64), 8 bytes for each text that comes again; two different texts can share
    one, so they say which rows to compare, not which are equal.

    rows           number of data rows
    repeated       uids that come more than once
    again          number of rows whose uid has come before
    digits         number of digits that an all-digit uid has which has lost no leading zeros; null: none were lost
    rounded        long all-digit uids that end in zeros have been rounded; false when some end so by chance
    respelled      names that also come in another spelling; empty unless identities were compared
    shared_emails  e-mail addresses that come with more than one uid; likewise
    shape          how the rows are shaped, which tells totals from people
    tags_separator name of the separator that nearly all cells of tags hold, and that is not the one in force
    addressed      for each source of the uid that is encoded, whether nearly all of its texts are e-mail addresses and
                   some are not
    share          what the shard is of the roster, where only one is taken: `repeated` and `again` are known of its
                   rows alone
    reveals        how uids are encoded that can be turned back into e-mail addresses; null: there are none
    """

    rows: int
    repeated: pl.Series = field(default_factory=no_fingerprints)
    digits: int | None = None
    rounded: bool = True
    respelled: pl.Series = field(default_factory=no_fingerprints)
    shared_emails: pl.Series = field(default_factory=no_fingerprints)
    shape: Shape = field(default_factory=Shape)
    tags_separator: str | None = None
    reveals: Encoding | None = None
    addressed: tuple[bool, ...] = ()
    share: Share | None = None
    again: int = 0

    @property
    def likenesses(self) -> bool:
        """Whether there are rows that look like another one."""
        return not (self.respelled.is_empty() and self.shared_emails.is_empty())

    @property
    def taken(self) -> int:
        """The rows that are taken: those of the shard, or all of them."""
        return self.rows if self.share is None else self.share.rows


def survey(
    roster: Roster,
    binding: Binding,
    folder: Path,
    *,
    identity: bool = False,
    shard: Shard | None = None,
    take: Callable[[RosterBatch], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    run_length: int = RUN_LENGTH,
) -> Survey:
    """Read the whole roster once, with memory that does not grow with it but by what is repeated.

    `identity`: compare names and e-mail addresses too, which takes longer. `shard`: look for repeated uids in that one
    only, and give its rows to `take`; all else concerns the whole roster. `progress` is called with the rows and bytes
    done. From `run_length` rows on, `folder` holds unnamed files of 8 to 40 bytes a row.

    Raises RosterError for a defect of the file anywhere in it, StorageError when the disk takes no more.
    """
    rows, digits, shapes, tags = 0, DigitUids(), Shapes(), TagForms(binding)
    cleaning, encoded = Cleaning(binding), EncodedEmails(binding)
    addressed, headers, other = Addressed(binding), Headers(binding), None
    dealt = Dealt(shard) if shard is not None else None
    uids, identities = Repeats(folder, run_length), Identities(binding, folder, run_length)
    with closing(uids), closing(identities):
        for batch in one_ahead(roster.batches(progress)):
            rows += batch.frame.height
            frame = cleaning.people(batch.frame) if identity else cleaning.uids(batch.frame)
            texts = cells.uids(frame, binding)
            other = other or headers.other(batch, texts)
            sample = shapes.add(batch.frame)
            tags.add(frame)
            digits.add(texts)
            encoded.add(frame, texts, sample)
            addressed.add(frame)
            prints = fingerprints(texts)
            if dealt is not None:
                ours = pl.Series(dealt.add(texts), dtype=pl.Boolean)
                uids.add(prints.filter(ours).drop_nulls().to_frame("key"))
                if take is not None:
                    take(batch.only(ours))
            else:
                uids.add(prints.drop_nulls().to_frame("key"))
            if identity:
                identities.add(frame, prints)
        if other is not None:
            raise RosterError(_two_tables(roster, other))
        repeated = uids.repeated()["key"].unique().sort()
        respelled, shared = identities.respelled(), identities.shared_emails()
    return Survey(
        rows=rows,
        repeated=repeated,
        digits=digits.usual_length,
        rounded=not digits.rounded_by_chance,
        respelled=respelled,
        shared_emails=shared,
        shape=shapes.whole(),
        tags_separator=tags.separator,
        reveals=encoded.found,
        addressed=addressed.usual,
        share=dealt.share if dealt is not None else None,
        again=uids.again,
    )


def _two_tables(roster: Roster, other: OtherHeader) -> str:
    """Say that another table begins within a roster, which has been read to its end."""
    file, row = roster.name, other.row
    for name, rows in roster.parts():
        file = name
        if row <= rows:
            break
        row -= rows
    place = f" ({place.removesuffix(f' of {file}')})" if (place := roster.place(other.row)) else ""
    shown = ", ".join(map(shortened, other.cells[:_SHOWN]))
    mend = f"{ANOTHER_TABLE}; or delete the row if the columns of the first header are right for what is below it"
    return f"{file}: row {row}{place} ({shown}) is {mend}"

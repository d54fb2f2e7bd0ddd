"""Users that are in the state and no longer in the roster: what is to be done with each, and the list of them.

A leaver is reported, unless a person has said that leavers are to be deactivated, or has approved of a list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.errors import RosterError, UsageError
from provisioner.files.looking import UnreadableError, read_text
from provisioner.files.writing import SHARED, remove, written_whole
from provisioner.results.findings import ADVICE, Findings
from provisioner.roster.csv import apostrophes
from provisioner.roster.csv.remarks import HEADER_SWALLOWED, SWALLOWED, WHOLE
from provisioner.roster.files.inputs import Inputs, local_file
from provisioner.roster.formats.rows import ONLY_PART, OTHER_SHEETS, Notice
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.wording import iso_time, listed

COLUMNS: Final = ("uid", "name", "nights_absent", "last_seen", "will_be")

_HOLDING: Final = frozenset({SWALLOWED, WHOLE})
# Of whom a row is, that is rejected for one of these, nobody can tell; with --strict for what is only doubtful as well.
_OF_NOBODY: Final = frozenset(code for code in ADVICE if code.startswith("uid.")) - {"uid.duplicate"}
_NAMELESS: Final = rf"(?:^|; )(?:{'|'.join(sorted(map(re.escape, _OF_NOBODY)))}): "


def nameless(messages: pl.Series) -> int:
    """Count the rejected rows, by their messages, that have no usable uid: any leaver may be one of these people."""
    return int(messages.str.contains(_NAMELESS).sum())


def unread(notices: Sequence[Notice]) -> int:
    """Count the files that have people on other sheets or pages: any leaver may be one of these."""
    return sum(notice.code in {OTHER_SHEETS, ONLY_PART} for notice in notices)


def holding(found: Findings, notices: Sequence[Notice]) -> int:
    """Count the rows and headers that look to have other rows in a cell: any leaver may be in one of these."""
    rows = sum(codes[code].rows for codes in (found.defects, found.warnings) for code in _HOLDING & codes.keys())
    return rows + sum(notice.code == HEADER_SWALLOWED for notice in notices)


@dataclass(frozen=True, slots=True)
class LeaverPolicy:
    """What a person wants for leavers.

    deactivate    whether they are deactivated at all
    grace_nights  good nights that a user has to be absent before
    approved      the only ones that are deactivated, whatever the rest says; None when there is no such list
    flush         auth tokens of those who are deactivated are flushed
    """

    deactivate: bool = False
    grace_nights: int = 0
    approved: frozenset[str] | None = None
    flush: bool = True


@dataclass(frozen=True, slots=True)
class Leavers:
    """Uids of leavers, with the good nights each has been absent before this one.

    due       are deactivated tonight
    in_grace  may still come back
    reported  nobody has said that they may be deactivated
    named     those of them whom the roster names as deactivated, and in which row
    """

    due: Sequence[tuple[str, int]] = ()
    in_grace: Sequence[tuple[str, int]] = ()
    reported: Sequence[tuple[str, int]] = ()
    named: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> Sequence[tuple[str, int]]:
        """All of them, in this order."""
        return (*self.due, *self.in_grace, *self.reported)

    @property
    def found(self) -> int:
        """How many they are."""
        return len(self.due) + len(self.in_grace) + len(self.reported)


def sort_out(
    leavers: Iterable[tuple[str, int]],
    policy: LeaverPolicy,
    *,
    nameless: int,
    named: Collection[str] = (),
    shortened: Collection[str] = (),
) -> Leavers:
    """Say what is to be done with each leaver (uid, good nights absent so far).

    nameless   rejected rows without a uid, files with people on other sheets or pages, rows that look to have others in
               a cell: any leaver may be one of these, so none is deactivated unless a person has approved of it
    named      whom the roster names as deactivated, so that nobody has to be sure of it
    shortened  whose uids it has without their leading zeros: these are kept likewise
    """
    due: list[tuple[str, int]] = []
    in_grace: list[tuple[str, int]] = []
    reported: list[tuple[str, int]] = []
    for uid, absent in leavers:
        if policy.approved is not None:
            (due if uid in policy.approved else reported).append((uid, absent))
        elif uid in named:
            due.append((uid, absent))
        elif not policy.deactivate or nameless or uid in shortened:
            reported.append((uid, absent))
        else:
            (due if absent >= policy.grace_nights else in_grace).append((uid, absent))
    return Leavers(due, in_grace, reported)


def write_leavers(
    path: Path,
    leavers: Leavers,
    names: Mapping[str, str],
    good_nights: Sequence[float],
    left: Sequence[tuple[str, int]] = (),
    seen: Mapping[str, float] | None = None,
) -> None:
    """Write the list that a person can look through, shorten and approve; remove a stale one when there are none.

    names        uid → name, of those whose names are known
    good_nights  when they began (UNIX seconds), the latest first
    left         those that an earlier attempt of this night has deactivated
    seen         uid → when a sync began whose roster named the user (UNIX seconds), good or not; of some
    """
    if not leavers.found and not left:
        remove(path)
        return
    due = [*left, *leavers.due]
    kinds = {"deactivated": due, "kept: in grace": leavers.in_grace, "kept: reported": leavers.reported}
    seen = seen or {}
    rows = [
        (uid, names.get(uid), *_absence(absent, good_nights, seen.get(uid), named=uid in leavers.named), kind)
        for kind, each in kinds.items()
        for uid, absent in each
    ]
    types = (pl.String, pl.String, pl.Int64, pl.String, pl.String)
    frame = pl.DataFrame(rows, schema=dict(zip(COLUMNS, types, strict=True)), orient="row")
    frame = frame.with_columns(name=apostrophes.marked(pl.col("name")))
    with written_whole(path, SHARED) as temporary:
        frame.write_csv(temporary)


def _absence(absent: int, good_nights: Sequence[float], seen: float | None, *, named: bool) -> tuple[int, str | None]:
    """Give for how many nights somebody is absent, this one included, and when it was last seen; none who is named."""
    if named:
        return 0, None
    moments = [*good_nights[absent : absent + 1], *([] if seen is None else [seen])]
    return absent + 1, iso_time(max(moments), "seconds") if moments else None


def read_approved(path: Path) -> frozenset[str]:
    """Read the uids of a list that a person has approved of, as strictly as a roster; raises `UsageError`."""
    file = local_file(str(path))
    try:
        if file.family in {None, "csv"}:
            read_text(path)  # which says what to do with one that is not UTF-8; a roster has options for that
            file = replace(file, suffix=".csv", compression=None)
        with closing(open_roster(Inputs((file,)), RosterOptions(missing=_lacks_uid))) as opened:
            if _lacks_uid(list(opened.schema)):
                message = "has no column uid; give the leavers file of the night before, or a part of it"
                raise UsageError(f"--approve {path}: {message}")
            uids = [batch.frame["uid"].cast(pl.String).str.strip_chars() for batch in opened.batches()]
    except UnreadableError as error:
        how = ' ("CSV UTF-8" in Excel), or as .xlsx' if str(error).endswith("UTF-8") else ""
        raise UsageError(f"--approve {path}: {error}{how}") from None
    except RosterError as error:
        raise UsageError(f"--approve {error}") from None
    return frozenset(uid for each in uids for uid in each.drop_nulls().str.to_lowercase().to_list() if uid)


def _lacks_uid(names: Sequence[str]) -> int:
    return int("uid" not in names)


def check_approved(path: Path, strangers: Sequence[str]) -> None:
    """Refuse a list with uids on it that are no leavers; raises `UsageError`."""
    if strangers:
        which = "is no leaver" if len(strangers) == 1 else "are no leavers"
        message = f"{len(strangers):,} of its uids {which} of tonight ({listed(strangers)})"
        raise UsageError(f"--approve {path}: {message}; take them out, or approve tonight's own list")

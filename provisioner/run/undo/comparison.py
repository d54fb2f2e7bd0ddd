"""Whether a user is still as this job left it, and what puts back what it was before: pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from provisioner.journal.undo.overwrites import BEGUN
from provisioner.journal.undo.reversals import Candidate
from provisioner.model import FIELDS
from provisioner.sending.users import profile, trace
from provisioner.sending.users.keeper import changed_after, is_another, moment
from provisioner.sending.users.profile import Difference


class Finding(Enum):
    """How a user is found, whose profile an update of this job may have overwritten."""

    UNTOUCHED = auto()  # as it was before, and it is not known that this job ever changed it
    CHANGED = auto()  # another hand has changed it since
    OURS = auto()  # as this job left it, or as it was before


class Restoration(NamedTuple):
    """What puts a profile back.

    payload  JSON of the `PUT`; empty when there is nothing to send
    stuck    fields that cannot be taken away again
    lost     fields of which it is not known what they were
    """

    finding: Finding
    payload: bytes = b""
    stuck: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def changed_since(each: Candidate, user: Mapping[str, Any], *, away: bool = False) -> str | None:
    """Say why a user whom this job created is not to be taken back (of `reasons.REASONS`); None when it is.

    away  the user was found among the deactivated

    Times are the server's, in whole seconds: what happened in the very second of our last answer looks like ours.
    """
    created = moment(user, "createdAt")
    if is_another(user, each.created_at):
        return "another_user"
    began = created if created is not None else each.created_at
    active = moment(user, "lastActiveAt")
    if active is not None and began is not None and active > began:
        return "logged_in"
    mark = max((time for time in (each.mark, began) if time is not None), default=None)
    later = changed_after(user, mark, away=away)
    return "changed" if later and not (may_be_later(each) and _carried(each, profile.texts_of(user))) else None


def stands(each: Candidate, user: Mapping[str, Any], *, sent: bool) -> str | None:
    """Say why an active user whom this job updated is not to be taken back for that; None when it is.

    sent  what takes it back may have been sent already

    Whom an earlier round had deactivated is to be so again, if it is this one that has reactivated it.
    """
    begun, active = each.withdrawn == BEGUN, moment(user, "lastActiveAt")
    if sent:
        return None
    if each.away or (each.parted_before and each.parted and not begun):
        return "reactivated"
    if not each.parted_before or each.mark is None:
        return None
    if active is not None and active > each.mark:
        return "logged_in"
    return "changed" if changed_after(user, each.mark, away=False) and not (begun or may_be_later(each)) else None


def may_be_later(each: Candidate) -> bool:
    """Whether an update of this job was not answered: when it was carried out, if it was, nobody told us."""
    return bool(each.carried) and (not each.confirmed or bool(each.doubted))


def _carried(each: Candidate, now: Mapping[str, str]) -> bool:
    told = [name for name in trace.names_of(each.fields or 0) if name in now]
    return bool(told) and all(trace.is_in(each.carried or b"", now, name) for name in told)


def restoration(each: Candidate, user: Mapping[str, Any], hidden: Collection[str], *, sent: bool) -> Restoration:
    """Say how a user is found whom this job updated, and what puts its old profile back.

    hidden  fields that the API did not tell now
    sent    what puts it back may have been sent already
    """
    old, now = profile.unpacked(each.before or profile.packed({})), profile.texts_of(user)
    fields, untold = trace.names_of(each.fields or 0), trace.names_of(each.untold or 0)
    updated, mark = moment(user, "updatedAt"), each.mark
    later = updated is not None and mark is not None and updated > mark
    certain = bool(each.confirmed) or (updated is not None and mark is not None and not later)
    # What was set for certain, and is shown neither then nor now, is what the API never shows.
    lost = tuple(
        name
        for name in fields
        if name in untold or name in hidden or (certain and not (later or sent) and _is_hidden(each, name, old, now))
    )
    known = [name for name in fields if name not in lost]
    stuck = tuple(name for name in known if name == profile.NOT_CLEARABLE and name not in old and name in now)
    back = [name for name in known if name not in stuck]
    differing = [name for name in back if trace.digest_of(now, name) != trace.digest_of(old, name)]
    if not differing and not (stuck or lost):
        untouched = not (certain or sent)
        return Restoration(Finding.UNTOUCHED if untouched else Finding.OURS)
    strange = (later or not certain) and _is_strange(each, old, now)
    if strange or (_by_another(each, old, now, known, certain=certain, later=later) and (differing or not sent)):
        return Restoration(Finding.CHANGED)
    needed = Difference(
        tuple(name for name in differing if name in old), tuple(name for name in differing if name not in old)
    )
    return Restoration(Finding.OURS, profile.update(old, needed), stuck, lost)


def stays(each: Candidate, found: Restoration, *, away: bool) -> str | None:
    """Say why a user whom this job updated stays as it is found; None when it is put back."""
    if away and each.parted_before and (found.payload or found.finding is Finding.CHANGED):
        return "deactivated_before" if each.parted else "gone"
    return "changed" if found.finding is Finding.CHANGED else None


def _is_hidden(each: Candidate, name: str, old: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether a field that is never shown was set; one that was emptied is not shown because it is empty."""
    set_ = trace.digests_in(each.carried or b"", name) != {trace.digest_of({}, name)}
    return set_ and name not in old and name not in now


def _is_strange(each: Candidate, old: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether a field that this job has never set is not as it was; tags are not always shown."""
    set_, untold = trace.names_of(each.fields or 0), trace.names_of(each.untold or 0)
    left = [name for name in FIELDS if name not in {*set_, *untold} and (name != "tags" or name in now)]
    return each.before is not None and any(trace.digest_of(now, name) != trace.digest_of(old, name) for name in left)


def _by_another(
    each: Candidate,
    old: Mapping[str, str],
    now: Mapping[str, str],
    fields: Collection[str],
    *,
    certain: bool,
    later: bool,
) -> bool:
    """Tell whether another hand has changed a user since: by the time, and by values that are neither old nor ours."""
    if certain and later and not may_be_later(each):
        return True
    for name in fields:
        entries = each.carried or b""
        if trace.is_in(entries, now, name) or trace.digest_of(now, name) == trace.digest_of(old, name):
            continue
        if trace.digests_in(entries, name) or later or not certain:
            return True
    return False

"""What an undo will need to know of a user: noted before an update of ours leaves, and when its answer is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol

from provisioner.model import Past, UserRequest
from provisioner.sending.calls import Reply
from provisioner.sending.users import profile, trace
from provisioner.sending.users.reading import Shown
from provisioner.sending.verdicts import Verdict

# Fields of which an answer may tell nothing though the user has them: tags are shown in lists.
_UNSURE: Final = frozenset({"metadata", "tags"})
_YEAR_10000: Final = 253_402_300_800


class Keeper(Protocol):
    """Keeps it on disk before a request leaves that makes it unknowable."""

    async def before_update(
        self, request: UserRequest, *, own: bool, shown: Shown | None = None
    ) -> tuple[Verdict | None, Reply]:
        """Keep the profile that an update will overwrite, unless the user is our own; DONE when the update may leave.

        Another verdict is that of the request which was to read the profile.

        shown  the user, where it has been read just now
        """

    async def begin_anew(self, request: UserRequest) -> None:
        """Record that the user is gone, and that the one who takes its place may be created from now on."""

    async def begin_back(self, request: UserRequest, *, away: bool) -> None:
        """Record that what brings a user back whom an undo has deactivated may leave from now on.

        away  it is deactivated still, and its auth token went with it
        """


def is_noted(past: Past | None, sets: Collection[str]) -> bool:
    """Whether it is kept, or known to be lost, what the fields were that an update sets, so that nothing is read."""
    return past is not None and past.noted != 0 and not trace.bits_of(sets) & ~past.noted


def last_change(user: Mapping[str, Any], before: int | None = None) -> int | None:
    """Give the server's UNIX seconds at which a user was changed last, as an answer shows it.

    before  what was known so far
    """
    latest = before
    for name in ("createdAt", "updatedAt"):
        at = moment(user, name)
        if at is not None and (latest is None or at > latest):
            latest = at
    return latest


def is_another(user: Mapping[str, Any], created_at: int | None) -> bool:
    """Whether an answer shows somebody else than whoever was created at that time: deleted, and created anew."""
    created = moment(user, "createdAt")
    return None not in (created, created_at) and created != created_at


def changed_after(user: Mapping[str, Any], mark: int | None, *, away: bool) -> bool:
    """Whether another hand has changed a user after our last answer; both are the server's UNIX seconds.

    away  the user is deactivated: some servers may call that a change, so only what was before it counts
    """
    updated = moment(user, "updatedAt")
    if updated is None or mark is None or updated <= mark:
        return False
    parted = moment(user, "deactivatedAt")
    return not away or (parted is not None and updated < parted - 1)


def moment(user: Mapping[str, Any], name: str) -> int | None:
    """Give a time of a user (UNIX seconds); None for what is none.

    Nor is a number that no calendar has, such as one of milliseconds: neither results nor a journal could tell it.
    """
    value = user.get(name)
    if value is None:
        return None
    return int(value) if isinstance(value, int | float) and 0 <= value < _YEAR_10000 else None


def carried(body: bytes, user: Mapping[str, Any]) -> bytes:
    """Give the trace of an update as its answer shows the user: of the fields that it set and the answer tells.

    What is empty is not told, so a field that it emptied is, unless the answer has it still.
    """
    told, asked = profile.texts_of(user), trace.set_by(body)
    return trace.entry_of({name: told.get(name) for name, text in asked.items() if text is None or name in told})


def shows(body: bytes, user: Mapping[str, Any]) -> bool:
    """Whether an answer shows a user with all that a body sets; a field of which it tells nothing may be another."""
    asked = trace.set_by(body)
    untold = any(text is None and name in _UNSURE and name not in user for name, text in asked.items())
    return not untold and carried(body, user) == trace.entry_of(asked)

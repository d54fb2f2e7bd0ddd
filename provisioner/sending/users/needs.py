"""What a roster needs of the app beside requests: room for its users, and roles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provisioner.sending.calls import Reply
from provisioner.wording import counted, listed

PER_PAGE: Final = 1000
FIRST_PAGE: Final = f"perPage={PER_PAGE}&page=1&withDeactivated=true"
MOST_ROLES: Final = 25
"""Roles of an app (CometChat docs, Articles > Properties and constraints)."""


@dataclass(frozen=True, slots=True)
class Room:
    """Whether the users to be created fit into the app.

    most     users that the app's plan allows
    there    users that it has, deactivated ones too; null when it does not tell
    creates  users that would be created at most: who is there already takes no room
    """

    most: int
    there: int | None
    creates: int

    @property
    def too_many(self) -> int:
        """How many would not fit."""
        return max(0, (self.there or 0) + self.creates - self.most)

    @property
    def document(self) -> dict[str, int | None]:
        """As summary and plan hold it."""
        return {
            "max_users": self.most,
            "app_users": self.there,
            "creates": self.creates,
            "too_many": self.too_many,
        }

    def __str__(self) -> str:
        there = "an unknown number" if self.there is None else f"{self.there:,}"
        message = f"max_users: the app has {there} of {self.most:,} users, up to {self.creates:,} more would be created"
        return f"{message}, {self.too_many:,} too many" if self.too_many else message


@dataclass(frozen=True, slots=True)
class Needs:
    """What was asked about the app; null for what nobody wanted to know.

    roles       roles that would be made, in the order in which rows name them
    past_most   roles that rows name and that the app could not have any more
    """

    room: Room | None = None
    roles: Sequence[str] | None = None
    past_most: Sequence[str] = ()

    @property
    def requests(self) -> int:
        """How many it takes to make the roles."""
        return len(self.roles or ())

    @property
    def document(self) -> dict[str, Any]:
        """As summary and plan hold it."""
        document: dict[str, Any] = {} if self.room is None else {"room": self.room.document}
        if self.roles is not None:
            document["roles_to_create"] = list(self.roles)
        if self.past_most:
            document["roles_past_the_limit"] = list(self.past_most)
        return document

    def remarks(self) -> Iterator[tuple[str, bool]]:
        """Say it, a line each, and whether something is wrong."""
        if self.room is not None:
            yield str(self.room), self.room.too_many > 0
        if self.roles:
            yield f"{counted(len(self.roles), 'role')} to be created: {listed(self.roles, MOST_ROLES)}", False
        if self.past_most:
            yield f"an app has {MOST_ROLES} roles at most; rows with these are rejected: {listed(self.past_most)}", True


def needs_of(
    there: int | None, known: frozenset[str] | None, most: int | None, creates: int, roles: Collection[str] | None
) -> Needs:
    """Say what a roster needs of an app with so many users and such roles.

    there, known  null when it does not tell
    most          users that its plan allows; null when nobody wants to know whether there is room
    creates       users that would be created at most
    roles         that rows name, in their order; null when none are to be made
    """
    room = Room(most, there, creates) if most is not None else None
    if known is None or roles is None:
        return Needs(room)
    missing = [role for role in roles if role not in known]
    fit = max(0, MOST_ROLES - len(known))
    return Needs(room, missing[:fit], missing[fit:])


def count_of(reply: Reply) -> int | None:
    """Give how many users an app has by the first page of its list; null when that does not tell.

    The documented sample has a `total` of 0 beside five users, so it is believed only where the page does not end
    the list and it is no less than what is shown.
    """
    data = reply.data or {}
    items = data.get("items")
    if not isinstance(items, list):
        return None
    if len(items) < PER_PAGE:
        return len(items)
    total = pagination_of(data).get("total")
    return total if isinstance(total, int) and total >= len(items) else None


def pagination_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a list tells of its pages; nothing where it does not."""
    meta = data.get("meta")
    paging = meta.get("pagination") if isinstance(meta, dict) else None
    return paging if isinstance(paging, dict) else {}


def roles_in(reply: Reply) -> Collection[str]:
    """Name the roles that an answer lists."""
    items = (reply.data or {}).get("items", [])
    return [each["role"].lower() for each in items if isinstance(each, dict) and isinstance(each.get("role"), str)]

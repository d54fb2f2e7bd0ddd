"""What a sync has to do for one roster row, given what is known of its user."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from provisioner.model import FIELDS, Action, Live, Standing
from provisioner.sending.users import profile
from provisioner.sending.users.canonical import Known, known
from provisioner.validation.fields.binding import Binding


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    fields   those that an update sets or empties
    payload  the body of that update; for a create: of the one that is needed when the user turns out to exist
    after    what will be known of the user then
    """

    action: Action
    fields: tuple[str, ...]
    payload: bytes
    after: Live


@dataclass(frozen=True, slots=True)
class Wanted:
    """A roster row: the user as it should be.

    members  field → JSON text, see `profile.members`
    managed  the fields that the roster has a source for; others are nobody's business
    """

    body_hash: str
    members: Mapping[str, str]
    digests: bytes
    managed: Collection[str]

    @classmethod
    def of(cls, body: str, body_hash: str, managed: Collection[str]) -> Wanted:
        """Read the body of a create."""
        members = profile.members(body)
        return cls(body_hash, members, profile.digests(members), managed)

    def recognisable(self, ours: bytes | None, old: Mapping[str, str] | None) -> list[Known]:
        """Give what the API may show: the profile that is known, if one is (`ours` its digests), and the row.

        old  the profile that was carried out last
        """
        texts = [self.members, *([old] if old is not None else [])]
        several = [] if ours is None else [known(ours, texts)]
        return [*several, known(self.digests, [self.members])]

    def against(
        self, old: bytes | None, live_hash: str | None = None, unsure: bytes | None = None
    ) -> tuple[tuple[str, ...], bytes, Live]:
        """Hold it against a profile (unknown when None): fields, update, and what is known once it is carried out.

        live_hash  of a profile that is not known: the body, and what the user may have besides
        unsure     likewise: digests of what the user may have, of which what is not managed remains; None when any
                   field may hold something
        """
        carried, _, besides = (live_hash or "").partition("+")
        own = old if old is not None else unsure
        if old is None and carried == self.body_hash:
            old = own = profile.with_besides(self.digests, besides)
        elif own is None:
            others = profile.besides(frozenset(FIELDS).difference(self.managed))
            own = profile.with_besides(self.digests, others)
        needed = profile.difference(old, self.digests, self.managed)
        merged = profile.merged(own, self.digests, self.managed)
        live_hash = self.body_hash + profile.beyond(merged, self.digests, self.managed)
        after = Live(live_hash, merged, Standing.ACTIVE)
        return needed.fields, profile.update(self.members, needed), after

    def anew(self) -> tuple[bytes, Live]:
        """Give the update that says everything, and what is known of a user that is created: the row, and no more."""
        payload = profile.update(self.members, profile.difference(None, self.digests, self.managed))
        return payload, Live(self.body_hash, self.digests, Standing.ACTIVE)


def managed_fields(binding: Binding) -> frozenset[str]:
    """Name the fields of a profile that a roster has a source for; the others are none of its business."""
    return binding.sourced.intersection(FIELDS)


def as_kept(live_hash: str | None, old: Mapping[str, str] | None) -> bytes | None:
    """Give the digests of whom a run has left: by the hash of its body, what there is besides, and the body as kept."""
    if live_hash is None or old is None:
        return None
    return profile.with_besides(profile.digests(old), live_hash.partition("+")[2])


def decide(
    wanted: Wanted, live: Live | None, *, exists: bool, last: str | None = None, unsure: bytes | None = None
) -> Decision | None:
    """Say what has to be done; None when the user is as the roster has it.

    live    what is known for certain; None when the last change is in doubt, or the user is not known to exist
    exists  whether the user is known to exist
    last    the action that is in doubt, if one is
    unsure  of a profile that is not known for certain: see `Wanted.against`
    """
    if not exists or (live is None and last == Action.CREATE):
        payload, after = wanted.anew()
        return Decision(Action.CREATE, (), payload, after)
    if live is None:
        # Which of the last change was carried out is unknown. Doing it all again does no harm.
        fields, payload, after = wanted.against(None, unsure=unsure)
        action = Action.REACTIVATE if last in {Action.DEACTIVATE, Action.REACTIVATE} else Action.UPDATE
        return Decision(action, fields, payload, after)
    if live.body_hash is not None and profile.tells(live.body_hash, wanted.body_hash, wanted.managed):
        fields, payload, after = (), b"", live._replace(standing=Standing.ACTIVE)
    else:
        fields, payload, after = wanted.against(live.digests, live.body_hash, unsure)
    if live.standing is Standing.DEACTIVATED:
        return Decision(Action.REACTIVATE, fields, payload, after)
    return Decision(Action.UPDATE, fields, payload, after) if payload else None

"""What is known of one row while it lasts, and how it ends."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users import profile, trace
from provisioner.sending.users.keeper import carried, is_another, last_change
from provisioner.sending.users.reading import Shown
from provisioner.sending.verdicts import Verdict

# What is counted with the row.
_ATTEMPTS: Final = frozenset({Operation.CREATE, Operation.UPDATE})


class Life:
    """What is known of one row while it lasts.

    mark   our last answer that changed the user, see `Past`
    own    what is sent now brings a user of ours up to date; `updated`: an update was carried out
    alone  no other hand has changed the user since then, so that what our next answer shows is ours as well
    there  a create was told in this life that the uid exists
    shown  the user, as it was found before anything is sent for it
    lost   a create or an update was not answered, and may have been carried out; `doubted`: an update
    """

    __slots__ = (
        "alone", "attempts", "besides", "carried", "clock", "created_at", "doubt_since", "doubted", "filled", "lost",
        "mark", "own", "request", "shown", "there", "token", "updated",
    )  # fmt: skip

    def __init__(self, request: UserRequest, clock: ServerClock) -> None:
        self.clock = clock
        past = request.past
        self.request = request
        self.attempts = past.attempts if past else 0
        self.doubt_since = past.doubt_since if past else None
        self.token = past.auth_token if past else None
        self.created_at = past.created_at if past else None
        self.mark = past.mark if past else None
        self.shown: Shown | None = None
        self.carried: bytes | None = None
        self.besides: str | None = None
        self.filled: int | None = None
        self.doubted = self.lost = self.own = self.updated = self.alone = self.there = False

    def is_another(self, user: Mapping[str, Any]) -> bool:
        """Whether an answer shows somebody else than whom the journal knows."""
        return is_another(user, self.created_at)

    def forget(self) -> None:
        """Know nothing any more of a user who is gone."""
        self.created_at = self.mark = self.token = self.doubt_since = None
        self.request = self.request._replace(past=None)

    def note(self, operation: Operation, verdict: Verdict, began: float) -> None:
        """Take in an answer to a request sent at `began` (ticks, see `ServerClock`)."""
        if operation in _ATTEMPTS:
            self.attempts += 1
        self.updated = self.updated or (operation is Operation.UPDATE and verdict is Verdict.DONE)
        if verdict is Verdict.IN_DOUBT:
            self.doubted = self.doubted or operation is Operation.UPDATE
            self.lost = self.lost or operation in _ATTEMPTS
        if operation is Operation.CREATE and verdict is Verdict.IN_DOUBT:
            # The earliest attempt counts, also when the server's clock was put back between two attempts.
            sent_at = self.clock.server_time(began)
            self.doubt_since = sent_at if self.doubt_since is None else min(sent_at, self.doubt_since)

    def believe(self, operation: Operation, request: UserRequest, reply: Reply) -> None:
        """Take in an answer that says what was done: when that was, by the server, and what an update left there."""
        if operation is Operation.MINT and not self.alone:
            return
        user = reply.data or {}
        self.mark = last_change(user, self.mark)
        if operation is Operation.UPDATE:
            self.alone = True
            self.carried = carried(request.body, user)
            self.leave(request.body)
            if "updatedAt" not in user and (now := self.clock.now()) is not None:
                self.mark = last_change({"updatedAt": math.ceil(now)}, self.mark)

    def leave(self, body: bytes) -> None:
        """Note what an update leaves there besides: of a user of ours what this job has filled, of others anything."""
        request, before = self.request, self.request.past.filled if self.request.past else 0
        if not self.own or request.filled is None or before is None:
            self.besides = trace.left_by(body)
            return
        left = frozenset(trace.names_of(before)) - trace.set_by(body).keys()
        self.besides, self.filled = profile.besides(left), request.filled | trace.bits_of(left)

    def settled(self, outcome: Outcome, reply: Reply | None = None, created_at: int | None = None) -> Settlement:
        """End with an outcome."""
        return Settlement(
            self.request.key,
            State.SETTLED,
            outcome,
            self.attempts,
            http_status=reply.status if reply else None,
            auth_token=self.token,
            created_at=created_at,
            settled_at=time.time(),
            mark=self.mark,
            carried=self.carried,
            doubted=self.doubted,
            besides=self.besides,
            filled=self.filled,
        )

    def open(self, reply: Reply | None = None) -> Settlement:
        """End without one; what is known is kept."""
        # Doubt outlives a failure: the next run tries again and must still be able to tell ours from others.
        there = self.settled(Outcome.FAILED, reply, self.created_at)._replace(doubt_since=self.doubt_since)
        past = self.request.past
        if past is None or self.updated or self.lost:
            return there
        return there._replace(filled=past.filled)  # nothing of what may have been sent was carried out

    def failed(self, reply: Reply, code: str, message: str) -> Settlement:
        """End as a failure, said in our words."""
        return self.open(reply)._replace(error_code=code, error_message=message)

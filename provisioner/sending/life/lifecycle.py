"""The life of one row, from its first request to its outcome.

    ours, deactivated by an undo: read ─┬─ not deleted since: reactivate, update → created
                                        └─ made anew by another hand: as below ──→ existing, updated, failed
    ours, and edited since or without its token: read ─┬─ the same user: (update) (mint) → created
                                                       └─ made anew by another hand: as below
    met before: read ─┬─ there, the same user or another → as was there before, below
                      └─ gone ───────────────────────────→ as a row like any other
    create ─┬─ done ──────────────────────────────→ created
            ├─ refused ───────────────────────────→ failed
            ├─ in doubt: again, up to the limit ──→ failed, still in doubt
            └─ exists ─┬─ an attempt of ours is in doubt: read it back ─┬─ ours ──→ (mint) created
                       │                                                └─ not ours ─┐
                       └─ was there before ──────────────────────────────────────────┴─→ existing, updated, failed

Every way out is a `Settlement`. When the run is stopped on the way, its state is pending: what is known stays known.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from provisioner.model import OnExisting, Outcome, Past, Settlement, UserRequest
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.row import Life
from provisioner.sending.life.steps import Steps, is_met
from provisioner.sending.serverclock import created_since
from provisioner.sending.users import failures
from provisioner.sending.users.failures import note_drift
from provisioner.sending.users.keeper import changed_after, moment, shows
from provisioner.sending.users.reading import Shown, read_deactivated, read_parted, read_user
from provisioner.sending.verdicts import Verdict


class Lifecycle(Steps):
    """Carries rows to their outcomes."""

    def settle(self, request: UserRequest) -> Coroutine[Any, Any, Settlement]:
        """Carry one row as far as the run lasts."""
        life, past = Life(request, self._server_clock), request.past
        if past is None:
            return self._create(life)
        if past.withdrawn:
            return self._bring_back(life, past)
        if past.ours:
            return self._ours(life, past)
        nothing_to_send = self._policy.on_existing is OnExisting.SKIP and not self._is_token_due(life, Outcome.EXISTING)
        # A night has looked at everybody itself.
        if is_met(past) and self._keeper is not None and not (past.was_there and nothing_to_send):
            return self._met(life)
        if past.was_there and self._policy.on_existing is not OnExisting.FAIL:
            return self._was_there_before(life, None)
        return self._create(life)

    async def _create(self, life: Life) -> Settlement:
        verdict, reply = await self._exchange(Operation.CREATE, life)
        if verdict is Verdict.DONE:
            return self._created(life, reply)
        if verdict is Verdict.EXISTS:
            life.there = True
            if life.doubt_since is not None:
                return await self._resolve_doubt(life, life.doubt_since, reply)
            return await self._was_there_before(life, reply)
        if verdict is Verdict.REFUSED:
            note_drift(self._outcomes.drift, life.request.row, reply)
        return self._unsuccessful(life, verdict, reply)

    async def _bring_back(self, life: Life, past: Past) -> Settlement:
        """Begin anew with a user of ours whom an undo has deactivated, if it is that user still."""
        shown, away = await read_parted(self._exchanger, life.request)
        if shown.verdict is Verdict.ABSENT:
            # A list may be behind: that a user is deleted is only believed of a request about the user itself.
            verdict, reply = await self._exchange(Operation.REACTIVATE, life)
            if verdict is Verdict.ABSENT:
                await self._forget(life)
                return await self._create(life)
            if verdict is not Verdict.DONE:
                return self._unsuccessful(life, verdict, reply)
            shown = await read_user(self._exchanger, life.request, with_tags=False)
        if shown.verdict is not Verdict.DONE:
            return self._unsuccessful(life, shown.verdict, shown.reply)
        if life.is_another(shown.user):
            return await self._replaced(life, shown, away=away)
        # Once something of ours may have left, a change may be our own.
        row_wins = past.begun or past.changed or self._policy.on_existing is OnExisting.UPDATE
        by_hand = not row_wins and _changed_by_hand(life, shown, away=away)
        return await self._awake(life, shown, away=away, by_hand=by_hand)

    async def _replaced(self, life: Life, shown: Shown, *, away: bool = False) -> Settlement:
        """Go on with a user who has the uid of one of ours, who is gone."""
        await self._forget(life)
        if away:
            return self._deactivated(life, shown.reply)
        return await self._was_there_before(life, shown.reply, moment(shown.user, "createdAt"))

    async def _awake(self, life: Life, shown: Shown, *, away: bool, by_hand: bool) -> Settlement:
        """Have a user of ours be active and, unless another hand has changed it, as the roster has it."""
        verdict, reply = shown.verdict, shown.reply
        if away:
            life.token = None  # it went with the user
        if not by_hand and self._keeper is not None:
            await self._keeper.begin_back(life.request, away=away)
        if away:
            verdict, reply = await self._exchange(Operation.REACTIVATE, life)
        if verdict is Verdict.DONE and not by_hand:
            verdict, reply = await self._update(life, own=True)
        if verdict is Verdict.ABSENT:
            return life.failed(reply, *failures.JUST_GONE)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        return await self._as_ours(life, reply, by_hand=by_hand)

    async def _as_ours(self, life: Life, reply: Reply | None, *, by_hand: bool) -> Settlement:
        """Settle a user of ours, with the token that it is still to have."""
        life.alone = not by_hand
        there = await self._settle_with_token(life, Outcome.CREATED, reply, life.created_at)
        return failures.told(there, failures.LEFT_ALONE) if by_hand and there.outcome is Outcome.CREATED else there

    async def _ours(self, life: Life, past: Past) -> Settlement:
        """Bring a user of ours to what the roster has now; `--on-existing` is about the users of others."""
        life.doubt_since = None
        shown = life.shown = await read_user(self._exchanger, life.request, with_tags=False)
        verdict, reply = shown.verdict, shown.reply
        if life.is_another(shown.user):
            return await self._replaced(life, shown)
        if verdict is Verdict.DONE and past.changed:
            verdict, reply = await self._update(life, own=True)
            self._outcomes.edited += verdict is Verdict.DONE
        if verdict is Verdict.ABSENT:
            return life.failed(reply, *failures.LOST)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        by_hand = not past.changed and _changed_by_hand(life, shown)
        return await self._as_ours(life, reply, by_hand=by_hand)

    def _created(self, life: Life, reply: Reply) -> Settlement:
        data = reply.data or {}
        if life.request.token:
            life.token = data["authToken"]
        return life.settled(Outcome.CREATED, reply, moment(data, "createdAt"))

    async def _resolve_doubt(self, life: Life, since: float, exists: Reply) -> Settlement:
        """Tell whether the user that is there came from an attempt of ours whose answer was lost."""
        verdict, reply = await self._exchange(Operation.READ, life)
        if verdict is Verdict.ABSENT:
            return self._deactivated(life, exists)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        created_at = moment(reply.data or {}, "createdAt")
        if not created_since(created_at, since):
            return await self._was_there_before(life, exists, created_at)
        life.alone = True
        unsure = life.request.past is not None and life.request.past.edited
        whole = self._whole(life.request).body
        edited = unsure and not shows(whole, reply.data or {})
        if unsure:
            life.own = True
            life.leave(whole)
        if edited or self._policy.on_existing is OnExisting.UPDATE:
            # What went out before the kill is not what the roster holds now. And who is to be updated whoever created
            # it, is: in doubt, a stranger's user can be taken for ours.
            verdict, reply = await self._update(life, own=True)
            if verdict is not Verdict.DONE:
                return self._unsuccessful(life, verdict, reply)
            self._outcomes.edited += edited
        return await self._settle_with_token(life, Outcome.CREATED, reply, created_at)

    async def _was_there_before(self, life: Life, exists: Reply | None, created_at: int | None = None) -> Settlement:
        """Do what `--on-existing` asks for a user that some other hand created, or that we have settled before."""
        life.doubt_since, past = None, life.request.past
        created_at = life.created_at if created_at is None else created_at
        match self._policy.on_existing:
            case OnExisting.FAIL:
                return life.failed(exists or Reply(), *failures.THERE)
            case OnExisting.SKIP:
                as_updated = past is not None and past.outcome is Outcome.UPDATED and not past.changed
                outcome = Outcome.UPDATED if as_updated else Outcome.EXISTING
                return await self._settle_with_token(life, outcome, exists, created_at)
        verdict, reply = await self._update(life, own=False)
        if verdict is Verdict.ABSENT:
            return await self._not_found(life, reply)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        if life.is_another(reply.data or {}):
            life.token = None  # of whoever had the uid before
        created_at = moment(reply.data or {}, "createdAt") or created_at
        return await self._settle_with_token(life, Outcome.UPDATED, reply, created_at)

    async def _met(self, life: Life) -> Settlement:
        """Go on with a user of others whom this job has met; no create leaves before it is known that it is gone."""
        shown = life.shown = await read_user(self._exchanger, life.request, with_tags=False)
        if shown.verdict is Verdict.ABSENT:
            return await self._not_found(life, shown.reply)
        if shown.verdict is not Verdict.DONE:
            return self._unsuccessful(life, shown.verdict, shown.reply)
        if life.is_another(shown.user):
            await self._forget(life)
        return await self._was_there_before(life, None, moment(shown.user, "createdAt"))

    async def _not_found(self, life: Life, reply: Reply) -> Settlement:
        """Tell a user who was there before and is deactivated from one who is gone: that one's row is created."""
        if life.there or life.request.past is None:
            return self._deactivated(life, reply)
        shown = await read_deactivated(self._exchanger, life.request)
        if shown.verdict is Verdict.ABSENT:
            await self._forget(life)
            life.shown = None
            return await self._create(life)
        if shown.verdict is not Verdict.DONE:
            return self._unsuccessful(life, shown.verdict, shown.reply)
        if life.is_another(shown.user):
            await self._forget(life)
        return self._deactivated(life, reply)

    async def _settle_with_token(
        self, life: Life, outcome: Outcome, reply: Reply | None, created_at: int | None
    ) -> Settlement:
        """Settle a row whose create gave no token; mint one if it is wanted and none was ever recorded."""
        if not self._is_token_due(life, outcome):
            return life.settled(outcome, reply, created_at)
        verdict, minted = await self._exchange(Operation.MINT, life)
        if verdict is Verdict.ABSENT and outcome is not Outcome.CREATED:
            return await self._not_found(life, minted)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, minted, "the user is there, but no auth token could be minted: ")
        life.token = (minted.data or {})["authToken"]
        return life.settled(outcome, minted, created_at)

    def _is_token_due(self, life: Life, outcome: Outcome) -> bool:
        return life.request.token and not life.token and self._policy.mints(ours=outcome is Outcome.CREATED)

    def _deactivated(self, life: Life, reply: Reply) -> Settlement:
        if self._policy.on_existing is OnExisting.FAIL:
            return life.failed(reply, *failures.TAKEN)
        return failures.told(life.settled(Outcome.EXISTING, reply, life.created_at), failures.TAKEN)


def _changed_by_hand(life: Life, shown: Shown, *, away: bool = False) -> bool:
    """Whether another hand has changed a user of ours since our last answer."""
    return changed_after(shown.user, life.created_at if life.mark is None else life.mark, away=away)

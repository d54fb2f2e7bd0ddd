"""What users were before an update of ours: read, and on disk before the update leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from provisioner.errors import StorageError
from provisioner.journal.recorder import Gathering, Recorder
from provisioner.journal.undo.overwrites import (
    BEGUN_ANEW,
    BEGUN_BACK,
    KEPT,
    OWN,
    BackRow,
    BegunAnewRow,
    NotedRow,
)
from provisioner.model import UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Reply, is_readable
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users import profile, trace
from provisioner.sending.users.keeper import is_noted, moment
from provisioner.sending.users.reading import Shown, read_user, told_tags
from provisioner.sending.verdicts import Verdict
from provisioner.stop import Stop


@dataclass(slots=True)
class Keeping:
    """Keeps old profiles in a journal; see `sending.users.keeper.Keeper`.

    clock  the server's
    """

    exchanger: Exchanger
    recorder: Recorder
    clock: ServerClock
    _gathering: Gathering[NotedRow] = field(init=False)
    _begun: Gathering[BackRow] = field(init=False)

    def __post_init__(self) -> None:
        self._gathering = Gathering(self._write)
        self._begun = Gathering(self._write_begun)

    async def before_update(
        self, request: UserRequest, *, own: bool, shown: Shown | None = None
    ) -> tuple[Verdict | None, Reply]:
        """Keep the profile that an update will overwrite; one that was kept before stays, for it is the older one.

        What the API did not tell then is added before it is overwritten.
        """
        sets = trace.set_by(request.body)
        before, untold, created_at, reply = None, 0, None, Reply()
        if not (own or is_noted(request.past, sets)):
            if shown is None:
                shown = await read_user(self.exchanger, request, with_tags="tags" in sets)
            elif "tags" in sets and "tags" in shown.untold:
                shown = await told_tags(self.exchanger, request, shown._replace(untold=frozenset()))
            if shown.verdict is not Verdict.DONE:
                return shown.verdict, shown.reply
            texts, reply = profile.texts_of(shown.user), shown.reply
            untold = trace.bits_of({*shown.untold, *(name for name, text in texts.items() if not is_readable(text))})
            before = profile.packed(await self._completed(request, texts))
            created_at = moment(shown.user, "createdAt")
        row = NotedRow(
            id=request.key,
            kind=OWN if own else KEPT,
            before=before,
            untold=untold,
            fields=trace.bits_of(sets),
            carried=trace.entry_of(sets),
            kept_at=self._now(),
            created_at=created_at,
        )
        try:
            await self._gathering.put(row)
        except StorageError as error:
            self.exchanger.stopper.request(Stop.because_of(error))
            return None, Reply()
        return Verdict.DONE, reply

    async def begin_anew(self, request: UserRequest) -> None:
        """Record that the user is gone. Raises `StorageError`."""
        row = BegunAnewRow(request.key, self._now(), request.filled)
        await self.recorder.run(partial(self.recorder.journal.note, [row], *BEGUN_ANEW))

    async def _completed(self, request: UserRequest, texts: dict[str, str]) -> dict[str, str]:
        """Add to what is known of the profile that was kept what is not; what else is there now is our own."""
        past = request.past
        if past is None or not past.noted:
            return texts
        packed = await self.recorder.run(partial(self.recorder.journal.before, request.key))
        kept, known = profile.unpacked(packed or profile.packed({})), trace.names_of(past.noted)
        now = {name: text for name, text in texts.items() if name not in known}
        return {name: text for name, text in kept.items() if name in known} | now

    async def begin_back(self, request: UserRequest, *, away: bool) -> None:
        """Record that a run has begun to bring a user back. Raises `StorageError`."""
        await self._begun.put(BackRow(request.key, away))

    async def _write_begun(self, rows: list[BackRow]) -> None:
        await self.recorder.run(partial(self.recorder.journal.note, rows, BEGUN_BACK))

    async def _write(self, rows: list[NotedRow]) -> None:
        await self.recorder.run(partial(self.recorder.journal.note, rows))

    def _now(self) -> float:
        return self.clock.now() or 0.0

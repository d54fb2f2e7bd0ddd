"""Builds what the settings ask for."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from provisioner import __version__
from provisioner.errors import ExitCode
from provisioner.journal.course.mints import MOST
from provisioner.journal.header import app_at
from provisioner.journal.journal import Journal
from provisioner.journal.lock import refuse_afar
from provisioner.journal.recorder import Gathering, Recorder
from provisioner.logs.events import get_logger
from provisioner.model import UserRequest
from provisioner.run.job import Run, Target
from provisioner.run.progress.pace import Sending
from provisioner.run.rates import limits_of
from provisioner.sending.attempts import Exchanger, Guard, OutageTimer, Trace, server_time
from provisioner.sending.calls import Budget, Operation, Reply
from provisioner.sending.client import Client, Timeouts
from provisioner.sending.pacing import Gate, Pacing
from provisioner.sending.pool import Pool
from provisioner.sending.retry import Waits
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.slots.actor import ACTOR, ActorLink
from provisioner.sending.slots.link import LeasedSlots, Link
from provisioner.sending.verdicts import Verdict
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper
from provisioner.threads import in_thread
from provisioner.wording import iso_time

PACER: Final = "PROVISIONER_PACER"
"""The variable in which a fleet tells its jobs where their slots come from: a socket, or an actor."""

_TOO_MANY: Final = (
    f"{MOST} auth tokens were minted for this user, and beyond 100 the API ends the oldest, with the sessions begun "
    "with them; ask for none (--auth-tokens none), or flush them and begin in another --output"
)

log = get_logger()


@dataclass(frozen=True, slots=True)
class Connection:
    """What sends: one operation at a time through `exchanger`, many rows through `pool`.

    clock      the server's, learned from its answers
    listeners  told of every answer and what it was taken for
    """

    exchanger: Exchanger
    clock: ServerClock
    pool: Pool
    listeners: list[Trace] = field(default_factory=list)

    async def server_time(self) -> float | None:
        """Give the server's time, see `attempts.server_time`."""
        return await server_time(self.exchanger, self.clock)


@asynccontextmanager
async def connected(run: Run, target: Target, guard: Guard | None = None) -> AsyncIterator[Connection]:
    """Build what sends to a target as the settings ask for it; it works as long as the block lasts.

    guard  asked before each auth token that is minted
    """
    settings, stopper, tally = run.job.settings, run.stopper, run.tally
    retry = settings.retry
    waits = Waits(retry.backoff_base, retry.backoff_max, retry.pause_max)
    link, dial = _link(settings, stopper), run.job.dial
    pacing = _pacing(settings, waits, target.base_url, link)
    outage = OutageTimer(retry.unreachable_after, stopper)
    run.watch.sending = Sending(pacing, outage, settings.rate.max_in_flight, link)
    listeners: list[Trace] = [_log_reply] if settings.log.verbose else []

    def trace(operation: Operation, request: UserRequest, verdict: Verdict, reply: Reply) -> None:
        for listener in listeners:
            listener(operation, request, verdict, reply)

    pool = Pool(settings.rate.max_in_flight, settings.run.max_failures, tally.outcomes, stopper)
    try:
        with (
            stopper.on_stop(lambda _: pacing.close()),
            closing(link) if link else nullcontext(),
            dial.turning(pacing) if dial else nullcontext(),
        ):
            async with (target.client or _client)(settings, target) as client:
                client.clock = run.clock  # what one connection has learned, the next need not ask for
                exchanger = Exchanger(
                    client.send,
                    pacing,
                    stopper,
                    tally.requests,
                    waits,
                    outage,
                    random.random,
                    retry.max_attempts,
                    trace,
                    guard,
                    target.key_origin,
                )
                yield Connection(exchanger, client.clock, pool, listeners)
    finally:
        pacing.close()


@asynccontextmanager
async def open_store(store: Journal, stopper: Stopper, settings: Settings | None = None) -> AsyncIterator[Recorder]:
    """Open a journal or a state in a thread that is its own, where it is closed when the block ends.

    One that is made here is gone again when the block ends with an error before anything was recorded.

    settings  whether every commit is logged, and any filesystem will do

    Raises `JournalError`. The recorder's `run` carries out any call in that thread.
    """
    wanted = settings or Settings()
    if not wanted.output.any_filesystem:
        refuse_afar(store.path)
    with ThreadPoolExecutor(1, "journal") as thread:
        opened: list[Journal] = []
        ended: BaseException | None = None

        def close() -> None:
            for each in opened:
                each.__exit__(type(ended) if ended else None, ended, None)

        # A call that is no longer waited for goes on in its thread: what it opens is closed behind it all the same, for
        # it would stay locked as long as the process lasts.
        try:
            await asyncio.shield(in_thread(thread, lambda: opened.append(store.__enter__())))
            yield Recorder(store, thread, stopper, trace=_log_commit if wanted.log.verbose else None)
        except BaseException as error:
            ended = error
            raise
        finally:
            await asyncio.shield(in_thread(thread, close))


def tell_of_copy(store: Journal) -> None:
    """Log that a journal is a copy, when it is one."""
    if store.copied_at is not None:
        log.warning(
            "journal.restored",
            file=str(store.path),
            copied_at=iso_time(store.copied_at),
            hint="whoever it does not know as settled is in doubt since then, and found out about",
        )


async def convert_times(connection: Connection, recorder: Recorder) -> None:
    """Convert doubts that an earlier version kept by the sending machine's clock, as if this one's had been it."""
    if recorder.journal.has_local_times and (theirs := await connection.server_time()) is not None:
        await recorder.run(partial(recorder.journal.convert_times, theirs - time.time()))


@dataclass(slots=True)
class _Mint:
    """An auth token that is about to be minted, unless there were too many for its user."""

    uid: str
    too_many: bool = False


def counting_mints(recorder: Recorder) -> Guard:
    """Give what counts auth tokens, and refuses one too many; the count is on disk before the request leaves."""

    async def write(mints: list[_Mint]) -> None:
        spent = await recorder.run(partial(recorder.journal.count_mints, [each.uid for each in mints]))
        for each in mints:
            each.too_many = each.uid in spent

    gathering = Gathering(write)

    async def guard(request: UserRequest) -> Reply | None:
        mint = _Mint(request.uid)
        await gathering.put(mint)
        return Reply(code="too_many_tokens", message=_TOO_MANY) if mint.too_many else None

    return guard


def block_size(settings: Settings) -> int:
    """Rows recorded as sent in one commit: half a second's worth, so that a kill leaves few in doubt."""
    per_second = settings.rate.requests_per_minute * settings.rate.share / 60
    return max(16, min(2000, int(per_second / 2)))


def _client(settings: Settings, target: Target) -> Client:
    api, in_flight = settings.api, settings.rate.max_in_flight
    timeouts = Timeouts(api.connect_timeout, api.read_timeout, api.total_timeout)
    agent = f"provisioner/{__version__}"
    return Client(target.base_url, target.api_key, timeouts=timeouts, in_flight=in_flight, agent=agent)


def _pacing(settings: Settings, waits: Waits, base_url: str, link: Link | None) -> Pacing:
    rate, limits = settings.rate, limits_of(settings.rate)
    gate = Gate(waits, time.monotonic, random.random)
    pacing = partial(Pacing, limits, rate.share, gate, lowered=_log_lowered, paused=_log_paused)
    if link is None:
        return pacing()
    # Limits are an app's, and its address is what two jobs of one app have in common, however it is spelled.
    app = app_at(base_url)
    return pacing(source=lambda budget, limit: LeasedSlots(link, app, budget, limit, gate, _log_lowered_elsewhere))


def is_of_a_fleet(settings: Settings) -> bool:
    """Whether a fleet began this run beside others: all shards of a job of it read one roster, which may have grown."""
    return bool(settings.environment.get(PACER))


def _link(settings: Settings, stopper: Stopper) -> Link | None:
    """Reach the pacer of the fleet that started us; None when none did."""
    if not (address := settings.environment.get(PACER)):
        return None
    patience = settings.retry.unreachable_after

    def gone(seconds: float) -> None:
        if seconds == 0:
            log.warning("pacer.gone", giving_up_in=patience)
        elif seconds >= patience:
            message = (
                f"the fleet that hands out this job's share of the rate has been gone for {patience:.0f} s; "
                "run the fleet again, which resumes"
            )
            stopper.request(Stop("pacer", message, ExitCode.API))

    if address.startswith(ACTOR):
        return ActorLink(address.removeprefix(ACTOR), time.monotonic, gone)
    return Link(Path(address), time.monotonic, gone)


def _log_reply(operation: Operation, request: UserRequest, verdict: Verdict, reply: Reply) -> None:
    again = verdict in {Verdict.IN_DOUBT, Verdict.UNREACHED, Verdict.LIMITED}
    log.debug(
        "request.again" if again else "request.answered",
        operation=operation.value,
        row=request.row,
        verdict=verdict.name.lower(),
        status=reply.status,
        code=reply.code,
        reason=reply.why,
    )


def _log_commit(outcomes: int) -> None:
    log.debug("journal.committed", outcomes=outcomes)


def _log_lowered(budget: Budget, limit: float) -> None:
    log.warning("rate.lowered", budget=budget.value, per_minute=limit, reason="told by the server")


def _log_lowered_elsewhere(budget: Budget, limit: float) -> None:
    # Told by the server, set in its config file, or set anew: the desk knows the number alone.
    reason = "another job of the fleet has this lower limit for the same app; its log says since when"
    log.warning("rate.lowered", budget=budget.value, per_minute=limit, reason=reason)


def _log_paused(seconds: float) -> None:
    log.warning("rate.paused", seconds=round(seconds, 3), reason="429 from the server")

"""Builds what the settings ask for."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from provisioner import __version__
from provisioner.model import Tally
from provisioner.run.job import Job, Target
from provisioner.run.progress import Watch
from provisioner.sending.attempts import Exchanger, Reach
from provisioner.sending.calls import Budget
from provisioner.sending.client import Client, Timeouts
from provisioner.sending.clock import ServerClock
from provisioner.sending.lifecycle import Policy
from provisioner.sending.pacing import Gate, Pacing
from provisioner.sending.retry import Waits
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper

log = structlog.get_logger()


@asynccontextmanager
async def exchanging(
    job: Job, target: Target, stopper: Stopper, tally: Tally, watch: Watch | None = None
) -> AsyncIterator[tuple[Exchanger, ServerClock]]:
    """Give what carries out operations, as long as the block lasts."""
    pacing = make_pacing(job.settings)
    if watch is not None:
        watch.pacing = pacing
    stopper.on_stop(lambda _: pacing.close())
    async with make_client(job.settings, target) as client:
        yield make_exchanger(job.settings, client, pacing, stopper, tally), client.clock
    pacing.close()


def make_client(settings: Settings, target: Target) -> Client:
    """Build the client that the settings ask for."""
    api = settings.api
    timeouts = Timeouts(api.connect_timeout, api.read_timeout, api.total_timeout)
    agent = f"provisioner/{__version__}"
    return Client(
        target.base_url, target.api_key, timeouts=timeouts, in_flight=settings.rate.max_in_flight, agent=agent
    )


def make_pacing(settings: Settings) -> Pacing:
    """Build the pacing that the settings ask for."""
    rate = settings.rate
    limits = {
        Budget.CORE: rate.requests_per_minute * rate.share,
        Budget.STANDARD: rate.standard_requests_per_minute * rate.share,
    }
    gate = Gate(waits(settings), time.monotonic, random.random)
    return Pacing(
        limits,
        rate.share,
        gate,
        told=lambda budget, limit: log.warning(
            "rate.lowered", budget=budget.value, per_minute=limit, reason="told by the server"
        ),
        paused=lambda seconds: log.warning("rate.paused", seconds=round(seconds, 3), reason="429 from the server"),
    )


def waits(settings: Settings) -> Waits:
    """Give the waiting times that the settings ask for."""
    retry = settings.retry
    return Waits(retry.backoff_base, retry.backoff_max, retry.pause_max)


def make_exchanger(settings: Settings, client: Client, pacing: Pacing, stopper: Stopper, tally: Tally) -> Exchanger:
    """Build what carries out operations."""
    retry = settings.retry
    reach = Reach(retry.unreachable_after, stopper)
    return Exchanger(
        client.send, pacing, stopper, tally, waits(settings), reach, random.random, max_attempts=retry.max_attempts
    )


def policy(settings: Settings) -> Policy:
    """Give the policy for existing users that the settings ask for."""
    return Policy(settings.run.on_existing, settings.run.auth_tokens)


def block_size(settings: Settings) -> int:
    """Rows recorded as sent in one commit: half a second's worth, so that a kill leaves few in doubt."""
    per_second = settings.rate.requests_per_minute * settings.rate.share / 60
    return max(16, min(2000, int(per_second / 2)))

"""Starts and stops the emulator: a real TCP socket on the caller's event loop."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http import HttpProcessingError

from provisioner.emulator import control
from provisioner.emulator.app.audit import Audit
from provisioner.emulator.app.faults import FaultPlan
from provisioner.emulator.app.settings import Clock, EmulatorSettings
from provisioner.emulator.app.store import Store
from provisioner.emulator.control import Control
from provisioner.emulator.delivery import Sender
from provisioner.emulator.endpoints import routes
from provisioner.emulator.endpoints.context import Tenant
from provisioner.emulator.exchange import Exchange
from provisioner.emulator.gate import Gate
from provisioner.emulator.snapshot import restore

BACKLOG = 1024
"""Connections that may wait to be accepted: a client may open all of its own at once."""

SHUTDOWN_SECONDS = 1.0
"""How long answers under way may take when the emulator is stopped."""

_LOG = logging.getLogger("provisioner.emulator")


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell whether a complaint is about us: a client that talks no HTTP gets its 400, we need no traceback."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


_LOG.addFilter(_is_ours)


class Emulator:
    """A running emulator.

    url      the API root, http://HOST:PORT/v3
    api_key  the key it accepts
    audit    the record of every request so far, a sequence of AuditRecord
    store    its users, tokens and roles
    """

    def __init__(self, settings: EmulatorSettings, clock: Clock) -> None:
        self.api_key = settings.api_key or secrets.token_hex(20)
        self.audit = Audit(settings.audit_path)
        self.url = ""
        self._tenant = Tenant(settings, clock)
        self._sender = Sender(self._tenant)
        self._exchange = Exchange(self._tenant, Gate(self._tenant, self.api_key), self.audit, self._sender)
        self._control = Control(self._tenant, self._exchange, self.audit)

    @property
    def store(self) -> Store:
        """What the emulated app holds."""
        return self._tenant.store

    def follow(self, plan: FaultPlan) -> None:
        """Put a fault plan in force, in place of the last one."""
        self._exchange.follow(plan)

    def seed(self, lines: Iterable[bytes]) -> int:
        """Put users there as lines of JSON; see `snapshot.restore`. Raises ValueError that names the line."""
        return restore(self._tenant, lines)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        try:
            if request.path.startswith(f"{control.PREFIX}/"):
                return await self._control.serve(request)
            return await self._exchange.serve(request)
        except (ConnectionError, web.RequestPayloadError):
            # The client went away in the middle of its request: nothing came in, nobody waits for an answer.
            return web.Response(status=400)

    def stop_hanging(self) -> None:
        """Let go of the connections that a fault holds open."""
        self._sender.stopped.set()


@asynccontextmanager
async def run_emulator(
    settings: EmulatorSettings | None = None, *, clock: Clock | None = None
) -> AsyncIterator[Emulator]:
    """Run an emulator for as long as the block lasts. Raises OSError when the address cannot be had."""
    settings = settings or EmulatorSettings()
    emulator = Emulator(settings, clock or Clock())
    server = web.Server(emulator.serve, access_log=None, logger=_LOG)
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    try:
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG).start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        emulator.url = f"http://{host}:{runner.addresses[0][1]}{routes.PREFIX}"
        yield emulator
    finally:
        emulator.stop_hanging()
        await runner.cleanup()
        emulator.audit.close()

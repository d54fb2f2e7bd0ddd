"""What a test or a rehearsal may see and do behind the API's back, under /_emulator. No key is asked for.

GET  /_emulator/audit          every request so far, one JSON object per line
GET  /_emulator/users          every user as stored, tokens included, one JSON object per line
POST /_emulator/users          put users there as they are: one JSON object per line, as GET gives them
POST /_emulator/faults         a fault plan as JSON, in force at once in place of the last one
GET  /_emulator/tokens         every auth token there ever was, and what ended it, one JSON object per line
POST /_emulator/login          who an auth token lets in: {"authToken": "..."}, answered as the SDK is
GET  /_emulator/stats          counts, and the busiest ?window=60 seconds of core requests
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import orjson
from aiohttp import web

from provisioner.emulator.app.audit import Audit
from provisioner.emulator.app.faults import FaultPlan
from provisioner.emulator.endpoints.context import Tenant
from provisioner.emulator.endpoints.errors import ApiError, log_in_refused, uid_not_found
from provisioner.emulator.exchange import Exchange
from provisioner.emulator.snapshot import restore, snapshot, token_lives

PREFIX = "/_emulator"
NDJSON = "application/x-ndjson"
LINES_PER_WRITE = 1000

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Control:
    """Serves everything under /_emulator."""

    def __init__(self, tenant: Tenant, exchange: Exchange, audit: Audit) -> None:
        self._tenant = tenant
        self._exchange = exchange
        self._audit = audit
        self._routes: Mapping[tuple[str, str], Handler] = {
            ("GET", "/audit"): self._read_audit,
            ("GET", "/users"): self._read_users,
            ("POST", "/users"): self._seed_users,
            ("GET", "/tokens"): self._read_tokens,
            ("POST", "/login"): self._log_in,
            ("POST", "/faults"): self._follow_faults,
            ("GET", "/stats"): self._read_stats,
        }

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; 400 says in one sentence what is wrong with what was sent."""
        handler = self._routes.get((request.method, request.path.removeprefix(PREFIX)))
        if handler is None:
            known = ", ".join(f"{method} {PREFIX}{path}" for method, path in self._routes)
            return _json({"error": f"there is only {known}"}, status=404)
        try:
            return await handler(request)
        except ValueError as wrong:
            return _json({"error": str(wrong)}, status=400)

    async def _read_audit(self, request: web.BaseRequest) -> web.StreamResponse:
        return await _stream(request, (record.line() for record in self._audit[:]))

    async def _read_users(self, request: web.BaseRequest) -> web.StreamResponse:
        return await _stream(request, snapshot(self._tenant.store))

    async def _seed_users(self, request: web.BaseRequest) -> web.StreamResponse:
        # Not request.read(), which stops at a mebibyte.
        lines = (await request.content.read()).splitlines()
        return _json({"users": restore(self._tenant, lines)})

    async def _read_tokens(self, request: web.BaseRequest) -> web.StreamResponse:
        return await _stream(request, token_lives(self._tenant.store))

    async def _log_in(self, request: web.BaseRequest) -> web.StreamResponse:
        document = orjson.loads(await request.read())
        value = document.get("authToken") if isinstance(document, dict) else None
        user = self._tenant.store.owner(value) if isinstance(value, str) else None
        if user is None:
            return _refused(log_in_refused())
        if not user.active:
            # Nothing public says how a deactivated user is refused; everywhere else there is no such user.
            return _refused(uid_not_found(user.uid))
        return _json({"data": user.public(with_tags=True)})

    async def _follow_faults(self, request: web.BaseRequest) -> web.StreamResponse:
        self._exchange.follow(FaultPlan.from_json(orjson.loads(await request.read())))
        return _json({"faults": "in force"})

    async def _read_stats(self, request: web.BaseRequest) -> web.StreamResponse:
        window = float(request.query.get("window", self._tenant.settings.window))
        if not window > 0:
            raise ValueError(f"a window is more than 0 seconds, not {window}")
        return _json(
            {
                "requests": len(self._audit),
                "did": self._audit.counts(),
                "users": len(self._tenant.store.users),
                "window": window,
                "busiest": self._audit.busiest(window),
            }
        )


def _refused(error: ApiError) -> web.Response:
    answer = error.answer()
    return web.Response(status=answer.status, body=answer.body, content_type="application/json")


def _json(payload: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(payload), content_type="application/json")


async def _stream(request: web.BaseRequest, lines: Iterable[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(request)
    for block in _blocks(iter(lines)):
        await response.write(block)
    return response


def _blocks(lines: Iterator[Any]) -> Iterator[bytes]:
    while block := b"".join(islice(lines, LINES_PER_WRITE)):
        yield block

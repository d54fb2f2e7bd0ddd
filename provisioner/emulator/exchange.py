"""One HTTP exchange under /v3, from arrival to answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import web

from provisioner.emulator.app.audit import Audit, AuditRecord
from provisioner.emulator.app.faults import Fault, FaultDesk, FaultPlan, Strike
from provisioner.emulator.delivery import Sender
from provisioner.emulator.effects import EFFECTS, NO_EFFECT, Delivery, Effect, nothing_done
from provisioner.emulator.endpoints.answers import Answer
from provisioner.emulator.endpoints.context import Call, Tenant
from provisioner.emulator.endpoints.errors import ApiError
from provisioner.emulator.endpoints.routes import Target, find
from provisioner.emulator.gate import Gate

_UNANSWERED = frozenset({Delivery.CLOSE, Delivery.RESET, Delivery.HANG})


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that is here in full; `size` is that of its body in bytes."""

    seq: int
    wall: float
    monotonic: float
    in_flight: int
    method: str
    target: Target
    key: str = field(repr=False)
    size: int
    call: Call


class Exchange:
    """Serves the API: one `serve` per request."""

    def __init__(self, tenant: Tenant, gate: Gate, audit: Audit, sender: Sender) -> None:
        self._tenant = tenant
        self._settings = tenant.settings
        self._gate = gate
        self._audit = audit
        self._sender = sender
        self._random = Random(self._settings.seed)
        self._arrived = 0
        self._in_flight = 0
        self.follow(self._settings.faults)

    def follow(self, plan: FaultPlan) -> None:
        """Put a fault plan in force: its counting begins, and lasting faults of the last plan end."""
        self._gate.calm()
        self._desk = FaultDesk(plan, self._settings.seed)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self._in_flight += 1
        try:
            arrival = await self._receive(request)
            strike = self._desk.strike(f"{arrival.method} {arrival.target.template}", arrival.call.named_uid)
            seconds = strike.seconds if strike else 0.0
            if strike and strike.fault is Fault.SLOW_BEFORE_COMMIT:
                await asyncio.sleep(seconds)
            answer, effect = self._settle(arrival, strike)
            await self._wait(seconds if effect.waits else 0.0)
            return await self._sender.send(request, answer, effect.delivery, seconds)
        finally:
            self._in_flight -= 1

    async def _receive(self, request: web.BaseRequest) -> Arrival:
        in_flight = self._in_flight
        size, body = await _body(request)
        self._arrived += 1
        target = find(request.method, request.rel_url.raw_path)
        return Arrival(
            seq=self._arrived,
            wall=self._tenant.clock.wall(),
            monotonic=self._tenant.clock.monotonic(),
            in_flight=in_flight,
            method=request.method,
            target=target,
            # Bytes that are no UTF-8 arrive as lone surrogates, which no answer could echo.
            key=request.headers.get("apikey", "").encode(errors="replace").decode(),
            size=size,
            call=Call(
                uid=self._tenant.as_stored(target.parts.get("uid", "")),
                token=target.parts.get("token", ""),
                role=target.parts.get("role", "").lower(),
                query=parse_qs(request.rel_url.raw_query_string),
                body=body,
            ),
        )

    def _settle(self, arrival: Arrival, strike: Strike | None) -> tuple[Answer, Effect]:
        """Process and record in one step, without an await, so that store and audit never disagree."""
        if strike:
            self._gate.disturb(strike)
        key_ok = self._gate.accepts(arrival.key)
        effect = EFFECTS[strike.fault] if strike else NO_EFFECT
        answer = self._process(arrival) if effect.processed else nothing_done()
        if effect.reshape:
            reshaped = effect.reshape(answer, self._desk.plan.error_status)
            if reshaped is None:
                strike = None
            answer = reshaped or answer
        self._record(arrival, answer, effect, strike, key_ok=key_ok)
        return answer, effect

    def _process(self, arrival: Arrival) -> Answer:
        headers: dict[str, str] = {}
        try:
            route = self._gate.authorise(arrival.key, arrival.target.route)
            headers = self._gate.admit(route)
            self._gate.measure(arrival.size)
            answer = route.handle(self._tenant, arrival.call)
        except ApiError as refusal:
            answer = refusal.answer()
        return replace(answer, headers={**headers, **answer.headers})

    def _record(self, arrival: Arrival, answer: Answer, effect: Effect, strike: Strike | None, *, key_ok: bool) -> None:
        unanswered = effect.delivery in _UNANSWERED
        route = arrival.target.route
        record = AuditRecord(
            seq=arrival.seq,
            wall=arrival.wall,
            monotonic=arrival.monotonic,
            method=arrival.method,
            path=arrival.target.template,
            group=route.group if route else None,
            uid=arrival.call.named_uid,
            status=None if unanswered else answer.status,
            code=None if unanswered else answer.code,
            did=answer.did,
            fault=strike.fault.value if strike else None,
            key_ok=key_ok,
            in_flight=arrival.in_flight,
        )
        self._audit.add(record)

    async def _wait(self, seconds: float) -> None:
        seconds += self._settings.latency
        if self._settings.latency_jitter:
            seconds += self._random.uniform(0, self._settings.latency_jitter)
        if seconds:
            await asyncio.sleep(seconds)


async def _body(request: web.BaseRequest) -> tuple[int, dict[str, Any] | None]:
    """Read the body: its size in bytes, and the JSON object it is, if it is one and is said to be."""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        # Far over any limit of ours; how far does not matter.
        return request.content_length or 1 << 30, None
    if not raw:
        return 0, {}
    if not request.headers.get("Content-Type", "").lower().startswith("application/json"):
        return len(raw), None
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return len(raw), None
    return len(raw), body if isinstance(body, dict) else None

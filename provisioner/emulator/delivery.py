"""Sends an answer over the wire, whole, late, in part or not at all."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from email.utils import formatdate

from aiohttp import web

from provisioner.emulator.effects import Delivery
from provisioner.emulator.endpoints.answers import Answer
from provisioner.emulator.endpoints.context import Tenant

POLL_SECONDS = 0.02
"""How often a hanging request looks whether its client is still there."""

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class Sender:
    """Turns answers into HTTP, with the Date of the server's clock in each of them."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._second = -1
        self._date = ""
        self.stopped = asyncio.Event()

    def date(self) -> str:
        """Give the Date header; made once a second."""
        second = self._tenant.now()
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
        return self._date

    async def send(
        self, request: web.BaseRequest, answer: Answer, delivery: Delivery, pause: float
    ) -> web.StreamResponse:
        """Deliver an answer; `pause` seconds pass in the middle of a body sent in halves."""
        headers = {"Content-Type": answer.content_type, "Date": self.date(), **answer.headers}
        if delivery is Delivery.WHOLE:
            return web.Response(status=answer.status, body=answer.body, headers=headers)
        if delivery in (Delivery.IN_HALVES, Delivery.BROKEN):
            return await self._halves(request, answer, headers, pause, broken=delivery is Delivery.BROKEN)
        if delivery is Delivery.HANG:
            await self._hang(request)
        _disconnect(request, abruptly=delivery is Delivery.RESET)
        # Nothing of this is sent: the transport is closing, aiohttp notices and lets it go.
        return web.Response(status=answer.status)

    async def _halves(
        self,
        request: web.BaseRequest,
        answer: Answer,
        headers: dict[str, str],
        pause: float,
        *,
        broken: bool,
    ) -> web.StreamResponse:
        headers["Content-Length"] = str(len(answer.body))
        response = web.StreamResponse(status=answer.status, headers=headers)
        middle = len(answer.body) // 2
        try:
            await response.prepare(request)
            await response.write(answer.body[:middle])
            await asyncio.sleep(pause)
            if broken:
                _disconnect(request, abruptly=False)
            else:
                await response.write(answer.body[middle:])
        except ConnectionError:
            # The client gave up before we were through; it is what such a fault is for.
            pass
        return response

    async def _hang(self, request: web.BaseRequest) -> None:
        # aiohttp would tell a handler of a lost connection only by cancelling it, in the middle of anything.
        while request.transport is not None and not self.stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopped.wait(), POLL_SECONDS)


def _disconnect(request: web.BaseRequest, *, abruptly: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if abruptly:
        # Closing a socket that must not linger sends RST: the client sees a reset, not an end of file.
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        transport.abort()
    else:
        transport.close()

"""A server that says, byte for byte, what a test wants it to say, and remembers what it was asked.

The emulator answers as the API should; this one answers as networks, proxies and broken servers do.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Line:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *pieces: bytes) -> None:
        """Send the pieces, each on its own."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    def hang_up(self) -> None:
        """Close in an orderly way: what was said arrives."""
        self.writer.close()

    def reset(self) -> None:
        """Close with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Line], Awaitable[None]]


def answering(
    body: bytes, status: str = "200 OK", *, headers: Sequence[str] = (), content_type: str = "application/json"
) -> Behaviour:
    """Answer as a well-behaved server would."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return saying("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def saying(*pieces: bytes) -> Behaviour:
    """Send these bytes and wait for the next request."""

    async def behave(line: Line) -> None:
        await line.say(*pieces)

    return behave


def saying_and_hanging_up(*pieces: bytes) -> Behaviour:
    """Send these bytes, then close."""

    async def behave(line: Line) -> None:
        await line.say(*pieces)
        line.hang_up()

    return behave


async def resetting(line: Line) -> None:
    """Reset the connection instead of answering."""
    line.reset()


async def silent(line: Line) -> None:
    """Never answer; wait until the other side has had enough."""
    await line.reader.read()


@dataclass(slots=True)
class Wire:
    """A running server: `url` is what a client gives as its base URL.

    behaviour    what to do with each request once it has been read
    on_connect   what to do with a new connection before anything is read; None: read on
    connections  how many were made
    """

    behaviour: Behaviour
    on_connect: Behaviour | None = None
    url: str = ""
    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection."""
        self.connections += 1
        self._open.add(asyncio.create_task(self._serve(Line(reader, writer))))

    async def _serve(self, line: Line) -> None:
        try:
            if self.on_connect is not None:
                await self.on_connect(line)
            while not line.writer.is_closing() and (asked := await _next_request(line.reader)) is not None:
                self.asked.append(asked)
                await self.behaviour(line)
        except (ConnectionError, ssl.SSLError):
            pass  # the client has gone, as clients of a server like this one do
        finally:
            line.writer.close()

    async def close(self) -> None:
        """Hang up on everyone."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    behaviour: Behaviour, *, on_connect: Behaviour | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Wire]:
    """Serve on a free port of 127.0.0.1."""
    wire = Wire(behaviour, on_connect)
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0, ssl=tls)
    wire.port = server.sockets[0].getsockname()[1]
    wire.url = f"{'https' if tls else 'http'}://127.0.0.1:{wire.port}/v3"
    try:
        yield wire
    finally:
        server.close()
        await wire.close()
        await server.wait_closed()


async def _next_request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *rest = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)

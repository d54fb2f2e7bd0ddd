"""Takes users as fast as plain Python can and keeps none: `python -m benchmarks.rig.sink --port 8080`.

The far end of every measurement. It answers `POST /v3/users` as the API answers a new user and
`GET /v3/roles` with the role `default` and `GET /v3/users` with nobody, over HTTP/1.1 with keep-alive and
pipelining. It knows no rules and no duplicates: it is there to cost little, not to be right (for that there is
`provisioner emulator`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import signal
import sys
import time
from array import array
from collections import deque
from collections.abc import Sequence
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import cast

import orjson

from benchmarks.rig.harness import event_loop_factory, seconds

START_LENGTH = 80  # bytes; more than the longest start we look for
LENGTH_FIELD = b"\r\ncontent-length:"
HEADERS_END = b"\r\n\r\n"
ROLES = orjson.dumps(
    {
        "data": [{"role": "default", "name": "default", "createdAt": 1_600_000_000}],
        "meta": {"pagination": {"total": 1, "count": 1, "per_page": 100, "current_page": 1, "total_pages": 1}},
    }
)
# Asked for before the first user is sent, for the time that stands in the answer's head.
NOBODY = orjson.dumps(
    {
        "data": [],
        "meta": {"pagination": {"total": 0, "count": 0, "per_page": 1, "current_page": 1, "total_pages": 0}},
    }
)


def _error(code: str, message: str) -> bytes:
    return orjson.dumps({"error": {"message": message, "code": code, "source": "benchmark-sink"}})


NOT_FOUND = _error("ERR_API_NOT_FOUND", "The API endpoint is invalid. Please verify the API call.")
BAD_REQUEST = _error("ERR_BAD_REQUEST", "Failed to validate the data sent with the request.")

# Text without escapes, then text with them: both go into the reply as they stand.
UID_AND_NAME = re.compile(rb'\{"uid":"([^"\\]+)","name":("(?:[^"\\]|\\.)*")')
USER = b'{"data":{"uid":"%b","name":%b,"status":"offline","role":"default","createdAt":%d%b}}'
# 10 digits and 30 hex digits, as in the API's samples.
WANTS_TOKEN = re.compile(rb'"withAuthToken": ?true')
TOKEN = b',"authToken":"%b_%d0123456789abcdef0123456789abcd"'


def _uid_and_name(body: bytes) -> tuple[bytes, bytes]:
    """Give the uid and, as JSON, the name from a body in any order; both empty when it holds no user."""
    try:
        user = orjson.loads(body)
        return user["uid"].encode(), orjson.dumps(user["name"])
    except (ValueError, TypeError, LookupError, AttributeError):
        return b"", b""


class Sink:
    """What the connections share: the latency in seconds, the clock, and when each user arrived.

    `arrivals` holds one double for each `POST /v3/users`: seconds of this machine's monotonic clock, which
    other processes of the machine share.
    """

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.arrivals = array("d")
        self.now = 0
        self._head = b""

    def tick(self) -> None:
        """Note the second; a date made anew for each reply would be a tenth of the reply's cost."""
        self.now = int(time.time())
        self._head = (
            f"\r\nDate: {formatdate(self.now, usegmt=True)}\r\n"
            "Content-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: "
        ).encode()

    def answer(self, start: bytes, body: bytes) -> bytes:
        """Give the whole reply to a request, by the start of its request line (method, blank, path)."""
        if start.startswith(b"POST /v3/users "):
            self.arrivals.append(time.monotonic())
            return self._created(body)
        if start.startswith(b"GET /v3/roles"):
            return self.reply(b"200 OK", ROLES)
        if start.startswith((b"GET /v3/users?", b"GET /v3/users ")):
            return self.reply(b"200 OK", NOBODY)
        return self.reply(b"404 Not Found", NOT_FOUND)

    def _created(self, body: bytes) -> bytes:
        # The order in which the command writes a body spares a full parse, half the cost of a reply.
        match = UID_AND_NAME.match(body)
        uid, name = match.groups() if match else _uid_and_name(body)
        if not uid:
            return self.reply(b"400 Bad Request", BAD_REQUEST)
        uid = uid.lower()
        token = TOKEN % (uid, self.now) if WANTS_TOKEN.search(body) else b""
        return self.reply(b"200 OK", USER % (uid, name, self.now, token))

    def reply(self, status: bytes, body: bytes) -> bytes:
        """Give a whole reply with this body."""
        return b"HTTP/1.1 %b%b%d\r\n\r\n%b" % (status, self._head, len(body), body)


class Connection(asyncio.Protocol):
    """One client: cuts the byte stream into requests and answers them in the order they came."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""
        self._waiting: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (the protocol's signature)
        """Let replies that are still waiting for their time fall to the ground."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete; keep what is not."""
        stream = self._rest + data if self._rest else data
        replies = []
        position = 0
        while (request := cut(stream, position)) is not None:
            start, body, position = request
            replies.append(self._sink.answer(start, body))
        self._rest = stream[position:]
        if replies:
            self._send(b"".join(replies))

    def _send(self, replies: bytes) -> None:
        if not self._sink.latency:
            self._write(replies)
            return
        # Timers of one length may fire out of order; each lets the oldest waiting reply go, whichever fires.
        self._waiting.append(replies)
        asyncio.get_running_loop().call_later(self._sink.latency, self._release)

    def _release(self) -> None:
        self._write(self._waiting.popleft())

    def _write(self, replies: bytes) -> None:
        if self._transport is not None:
            self._transport.write(replies)


def cut(stream: bytes, position: int) -> tuple[bytes, bytes, int] | None:
    """Cut out the next request: start of its request line, body, position after it; None if not all there."""
    end = stream.find(HEADERS_END, position)
    if end < 0:
        return None
    body = end + len(HEADERS_END)
    head = stream[position:body].lower()
    field = head.find(LENGTH_FIELD)
    after = body
    if field >= 0:
        value = field + len(LENGTH_FIELD)
        after += int(head[value : head.index(b"\r", value)])
    if after > len(stream):
        return None
    return stream[position : position + START_LENGTH], stream[body:after], after


async def serve(sinks: Sequence[Sink], host: str, port: int) -> None:
    """Answer until SIGINT or SIGTERM, each at a port of its own."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    servers = []
    for sink in sinks:
        servers.append(await loop.create_server(partial(Connection, sink), host, port, backlog=1024))
        print(f"listening on http://{host}:{servers[-1].sockets[0].getsockname()[1]}/v3", flush=True)
    while not stop.is_set():
        for sink in sinks:
            sink.tick()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1 - time.time() % 1)
    for server in servers:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rig.sink", description="Take users, keep none.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0: any free port (default 8080)")
    parser.add_argument("--latency", type=seconds, default=0.0, help="answer this much later: 20ms, 0.5s")
    parser.add_argument(
        "--arrivals",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="at the end, write when each user arrived: monotonic seconds as native doubles; an app for each FILE",
    )
    options = parser.parse_args()
    files = options.arrivals or [None]
    if len(files) > 1 and options.port:
        parser.error("several apps have a free port each: give --port 0")
    sinks = [Sink(options.latency) for _ in files]
    try:
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            runner.run(serve(sinks, options.host, options.port))
    except OSError as error:
        parser.error(str(error))
    for sink, file in zip(sinks, files, strict=True):
        if file is not None:
            file.write_bytes(sink.arrivals.tobytes())
    print(f"{sum(len(sink.arrivals) for sink in sinks)} users taken", file=sys.stderr)


if __name__ == "__main__":
    main()

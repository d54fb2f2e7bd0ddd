"""How long a run takes to send its first request: it is started, watched from the sink's side, and killed."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.rig.harness import BenchmarkError, command, environment
from benchmarks.rig.sink import Connection, Sink

_DEFAULT_RATE: Final = 10_000
_IN_FLIGHT: Final = 64


class _Announcing(Sink):
    """A sink that says when the first user has arrived."""

    def __init__(self) -> None:
        super().__init__(latency=0.0)
        self.arrived = asyncio.Event()

    def answer(self, start: bytes, body: bytes) -> bytes:
        reply = super().answer(start, body)
        if self.arrivals:
            self.arrived.set()
        return reply


def seconds_to_first_request(roster: Path, folder: Path) -> float:
    """Start `provisioner run` over a roster; the seconds until its first user arrives. Raises BenchmarkError."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        return asyncio.run(_watch(roster, Path(name)))


async def _watch(roster: Path, folder: Path) -> float:
    sink = _Announcing()
    sink.tick()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(sink), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v3"
    output = folder / "results.csv"
    arguments = command(roster, url, output, requests_per_minute=_DEFAULT_RATE, in_flight=_IN_FLIGHT)
    with (folder / "said").open("wb") as said:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *arguments, cwd=folder, env=environment(), stdout=said, stderr=said
        )
        ended, arrived = asyncio.create_task(process.wait()), asyncio.create_task(sink.arrived.wait())
        await asyncio.wait({ended, arrived}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.kill()  # asked politely, it would go on to check the whole roster
        await ended
    arrived.cancel()
    server.close()
    if not sink.arrivals:
        raise BenchmarkError(f"no request came: {(folder / 'said').read_text()[-2000:]}")
    return sink.arrivals[0] - started

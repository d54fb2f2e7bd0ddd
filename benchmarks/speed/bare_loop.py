"""The least that aiohttp can do per user: `python -m benchmarks.speed.bare_loop --url http://... --roster FILE`.

The loop the real command is measured against. Bodies are made beforehand and wait in memory; there is no
journal, no rate, no retry and no check of the reply beyond parsing it. Everything known to make aiohttp fast
is done: one session, headers and time-out on the session, no cookies, one URL object, bytes as data, orjson,
a pool of workers over one iterator, uvloop. Prints one JSON object: requests, wall-clock and CPU seconds of
the sending.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import orjson
import polars as pl
from yarl import URL

from benchmarks.rig.harness import NO_KEY, BenchmarkError, event_loop_factory

HEADERS = {"apikey": NO_KEY, "Accept": "application/json", "Content-Type": "application/json"}


def bodies(roster: Path) -> list[bytes]:
    """Build the request bodies of a flawless Parquet roster of `benchmarks.rig.make_roster`."""
    rows = pl.read_parquet(roster).drop("withAuthToken").iter_rows(named=True)
    return [_body({field: value for field, value in row.items() if value is not None}) for row in rows]


def _body(fields: dict[str, str]) -> bytes:
    return orjson.dumps(
        {
            **fields,
            "tags": fields["tags"].split(";"),
            "metadata": orjson.Fragment(fields["metadata"]),
            "withAuthToken": True,
        }
    )


async def _work(session: aiohttp.ClientSession, url: URL, source: Iterator[bytes]) -> None:
    for body in source:
        async with session.post(url, data=body) as response:
            reply = orjson.loads(await response.read())
            if response.status != 200 or "authToken" not in reply["data"]:
                raise BenchmarkError(f"the sink answered {response.status}: {reply}")


async def send(url: URL, waiting: list[bytes], in_flight: int) -> dict[str, float]:
    """Send all bodies with `in_flight` workers; wall-clock and CPU seconds of nothing but that."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=in_flight),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=HEADERS,
        timeout=aiohttp.ClientTimeout(total=60),
    ) as session:
        source = iter(waiting)
        wall, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as workers:
            for _ in range(in_flight):
                workers.create_task(_work(session, url, source))
        return {
            "requests": len(waiting),
            "seconds": time.perf_counter() - wall,
            "cpu_seconds": time.process_time() - cpu,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bare_loop", description="Send, nothing else.")
    parser.add_argument("--url", type=URL, required=True, help="API root, as the sink prints it")
    parser.add_argument("--roster", type=Path, required=True, help="a Parquet roster without invalid rows")
    parser.add_argument("--in-flight", type=int, default=64)
    options = parser.parse_args()
    waiting = bodies(options.roster)
    try:
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            sent = runner.run(send(options.url / "users", waiting, options.in_flight))
    except* (BenchmarkError, aiohttp.ClientError) as errors:
        sys.exit(f"benchmarks.speed.bare_loop: {errors.exceptions[0]}")
    rate = sent["requests"] / sent["seconds"]
    cpu = 1000 * sent["cpu_seconds"] / sent["requests"]
    print(json.dumps({**sent, "requests_per_second": rate, "cpu_seconds_per_1000": cpu}))


if __name__ == "__main__":
    main()

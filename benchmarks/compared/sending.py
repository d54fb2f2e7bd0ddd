"""The same users to the same sink by other libraries: `python -m benchmarks.compared.sending WAY --url URL --roster R`.

Each is written as its documentation shows it, with the connections kept and as many of them as the command has.
Prints one JSON object: requests, wall-clock and CPU seconds of the sending.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
from yarl import URL

from benchmarks.rig.harness import BenchmarkError, event_loop_factory
from benchmarks.speed.bare_loop import HEADERS, bodies, send

Users: TypeAlias = Sequence[dict[str, Any]]
_PATIENCE: Final = 60


def by_aiohttp_tuned(url: URL, users: Users, in_flight: int) -> None:
    """Do what the bare loop does, which the command is held against."""
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(send(url, [orjson.dumps(user) for user in users], in_flight))


def by_aiohttp(url: URL, users: Users, in_flight: int) -> None:
    """Use aiohttp as most people write it."""
    import aiohttp

    async def all_of_them() -> None:
        turns = asyncio.Semaphore(in_flight)
        async with aiohttp.ClientSession(headers=HEADERS) as session:

            async def create(user: dict[str, Any]) -> None:
                async with turns, session.post(url, json=user) as response:
                    response.raise_for_status()
                    check(await response.json())

            await asyncio.gather(*map(create, users))

    asyncio.run(all_of_them())


def by_httpx(url: URL, users: Users, in_flight: int) -> None:
    """Use httpx with its asynchronous client."""
    import httpx

    async def all_of_them() -> None:
        turns = asyncio.Semaphore(in_flight)
        limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        async with httpx.AsyncClient(headers=HEADERS, limits=limits, timeout=_PATIENCE) as client:

            async def create(user: dict[str, Any]) -> None:
                async with turns:
                    response = await client.post(str(url), json=user)
                response.raise_for_status()
                check(response.json())

            await asyncio.gather(*map(create, users))

    asyncio.run(all_of_them())


def by_requests(url: URL, users: Users, in_flight: int) -> None:
    """Use requests in threads, a session for each."""
    import requests

    own = threading.local()

    def create(user: dict[str, Any]) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.headers.update(HEADERS)
        response = own.session.post(str(url), json=user, timeout=_PATIENCE)
        response.raise_for_status()
        check(response.json())

    with ThreadPoolExecutor(in_flight) as threads:
        list(threads.map(create, users))


def check(answer: Any) -> None:
    """Look for the token, which is what the users are created for. Raises BenchmarkError."""
    if "authToken" not in answer["data"]:
        raise BenchmarkError(f"the sink answered {answer}")


WAYS: Final[dict[str, tuple[str, Callable[[URL, Users, int], None]]]] = {
    "bare": ("aiohttp", by_aiohttp_tuned),
    "aiohttp": ("aiohttp", by_aiohttp),
    "httpx": ("httpx", by_httpx),
    "requests": ("requests", by_requests),
}
"""Way → the package it takes, and how it sends."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compared.sending", description="Send, by others.")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--url", type=URL, required=True, help="API root, as the sink prints it")
    parser.add_argument("--roster", type=Path, required=True, help="a Parquet roster without invalid rows")
    parser.add_argument("--in-flight", type=int, default=64)
    options = parser.parse_args()
    users = [orjson.loads(body) for body in bodies(options.roster)]
    wall, cpu = time.perf_counter(), time.process_time()
    WAYS[options.way][1](options.url / "users", users, options.in_flight)
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"requests": len(users), **took}))


if __name__ == "__main__":
    main()

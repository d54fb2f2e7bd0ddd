"""The real client on a wire that leads to the model."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Self, cast

from yarl import URL

from benchmarks.search.answers import Answer
from benchmarks.search.world import PATIENCE, World
from provisioner.journal.header import Identity
from provisioner.run.job import Target
from provisioner.sending.client import Client, Timeouts

BASE: Final = "http://model/v3"
HERE: Final = Identity("model", BASE)


def target(world: World) -> Target:
    """Say where requests go: to the model."""
    return Target(BASE, "key", HERE, client=lambda *_: ModelClient(world))


def tables(rate: int, workers: int, attempts: int) -> dict[str, dict[str, Any]]:
    """Give what the settings of each life say of sending."""
    per_minute = {"requests_per_minute": rate, "standard_requests_per_minute": rate}
    return {
        "api": {"base_url": BASE},
        "rate": {**per_minute, "max_in_flight": workers, "share": 1.0},
        "retry": {"max_attempts": attempts},
    }


class _Exchange:
    """One request to the model, as aiohttp's sessions have them."""

    def __init__(self, world: World, method: str, url: URL, data: bytes | None) -> None:
        self._world, self._method, self._url, self._data = world, method, url, data

    async def __aenter__(self) -> Answer:
        path = self._url.path.removeprefix("/v3")
        loop = asyncio.get_running_loop()
        return await self._world.send(loop, self._method, path, self._url.query, self._data)

    async def __aexit__(self, *_: object) -> None:
        return None


class _Session:
    """As much of aiohttp's session as the client uses."""

    def __init__(self, world: World) -> None:
        self._world = world

    def request(self, method: str, url: URL, *, data: bytes | None, allow_redirects: bool) -> _Exchange:
        assert not allow_redirects
        return _Exchange(self._world, method, url, data)

    async def close(self) -> None:
        return None


class ModelClient(Client):
    """The real client, but for the network."""

    def __init__(self, world: World) -> None:
        limits = Timeouts(PATIENCE, PATIENCE, PATIENCE)
        super().__init__(BASE, "key", timeouts=limits, in_flight=9, agent="search")
        self._world = world

    async def __aenter__(self) -> Self:
        self._reading = self._writing = cast("Any", _Session(self._world))
        return self

"""Drives an emulator over real HTTP, on a clock that the test moves."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import orjson

from provisioner.emulator.app.settings import Clock, EmulatorSettings
from provisioner.emulator.server import Emulator, run_emulator

EPOCH = 1_700_000_000
"""The server's time at the beginning of every test, UNIX seconds: Tue, 14 Nov 2023 22:13:20 GMT."""

KEY = "0123456789abcdef0123456789abcdef01234567"


class FakeClock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds

    @property
    def clock(self) -> Clock:
        return Clock(wall=lambda: EPOCH + self.elapsed, monotonic=lambda: self.elapsed)


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is the JSON if it is any, else None."""

    status: int
    body: Any
    headers: dict[str, str]
    raw: bytes

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def code(self) -> str:
        code: str = self.body["error"]["code"]
        return code

    @property
    def details(self) -> Any:
        return self.body["error"]["details"]


class Api:
    """A client that knows nothing but HTTP, and the emulator it talks to."""

    def __init__(self, session: aiohttp.ClientSession, emulator: Emulator, clock: FakeClock) -> None:
        self.session = session
        self.emulator = emulator
        self.clock = clock

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = KEY,
        content_type: str = "application/json",
        patience: float = 10,
    ) -> Reply:
        """Send one request and wait `patience` seconds; bytes go out as they are, anything else as JSON.

        `path` is below /v3, or begins with /_emulator.
        """
        root = self.emulator.url.removesuffix("/v3")
        url = root + path if path.startswith("/_emulator") else self.emulator.url + path
        headers = {"Content-Type": content_type} | ({} if key is None else {"apikey": key})
        payload = body if isinstance(body, bytes | None) else orjson.dumps(body)
        async with self.session.request(
            method,
            url,
            data=payload and BytesIO(payload),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=patience),
        ) as response:
            raw = await response.read()
            try:
                parsed = orjson.loads(raw)
            except orjson.JSONDecodeError:
                parsed = None
            return Reply(response.status, parsed, dict(response.headers), raw)

    async def create(self, uid: str, **more: Any) -> Reply:
        """Create a user whose name is its uid unless another is given."""
        return await self.send("POST", "/users", {"uid": uid, "name": uid, **more})


async def until(condition: Callable[[], object]) -> None:
    """Wait for something the emulator does of its own accord, which tells nobody when it is done."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.002)


Scenario = Callable[[Api], Awaitable[None]]


def drive(scenario: Scenario, **settings: Any) -> None:
    """Run a scenario against an emulator with these settings."""

    async def run() -> None:
        clock = FakeClock()
        chosen = EmulatorSettings(**{"api_key": KEY, **settings})
        async with run_emulator(chosen, clock=clock.clock) as emulator, aiohttp.ClientSession() as session:
            await scenario(Api(session, emulator, clock))

    asyncio.run(run())


def emulated(**settings: Any) -> Callable[[Scenario], Callable[[], None]]:
    """Make a test of a scenario. It takes no argument, so that pytest looks for no fixture."""

    def decorate(scenario: Scenario) -> Callable[[], None]:
        def test() -> None:
            drive(scenario, **settings)

        test.__name__ = getattr(scenario, "__name__", "test")
        test.__doc__ = scenario.__doc__
        return test

    return decorate

"""Tests of a running emulator as a server: its address, its start and its stop, and clients that talk no HTTP."""

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest

from provisioner.emulator.app.settings import EmulatorSettings
from provisioner.emulator.server import Emulator, run_emulator

PATIENCE = aiohttp.ClientTimeout(total=10)


async def created(emulator: Emulator, uid: str) -> int:
    """Create a user and give the status."""
    headers = {"apikey": emulator.api_key}
    async with (
        aiohttp.ClientSession(timeout=PATIENCE) as session,
        session.post(f"{emulator.url}/users", json={"uid": uid, "name": uid}, headers=headers) as answer,
    ):
        return answer.status


def test_it_says_where_it_listens_and_which_key_it_takes() -> None:
    """Any free port, and a key of its own unless one is given; two emulators share neither."""

    async def scenario() -> None:
        async with run_emulator() as one, run_emulator() as other:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v3", one.url)
            assert re.fullmatch(r"[0-9a-f]{40}", one.api_key)
            assert (one.url, one.api_key) != (other.url, other.api_key)
            assert [await created(one, "ann"), await created(other, "ann")] == [200, 200]

    asyncio.run(scenario())


def test_users_can_be_put_there_before_the_first_request() -> None:
    """A rehearsal begins with the users an app has."""

    async def scenario() -> None:
        async with run_emulator() as emulator:
            assert emulator.seed([b'{"uid":"ann"}']) == 1
            assert [await created(emulator, "ann"), await created(emulator, "bob")] == [400, 200]
            assert list(emulator.store.users) == ["ann", "bob"]

    asyncio.run(scenario())


def test_an_address_that_cannot_be_had_is_an_error() -> None:
    """A port that is taken is told by the system, and nothing is left open."""

    async def scenario() -> None:
        async with run_emulator() as first:
            port = int(first.url.split(":")[2].removesuffix("/v3"))
            with pytest.raises(OSError, match="address already in use"):
                async with run_emulator(EmulatorSettings(port=port)):
                    pass

    asyncio.run(scenario())


def test_the_audit_file_is_closed_with_the_emulator(tmp_path: Path) -> None:
    """Whoever reads it afterwards finds every request."""

    async def scenario() -> None:
        async with run_emulator(EmulatorSettings(audit_path=tmp_path / "audit")) as emulator:
            await created(emulator, "ann")

    asyncio.run(scenario())
    assert len((tmp_path / "audit").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /v3/users/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v3/users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /v3/users HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /v3/users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a bo",
        b"POST /_emulator/users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a bo",
    ],
)
def test_a_client_that_talks_no_http_does_no_harm(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is stored, recorded or logged, and the emulator goes on."""

    async def scenario() -> list[int]:
        async with run_emulator(EmulatorSettings()) as emulator:
            port = int(emulator.url.split(":")[2].removesuffix("/v3"))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(garbage)
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
            status = await created(emulator, "ann")
            return [status, len(emulator.audit)]

    assert asyncio.run(scenario()) == [200, 1]
    assert caplog.records == []


def test_an_emulator_can_be_stopped_and_started_on_the_same_port() -> None:
    """A port is free again as soon as its emulator has stopped."""

    async def twice() -> list[str]:
        async with run_emulator(EmulatorSettings()) as first:
            port = int(first.url.split(":")[2].removesuffix("/v3"))
        async with run_emulator(EmulatorSettings(port=port)) as second:
            return [first.url, second.url]

    first, second = asyncio.run(twice())
    assert first == second

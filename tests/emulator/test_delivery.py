"""Tests of how answers go over the wire: byte for byte, as a client without any library sees them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisioner.emulator.app.faults import Fault, FaultPlan, ScriptedFault
from provisioner.emulator.app.settings import EmulatorSettings
from provisioner.emulator.server import Emulator, run_emulator

PATIENCE = 10.0
KEY = "0123456789abcdef0123456789abcdef01234567"
REQUEST = f"GET /v3/roles/default HTTP/1.1\r\nHost: x\r\napikey: {KEY}\r\n\r\n".encode()

Scenario = Callable[[Emulator, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(scenario: Scenario, fault: Fault | None, seconds: float = 0.0) -> None:
    """Send one request, under one fault, and let the scenario read what comes."""
    script = () if fault is None else (ScriptedFault(fault, seconds=seconds),)

    async def run() -> None:
        settings = EmulatorSettings(api_key=KEY, faults=FaultPlan(script=script))
        async with run_emulator(settings) as emulator:
            port = int(emulator.url.rpartition(":")[2].removesuffix("/v3"))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST)
            try:
                async with asyncio.timeout(PATIENCE):
                    await scenario(emulator, reader, writer)
            finally:
                writer.close()

    asyncio.run(run())


async def head_of(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """Give the head of an answer and the length of the body it promises."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return head, int(length.partition(b":")[2])


@pytest.mark.parametrize("fault", [None, Fault.SLOW_BODY])
def test_a_whole_answer_arrives_in_full_and_the_connection_stays(fault: Fault | None) -> None:
    """Also one that comes in halves: as many bytes as were promised, and the next request is answered."""

    async def scenario(_emulator: Emulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            head, length = await head_of(reader)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nDate: " in head
            assert (await reader.readexactly(length)).startswith(b'{"data":{"role":"default"')
            writer.write(REQUEST)

    asked(scenario, fault)


def test_a_broken_body_ends_in_its_middle() -> None:
    """Half of what was promised, then an orderly end."""

    async def scenario(_emulator: Emulator, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        _, length = await head_of(reader)
        assert len(await reader.read()) == length // 2

    asked(scenario, Fault.BROKEN_BODY)


def test_a_lost_reply_is_an_orderly_end_without_a_byte() -> None:
    """The connection is closed, nothing was said."""

    async def scenario(_emulator: Emulator, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    asked(scenario, Fault.LOST_REPLY)


def test_a_reset_is_none() -> None:
    """TCP RST, not an end of file."""

    async def scenario(_emulator: Emulator, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        with pytest.raises(ConnectionResetError):
            await reader.read()

    asked(scenario, Fault.RESET_AFTER_COMMIT)


def test_a_hanging_request_is_let_go_when_the_emulator_stops() -> None:
    """Open and silent until then."""

    async def scenario(emulator: Emulator, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reading = asyncio.create_task(reader.read())
        while not emulator.audit:  # noqa: ASYNC110 - the emulator tells nobody when it begins to hang
            await asyncio.sleep(0.002)
        assert not reading.done()
        emulator.stop_hanging()
        assert await reading == b""

    asked(scenario, Fault.HANG_AFTER_COMMIT)

"""Serves a desk at a Unix socket, in the process that started the others. Whoever may open the folder may ask.

Questions and answers are one line of JSON each:

    ["lease", app, budget, per_minute, wanted]    [slots, wait, closed_for, per_minute]
    ["hold", app, seconds]                        []
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from provisioner.sending.slots.desk import Desk


@asynccontextmanager
async def serving(desk: Desk, address: Path) -> AsyncIterator[None]:
    """Serve the desk until the block ends. The socket that a killed process left behind is replaced. Raises OSError."""
    names, writers = count(1), set[asyncio.StreamWriter]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            await _talk(desk, f"holder {next(names)}", reader, writer)
        finally:
            writers.discard(writer)

    _remove(address)
    server = await asyncio.start_unix_server(talk, address)
    try:
        yield
    finally:
        server.close()
        # Closed, not cancelled: each conversation then ends as it does when the client has gone.
        for writer in tuple(writers):
            writer.close()
        while writers:  # noqa: ASYNC110 - nothing is signalled when a conversation ends
            await asyncio.sleep(0)
        _remove(address)


def _remove(address: Path) -> None:
    address.unlink(missing_ok=True)


async def _talk(desk: Desk, holder: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                writer.write(orjson.dumps(answered(desk, holder, orjson.loads(line))) + b"\n")
                await writer.drain()
    finally:
        desk.forget(holder)
        writer.close()


def answered(desk: Desk, holder: str, question: list[Any]) -> list[Any]:
    """Answer one question. Raises ValueError for anything else."""
    match question:
        case ["lease", str(app), str(budget), int() | float() as per_minute, int(wanted)]:
            return list(desk.lease(app, budget, holder, per_minute, wanted))
        case ["hold", str(app), int() | float() as seconds]:
            desk.hold(app, seconds)
            return []
    raise ValueError("no question that is known here")

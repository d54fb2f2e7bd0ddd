"""Promise: whoever says what is no question is hung up on, and the others are answered."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from provisioner.sending.slots.desk import Desk
from provisioner.sending.slots.server import serving


def test_nonsense_ends_its_own_connection_only(tmp_path: Path) -> None:
    """One connection sends nonsense; another, opened before, still gets its slot. The socket is gone at the end."""
    address = tmp_path / "pacer"

    async def main() -> tuple[bytes, list[float]]:
        async with serving(Desk(time.monotonic), address):
            reader, writer = await asyncio.open_unix_connection(address)
            odd_reader, odd_writer = await asyncio.open_unix_connection(address)
            odd_writer.write(b"GET / HTTP/1.1\n")
            hung_up = await odd_reader.readline()
            writer.write(b'["lease","app","core",600,5]\n')
            answer = json.loads(await reader.readline())
            for each in (writer, odd_writer):
                each.close()
        return hung_up, answer

    hung_up, answer = asyncio.run(main())
    assert (hung_up, answer[0], answer[2:]) == (b"", 1, [0.0, 600])
    assert not address.exists()

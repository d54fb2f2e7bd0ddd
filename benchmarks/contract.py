"""Send users with every field to a third party's mock that checks requests against an OpenAPI description.

    python -m benchmarks.contract --openapi FILE --mock 'prism mock --port {port} {openapi}' [--rows 200]

The mock answers with the static example of the description, which names another uid; a good client must not believe
that. So a loopback proxy stands between: it passes every request on unchanged, and puts the uid that was sent, and a
token, into the answers that the mock gives to valid requests.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import socket
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import polars as pl
from aiohttp import web

from benchmarks.rig.harness import NO_KEY, command, run
from benchmarks.rig.make_roster import write_roster

_TOKEN = "_1700000000" + "0" * 30


@dataclass(slots=True)
class Proxy:
    """Passes requests on to `mock` and counts what it says; `violations` holds its words for refused requests."""

    mock: str
    statuses: Counter[int] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Pass one request on."""
        body = await request.read()
        kept = {
            name: value for name, value in request.headers.items() if name.lower() not in {"host", "content-length"}
        }
        url = self.mock + request.path_qs.removeprefix("/v3")
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=body, headers=kept) as answer,
        ):
            said, status = await answer.read(), answer.status
        self.statuses[status] += 1
        if status >= 300:
            self.violations.append(said.decode(errors="replace"))
            return web.Response(status=status, body=said, content_type="application/json")
        sent, document = orjson.loads(body), orjson.loads(said)
        self.fields.update(list(sent))
        document["data"]["uid"] = sent["uid"]
        document["data"]["authToken"] = sent["uid"] + _TOKEN
        return web.json_response(body=orjson.dumps(document))


async def _judge(mock_command: str, openapi: str, rows: int) -> int:
    port = _free_port()
    words = [word.format(port=port, openapi=openapi) for word in shlex.split(mock_command)]
    mock = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL)
    proxy = Proxy(f"http://127.0.0.1:{port}")
    try:
        await _listening(port)
        await _control(proxy.mock)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = runner.addresses[0]
        await asyncio.to_thread(_send, f"http://127.0.0.1:{address[1]}/v3", rows)
        await runner.cleanup()
    finally:
        mock.terminate()
        await mock.wait()
    print(f"answers by status: {dict(proxy.statuses)}; violations: {len(proxy.violations)}")
    print(f"requests that had each field: {dict(proxy.fields)}")
    print(*proxy.violations[:5], sep="\n")
    return 0 if proxy.statuses == {200: rows} else 1


async def _control(mock: str) -> None:
    """Make sure that the mock does check: a request that breaks the description must not pass."""
    body, headers = (
        b'{"uid": "a", "name": "A", "tags": "no list"}',
        {"apikey": NO_KEY, "Content-Type": "application/json"},
    )
    async with aiohttp.ClientSession() as session, session.post(mock + "/users", data=body, headers=headers) as answer:
        print(f"control, tags that are no list: answered {answer.status}")
        if answer.status < 400:
            sys.exit("the mock does not check requests")


def _send(url: str, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        roster, results = Path(folder, "roster.csv"), Path(folder, "results.csv")
        write_roster(roster, rows, form="csv")
        every = pl.read_csv(roster, infer_schema=False).with_columns(
            pl.col("role").fill_null("default"), pl.col("statusMessage").fill_null("On board")
        )
        every.write_csv(roster)
        ended = run(command(roster, url, results, requests_per_minute=10_000, in_flight=16))
        print(ended.stdout + ended.stderr, f"exit code {ended.exit_code}", sep="\n")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


async def _listening(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def main() -> None:
    """Read the arguments and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contract", description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--openapi", required=True, help="description to check requests against")
    parser.add_argument("--mock", required=True, help="command of the mock; {port} and {openapi} are filled in")
    parser.add_argument("--rows", type=int, default=200)
    options = parser.parse_args()
    sys.exit(asyncio.run(_judge(options.mock, options.openapi, options.rows)))


if __name__ == "__main__":
    main()

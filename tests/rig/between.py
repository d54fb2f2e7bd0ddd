"""What stands between the command and the API: it hands all on, but for what it changes."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.rig.command import RunningEmulator


class Between(BaseHTTPRequestHandler):
    """Hands on each request, and its answer back; a subclass changes either."""

    api = ""
    protocol_version = "HTTP/1.1"

    def handed_on(self, body: bytes) -> bytes:
        """Give the body of a request as the API gets it."""
        return body

    def handed_back(self, _: bytes, status: int, answer: bytes) -> tuple[int, bytes]:
        """Give status and body of an answer as the command gets it; the body of the request comes first."""
        return status, answer

    def do_POST(self) -> None:
        """Hand one on, and its answer back."""
        body = self.handed_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        headers = {name: value for name, value in self.headers.items() if name not in {"Host", "Content-Length"}}
        status, answer, date = _asked(self.command, f"{self.api}{self.path}", headers, body or None)
        status, answer = self.handed_back(body, status, answer)
        self.wfile.write(f"HTTP/1.1 {status} So\r\nDate: {date}\r\nContent-Length: {len(answer)}\r\n\r\n".encode())
        self.wfile.write(answer)

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - as the library calls them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _asked(method: str, url: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
            return answer.status, answer.read(), answer.headers["Date"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(), refusal.headers["Date"]


@contextmanager
def standing_between(kind: type[Between], api: RunningEmulator) -> Iterator[str]:
    """Have one stand before the API: the API root to send to, as long as the block lasts."""
    kind.api = api.url.removesuffix("/v3")
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v3"
        finally:
            server.shutdown()

"""A file server as object stores are seen: HEAD, ranges, list of a bucket, and whatever error a test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(slots=True)
class ObjectStore:
    """A running server: every path of `objects` is served, any other is not found.

    refuse  what every request is answered with instead: a status
    asked   method and path of every request, in order
    """

    objects: Mapping[str, bytes]
    url: str = ""
    refuse: int | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def s3(self) -> dict[str, str]:
        """The environment that makes it an S3 endpoint."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "not-a-key",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_REGION": "eu-north-1",
        }


@contextmanager
def object_store(objects: Mapping[str, bytes]) -> Iterator[ObjectStore]:
    """Serve the objects, path → bytes, on a free port of 127.0.0.1 inside the block."""
    store = ObjectStore(objects)

    class Handler(_Handler):
        served = store

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: ObjectStore

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_PUT(self) -> None:
        self._serve(with_body=True)

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""

    def _serve(self, *, with_body: bool) -> None:
        self.served.asked.append((self.command, self.path))
        asked = urlsplit(self.path)
        found = self.served.objects.get(asked.path)
        if self.served.refuse is not None:
            self._answer(self.served.refuse, b"refused", with_body)
        elif found is not None:
            self._answer_part(found, with_body)
        elif "list-type" in asked.query:
            self._answer(200, self._listing(asked.path, asked.query), with_body)
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>", with_body)

    def _answer_part(self, found: bytes, with_body: bool) -> None:
        span = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if not span[1]:
            self._answer(200, found, with_body)
            return
        if not found:
            self._answer(416, b"", with_body)
            return
        start = int(span[0]) if span[0] else max(0, len(found) - int(span[2]))
        end = min(int(span[2]) + 1, len(found)) if span[0] and span[2] else len(found)
        self._answer(206, found[start:end], with_body, f"bytes {start}-{end - 1}/{len(found)}")

    def _answer(self, status: int, body: bytes, with_body: bool, span: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 01 May 2024 00:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.send_header("Accept-Ranges", "bytes")
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _listing(self, bucket: str, query: str) -> bytes:
        folder = f"/{bucket.strip('/')}/"
        prefix = parse_qs(query).get("prefix", [""])[0]
        keys = [path.removeprefix(folder) for path in sorted(self.served.objects) if path.startswith(folder + prefix)]
        contents = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2024-05-01T00:00:00.000Z</LastModified><ETag>1</ETag>"
            f"<Size>{len(self.served.objects[folder + key])}</Size></Contents>"
            for key in keys
        )
        head = '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated>'
        return f"{head}<KeyCount>{len(keys)}</KeyCount>{contents}</ListBucketResult>".encode()

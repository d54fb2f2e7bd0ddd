"""What comes back over the wire: an answer, and what can have happened to it on its way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final

import aiohttp
from multidict import CIMultiDict

from benchmarks.search.case import Trouble
from benchmarks.search.server import error

_HTML: Final = b"<html><body>Sorry</body></html>"

_REPLACED: Final[dict[Trouble, tuple[int, bytes]]] = {
    Trouble.GATEWAY_BEFORE: (502, _HTML),
    Trouble.GATEWAY_AFTER: (502, _HTML),
    Trouble.ERROR_AFTER: (500, json.dumps(error("ERR_EXCEPTION", "Something went wrong")).encode()),
    Trouble.FOREIGN_400: (400, _HTML),
    Trouble.FOREIGN_422: (422, b""),
    Trouble.LIMITED: (429, json.dumps(error("ERR_TOO_MANY_REQUESTS", "Slow down")).encode()),
    Trouble.LIMITED_UNTIL: (429, json.dumps(error("ERR_TOO_MANY_REQUESTS", "Slow down")).encode()),
    Trouble.KEY_REVOKED: (401, json.dumps(error("AUTH_ERR_APIKEY_NOT_FOUND", "No such key")).encode()),
}
"""Answers that another one takes the place of."""


@dataclass(slots=True)
class Answer:
    """What aiohttp would give."""

    status: int
    headers: CIMultiDict[str]
    body: bytes
    broken_off: bool = False
    _read: bool = False

    @property
    def content(self) -> Answer:
        """The stream of the body, which comes in one piece."""
        return self

    def at_eof(self) -> bool:
        """Whether all of it was read."""
        return self._read

    async def readany(self) -> bytes:
        """Give the body, as far as it came."""
        if self.broken_off:
            raise aiohttp.ClientPayloadError("broken off")
        self._read = True
        return self.body


def answer(status: int, document: dict[str, Any], date: float, trouble: Trouble | None, seconds: float) -> Answer:
    """Make the answer that arrives.

    date     UNIX seconds by the server's clock
    seconds  that a `Retry-After` tells
    """
    headers = CIMultiDict({"Date": formatdate(int(date), usegmt=True)})
    body = json.dumps(document).encode()
    match trouble:
        case Trouble.EMPTY:
            body = b""
        case Trouble.CUT:
            body = body[: len(body) // 2]
        case Trouble.HTML:
            body = _HTML
        case Trouble.OTHER_JSON:
            body = b'{"message":"hello"}'
        case Trouble.LIMITED_UNTIL:
            headers["Retry-After"] = str(int(seconds))
        case Trouble.DATELESS:
            del headers["Date"]
    if trouble in _REPLACED:
        status, body = _REPLACED[trouble]
    return Answer(status, headers, body, broken_off=trouble is Trouble.BROKEN_OFF)

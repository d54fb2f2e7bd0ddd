"""What the server says: one answer, before anything happens to it on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from provisioner.emulator.app.audit import Did

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and what was done; `code` is the error envelope's, `headers` are the rate limit's."""

    status: int
    body: bytes
    did: Did
    code: str | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def data(payload: object, did: Did, **beside: Any) -> Answer:
    """Answer 200 with `{"data": payload}` and the members beside it; creates answer 200 too, not 201."""
    return Answer(200, orjson.dumps({"data": payload, **beside}), did)


def page(payload: list[Any], number: int, per_page: int, total: int, **beside: Any) -> Answer:
    """Answer one page of a list with its pagination."""
    pagination = {
        "total": total,
        "count": len(payload),
        "per_page": per_page,
        "current_page": number,
        "total_pages": max(1, -(-total // per_page)),
    }
    return data(payload, Did.LISTED, meta={"pagination": pagination}, **beside)


def success(message: str, did: Did) -> Answer:
    """Answer 200 with a message, as the deletes do."""
    return data({"success": True, "message": message}, did)

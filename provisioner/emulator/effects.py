"""What a fault does: whether the request is processed, what becomes of the answer, how it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import orjson

from provisioner.emulator.app.audit import Did
from provisioner.emulator.app.faults import Fault
from provisioner.emulator.endpoints.answers import Answer
from provisioner.emulator.endpoints.errors import envelope

HTML = "text/html; charset=UTF-8"


class Delivery(Enum):
    """How an answer goes out, or does not."""

    WHOLE = auto()
    CLOSE = auto()  # the connection ends in order, without an answer
    RESET = auto()  # the connection is torn down
    HANG = auto()  # open and silent until the client gives up
    IN_HALVES = auto()  # with a pause in the middle
    BROKEN = auto()  # the connection ends in the middle


@dataclass(frozen=True, slots=True)
class Effect:
    """What one fault does.

    processed   whether the request reaches the store at all
    reshape     changes the answer, given the status of error faults; gives None when there is nothing in it
                to change, and then the fault has no effect
    waits       whether its seconds pass after the commit, before the answer
    """

    processed: bool = True
    delivery: Delivery = Delivery.WHOLE
    reshape: Callable[[Answer, int], Answer | None] | None = None
    waits: bool = False


def nothing_done() -> Answer:
    """Give the answer of a request that was not processed, for a fault to put its own in its place."""
    return Answer(500, b"", Did.NOTHING)


def _error(answer: Answer, status: int) -> Answer:
    text = "Something went wrong. Please try again."
    code = "ERR_EXCEPTION"
    return replace(answer, status=status, body=envelope(code, text), code=code)


def _page(status: int, reason: str) -> bytes:
    """Write the page of a proxy."""
    title = f"{status} {reason}"
    text = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    return f"{text}<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n".encode()


def _gateway(status: int, reason: str) -> Effect:
    body = _page(status, reason)

    def reshape(answer: Answer, _status: int) -> Answer:
        return replace(answer, status=status, body=body, code=None, content_type=HTML, headers={})

    return Effect(reshape=reshape)


def _empty(answer: Answer, _status: int) -> Answer:
    return replace(answer, body=b"", code=None)


def _truncated(answer: Answer, _status: int) -> Answer:
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _spoilt(spoil: Callable[[Answer, int], Answer]) -> Effect:
    """Make a fault that strikes refusals only: status and headers stay, what was said does not arrive."""

    def reshape(answer: Answer, status: int) -> Answer | None:
        if not 400 <= answer.status < 500:
            return None
        return replace(spoil(answer, status), code=None)

    return Effect(reshape=reshape)


def _hidden(answer: Answer, _status: int) -> Answer:
    return replace(answer, body=_page(answer.status, HTTPStatus(answer.status).phrase), content_type=HTML)


def _mislabelled(answer: Answer, _status: int) -> Answer:
    return replace(answer, content_type=HTML)


def _wrong_uid(answer: Answer, _status: int) -> Answer | None:
    member = _member(answer, "uid")
    return None if member is None else _with(answer, {**member, "uid": f"{member['uid']}-other"})


def _no_token(answer: Answer, _status: int) -> Answer | None:
    member = _member(answer, "authToken")
    if member is None:
        return None
    return _with(answer, {name: value for name, value in member.items() if name != "authToken"})


def _member(answer: Answer, name: str) -> dict[str, Any] | None:
    """Give the `data` of a successful answer if it is an object with such a member."""
    if answer.status != 200:
        return None
    member = orjson.loads(answer.body)["data"]
    return member if isinstance(member, dict) and name in member else None


def _with(answer: Answer, member: Mapping[str, Any]) -> Answer:
    return replace(answer, body=orjson.dumps({"data": member}))


_BAD_GATEWAY = _gateway(502, "Bad Gateway")
_UNAVAILABLE = _gateway(503, "Service Temporarily Unavailable")
_GATEWAY_TIMEOUT = _gateway(504, "Gateway Time-out")

EFFECTS: Mapping[Fault, Effect] = {
    Fault.LOST_REPLY: Effect(delivery=Delivery.CLOSE),
    Fault.RESET_BEFORE_COMMIT: Effect(processed=False, delivery=Delivery.RESET),
    Fault.RESET_AFTER_COMMIT: Effect(delivery=Delivery.RESET),
    Fault.HANG_BEFORE_COMMIT: Effect(processed=False, delivery=Delivery.HANG),
    Fault.HANG_AFTER_COMMIT: Effect(delivery=Delivery.HANG),
    Fault.ERROR_BEFORE_COMMIT: Effect(processed=False, reshape=_error),
    Fault.ERROR_AFTER_COMMIT: Effect(reshape=_error),
    Fault.HTML_502_BEFORE_COMMIT: replace(_BAD_GATEWAY, processed=False),
    Fault.HTML_503_BEFORE_COMMIT: replace(_UNAVAILABLE, processed=False),
    Fault.HTML_504_BEFORE_COMMIT: replace(_GATEWAY_TIMEOUT, processed=False),
    Fault.HTML_502_AFTER_COMMIT: _BAD_GATEWAY,
    Fault.HTML_503_AFTER_COMMIT: _UNAVAILABLE,
    Fault.HTML_504_AFTER_COMMIT: _GATEWAY_TIMEOUT,
    Fault.EMPTY_BODY: Effect(reshape=_empty),
    Fault.TRUNCATED_JSON: Effect(reshape=_truncated),
    Fault.BROKEN_BODY: Effect(delivery=Delivery.BROKEN),
    Fault.WRONG_CONTENT_TYPE: Effect(reshape=_mislabelled),
    Fault.EMPTY_REFUSAL: _spoilt(_empty),
    Fault.CUT_REFUSAL: _spoilt(_truncated),
    Fault.HTML_REFUSAL: _spoilt(_hidden),
    Fault.SLOW: Effect(waits=True),
    Fault.SLOW_BEFORE_COMMIT: Effect(),
    Fault.SLOW_BODY: Effect(delivery=Delivery.IN_HALVES),
    Fault.WRONG_UID: Effect(reshape=_wrong_uid),
    Fault.NO_TOKEN: Effect(reshape=_no_token),
    Fault.STORM: Effect(),
    Fault.SILENT_STORM: Effect(),
    Fault.REVOKE_KEY: Effect(),
    Fault.QUOTA_REACHED: Effect(),
}

NO_EFFECT = Effect()

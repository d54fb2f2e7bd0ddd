"""Every status times every form of body times every operation: what proves nothing is not believed.

The answers go over a real socket through the real client, and what it makes of them is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import product

import orjson
import pytest

from provisioner.model import UserRequest
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.client import Client, Timeouts
from provisioner.sending.verdicts import Verdict, judge

ADA = UserRequest(1, 1, "ada", b'{"uid":"ada","name":"Ada"}', "0" * 16, token=False)

ENVELOPE = orjson.dumps({"error": {"message": "No.", "code": "ERR_SOMETHING_NEW", "source": "chat-api"}})
JSON, HTML = "application/json", "text/html"

# Form of a body → its content type, and what arrives of it.
PROOFS: Mapping[str, tuple[str, bytes]] = {
    "envelope": (JSON, ENVELOPE),
    "envelope, said to be HTML": (HTML, ENVELOPE),
}
NO_PROOFS: Mapping[str, tuple[str, bytes]] = {
    "empty": (JSON, b""),
    "cut": (JSON, ENVELOPE[: len(ENVELOPE) // 2]),
    "HTML": (HTML, b"<html><h1>Bad Request</h1></html>"),
    "HTML, said to be JSON": (JSON, b"<html><h1>Bad Request</h1></html>"),
    "no JSON": (JSON, b"no"),
    "a list": (JSON, b'[{"error": {"code": "ERR_BAD_REQUEST"}}]'),
    "another object": (JSON, b'{"message": "no", "code": "ERR_BAD_REQUEST"}'),
    "an error without a code": (JSON, b'{"error": {"message": "The uid exists."}}'),
    "an error in words": (JSON, b'{"error": "ERR_UID_ALREADY_EXISTS"}'),
    "a code that is a number": (JSON, b'{"error": {"code": 400}}'),
    "a code that is empty": (JSON, b'{"error": {"code": ""}}'),
    "a user": (JSON, b'{"data": {"uid": "ada"}}'),
}

# 304 has no body by itself.
STATUSES = (*range(300, 304), *range(305, 309), *range(400, 432), 444, 451, 499, *range(500, 512), 520, 524, 599)

AT_ONE_USER = {Operation.READ, Operation.UPDATE, Operation.MINT, Operation.FLUSH, Operation.DELETE}


def expected(operation: Operation, status: int, *, proof: bool) -> Verdict:
    """What the table of replies says, for a code that nobody knows or none."""
    if status < 400:
        return Verdict.STOP
    if status >= 500 or status in {408, 417, 425}:
        return Verdict.IN_DOUBT
    if status == 429:
        return Verdict.LIMITED
    if operation is Operation.ROLES and status in {403, 404, 405}:
        return Verdict.REFUSED
    if operation is Operation.PROBE and status == 403 and proof:
        return Verdict.REFUSED  # a key that may not look may create all the same
    if status in {401, 402, 403, 405, 407}:
        return Verdict.STOP
    if status == 409 and operation in {Operation.CREATE, Operation.CREATE_ROLE}:
        return Verdict.EXISTS
    if status == 404 and not proof and operation not in AT_ONE_USER:
        return Verdict.STOP
    return Verdict.REFUSED if proof else Verdict.IN_DOUBT


def http(status: int, content_type: str, body: bytes, *, length: int | None = None) -> bytes:
    """One answer; `length` when another one is announced than follows."""
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def replies(answers: Iterator[bytes], operations: Iterator[Operation], *, hang_up: bool) -> list[Reply]:
    """What the client makes of these answers to these operations, one after the other."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                sizes = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(sizes[0]) if sizes else 0)
                writer.write(next(answers))
                await writer.drain()
                if hang_up:
                    return
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def main() -> list[Reply]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v3"
            async with (
                Client(url, "key", timeouts=Timeouts(), in_flight=1, agent="test") as client,
                asyncio.timeout(60),
            ):
                return [await client.send(each, ADA, "page=1" if each is Operation.LIST else "") for each in operations]

    return asyncio.run(main())


def verdicts(form: Callable[[int], bytes], *, hang_up: bool = False) -> dict[tuple[str, int], Verdict]:
    """The verdict on each operation with each status, with a body of this form."""
    cases = list(product(Operation, STATUSES))
    found = replies((form(status) for _, status in cases), (operation for operation, _ in cases), hang_up=hang_up)
    return {
        (operation.value, status): judge(operation, reply, "ada", token=False)
        for (operation, status), reply in zip(cases, found, strict=True)
    }


def table(*, proof: bool) -> dict[tuple[str, int], Verdict]:
    return {(each.value, status): expected(each, status, proof=proof) for each, status in product(Operation, STATUSES)}


@pytest.mark.parametrize("form", PROOFS)
def test_the_envelope_of_the_api_is_a_verdict(form: str) -> None:
    """Whatever its content type says: the body is what is believed."""
    assert verdicts(lambda status: http(status, *PROOFS[form])) == table(proof=True)


@pytest.mark.sampled
@pytest.mark.parametrize("form", NO_PROOFS)
def test_anything_else_proves_nothing(form: str) -> None:
    """A 4xx without the envelope settles no row, but for the statuses that have a meaning of their own."""
    assert verdicts(lambda status: http(status, *NO_PROOFS[form])) == table(proof=False)


@pytest.mark.slow
def test_an_answer_that_breaks_off_proves_nothing() -> None:
    """As much as came of it would have been the envelope."""
    half = ENVELOPE[: len(ENVELOPE) // 2]
    assert verdicts(lambda status: http(status, JSON, half, length=len(ENVELOPE)), hang_up=True) == table(proof=False)


@pytest.mark.parametrize("operation", list(Operation))
def test_no_row_is_settled_by_what_proves_nothing(operation: Operation) -> None:
    """Without an envelope no 4xx is a refusal, or says that there is no user; roles are a courtesy."""
    for status in range(400, 500):
        verdict = judge(operation, Reply(status=status, message="no"), "ada", token=False)
        if operation is not Operation.ROLES:
            assert verdict not in {Verdict.REFUSED, Verdict.ABSENT, Verdict.DONE}, status

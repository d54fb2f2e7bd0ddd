"""Tests of one exchange, from arrival to answer: what is read, in which order it is judged, and what is recorded."""

import asyncio

import pytest

from provisioner.emulator.app.faults import Fault, FaultPlan, ScriptedFault
from tests.rig.api import KEY, Api, drive, emulated, until


@emulated(core_limit=1)
async def test_requests_are_numbered_as_they_arrive(api: Api) -> None:
    """Refused ones too; each is recorded once, with its number and its status."""
    for uid in ("a", "b"):
        await api.create(uid)
    await api.send("GET", "/nothing")
    assert [(record.seq, record.status, record.path) for record in api.emulator.audit] == [
        (1, 200, "/users"),
        (2, 429, "/users"),
        (3, 404, "*"),
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"uid":"ann","name":"Ann"}', "application/json", 200),
        (b'{"uid":"ann","name":"Ann"}', "Application/JSON; charset=utf-8", 200),
        (b'{"uid":"ann","name":"Ann"}', "text/plain", 400),
        (b'{"uid":"ann","name":', "application/json", 400),
        (b'["ann"]', "application/json", 400),
        (b"", "application/json", 400),
    ],
)
def test_a_body_is_a_json_object_that_is_said_to_be_one(body: bytes, content_type: str, status: int) -> None:
    """Anything else is refused, and nothing is stored."""

    async def scenario(api: Api) -> None:
        reply = await api.send("POST", "/users", body, content_type=content_type)
        assert reply.status == status
        assert ("ann" in api.emulator.store.users) is (status == 200)

    drive(scenario)


@emulated()
async def test_a_body_far_over_any_limit_is_refused_unread(api: Api) -> None:
    """413, as one that is just over it; the emulator goes on."""
    assert (await api.send("POST", "/users", b"x" * (2 << 20))).status == 413
    assert (await api.create("ann")).status == 200


@emulated()
async def test_a_key_that_is_no_text_is_refused_and_echoed_harmlessly(api: Api) -> None:
    """Bytes that are no UTF-8 come in as lone surrogates, which no JSON could hold."""
    port = int(api.emulator.url.rpartition(":")[2].removesuffix("/v3"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v3/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\napikey: " + b"\xff" * 20 + b"\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'"The key ?????**********????? does not exist.' in answer


@emulated()
async def test_the_audit_says_how_many_were_under_way(api: Api) -> None:
    """The request itself counts."""
    await api.create("ann")
    api.emulator.follow(FaultPlan(script=(ScriptedFault(Fault.HANG_AFTER_COMMIT, uid="bob"),)))
    hanging = asyncio.create_task(api.create("bob"))
    await until(lambda: len(api.emulator.audit) == 2)
    await api.create("eve")
    api.emulator.stop_hanging()
    await asyncio.gather(hanging, return_exceptions=True)
    assert [record.in_flight for record in api.emulator.audit] == [1, 1, 2]


@emulated()
async def test_a_request_that_was_not_answered_has_no_status(api: Api) -> None:
    """What the client never saw is not in the audit, what was done is."""
    api.emulator.follow(FaultPlan(script=(ScriptedFault(Fault.RESET_AFTER_COMMIT),)))
    with pytest.raises(OSError, match=r"."):
        await api.create("ann")
    (record,) = api.emulator.audit
    assert (record.status, record.did.value, record.fault) == (None, "created", "reset-after-commit")
    assert "ann" in api.emulator.store.users


@emulated()
async def test_a_refusal_has_the_rate_headers_too(api: Api) -> None:
    """Whoever passed the rate limit is told what is left, whatever becomes of the request."""
    await api.create("ann")
    reply = await api.create("ann")
    assert reply.status == 400
    assert reply.headers["X-Rate-Limit-Remaining"] == "9998"


@emulated()
async def test_a_wrong_key_is_told_apart_in_the_audit_and_never_written(api: Api) -> None:
    """Whether the key was right is known, which one it was is not."""
    await api.send("GET", "/users", key="another-key-altogether")
    await api.send("GET", "/users", key=KEY)
    assert [record.key_ok for record in api.emulator.audit] == [False, True]
    assert b"another-key" not in b"".join(record.line() for record in api.emulator.audit)

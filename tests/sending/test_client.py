"""One exchange is one request, and whatever the network or a server does to it comes back as a `Reply`."""

from __future__ import annotations

import asyncio
import email.utils
import gc
import gzip
import socket
import ssl
import time
import warnings
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import aiohttp
import orjson
import pytest

from provisioner.errors import ConfigurationError, ExitCode
from provisioner.model import UserRequest
from provisioner.sending.calls import Failure, Operation, Reply
from provisioner.sending.client import MOST, Client, Timeouts, proxy_for
from provisioner.sending.retry import stop
from provisioner.sending.verdicts import Verdict, judge
from provisioner.stop import Stop
from tests.rig import deadline
from tests.rig.server import (
    Asked,
    Behaviour,
    Line,
    Wire,
    answering,
    resetting,
    saying,
    saying_and_hanging_up,
    serving,
    silent,
)

T = TypeVar("T")

KEY = "0123456789abcdef0123456789abcdef01234567"
BODY = b'{"uid":"ada-1","name":"Ada","metadata":{"uid":"kept"}}'
ADA = UserRequest(key=1, row=1, uid="ada-1", body=BODY, body_hash="0" * 16, token=False)
USER = {"uid": "ada-1", "name": "Ada", "createdAt": 1_700_000_000}
CREATED = answering(orjson.dumps({"data": USER}))
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# 1 Nov 2023 10:00:00 GMT

CREATE, READ, UPDATE, MINT = Operation.CREATE, Operation.READ, Operation.UPDATE, Operation.MINT
ROLES = Operation.ROLES


def a_client(url: str, *, timeouts: Timeouts | None = None, in_flight: int = 4) -> Client:
    return Client(url, KEY, timeouts=timeouts or Timeouts(2, 2, 4), in_flight=in_flight, agent="provisioner/test")


def talk(
    behaviour: Behaviour,
    scenario: Callable[[Client, Wire], Awaitable[T]],
    *,
    on_connect: Behaviour | None = None,
    timeouts: Timeouts | None = None,
    in_flight: int = 4,
) -> T:
    """Run a scenario with a client of a server that behaves like this."""

    async def main() -> T:
        async with (
            serving(behaviour, on_connect=on_connect) as wire,
            a_client(wire.url, timeouts=timeouts, in_flight=in_flight) as client,
        ):
            return await scenario(client, wire)

    return deadline.run(main())


def ask(
    behaviour: Behaviour,
    operation: Operation = CREATE,
    request: UserRequest = ADA,
    *,
    on_connect: Behaviour | None = None,
    timeouts: Timeouts | None = None,
) -> tuple[Reply, list[Asked]]:
    """One exchange: what the client made of it, and what the server was asked."""

    async def scenario(client: Client, wire: Wire) -> tuple[Reply, list[Asked]]:
        return await client.send(operation, request), wire.asked

    return talk(behaviour, scenario, on_connect=on_connect, timeouts=timeouts)


def ask_at(url: str, timeouts: Timeouts | None = None) -> Reply:
    async def main() -> Reply:
        async with a_client(url, timeouts=timeouts) as client:
            return await client.send(CREATE, ADA)

    return deadline.run(main())


# --- what is sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "token", "sent"),
    [
        (CREATE, False, ("POST", "/v3/users", BODY)),
        (CREATE, True, ("POST", "/v3/users", BODY[:-1] + b',"withAuthToken":true}')),
        (READ, True, ("GET", "/v3/users/ada-1", b"")),
        (UPDATE, True, ("PUT", "/v3/users/ada-1", b'{"name":"Ada","metadata":{"uid":"kept"}}')),
        (MINT, True, ("POST", "/v3/users/ada-1/auth_tokens", b"{}")),
        (ROLES, True, ("GET", "/v3/roles", b"")),
        (Operation.FLUSH, True, ("DELETE", "/v3/users/ada-1/auth_tokens", b"")),
    ],
)
def test_each_operation_is_one_request(operation: Operation, token: bool, sent: tuple[str, str, bytes]) -> None:
    """Method, path and body to the byte: withAuthToken only in a create that asks for it, no uid in an update."""
    _, asked = ask(CREATED, operation, ADA._replace(token=token))
    assert [(each.method, each.path, each.body) for each in asked] == [sent]


@pytest.mark.parametrize(
    ("operation", "content_type"),
    [
        (CREATE, "application/json"),
        (UPDATE, "application/json"),
        (MINT, "application/json"),
        (READ, None),
        (ROLES, None),
        (Operation.FLUSH, None),
    ],
)
def test_every_request_carries_the_key_and_asks_for_json(operation: Operation, content_type: str | None) -> None:
    """`apikey` and `Accept` always, `Content-Type` with a body and only then; nothing is guessed by the library."""
    _, [asked] = ask(CREATED, operation)
    names = ("apikey", "accept", "content-type", "user-agent", "cookie")
    assert {name: asked.headers.get(name) for name in names} == {
        "apikey": KEY,
        "accept": "application/json",
        "content-type": content_type,
        "user-agent": "provisioner/test",
        "cookie": None,
    }


@pytest.mark.parametrize("number", ["12345678901234567890123", "0.12345678901234567890", "1E5", "1.10"])
def test_an_update_sends_the_fields_as_a_create_would(number: str) -> None:
    """The bytes after the uid are the same: an account number of 23 digits is no 1.2345678901234567e22."""
    fields = f'"name":"Ada","metadata":{{"account":{number}}}}}'.encode()
    _, [asked] = ask(CREATED, UPDATE, ADA._replace(body=b'{"uid":"ada-1",' + fields))
    assert asked.body == b"{" + fields


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_a_trailing_slash_of_the_base_url_does_no_harm(ending: str) -> None:
    """The path is /v3/users either way."""

    async def main() -> list[str]:
        async with serving(CREATED) as wire, a_client(wire.url + ending) as client:
            await client.send(CREATE, ADA)
            return [asked.path for asked in wire.asked]

    assert deadline.run(main()) == ["/v3/users"]


def test_all_requests_share_the_kept_connections() -> None:
    """With and without a body over the same connection; it is not made anew for each."""

    async def scenario(client: Client, wire: Wire) -> tuple[int, int]:
        for operation in (CREATE, READ, UPDATE, MINT, CREATE):
            await client.send(operation, ADA)
        return len(wire.asked), wire.connections

    assert talk(CREATED, scenario) == (5, 1)


def test_no_more_connections_than_allowed() -> None:
    """Twelve requests at once through three connections, each sent once."""

    async def scenario(client: Client, wire: Wire) -> tuple[list[Reply], int, int]:
        replies = await asyncio.gather(*(client.send(CREATE if n % 2 else READ, ADA) for n in range(12)))
        return replies, len(wire.asked), wire.connections

    assert talk(CREATED, scenario, in_flight=3) == ([Reply(status=200, data=USER)] * 12, 12, 3)


def test_cookies_are_not_kept() -> None:
    """A load balancer's cookie would pin the whole run to one machine."""

    async def main() -> list[str | None]:
        # By name: cookies of bare addresses are not kept by any jar.
        async with serving(behaviour) as wire, a_client(f"http://localhost:{wire.port}/v3") as client:
            await client.send(CREATE, ADA)
            await client.send(CREATE, ADA)
            return [asked.headers.get("cookie") for asked in wire.asked]

    behaviour = answering(orjson.dumps({"data": USER}), headers=["Set-Cookie: lb=7; Path=/"])
    assert deadline.run(main()) == [None, None]


@pytest.mark.slow
def test_nothing_is_left_open() -> None:
    """A client that was used and closed leaves no connection to be warned about."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ask(CREATED)
        gc.collect()
    assert told == []


# --- one exchange, one request -----------------------------------------------------------------------------------


def dying_on(nth: int, death: Behaviour) -> Behaviour:
    """Answer well up to the nth request of all."""
    count = 0

    async def behave(line: Line) -> None:
        nonlocal count
        count += 1
        await (death if count >= nth else CREATED)(line)

    return behave


@pytest.mark.parametrize("death", [resetting, saying_and_hanging_up(b"")])
@pytest.mark.parametrize("operation", list(Operation))
def test_a_kept_connection_that_dies_costs_one_request_and_leaves_doubt(operation: Operation, death: Behaviour) -> None:
    """No request is repeated behind the limiter's back, a GET or PUT neither."""

    async def scenario(client: Client, wire: Wire) -> tuple[Failure | None, int]:
        await client.send(CREATE, ADA)
        reply = await client.send(operation, ADA)
        return reply.failure, len(wire.asked)

    assert talk(dying_on(2, death), scenario) == (Failure.LOST, 2)


@pytest.mark.parametrize(("repeats", "requests"), [(False, 2), (True, 3)])
def test_the_private_switch_that_stops_aiohttp_from_repeating_is_there_and_works(repeats: bool, requests: int) -> None:
    """It has no public one. Fails when aiohttp renames its switch, or no longer heeds it: then ours does nothing."""

    async def scenario(client: Client, wire: Wire) -> tuple[Failure | None, int]:
        async with aiohttp.ClientSession() as untouched:
            assert untouched._retry_connection is True
        assert (client._reading._retry_connection, client._writing._retry_connection) == (False, False)
        client._reading._retry_connection = repeats
        await client.send(CREATE, ADA)
        reply = await client.send(READ, ADA)
        return reply.failure, len(wire.asked)

    assert talk(dying_on(2, resetting), scenario) == (Failure.LOST, requests)


@pytest.mark.parametrize("operation", list(Operation))
def test_a_connection_that_was_closed_between_requests_is_made_anew(operation: Operation) -> None:
    """An idle time-out of the server costs a connection and nothing else."""
    polite = saying_and_hanging_up(JSON_HEAD + b"Content-Length: 24\r\n\r\n" + b'{"data":{"uid":"ada-1"}}')

    async def scenario(client: Client, wire: Wire) -> tuple[list[Failure | None], int, int]:
        replies = [await client.send(CREATE, ADA)]
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - the server's task for that connection is still ending
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)  # the kernel has to bring us the news
        replies.append(await client.send(operation, ADA))
        return [reply.failure for reply in replies], len(wire.asked), wire.connections

    assert talk(polite, scenario) == ([None, None], 2, 2)


@pytest.mark.parametrize(
    "surplus",
    [
        b'HTTP/1.1 400 X\r\nContent-Length: 43\r\n\r\n{"error":{"code":"ERR_UID_ALREADY_EXISTS"}}',
        b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"data":{"uid":"ada-2"}}',
        b'HTTP/1.1 400 X\r\nContent-Length: 43\r\n\r\n{"error":',
        b"HTTP/1.1 408 Request Timeout\r\n\r\n",
        b"no HTTP\r\n\r\n",
    ],
    ids=["that the uid is taken", "another user's", "half of one", "without a length", "no HTTP"],
)
@pytest.mark.parametrize("operation", [CREATE, READ])
def test_a_kept_connection_with_an_answer_that_nobody_asked_for_is_thrown_away(
    operation: Operation, surplus: bytes
) -> None:
    """It would be taken for the answer to the next request, which may not even be read. Nothing is sent on it."""
    connections: list[Line] = []

    async def behave(line: Line) -> None:
        connections.append(line)
        await CREATED(line)

    async def scenario(client: Client, wire: Wire) -> tuple[list[Reply], int, int]:
        first = await asyncio.gather(*(client.send(CREATE, ADA) for _ in range(3)))
        for line in connections:
            await line.say(surplus)
        await asyncio.sleep(0.01)  # the kernel has to bring it
        return [*first, await client.send(operation, ADA)], len(wire.asked), wire.connections

    assert talk(behave, scenario) == ([Reply(status=200, data=USER)] * 4, 4, 4)


def test_a_server_that_speaks_before_it_is_asked_was_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on new connections: nothing is sent, and it is not tried without an end."""
    monkeypatch.setattr(aiohttp.client_proto.ResponseHandler, "should_close", True)

    async def scenario(client: Client, wire: Wire) -> tuple[Reply, list[Asked]]:
        return await client.send(CREATE, ADA), wire.asked

    assert talk(CREATED, scenario) == (
        Reply(failure=Failure.UNREACHED, message="the server speaks before it is asked"),
        [],
    )


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(status: str) -> None:
    """The key goes to the address it was given for and to no other."""

    async def main() -> tuple[Reply, int, list[Asked]]:
        async with serving(CREATED) as elsewhere:
            moved = answering(b"", status, headers=[f"Location: {elsewhere.url}/users"])
            async with serving(moved) as wire, a_client(wire.url) as client:
                return await client.send(CREATE, ADA), len(wire.asked), elsewhere.asked

    said = int(status[:3])
    expected = Reply(status=said, message=f"HTTP {said} without an explanation")
    assert deadline.run(main()) == (expected, 1, [])


# --- what comes back: answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted"])
def test_a_user_is_handed_on_as_it_came(status: str) -> None:
    """Any 2xx with an object under `data`."""
    assert ask(answering(orjson.dumps({"data": USER}), status))[0] == Reply(status=int(status[:3]), data=USER)


@pytest.mark.parametrize(
    "pieces",
    [
        (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b'18\r\n{"data":{"uid":"ada-1"}}\r\n', b"0\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", JSON_HEAD + b'Content-Length: 24\r\n\r\n{"data":{"uid":"ada-1"}}'),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", JSON_HEAD + b'Content-Length: 24\r\n\r\n{"data":{"uid":"ada-1"}}'),
        tuple(bytes([each]) for each in JSON_HEAD + b'Content-Length: 24\r\n\r\n{"data":{"uid":"ada-1"}}'),
    ],
    ids=["chunked", "continue", "hints", "byte by byte"],
)
def test_an_answer_may_come_in_any_lawful_form(pieces: tuple[bytes, ...]) -> None:
    """Chunked, after interim answers, or a byte at a time."""
    assert ask(saying(*pieces))[0] == Reply(status=200, data={"uid": "ada-1"})


def test_a_list_comes_under_a_name_and_is_no_user() -> None:
    """Lists are for the roles; as an answer to a create a list is not believed."""
    reply, _ = ask(answering(b'{"data":[{"uid":"ada-1"}]}'))
    assert reply == Reply(status=200, data={"items": [{"uid": "ada-1"}]})
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.IN_DOUBT


def test_another_users_answer_is_handed_on_and_not_believed() -> None:
    """The client reads, `judge` decides: in doubt."""
    reply, _ = ask(answering(b'{"data":{"uid":"grace"}}'))
    assert reply == Reply(status=200, data={"uid": "grace"})
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.IN_DOUBT


NO_DATA = [
    ("a page", answering(b"<html>welcome</html>", content_type="text/html")),
    ("empty", answering(b"")),
    ("no content", saying(b"HTTP/1.1 204 No Content\r\n\r\n")),
    ("null", answering(b"null")),
    ("array", answering(b'[{"uid":"ada-1"}]')),
    ("number", answering(b"7")),
    ("no data", answering(b'{"uid":"ada-1"}')),
    ("data null", answering(b'{"data":null}')),
    ("data text", answering(b'{"data":"ada-1"}')),
    ("cut short", saying_and_hanging_up(JSON_HEAD + b'\r\n{"data":{"uid":"ada-1"')),
    ("two documents", answering(b'{"data":{"uid":"ada-1"}}{}')),
    ("not UTF-8", answering(b'{"data":{"uid":"ada-1\xff"}}')),
    ("lone surrogate", answering(b'{"data":{"uid":"ada-1\\ud800"}}')),
    ("not a number", answering(b'{"data":{"uid":"ada-1","createdAt":NaN}}')),
    ("bottomless", answering(b"[" * 100_000)),
]


@pytest.mark.parametrize("behaviour", [each for _, each in NO_DATA], ids=[name for name, _ in NO_DATA])
def test_a_2xx_without_data_is_unreadable(behaviour: Behaviour) -> None:
    """The status is kept, the user may exist."""
    reply, _ = ask(behaviour)
    expected = Reply(
        status=reply.status, failure=Failure.UNREADABLE, message=f"answer {reply.status} without data in it"
    )
    assert reply == expected
    assert reply.status in {200, 204}


def refusing(error: object, status: str = "400 Bad Request", headers: tuple[str, ...] = ()) -> Behaviour:
    return answering(orjson.dumps({"error": error}), status, headers=headers)


def test_a_refusal_brings_code_message_and_details() -> None:
    """The error envelope as it is documented."""
    details = {"uid": ["The uid field is required."]}
    reply, _ = ask(refusing({"message": "No.", "devMessage": "x", "code": "ERR_BAD_REQUEST", "details": details}))
    assert reply == Reply(status=400, code="ERR_BAD_REQUEST", message="No.", details=details)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b"null",
        b"[]",
        b'{"error":null}',
        b'{"error":"no"}',
        b'{"error":["no"]}',
        b'{"error":{"code":7,"message":null,"details":["no"]}}',
        b'{"error":{"code":{"a":1},"message":["no"],"details":"no"}}',
        b'{"error":{"code":"ERR_B',
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "500 Oops", "502 Bad Gateway"])
def test_a_refusal_of_any_shape_is_a_reply(status: str, body: bytes) -> None:
    """Members of the wrong type count as missing; a page is not searched for words."""
    said = int(status[:3])
    assert ask(answering(body, status))[0] == Reply(status=said, message=f"HTTP {said} without an explanation")


def test_what_a_terminal_would_obey_is_escaped_in_every_word_of_a_refusal() -> None:
    """Nothing clears the screen, turns the direction of a line, or passes for a line of our own."""
    evil, shown = "\x1b[31mno\u202e\r\nfake: 100 created", r"\x1b[31mno\u202e\r\nfake: 100 created"
    reply, _ = ask(refusing({"message": evil, "code": f"ERR{evil}", "details": {evil: [evil, {"n": [1, evil]}]}}))
    details = {shown: [shown, {"n": [1, shown]}]}
    assert reply == Reply(status=400, code=f"ERR{shown}", message=shown, details=details)


def test_the_key_never_comes_back_in_a_message() -> None:
    """A server has been seen to quote the key in full; cut to size only after masking, so that no half of it stays."""
    reply, _ = ask(refusing({"message": f"The key {KEY} is wrong: {'x' * 440} {KEY}"}, "403 Forbidden"))
    assert reply.message == f"The key *** is wrong: {'x' * 440} ***"
    reply, _ = ask(refusing({"message": "x" * 480 + KEY}, "403 Forbidden"))
    assert reply.message == "x" * 480 + "***"
    reply, _ = ask(refusing({"message": f"no such key: {KEY[:10]}…"}, "403 Forbidden"))
    assert reply.message == "no such key: ***…"


def test_the_key_never_comes_back_in_details() -> None:
    """Details are told in the results too."""
    reply, _ = ask(refusing({"message": "no", "code": "ERR_BAD_REQUEST", "details": {"apikey": [f"bad key {KEY}"]}}))
    assert KEY not in repr(reply)


def coded(text: str) -> bytes:
    """A text as JSON with every character escaped, which any server may."""
    return b'"' + b"".join(b"\\u%04x" % ord(each) for each in text) + b'"'


@pytest.mark.parametrize("write", [coded, lambda text: orjson.dumps(text.upper())])
def test_the_key_comes_back_in_no_part_of_a_refusal(write: Callable[[str], bytes]) -> None:
    """Neither in the code nor in details, names included, however the server writes it in JSON."""
    said = b'{"error":{"message":%(k)s,"code":%(k)s,"details":{%(k)s:[%(k)s,{"n":1,"in":[%(k)s]}]}}}'
    reply, _ = ask(answering(said % {b"k": write(KEY)}, "400 Bad Request"))
    details = {"***": ["***", {"n": 1, "in": ["***"]}]}
    assert reply == Reply(status=400, code="***", message="***", details=details)


@pytest.mark.parametrize("write", [coded, lambda text: orjson.dumps(text.upper())])
def test_the_key_comes_back_in_no_user_or_page(write: Callable[[str], bytes]) -> None:
    """What an app shows of a user can come into a list of differences."""
    user = b'{"uid":"ada","name":%(k)s,"metadata":{%(k)s:[%(k)s]},"createdAt":1}' % {b"k": write(KEY)}
    masked = {"uid": "ada", "name": "***", "metadata": {"***": ["***"]}, "createdAt": 1}
    page = b'{"data":[%s],"meta":{"x":%s}}' % (user, write(KEY))
    assert ask(answering(b'{"data":%s}' % user), Operation.READ)[0].data == masked
    assert ask(answering(page), Operation.LIST)[0].data == {"items": [masked], "meta": {"x": "***"}}


@pytest.mark.parametrize("key", ["k", "uid", "rehearsal"])
def test_a_key_that_is_a_word_garbles_nothing_that_is_compared(key: str) -> None:
    """The key of a rehearsal stands in uids, names and codes by chance; what is only said to people is masked still."""
    user = {"uid": f"{key}0", "name": f"The {key}", "metadata": {key: [key]}}
    body = {"error": {"code": "ERR_UID_ALREADY_EXISTS", "message": f"The {key} is taken"}}

    async def asked(behaviour: Behaviour, operation: Operation) -> Reply:
        limits = Timeouts()
        async with (
            serving(behaviour) as wire,
            Client(wire.url, key, timeouts=limits, in_flight=1, agent="test") as client,
        ):
            return await client.send(operation, ADA)

    read = deadline.run(asked(answering(orjson.dumps({"data": user})), Operation.READ))
    page = deadline.run(asked(answering(orjson.dumps({"data": [user]})), Operation.LIST))
    refused = deadline.run(asked(answering(orjson.dumps(body), "400 Bad Request"), CREATE))
    assert (read.data, page.data) == (user, {"items": [user]})
    assert refused.code == "ERR_UID_ALREADY_EXISTS"
    assert refused.message is not None
    assert ("***" in refused.message, f"The {key} " in refused.message) == (True, False)


def test_a_message_is_cut_to_size() -> None:
    """A megabyte of explanation fills no disk."""
    reply, _ = ask(refusing({"message": "x" * 1_000_000}))
    assert reply.message == "x" * 500


# --- what comes back: the rate -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        (["X-RateLimit-Limit: 500"], 500),
        (["X-Rate-Limit: 500"], 500),
        (["x-ratelimit-limit: 400", "x-rate-limit: 500"], 400),
        (["X-RateLimit-Limit: 0"], None),
        (["X-RateLimit-Limit: many"], None),
        (["X-RateLimit-Limit: -5"], None),
        ([], None),
    ],
)
def test_the_limit_that_is_told_is_read_from_good_and_bad_answers(headers: list[str], limit: int | None) -> None:
    """Both spellings, on a 200 as on a 429."""
    good, _ = ask(answering(orjson.dumps({"data": USER}), headers=headers))
    bad, _ = ask(refusing({"message": "slow"}, "429 Slow", (*headers, "Retry-After: 9")))
    assert good == Reply(status=200, data=USER, limit=limit)
    assert bad == Reply(status=429, message="slow", retry_after=9.0, limit=limit)


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "403 Forbidden", "429 Too Many Requests", "502 Bad Gateway"])
def test_a_limit_that_the_api_did_not_tell_is_none(status: str) -> None:
    """A page of what stands between may be about whatever it likes."""
    headers = ["X-RateLimit-Limit: 1", "X-Rate-Limit: 1"]
    page = answering(b"<html>", status, headers=headers, content_type="text/html")
    assert ask(page)[0].limit is None


@pytest.mark.sampled
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
@pytest.mark.parametrize("packed", [True, False])
def test_an_answer_without_an_end_is_not_read_to_its_end(status: str, packed: bool) -> None:
    """However small it is on the wire; what was asked for may have been done, and the next answer is read as ever."""
    body = b"[" + b" " * (2 * MOST)
    unusual = gzip.compress(body) if packed else body
    answers = [answering(unusual, status, headers=["Content-Encoding: gzip"] if packed else []), CREATED]

    async def scenario(client: Client, _: Wire) -> list[Reply]:
        return [await client.send(CREATE, ADA) for _ in range(2)]

    async def behave(line: Line) -> None:
        await answers.pop(0)(line)

    odd, usual = talk(behave, scenario)
    assert judge(CREATE, odd, "ada-1", token=False) is Verdict.IN_DOUBT
    if status == "200 OK":
        assert (odd.failure, odd.message) == (Failure.UNREADABLE, "an answer of more than 64 MiB")
    assert usual == Reply(status=200, data=USER)


def test_a_429_whose_body_breaks_off_is_still_a_429() -> None:
    """An overloaded edge says 429 and closes; not processed is not processed."""
    reply, _ = ask(saying_and_hanging_up(b"HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 90\r\n\r\n{"))
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.LIMITED
    assert reply.retry_after == 5.0


# --- what comes back: failures -----------------------------------------------------------------------------------

BROKEN = [
    ("reset", resetting, Failure.LOST),
    ("hung up", saying_and_hanging_up(b""), Failure.LOST),
    ("half a status line", saying_and_hanging_up(b"HTTP/1.1 20"), Failure.LOST),
    ("half a head", saying_and_hanging_up(b"HTTP/1.1 200 OK\r\nContent-Ty"), Failure.LOST),
    ("closed after the head", saying_and_hanging_up(JSON_HEAD + b"Content-Length: 24\r\n\r\n"), Failure.UNREADABLE),
    ("half a body", saying_and_hanging_up(JSON_HEAD + b'Content-Length: 24\r\n\r\n{"data"'), Failure.UNREADABLE),
    (
        "half a chunk",
        saying_and_hanging_up(JSON_HEAD + b'Transfer-Encoding: chunked\r\n\r\n18\r\n{"data"'),
        Failure.UNREADABLE,
    ),
    ("no chunk", saying(JSON_HEAD + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n{"data"'), Failure.UNREADABLE),
    ("not HTTP", saying(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), Failure.UNREADABLE),
    ("no gzip", answering(b"{}", headers=["Content-Encoding: gzip"]), Failure.UNREADABLE),
    ("no known encoding", answering(b"{}", headers=["Content-Encoding: br"]), Failure.UNREADABLE),
    ("negative length", saying(JSON_HEAD + b"Content-Length: -3\r\n\r\n"), Failure.UNREADABLE),
    ("two lengths", saying(JSON_HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Failure.UNREADABLE),
    ("endless header", saying(JSON_HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n"), Failure.UNREADABLE),
    ("illegal header", saying(JSON_HEAD + b"X Y: \xff\x00\r\n\r\n"), Failure.UNREADABLE),
]


@pytest.mark.parametrize(("behaviour", "failure"), [rest for _, *rest in BROKEN], ids=[name for name, *_ in BROKEN])
def test_a_broken_answer_is_a_failure_with_words(behaviour: Behaviour, failure: Failure) -> None:
    """Nothing is raised, nothing is sent again, and the verdict on it is: in doubt."""
    reply, asked = ask(behaviour)
    assert reply == Reply(failure=failure, message=reply.message)
    assert reply.message
    assert len(asked) == 1
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.IN_DOUBT


def test_a_reset_before_anything_was_read_is_a_lost_connection() -> None:
    """We cannot know what the other side had read: in doubt."""
    reply, asked = ask(silent, on_connect=resetting)
    assert (reply.failure, asked) == (Failure.LOST, [])


async def trickling(line: Line) -> None:
    """Answer with a body that never ends."""
    await line.say(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        await line.say(b"1\r\n \r\n")
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("behaviour", "timeouts"),
    [(silent, Timeouts(5, 0.1, 5)), (silent, Timeouts(5, 5, 0.1)), (trickling, Timeouts(5, 5, 0.1))],
    ids=["read", "total", "total, while it trickles"],
)
def test_a_slow_answer_is_given_up_in_time(behaviour: Behaviour, timeouts: Timeouts) -> None:
    """`read` seconds without a byte, `total` seconds in all, however lively the server seems."""
    began = time.monotonic()
    reply, asked = ask(behaviour, timeouts=timeouts)
    assert (reply.failure, reply.status, len(asked)) == (Failure.TIMEOUT, None, 1)
    assert time.monotonic() - began < 1.0


def test_a_failure_without_words_is_told_in_ours() -> None:
    """An answer that is not there in time has none of its own; the name of an error in Python tells nobody anything."""
    reply, _ = ask(silent, timeouts=Timeouts(5, 5, 0.1))
    assert reply.message == "no answer in time"


def a_free_port() -> int:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return int(reserved.getsockname()[1])


def test_a_refused_connection_was_not_reached() -> None:
    """Certainly not carried out, so there is no doubt; the words name host and port."""
    port = a_free_port()
    reply = ask_at(f"http://127.0.0.1:{port}/v3")
    assert reply == Reply(failure=Failure.UNREACHED, message=reply.message)
    assert f"127.0.0.1:{port}" in (reply.message or "")


def test_a_name_that_does_not_resolve_was_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong region or app id, or a machine without DNS."""

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reply = ask_at("https://nobody.api-us.cometchat.io/v3")
    assert reply == Reply(failure=Failure.UNREACHED, message=reply.message)
    assert "Name or service not known" in (reply.message or "")


@pytest.mark.parametrize(
    "url",
    [f"http://{'a' * 64}.api-us.cometchat.io/v3", "http://app..cometchat.io/v3"],
    ids=["an app id of 64 characters", "two dots"],
)
def test_an_address_that_cannot_be_is_no_bug(url: str) -> None:
    """A slip in a setting is a person's, so it comes back as a reply like any other address nobody answers at."""
    assert ask_at(url).failure is Failure.UNREACHED


def self_signed() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).resolve().parents[1] / "rig/data" / "self_signed.pem")
    return context


def ask_over_tls(host: str) -> tuple[Reply, list[Asked]]:
    async def main() -> tuple[Reply, list[Asked]]:
        async with serving(CREATED, tls=self_signed()) as wire:
            # asyncio's server tells everyone of a handshake that failed; here it is meant to.
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            async with a_client(f"https://{host}:{wire.port}/v3") as client:
                return await client.send(CREATE, ADA), wire.asked

    return deadline.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_nobody_vouches_for_is_not_trusted(host: str) -> None:
    """The key is not handed to whoever answers, and no retry will change that."""
    reply, asked = ask_over_tls(host)
    assert reply == Reply(failure=Failure.UNTRUSTED, message=reply.message)
    assert "self-signed certificate" in (reply.message or "")
    assert asked == []
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.STOP


def test_a_server_that_speaks_no_tls_was_not_reached() -> None:
    """Nothing was sent in the clear."""

    async def main() -> tuple[Reply, list[Asked]]:
        plain = saying_and_hanging_up(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        async with serving(silent, on_connect=plain) as wire, a_client(f"https://127.0.0.1:{wire.port}/v3") as client:
            return await client.send(CREATE, ADA), wire.asked

    reply, asked = deadline.run(main())
    assert (reply.failure, asked) == (Failure.UNREACHED, [])


def test_a_handshake_that_never_ends_was_not_reached() -> None:
    """`connect` seconds cover the handshake: a request that never left leaves no doubt."""

    async def main() -> Reply:
        async with (
            serving(silent, on_connect=silent) as wire,
            a_client(f"https://127.0.0.1:{wire.port}/v3", timeouts=Timeouts(0.1, 5, 5)) as client,
        ):
            return await client.send(CREATE, ADA)

    assert deadline.run(main()).failure is Failure.UNREACHED


# --- proxies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "bypass", "proxy"),
    [
        ("https://app.api-us.cometchat.io/v3", "", "http://proxy.corp:3128"),
        ("https://app.api-us.cometchat.io/v3", "cometchat.io", None),
        ("http://plain.example/v3", "", None),
        ("https://127.0.0.1:8080/v3", "", None),
        ("https://127.8.9.10/v3", "", None),
        ("https://[::1]:8080/v3", "", None),
        ("https://localhost:8080/v3", "", None),
    ],
)
def test_the_proxy_of_the_environment_is_used_and_never_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, bypass: str, proxy: str | None
) -> None:
    """`https_proxy` and `no_proxy` as everywhere; the emulator is reached without."""
    for name in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.corp:3128")
    monkeypatch.setenv("no_proxy", bypass)
    found = proxy_for(url)
    assert (found and found.url) == proxy


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Name a proxy in the environment, and no other."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "NO_PROXY", "no_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return lambda proxy: monkeypatch.setenv("HTTPS_PROXY", proxy)


def nobody_listens() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_a_dead_proxy_is_named_as_the_proxy(behind: Callable[[str], None]) -> None:
    """Not as the API; its password is nobody's business."""
    port = nobody_listens()
    behind(f"http://ann:s3c@ret@127.0.0.1:{port}")
    reply = ask_at("https://app.api-us.cometchat.io/v3")
    assert reply.failure is Failure.PROXY
    said = reply.message or ""
    assert said.startswith(f"the proxy http://***@127.0.0.1:{port} cannot be reached (Connect call failed"), said
    assert said.endswith("); check HTTPS_PROXY in the environment")
    assert "s3c" not in said
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.UNREACHED


def test_a_proxy_whose_name_is_unknown_is_named_as_the_proxy(
    behind: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks up another name here: that of the API is the proxy's business."""

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    behind("http://proxy.corp:3128")
    said = "the proxy http://proxy.corp:3128 cannot be reached (Name or service not known); check HTTPS_PROXY in the "
    expected = Reply(failure=Failure.PROXY, message=f"{said}environment")
    assert ask_at("https://app.api-us.cometchat.io/v3") == expected


def refused_by_a_proxy(behind: Callable[[str], None], answer: str, login: str = "") -> Reply:
    """What comes of a create when the proxy answers so (status line) to the wish for a way to the API."""

    async def main() -> Reply:
        async with serving(saying_and_hanging_up(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())) as wire:
            behind(f"http://{login}127.0.0.1:{wire.port}")
            async with a_client("https://app.api-us.cometchat.io/v3") as client:
                reply = await client.send(CREATE, ADA)
                return reply._replace(message=(reply.message or "").replace(str(wire.port), "PORT"))

    return deadline.run(main())


BARRED_BY = "does not let requests through (it answered {}); check HTTPS_PROXY in the environment"


@pytest.mark.parametrize(
    ("answer", "login", "said"),
    [
        ("407 Who?", "", "wants a log-in (407 Who?); put it into HTTPS_PROXY, as http://user:password@host:port"),
        ("407 Who?", "ann:s3cret@", "does not accept the log-in in HTTPS_PROXY (407 Who?); correct it there"),
        ("403 Not for you", "", BARRED_BY.format("403 Not for you")),
        ("302 Log-in page", "", BARRED_BY.format("302 Log-in page")),
    ],
)
def test_a_proxy_that_refuses_ends_the_run(behind: Callable[[str], None], answer: str, login: str, said: str) -> None:
    """No second try mends that. What it answered is told; the request never left, so nobody is in doubt."""
    reply = refused_by_a_proxy(behind, answer, login)
    said = f"the proxy http://{'***@' if login else ''}127.0.0.1:PORT {said}"
    assert reply == Reply(failure=Failure.BARRED, message=said)
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.STOP
    assert stop(reply) == Stop("proxy", f"{said}; then resume", ExitCode.API)


@pytest.mark.parametrize("answer", ["408 Slow", "429 Busy", "502 Bad Gateway", "503 Down", "504 Late"])
def test_a_proxy_that_cannot_get_further_just_now_is_tried_again(behind: Callable[[str], None], answer: str) -> None:
    """It is named as the proxy when it never can."""
    reply = refused_by_a_proxy(behind, answer)
    assert reply.failure is Failure.PROXY
    assert f"does not let requests through (it answered {answer}); check HTTPS_PROXY" in (reply.message or "")
    assert judge(CREATE, reply, "ada-1", token=False) is Verdict.UNREACHED


def test_the_log_in_of_a_proxy_is_given_to_it(behind: Callable[[str], None]) -> None:
    """User and password of its address, as every tool takes them."""

    async def main() -> Asked:
        async with serving(saying_and_hanging_up(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as wire:
            behind(f"http://ann:s3cret@127.0.0.1:{wire.port}")
            async with a_client("https://app.api-us.cometchat.io/v3") as client:
                await client.send(CREATE, ADA)
            return wire.asked[0]

    asked = deadline.run(main())
    assert (asked.method, asked.path) == ("CONNECT", "app.api-us.cometchat.io:443")
    assert asked.headers["proxy-authorization"] == f"Basic {b64encode(b'ann:s3cret').decode()}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("proxy.corp:3128", "the proxy proxy.corp:3128 has no scheme; give it as http://proxy.corp:3128"),
        ("10.0.0.1:3128", "the proxy 10.0.0.1:3128 has no scheme; give it as http://10.0.0.1:3128"),
        ("ann:s3c/r@t@proxy:1", "the proxy ***@proxy:1 has no scheme; give it as http://***@proxy:1"),
        ("socks5://proxy:1080", "socks5://proxy:1080 is no proxy that can be used; give it as http://host:port"),
        ("http://", "http:// is no proxy that can be used; give it as http://host:port"),
        ("http://proxy:many", "http://proxy:many is no proxy that can be used; give it as http://host:port"),
    ],
)
def test_what_cannot_be_a_proxy_is_told(behind: Callable[[str], None], given: str, said: str) -> None:
    """A setting of the environment that is wrong, named as that before anything is sent; a password is masked."""
    behind(given)
    with pytest.raises(ConfigurationError) as raised:
        a_client("https://app.api-us.cometchat.io/v3")
    assert str(raised.value) == f"HTTPS_PROXY: {said}"


# --- the server's clock ------------------------------------------------------------------------------------------


def test_every_answer_teaches_the_clock() -> None:
    """A refusal of the API tells the time as well as a success; the page of a proxy does not."""

    async def scenario(client: Client, wire: Wire) -> float | None:
        await client.send(CREATE, ADA)
        return client.clock.now()

    strange = answering(b"<html>", "400 No", headers=(f"Date: {email.utils.formatdate(5.0, usegmt=True)}",))
    assert talk(strange, scenario) is None
    ahead = refusing({"code": "ERR_X"}, headers=(f"Date: {email.utils.formatdate(time.time() + 3600, usegmt=True)}",))
    assert talk(ahead, scenario) == pytest.approx(time.time() + 3600, abs=3)


@pytest.mark.parametrize(
    "text", ["Mon, 99999999999999999999 Jan 2020 00:00:00 GMT", "Mon, 01 Jan 2020 00:00:00 +99999999999999"]
)
@pytest.mark.parametrize("header", ["Date", "Retry-After"])
def test_an_impossible_date_is_none(header: str, text: str) -> None:
    """Numbers of any size are somebody else's mistake, not ours."""
    reply, _ = ask(refusing({"message": "slow"}, "429 Slow", (f"{header}: {text}",)))
    assert reply == Reply(status=429, message="slow")

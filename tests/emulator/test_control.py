import orjson
import pytest

from provisioner.emulator.app.audit import AuditRecord
from tests.rig.api import EPOCH, Api, drive, emulated

SEEDED = (
    b'{"uid":"Old","created_at":1600000000,"tokens":["old_1"],"tags":["x"]}\n'
    b'\n{"uid":"gone","name":"Gone","deactivated_at":1650000000}\n'
)


def stored(uid: str, **more: object) -> dict[str, object]:
    """Give a stored user as the control endpoint shows it."""
    empty = ("avatar", "link", "status_message", "metadata", "tags", "updated_at", "last_active_at")
    user = dict.fromkeys(empty, None)
    return {
        "uid": uid,
        "name": uid,
        "role": "default",
        "created_at": EPOCH,
        "deactivated_at": None,
        "tokens": [],
        **user,
        **more,
    }


def rows(raw: bytes) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in raw.splitlines()]


@emulated()
async def test_users_are_seeded_past_the_api_and_read_back_whole(api: Api) -> None:
    """A seeded user may be old or deactivated; what GET gives, POST takes."""
    seeded = await api.send("POST", "/_emulator/users", SEEDED)
    assert (seeded.status, seeded.body) == (200, {"users": 2})
    token = (await api.create("new", withAuthToken=True)).data["authToken"]
    dump = await api.send("GET", "/_emulator/users")
    assert rows(dump.raw) == [
        stored("old", name="old", created_at=1600000000, tags=["x"], tokens=["old_1"]),
        stored("gone", name="Gone", deactivated_at=1650000000),
        stored("new", tokens=[token]),
    ]
    assert (await api.send("GET", "/users/gone")).status == 404
    assert (await api.create("old")).code == "ERR_UID_ALREADY_EXISTS"
    await api.send("POST", "/_emulator/users", dump.raw)
    assert (await api.send("GET", "/_emulator/users")).raw == dump.raw


@emulated()
async def test_more_than_one_block_of_users_is_read_back(api: Api) -> None:
    """Bodies of several megabytes go in and come out."""
    lines = [b'{"uid":"u%d","status_message":"%s"}\n' % (number, b"x" * 1000) for number in range(2500)]
    assert (await api.send("POST", "/_emulator/users", b"".join(lines))).body == {"users": 2500}
    dump = await api.send("GET", "/_emulator/users")
    assert [row["uid"] for row in rows(dump.raw)] == [f"u{number}" for number in range(2500)]


@emulated()
async def test_a_token_lets_its_user_in_as_long_as_it_lives(api: Api) -> None:
    """The SDK's log-in: refused once the token is flushed, and while the user is deactivated."""

    async def log_in(token: object) -> tuple[int, str | None]:
        answer = await api.send("POST", "/_emulator/login", orjson.dumps({"authToken": token}))
        return answer.status, answer.body["data"]["uid"] if answer.status == 200 else answer.code

    ann, bob = [(await api.create(uid, withAuthToken=True)).data["authToken"] for uid in ("ann", "bob")]
    assert [await log_in(ann), await log_in(bob)] == [(200, "ann"), (200, "bob")]
    await api.send("DELETE", "/users/ann/auth_tokens")
    await api.send("DELETE", "/users/bob")
    refused, unseen = (401, "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"), (404, "ERR_UID_NOT_FOUND")
    assert [await log_in(each) for each in (ann, bob, "", None)] == [refused, unseen, refused, refused]
    lives = rows((await api.send("GET", "/_emulator/tokens")).raw)
    assert [(each["uid"], each["token"], each["ended_at"], each["ended_by"]) for each in lives] == [
        ("ann", ann, EPOCH, "flushed"), ("bob", bob, None, None),
    ]  # fmt: skip


@emulated()
async def test_the_audit_is_read_over_http(api: Api) -> None:
    """One line per request under /v3; looking leaves no trace."""
    await api.create("ann")
    read = [await api.send("GET", "/_emulator/audit") for _ in range(2)]
    expected: AuditRecord = api.emulator.audit[0]
    assert [reply.raw for reply in read] == [expected.line(), expected.line()]


@emulated()
async def test_a_fault_plan_is_put_in_force_over_http(api: Api) -> None:
    """The plan counts from the moment it arrives, and replaces the last one."""
    await api.create("a")
    plan = {"script": [{"fault": "error-before-commit", "times": 9}]}
    assert (await api.send("POST", "/_emulator/faults", plan)).status == 200
    assert (await api.create("b")).status == 500
    assert (await api.send("POST", "/_emulator/faults", {})).status == 200
    assert (await api.create("b")).status == 200


@emulated(core_limit=3)
async def test_stats_count_what_was_done_and_the_busiest_window(api: Api) -> None:
    """Refused core requests count in the window, reads do not."""
    for wait, uid in enumerate(("a", "b", "a", "c")):
        api.clock.advance(wait)
        await api.create(uid)
    await api.send("GET", "/users")
    stats = await api.send("GET", "/_emulator/stats?window=3.5")
    assert stats.body == {
        "requests": 5,
        "did": {"created": 2, "listed": 1, "refused": 2},
        "users": 2,
        "window": 3.5,
        "busiest": 3,
    }
    assert (await api.send("GET", "/_emulator/stats")).body["busiest"] == 4


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "users", b'{"uid":"a"}\n{', 400, "line 2 is no JSON: "),
        ("POST", "users", b'{"name":"a"}', 400, 'line 1 is no user: it needs a "uid"'),
        ("POST", "users", b'{"uid":"a","email":"x"}', 400, "line 1: a user has no 'email', only uid, "),
        ("POST", "users", b'{"uid":"a","name":1}', 400, "line 1: name is 1, which is no str"),
        ("POST", "faults", b'{"rates":{"bad":1}}', 400, "there is no fault named bad"),
        ("POST", "faults", b"{", 400, ""),
        ("GET", "stats?window=0", None, 400, "a window is more than 0 seconds, not 0.0"),
        ("GET", "stats?window=nan", None, 400, "a window is more than 0 seconds, not nan"),
        ("GET", "nothing", None, 404, "there is only GET /_emulator/audit, "),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    method: str, path: str, body: bytes | None, status: int, error: str
) -> None:
    """A wrong control request says what is wrong and changes nothing."""

    async def scenario(api: Api) -> None:
        reply = await api.send(method, f"/_emulator/{path}", body)
        assert (reply.status, reply.body["error"][: len(error)]) == (status, error)
        assert api.emulator.store.users == {}

    drive(scenario)

import pytest

from tests.rig.api import EPOCH, Api, drive, emulated

HYPHENATED = {"X-Rate-Limit": "2", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(EPOCH + 60)}
LARAVEL = {
    "X-RateLimit-Limit": "2",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": str(EPOCH + 60),
}


def rate_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("X-Rate") or name == "Retry-After"}


@pytest.mark.parametrize(
    ("style", "expected"),
    [("hyphenated", HYPHENATED), ("laravel", LARAVEL), ("both", HYPHENATED | LARAVEL)],
)
def test_a_429_tells_in_each_spelling_when_to_come_back(style: str, expected: dict[str, str]) -> None:
    """A 429 has limit, remaining, reset and Retry-After; a normal answer limit and remaining only."""

    async def scenario(api: Api) -> None:
        first = await api.create("u0")
        assert rate_headers(first.headers) == {
            name: "1" if name.endswith("Remaining") else value
            for name, value in expected.items()
            if not name.endswith("Reset")
        }
        await api.create("u1")
        api.clock.advance(10.5)
        refused = await api.create("u2")
        assert (refused.status, refused.code) == (429, "ERR_TOO_MANY_REQUESTS")
        assert rate_headers(refused.headers) == expected | {"Retry-After": "50"}

    drive(scenario, core_limit=2, header_style=style)


@emulated(core_limit=2)
async def test_the_first_request_opens_a_window_of_sixty_seconds(api: Api) -> None:
    """Windows keep to no clock minute: the next one opens when the last is over and somebody asks."""
    api.clock.advance(42)
    statuses: list[int] = []
    for wait in (0, 59.9, 0, 0.1, 0, 0):
        api.clock.advance(wait)
        statuses.append((await api.create(f"u{len(statuses)}")).status)
    assert statuses == [200, 200, 429, 200, 200, 429]


@emulated(core_limit=1)
async def test_who_waits_as_told_is_let_in(api: Api) -> None:
    """After Retry-After seconds the window is open, however the fraction of the second fell."""
    api.clock.advance(0.3)
    await api.create("a")
    api.clock.advance(13.7)
    refused = await api.create("b")
    api.clock.advance(float(refused.headers["Retry-After"]))
    assert (await api.create("b")).status == 200


@emulated(core_limit=1, standard_limit=1)
async def test_core_and_standard_are_counted_apart(api: Api) -> None:
    """A create leaves the reads alone; a mint and a deactivation do not leave the creates alone."""
    assert (await api.create("ann")).status == 200
    assert (await api.send("GET", "/users/ann")).status == 200
    assert (await api.send("POST", "/users/ann/auth_tokens")).status == 429
    assert (await api.send("DELETE", "/users", {"uidsToDeactivate": ["ann"]})).status == 429
    assert (await api.send("GET", "/roles")).status == 429


@emulated(plan="free")
async def test_the_free_plan_has_one_limit_for_both(api: Api) -> None:
    """Creates and reads share 500 requests a window."""
    first = await api.create("ann")
    second = await api.send("GET", "/users")
    assert [reply.headers["X-Rate-Limit-Remaining"] for reply in (first, second)] == ["499", "498"]


@emulated(core_limit=1)
async def test_a_429_is_not_processed(api: Api) -> None:
    """What was refused is not stored."""
    await api.create("ann")
    await api.create("bo")
    assert list(api.emulator.store.users) == ["ann"]


@emulated(limit_headers=False)
async def test_normal_answers_can_be_without_rate_headers(api: Api) -> None:
    """With the switch off, only a 429 has any."""
    assert rate_headers((await api.create("ann")).headers) == {}


@emulated()
async def test_every_answer_has_the_date_of_the_server(api: Api) -> None:
    """Date comes from the emulated clock, on errors too."""
    for path in ("/users", "/nothing"):
        reply = await api.send("GET", path)
        assert reply.headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"

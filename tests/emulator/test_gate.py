import pytest

from provisioner.emulator.app.settings import EmulatorSettings
from tests.rig.api import KEY, Api, drive, emulated


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("PATCH", "/users"),
        ("POST", "/users/ann"),
        ("GET", "/users/ann/tokens"),
        ("GET", "/users/"),
        ("GET", "//users"),
        ("GET", "/users/ann/auth_tokens/t/more"),
    ],
)
def test_an_unknown_path_or_method_is_no_endpoint(method: str, path: str) -> None:
    """404 ERR_API_NOT_FOUND comes before every other check, even that of the key."""

    async def scenario(api: Api) -> None:
        reply = await api.send(method, path, key=None)
        assert (reply.status, reply.code) == (404, "ERR_API_NOT_FOUND")

    drive(scenario)


@emulated()
async def test_a_missing_or_unknown_key_is_401(api: Api) -> None:
    """The key is echoed with all but its first and last five characters hidden."""
    none = await api.send("GET", "/users", key=None)
    assert (none.status, none.code) == (401, "AUTH_ERR_EMPTY_APIKEY")
    wrong = await api.send("GET", "/users", key="1" * 20 + "2" * 20)
    assert (wrong.status, wrong.body["error"]) == (
        401,
        {
            "message": "The key 11111******************************22222 does not exist. Please use correct apiKey.",
            "devMessage": "The 11111******************************22222 key doesn't work. Please use correct apiKey.",
            "source": "chat-api",
            "code": "AUTH_ERR_APIKEY_NOT_FOUND",
        },
    )
    short = await api.send("GET", "/users", key="secret")
    assert "secret" not in short.raw.decode()


@emulated(scope="authOnly")
async def test_an_auth_only_key_may_do_nothing(api: Api) -> None:
    """403 AUTH_ERR_NO_ACCESS, for reading too."""
    for reply in (await api.create("ann"), await api.send("GET", "/users")):
        assert (reply.status, reply.code) == (403, "AUTH_ERR_NO_ACCESS")
    assert api.emulator.store.users == {}


@emulated(scope="authOnly", auth_only_creates=True)
async def test_an_auth_only_key_can_be_let_create_and_mint(api: Api) -> None:
    """With the switch on, it creates users and mints tokens, and still nothing else."""
    assert (await api.create("ann")).status == 200
    assert (await api.send("POST", "/users/ann/auth_tokens")).status == 200
    assert (await api.send("PUT", "/users/ann", {"name": "x"})).status == 403


@emulated(quota=1)
async def test_beyond_the_quota_is_402(api: Api) -> None:
    """The quota is checked last: a duplicate is still a duplicate; a deactivated user still counts."""
    await api.create("ann")
    await api.send("DELETE", "/users/ann")
    assert (await api.create("ann")).code == "ERR_UID_ALREADY_EXISTS"
    full = await api.create("bo")
    assert (full.status, full.code) == (402, "ERR_PLAN_QUOTA_RESTRICTION")


def test_the_free_plan_holds_a_hundred_users() -> None:
    """The free plan has the quota that was seen, unless another is set."""
    assert [
        EmulatorSettings(plan="paid").user_quota,
        EmulatorSettings(plan="free").user_quota,
        EmulatorSettings(plan="free", quota=7).user_quota,
    ] == [None, 100, 7]


@emulated(core_limit=1)
async def test_checks_come_in_their_order(api: Api) -> None:
    """A request over the limit is refused before its body is looked at, and after its key is."""
    await api.create("ann")
    assert (await api.send("POST", "/users", b"x" * 20_000)).status == 429
    assert (await api.send("POST", "/users", b"x" * 20_000, key="wrong")).status == 401


@emulated(api_key=None)
async def test_without_a_key_of_its_own_an_emulator_makes_one(api: Api) -> None:
    """The key is forty hex digits, and the only one that is accepted."""
    assert (len(api.emulator.api_key), int(api.emulator.api_key, 16) >= 0) == (40, True)
    assert (await api.send("GET", "/users", key=KEY)).status == 401
    assert (await api.send("GET", "/users", key=api.emulator.api_key)).status == 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"plan": "gold"}, "plan is one of paid, free, not 'gold'"),
        ({"core_limit": 0}, "core_limit is at least 1, not 0"),
        ({"window": 0}, "window is more than 0 seconds, not 0"),
        ({"api_key": " "}, "api_key must not be empty"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(settings: dict[str, object], message: str) -> None:
    """A wrong setting is a ValueError that names it."""
    with pytest.raises(ValueError, match=message):
        EmulatorSettings(**settings)  # type: ignore[arg-type]


def test_the_key_is_not_in_the_repr_of_the_settings() -> None:
    """Settings can be logged."""
    assert KEY not in repr(EmulatorSettings(api_key=KEY))

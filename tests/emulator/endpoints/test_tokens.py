import re

from tests.rig.api import EPOCH, Api, emulated


@emulated()
async def test_a_create_gives_a_token_only_when_asked(api: Api) -> None:
    """A token is the uid, ten digits of seconds and thirty hex digits, and is stored."""
    plain = await api.create("ann")
    asked = await api.create("Bo", withAuthToken=True)
    assert "authToken" not in plain.data
    token = asked.data["authToken"]
    assert re.fullmatch(rf"bo_{EPOCH}[0-9a-f]{{30}}", token)
    assert [kept.value for kept in api.emulator.store.tokens("bo")] == [token]


@emulated()
async def test_tokens_are_minted_listed_read_and_revoked(api: Api) -> None:
    """A token lives from its mint to its revocation, under its user only."""
    await api.create("ann")
    await api.create("bo")
    minted = await api.send("POST", "/users/ANN/auth_tokens")
    token = minted.data["authToken"]
    assert minted.data == {"uid": "ann", "authToken": token, "createdAt": EPOCH}
    listed = await api.send("GET", "/users/ann/auth_tokens")
    assert listed.body == {
        "data": [minted.data],
        "meta": {"pagination": {"total": 1, "count": 1, "per_page": 100, "current_page": 1, "total_pages": 1}},
    }
    assert (await api.send("GET", f"/users/ann/auth_tokens/{token}")).data == minted.data
    foreign = await api.send("GET", f"/users/bo/auth_tokens/{token}")
    assert (foreign.status, foreign.code) == (404, "ERR_AUTH_TOKEN_NOT_FOUND")
    assert (await api.send("DELETE", f"/users/ann/auth_tokens/{token}")).data["success"] is True
    assert (await api.send("GET", f"/users/ann/auth_tokens/{token}")).status == 404


@emulated(tokens_per_user=100)
async def test_the_oldest_token_goes_when_there_are_more_than_a_hundred(api: Api) -> None:
    """The first of 101 tokens is no longer there."""
    first = (await api.create("ann", withAuthToken=True)).data["authToken"]
    minted = [(await api.send("POST", "/users/ann/auth_tokens")).data["authToken"] for _ in range(100)]
    kept = [token["authToken"] for token in (await api.send("GET", "/users/ann/auth_tokens")).data]
    assert (kept, first in kept) == (minted, False)


@emulated()
async def test_flushing_drops_all_tokens_of_a_user(api: Api) -> None:
    """A flush clears the list and says so."""
    await api.create("ann", withAuthToken=True)
    flushed = await api.send("DELETE", "/users/ann/auth_tokens")
    assert flushed.data == {"success": True, "message": "Cleared Auth Tokens successfully for uid ann."}
    assert (await api.send("GET", "/users/ann/auth_tokens")).data == []


@emulated()
async def test_every_unforced_mint_makes_a_token(api: Api) -> None:
    """By default `force: false`, like no body, makes another token."""
    await api.create("ann")
    first = await api.send("POST", "/users/ann/auth_tokens", {"force": False})
    second = await api.send("POST", "/users/ann/auth_tokens")
    assert first.data["authToken"] != second.data["authToken"]


@emulated(reuse_tokens=True)
async def test_an_unforced_mint_can_give_the_token_that_is_there(api: Api) -> None:
    """With the switch on, only `force: true` makes another token."""
    token = (await api.create("ann", withAuthToken=True)).data["authToken"]
    assert (await api.send("POST", "/users/ann/auth_tokens")).data["authToken"] == token
    forced = await api.send("POST", "/users/ann/auth_tokens", {"force": True})
    assert forced.data["authToken"] != token


@emulated()
async def test_unknown_and_deactivated_users_get_no_token(api: Api) -> None:
    """A mint for a user who cannot be seen is a 404."""
    await api.create("gone")
    await api.send("DELETE", "/users/gone")
    for uid in ("gone", "nobody"):
        reply = await api.send("POST", f"/users/{uid}/auth_tokens", {"force": True})
        assert (reply.status, reply.code) == (404, "ERR_UID_NOT_FOUND")

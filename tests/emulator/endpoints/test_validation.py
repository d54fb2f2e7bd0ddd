import json

import pytest

from provisioner.emulator.app.settings import Constraints
from tests.rig.api import Api, drive, emulated

LONG = "x" * 101


@emulated()
async def test_all_that_is_wrong_is_said_at_once(api: Api) -> None:
    """No complaint hides another, and nothing is stored."""
    reply = await api.send(
        "POST",
        "/users",
        {
            "uid": "no spaces",
            "name": "",
            "avatar": None,
            "link": "ftp://example.com",
            "role": "boss",
            "statusMessage": 3,
            "metadata": [],
            "tags": ["ok", " ", 5, LONG],
            "withAuthToken": "maybe",
        },
    )
    assert (reply.status, reply.body) == (
        400,
        {
            "error": {
                "message": "Failed to validate the data sent with the request.",
                "devMessage": "Failed to validate the data sent with the request.",
                "source": "chat-api",
                "details": {
                    "uid": ["The uid format is invalid."],
                    "name": ["The name field is required."],
                    "avatar": ["The avatar field must have a value."],
                    "link": ["The link must be a valid URL."],
                    "role": ["The selected role is invalid."],
                    "statusMessage": ["The status message must be a string."],
                    "metadata": ["The metadata must be an object."],
                    "tags.1": ["The tags.1 field is required."],
                    "tags.2": ["The tags.2 must be a string."],
                    "tags.3": ["The tags.3 may not be greater than 100 characters."],
                    "withAuthToken": ["The with auth token field must be true or false."],
                },
                "code": "ERR_BAD_REQUEST",
            }
        },
    )
    assert api.emulator.store.users == {}


@emulated()
async def test_an_empty_body_lacks_the_required_fields(api: Api) -> None:
    """Without a body, uid and name are missing."""
    reply = await api.send("POST", "/users")
    assert reply.details == {
        "uid": ["The uid field is required."],
        "name": ["The name field is required."],
    }


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Broken JSON is a 400, never a 500."""

    async def scenario(api: Api) -> None:
        reply = await api.send("POST", "/users", body)
        assert (reply.status, reply.code) == (400, "ERR_BAD_REQUEST")

    drive(scenario)


@emulated()
async def test_json_has_to_be_said_to_be_json(api: Api) -> None:
    """A body under another content type is not read."""
    reply = await api.send("POST", "/users", {"uid": "a", "name": "a"}, content_type="text/plain")
    assert (reply.status, api.emulator.store.users) == (400, {})


def _metadata(size: int) -> dict[str, str]:
    """Give metadata of that many bytes as compact JSON; é is two of them."""
    frame = len('{"k":"é"}'.encode())
    return {"k": "é" + "x" * (size - frame)}


@pytest.mark.parametrize(
    ("fields", "accepted"),
    [
        ({"uid": "u" * 100}, True),
        ({"uid": "u" * 101}, False),
        ({"uid": "a_b-c"}, True),
        ({"uid": "a.b"}, False),
        ({"uid": "é"}, False),
        ({"uid": 7}, False),
        ({"name": "\N{GRINNING FACE}" * 100}, True),
        ({"name": "x" * 101}, False),
        ({"avatar": "https://e.com/" + "x" * 2986}, True),
        ({"avatar": "https://e.com/" + "x" * 2987}, False),
        ({"avatar": "https://e.com/a b"}, False),
        ({"avatar": "https:///path"}, False),
        ({"avatar": ""}, False),
        ({"tags": ["t" * 100] * 25}, True),
        ({"tags": ["t"] * 26}, False),
        ({"tags": "t"}, False),
        ({"metadata": _metadata(5120)}, True),
        ({"metadata": _metadata(5121)}, False),
        ({"metadata": '{"a": 1}'}, True),
        ({"metadata": "text"}, False),
        ({"withAuthToken": "1"}, True),
        ({"withAuthToken": 2}, False),
    ],
)
def test_limits_hold_to_the_last_character(fields: dict[str, object], accepted: bool) -> None:
    """Every limit lets its own value pass and refuses the next one, naming the field alone."""

    async def scenario(api: Api) -> None:
        reply = await api.send("POST", "/users", {"uid": "ann", "name": "Ann", **fields})
        assert reply.status == (200 if accepted else 400)
        assert accepted or list(reply.details) == list(fields)

    drive(scenario)


@emulated()
async def test_a_body_over_the_limit_is_413(api: Api) -> None:
    """10,240 bytes pass, one more does not, and neither do two million."""
    frame = len(b'{"uid":"a","name":"a","statusMessage":""}')
    at_limit = {"uid": "a", "name": "a", "statusMessage": "x" * (10240 - frame)}
    assert (await api.send("POST", "/users", at_limit)).status == 200
    over = {"uid": "b", "name": "a", "statusMessage": "x" * (10241 - frame)}
    assert (await api.send("POST", "/users", over)).status == 413
    assert (await api.send("POST", "/users", b"x" * 2_000_000)).status == 413


@emulated(constraints=Constraints(uid_allow_underscore=False, name_max_length=3, check_roles=False))
async def test_the_limits_are_switches(api: Api) -> None:
    """Strict uids, other lengths and unknown roles are a matter of settings."""
    reply = await api.send("POST", "/users", {"uid": "a_b", "name": "four", "role": "boss"})
    assert reply.details == {
        "uid": ["The uid format is invalid."],
        "name": ["The name may not be greater than 3 characters."],
    }
    assert (await api.create("a", role="boss")).data["role"] == "boss"


@pytest.mark.parametrize(("levels", "as_text"), [(251, False), (252, False), (251, True), (252, True), (600, True)])
def test_metadata_nested_so_deep_that_no_answer_could_hold_it_is_refused(levels: int, *, as_text: bool) -> None:
    """In a body or as a text; what is stored can be shown, in lists as well."""
    metadata: object = {"a": 1}
    for _ in range(levels - 1):
        metadata = {"a": metadata}

    async def scenario(api: Api) -> None:
        sent = json.dumps(metadata) if as_text else metadata
        reply = await api.send("POST", "/users", {"uid": "ann", "name": "Ann", "metadata": sent})
        listed = await api.send("GET", "/users")
        expected = (200, [metadata]) if levels <= 251 else (400, [])
        assert (reply.status, [user["metadata"] for user in listed.data]) == expected

    drive(scenario)

import pytest

from tests.rig.api import EPOCH, Api, drive, emulated

FULL = {
    "uid": "Ann-1",
    "name": "  Ann  ",
    "avatar": "https://example.com/ann.png",
    "link": "HTTPS://example.com/ann",
    "role": "Default",
    "statusMessage": "busy",
    "metadata": {"team": "a", "@private": {"email": None}},
    "tags": ["x", " y "],
    "withAuthToken": False,
    "email": "ignored@example.com",
}

STORED = {
    "uid": "ann-1",
    "name": "Ann",
    "link": "HTTPS://example.com/ann",
    "avatar": "https://example.com/ann.png",
    "metadata": {"team": "a", "@private": {"email": None}},
    "status": "offline",
    "statusMessage": "busy",
    "role": "default",
    "createdAt": EPOCH,
    "tags": ["x", "y"],
}


@emulated()
async def test_create_answers_200_with_the_user_as_stored(api: Api) -> None:
    """A create lowers uid and role, trims strings, ignores unknown members and answers 200, not 201."""
    reply = await api.send("POST", "/users", FULL)
    assert (reply.status, reply.body) == (200, {"data": STORED})


@emulated()
async def test_members_never_set_are_absent(api: Api) -> None:
    """A user with nothing but uid and name shows no null."""
    reply = await api.send("POST", "/users", {"uid": "bo", "name": "Bo"})
    assert reply.data == {
        "uid": "bo",
        "name": "Bo",
        "status": "offline",
        "role": "default",
        "createdAt": EPOCH,
    }


@pytest.mark.parametrize(
    ("style", "status", "code", "details"),
    [
        ("current", 400, "ERR_UID_ALREADY_EXISTS", None),
        ("legacy", 400, "ERR_BAD_REQUEST", {"uid": ["The uid has already been taken."]}),
        ("409", 409, "ERR_UID_ALREADY_EXISTS", None),
    ],
)
def test_a_taken_uid_is_refused_in_each_style(style: str, status: int, code: str, details: object) -> None:
    """A duplicate is found whatever its case, and nothing of the first user changes."""

    async def scenario(api: Api) -> None:
        await api.create("ann", name="First")
        reply = await api.create("ANN", name="Second")
        assert (reply.status, reply.code, reply.body["error"].get("details")) == (status, code, details)
        assert (await api.send("GET", "/users/ann")).data["name"] == "First"

    drive(scenario, duplicate_style=style)


@emulated()
async def test_the_duplicate_error_is_the_whole_envelope(api: Api) -> None:
    """The error names the lowered uid and has message, devMessage, source and code."""
    await api.create("ann")
    text = "The uid ann already exists. Please use another uid or try after permanently deleting the user."
    assert (await api.create("Ann")).body == {
        "error": {
            "message": text,
            "devMessage": text,
            "source": "chat-api",
            "code": "ERR_UID_ALREADY_EXISTS",
        }
    }


@emulated()
async def test_a_deactivated_user_is_invisible_and_its_uid_taken(api: Api) -> None:
    """GET says 404, create says the uid exists: a 404 proves nothing."""
    await api.create("ann")
    gone = await api.send("DELETE", "/users", {"uidsToDeactivate": ["ann"]})
    assert gone.data == {"deactivatedUids": ["ann"]}
    read = await api.send("GET", "/users/ann")
    assert (read.status, read.code) == (404, "ERR_UID_NOT_FOUND")
    again = await api.create("ann")
    assert (again.status, again.code) == (400, "ERR_UID_ALREADY_EXISTS")


@emulated()
async def test_get_finds_a_uid_in_any_case_and_shows_no_tags(api: Api) -> None:
    """Uids in paths are lowered; tags are shown by lists only."""
    await api.send("POST", "/users", FULL)
    reply = await api.send("GET", "/users/ANN-1")
    assert reply.data == {name: value for name, value in STORED.items() if name != "tags"}


@emulated(lowercase_uids=False)
async def test_lower_casing_can_be_switched_off(api: Api) -> None:
    """With the switch off, two cases are two users."""
    assert (await api.create("Ann")).data["uid"] == "Ann"
    assert (await api.create("ann")).status == 200


@emulated()
async def test_update_is_partial_and_replaces_metadata_and_tags(api: Api) -> None:
    """What is not sent stays, `unset` clears, and the answer has updatedAt."""
    await api.send("POST", "/users", FULL)
    api.clock.advance(5)
    reply = await api.send("PUT", "/users/Ann-1", {"metadata": {"desk": 7}, "tags": [], "unset": ["avatar", "link"]})
    assert reply.data == {
        "uid": "ann-1",
        "name": "Ann",
        "metadata": {"desk": 7},
        "status": "offline",
        "statusMessage": "busy",
        "role": "default",
        "createdAt": EPOCH,
        "updatedAt": EPOCH + 5,
        "tags": [],
    }


@emulated(merge_updates=True)
async def test_update_can_merge_metadata_and_tags(api: Api) -> None:
    """With the switch on, metadata members and tags are added to those that are there."""
    await api.create("ann", metadata={"a": 1, "b": 1}, tags=["x", "y"])
    reply = await api.send("PUT", "/users/ann", {"metadata": {"b": 2}, "tags": ["y", "z"]})
    assert (reply.data["metadata"], reply.data["tags"]) == ({"a": 1, "b": 2}, ["x", "y", "z"])


@emulated()
async def test_update_refuses_what_create_would(api: Api) -> None:
    """An update is validated like a create, with its own words for a blank name."""
    await api.create("ann")
    reply = await api.send("PUT", "/users/ann", {"name": " ", "role": "boss", "unset": ["name"]})
    assert (reply.status, reply.code, reply.details) == (
        400,
        "ERR_BAD_REQUEST",
        {
            "name": ["The name field must have a value."],
            "role": ["The selected role is invalid."],
            "unset.0": ["The selected unset.0 is invalid."],
        },
    )
    assert (await api.send("PUT", "/users/nobody", {"name": "x"})).code == "ERR_UID_NOT_FOUND"


@emulated()
async def test_bulk_lists_are_absent_when_empty_and_echo_unknown_uids_as_sent(api: Api) -> None:
    """The bulk calls answer 200 always; each uid is in exactly one list, even if it was sent twice."""
    await api.create("ann")
    await api.create("bo")
    off = await api.send("DELETE", "/users", {"uidsToDeactivate": ["ANN", "ann", "NoBody"]})
    assert (off.status, off.data) == (200, {"deactivatedUids": ["ann"], "notFound": ["NoBody"]})
    again = await api.send("DELETE", "/users", {"uidsToDeactivate": ["ann"]})
    assert again.data == {"alreadyDeactivatedUids": ["ann"]}
    on = await api.send("PUT", "/users", {"uidsToActivate": ["Ann", "bo", "X"]})
    assert on.data == {"reactivatedUids": ["ann"], "nonDeactivatedUids": ["bo"], "notFound": ["X"]}
    nothing = await api.send("PUT", "/users", {"uidsToActivate": []})
    assert (nothing.status, nothing.data) == (200, {})


@emulated(empty_lists=True)
async def test_bulk_lists_can_be_there_when_empty(api: Api) -> None:
    """With the switch on, every list is in the answer."""
    reply = await api.send("PUT", "/users", {"uidsToActivate": []})
    assert reply.data == {"reactivatedUids": [], "nonDeactivatedUids": [], "notFound": []}


@emulated()
async def test_a_bulk_call_without_its_list_is_refused(api: Api) -> None:
    """The member has to be there and be an array of strings."""
    missing = await api.send("DELETE", "/users", {"uids": ["ann"]})
    assert missing.details == {"uidsToDeactivate": ["The uids to deactivate field is required."]}
    numbers = await api.send("PUT", "/users", {"uidsToActivate": [1]})
    assert numbers.details == {"uidsToActivate": ["The uids to activate must be an array."]}


@emulated()
async def test_delete_deactivates_unless_it_is_permanent(api: Api) -> None:
    """Without `permanent: true` a DELETE only deactivates; with it the uid is free again."""
    await api.create("ann")
    assert (await api.send("DELETE", "/users/ann")).data == {"deactivatedUids": ["ann"]}
    assert (await api.create("ann")).status == 400
    forever = await api.send("DELETE", "/users/ann", {"permanent": True})
    assert forever.data == {"success": True, "message": "User with ann has been deleted successfully."}
    assert (await api.create("ann")).status == 200
    assert (await api.send("DELETE", "/users/bo")).code == "ERR_UID_NOT_FOUND"


@emulated(sample_users=True)
async def test_a_new_app_can_have_its_sample_users(api: Api) -> None:
    """The switch puts the five documented sample users there."""
    reply = await api.send("GET", "/users")
    assert [user["uid"] for user in reply.data] == [f"cometchat-uid-{number}" for number in range(1, 6)]


@emulated(clock_skew=3600)
async def test_the_clock_of_the_server_can_be_wrong(api: Api) -> None:
    """The skew shifts createdAt and the Date header alike."""
    reply = await api.create("ann")
    assert (reply.data["createdAt"], reply.headers["Date"]) == (
        EPOCH + 3600,
        "Tue, 14 Nov 2023 23:13:20 GMT",
    )

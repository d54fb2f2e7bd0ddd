import pytest

from tests.rig.api import EPOCH, Api, drive, emulated

ROSTER = (
    {"uid": "ann", "name": "Zoe", "tags": ["x"]},
    {"uid": "anton", "name": "Bob", "role": "boss", "tags": ["x", "y"]},
    {"uid": "bea", "name": "Annika"},
    {"uid": "gone", "name": "Gone"},
)


async def fill(api: Api) -> None:
    for user in ROSTER:
        assert (await api.send("POST", "/users", user)).status == 200
    await api.send("DELETE", "/users/gone")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["ann", "anton", "bea"]),
        ("searchKey=ann", ["ann", "bea"]),
        ("searchKey=AN&searchIn[]=uid", ["ann", "anton"]),
        ("searchKey=ann&searchIn=name", ["bea"]),
        ("role=Boss", ["anton"]),
        ("roles[]=boss&roles[]=default", ["ann", "anton", "bea"]),
        ("tags=y,z", ["anton"]),
        ("status=available", []),
        ("status=offline", ["ann", "anton", "bea"]),
        ("onlyDeactivated=true", ["gone"]),
        ("onlyDeactivated=true&searchKey=gone&searchIn=uid", ["gone"]),
        ("withDeactivated=true", ["ann", "anton", "bea", "gone"]),
    ],
)
def test_filters_narrow_the_list(query: str, expected: list[str]) -> None:
    """Each parameter keeps the users it names; deactivated ones are left out unless asked for."""

    async def scenario(api: Api) -> None:
        await fill(api)
        reply = await api.send("GET", f"/users?{query}")
        assert [user["uid"] for user in reply.data] == expected

    drive(scenario, roles=("default", "boss"))


@emulated()
async def test_pages_hold_every_user_once(api: Api) -> None:
    """Paging goes on to the last page, and says which that is."""
    for number in range(5):
        await api.create(f"u{number}")
    last = await api.send("GET", "/users?perPage=2&page=3")
    assert last.body == {
        "data": [
            {"uid": "u4", "name": "u4", "status": "offline", "role": "default", "createdAt": EPOCH},
        ],
        "meta": {
            "pagination": {"total": 5, "count": 1, "per_page": 2, "current_page": 3, "total_pages": 3},
        },
        "cursor": {"updatedAt": EPOCH, "affix": "append"},
    }
    beyond = await api.send("GET", "/users?perPage=2&page=4")
    assert beyond.body == {
        "data": [],
        "meta": {
            "pagination": {"total": 5, "count": 0, "per_page": 2, "current_page": 4, "total_pages": 3},
        },
    }


@emulated()
async def test_tags_are_listed_only_when_asked_for(api: Api) -> None:
    """withTags=true is the one way to read tags back."""
    await api.create("ann", tags=["x"])
    assert "tags" not in (await api.send("GET", "/users")).data[0]
    assert (await api.send("GET", "/users?withTags=true")).data[0]["tags"] == ["x"]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("perPage=1001", {"perPage": ["The perPage may not be greater than 1000."]}),
        ("perPage=0", {"perPage": ["The perPage must be at least 1."]}),
        ("page=two", {"page": ["The page must be at least 1."]}),
        ("page=000", {"page": ["The page must be at least 1."]}),
        (f"page={2**64}", {"page": [f"The page may not be greater than {2**63 - 1}."]}),
        (f"page={'9' * 5000}", {"page": [f"The page may not be greater than {2**63 - 1}."]}),
        (f"perPage={'9' * 5000}", {"perPage": ["The perPage may not be greater than 1000."]}),
    ],
    ids=lambda given: str(given)[:24],
)
def test_paging_out_of_range_is_refused(query: str, details: object) -> None:
    """A page that cannot be is a 400, not an empty list."""

    async def scenario(api: Api) -> None:
        reply = await api.send("GET", f"/users?{query}")
        assert (reply.status, reply.details) == (400, details)

    drive(scenario)

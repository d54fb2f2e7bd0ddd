from tests.rig.api import EPOCH, Api, emulated


@emulated()
async def test_a_new_app_has_the_role_default_alone(api: Api) -> None:
    """Any other role has to be made before it is used."""
    listed = await api.send("GET", "/roles")
    assert listed.body == {
        "data": [{"role": "default", "name": "Default", "createdAt": EPOCH}],
        "meta": {"pagination": {"total": 1, "count": 1, "per_page": 100, "current_page": 1, "total_pages": 1}},
    }


@emulated()
async def test_a_role_is_made_used_changed_and_deleted(api: Api) -> None:
    """A role's id is lowered; from then on users can have it."""
    made = await api.send("POST", "/roles", {"role": "Boss", "name": "Boss", "description": "in charge"})
    assert made.data == {"role": "boss", "name": "Boss", "description": "in charge", "createdAt": EPOCH}
    assert (await api.create("ann", role="BOSS")).data["role"] == "boss"
    changed = await api.send("PUT", "/roles/boss", {"name": "Chief", "unset": ["description"]})
    assert changed.data == {"role": "boss", "name": "Chief", "createdAt": EPOCH, "updatedAt": EPOCH}
    assert (await api.send("GET", "/roles/BOSS")).data == changed.data
    deleted = await api.send("DELETE", "/roles/boss")
    assert deleted.data == {"success": True, "message": "Role boss has been deleted successfully."}
    gone = await api.send("GET", "/roles/boss")
    assert (gone.status, gone.code) == (404, "ERR_ROLE_NOT_FOUND")


@emulated()
async def test_a_role_cannot_be_made_twice_or_badly(api: Api) -> None:
    """Duplicates, bad ids and the default role's deletion are refused."""
    taken = await api.send("POST", "/roles", {"role": "Default", "name": "x"})
    assert (taken.status, taken.code) == (400, "ERR_ROLE_ALREADY_EXISTS")
    bad = await api.send("POST", "/roles", {"role": "a b", "description": "x" * 256, "settings": 1})
    assert bad.details == {
        "role": ["The role format is invalid."],
        "name": ["The name field is required."],
        "description": ["The description may not be greater than 255 characters."],
        "settings": ["The settings must be an object."],
    }
    kept = await api.send("DELETE", "/roles/default")
    assert (kept.status, kept.code) == (400, "ERR_ROLE_DELETE_DENIED")


@emulated(roles=("default", *(f"role-{number}" for number in range(24))))
async def test_an_app_has_at_most_25_roles(api: Api) -> None:
    """The twenty-sixth role is refused."""
    full = await api.send("POST", "/roles", {"role": "more", "name": "More"})
    assert full.details == {"role": ["The app may not have more than 25 roles."]}

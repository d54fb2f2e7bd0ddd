"""Tests of what a handler works with: an app as its settings make it, and one call."""

import pytest

from provisioner.emulator.app.settings import Clock, EmulatorSettings
from provisioner.emulator.endpoints.context import SAMPLE_USERS, Call, Tenant
from provisioner.emulator.endpoints.errors import ApiError

NOW = 1_700_000_000.5


def tenant(settings: EmulatorSettings) -> Tenant:
    return Tenant(settings, Clock(wall=lambda: NOW, monotonic=lambda: 0.0))


def test_a_new_app_has_its_roles_and_if_asked_its_sample_users() -> None:
    """Roles are lower case; their names are made of them."""
    bare = tenant(EmulatorSettings(roles=("default", "Night-Shift")))
    assert {role.role: role.name for role in bare.store.roles.values()} == {
        "default": "Default",
        "night-shift": "Night Shift",
    }
    assert bare.store.users == {}
    assert set(tenant(EmulatorSettings(sample_users=True)).store.users) == set(SAMPLE_USERS)


def test_its_clock_is_ours_with_the_skew() -> None:
    """Whole seconds are all that the API shows."""
    here = tenant(EmulatorSettings(clock_skew=-10))
    assert (here.wall(), here.now()) == (NOW - 10, 1_699_999_990)


@pytest.mark.parametrize(
    ("settings", "full"),
    [
        (EmulatorSettings(), False),
        (EmulatorSettings(quota=2), False),
        (EmulatorSettings(quota=1), True),
        (EmulatorSettings(plan="free"), False),
    ],
)
def test_it_is_full_when_its_quota_is_reached(settings: EmulatorSettings, full: bool) -> None:
    """A deactivated user counts; a fault can fill any app."""
    here = tenant(settings)
    here.store.create("ann", {"name": "Ann"}, here.now())
    here.store.deactivate("ann", here.now())
    assert here.full is full
    here.quota_reached = True
    assert here.full


def test_a_user_that_is_not_there_or_deactivated_is_not_found() -> None:
    """Both meet the same refusal."""
    here = tenant(EmulatorSettings())
    user = here.store.create("ann", {"name": "Ann"}, here.now())
    assert here.user("ann") is user
    here.store.deactivate("ann", here.now())
    for uid in ("ann", "bob"):
        with pytest.raises(ApiError) as error:
            here.user(uid)
        assert error.value.code == "ERR_UID_NOT_FOUND"


@pytest.mark.parametrize(
    ("call", "uid"),
    [
        (Call(uid="ann", body={"uid": "bob"}), "ann"),
        (Call(body={"uid": " Bob "}), "bob"),
        (Call(body={"uid": 7}), None),
        (Call(body={}), None),
        (Call(body=None), None),
    ],
)
def test_a_call_names_its_user_by_path_or_body(call: Call, uid: str | None) -> None:
    """The path comes first; what is no text names nobody."""
    assert call.named_uid == uid


def test_a_body_that_is_no_object_has_no_fields() -> None:
    """It is refused when somebody asks for them, not before."""
    assert Call(body={"uid": "ann"}).fields == {"uid": "ann"}
    with pytest.raises(ApiError) as error:
        _ = Call(body=None).fields
    assert (error.value.status, error.value.code) == (400, "ERR_BAD_REQUEST")


def test_a_token_in_a_path_is_not_shown() -> None:
    """A call can be printed."""
    assert "ann_1" not in repr(Call(uid="ann", token="ann_1"))


def test_a_call_for_many_that_names_one_is_about_that_one() -> None:
    """The audit can tell who was deactivated by which request; of several it names none."""
    assert Call(body={"uidsToDeactivate": ["Ann"]}).named_uid == "ann"
    assert Call(body={"uidsToActivate": ["ann"]}).named_uid == "ann"
    assert Call(body={"uidsToDeactivate": ["ann", "bob"]}).named_uid is None

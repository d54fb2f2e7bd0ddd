"""Tests of what can be chosen about the emulated server, and of what cannot be."""

import pytest

from provisioner.emulator.app.settings import FREE_PLAN_USERS, EmulatorSettings


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"scope": "all"}, "scope is one of fullAccess, authOnly, not 'all'"),
        ({"plan": "gold"}, "plan is one of paid, free, not 'gold'"),
        ({"header_style": "none"}, "header_style is one of both, hyphenated, laravel, not 'none'"),
        ({"duplicate_style": "410"}, "duplicate_style is one of current, legacy, 409, not '410'"),
        ({"port": -1}, "port is at least 0, not -1"),
        ({"latency": -0.1}, "latency is at least 0, not -0.1"),
        ({"core_limit": 0}, "core_limit is at least 1, not 0"),
        ({"quota": -1}, "quota is at least 0, not -1"),
        ({"tokens_per_user": 0}, "tokens_per_user is at least 1, not 0"),
        ({"window": 0}, "window is more than 0 seconds, not 0"),
        ({"host": ""}, "host is empty, which would be every network; 127.0.0.1 is this machine alone"),
        ({"api_key": " "}, "api_key must not be empty"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(chosen: dict[str, object], message: str) -> None:
    """One sentence: the setting, what it may be, and what it was."""
    with pytest.raises(ValueError, match=r".") as error:
        EmulatorSettings(**chosen)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("settings", "users"),
    [
        (EmulatorSettings(), None),
        (EmulatorSettings(quota=7), 7),
        (EmulatorSettings(plan="free"), FREE_PLAN_USERS),
        (EmulatorSettings(plan="free", quota=0), 0),
    ],
)
def test_an_app_holds_as_many_users_as_its_plan_or_its_quota_says(
    settings: EmulatorSettings, users: int | None
) -> None:
    """A quota of its own comes before that of the plan; a paid plan has none."""
    assert settings.user_quota == users


def test_a_key_is_not_shown() -> None:
    """Settings can be printed."""
    assert "secret" not in repr(EmulatorSettings(api_key="secret"))

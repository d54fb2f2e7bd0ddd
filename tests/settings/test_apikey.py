"""The API key: from the environment or a file, told with where it came from, shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from provisioner.errors import ConfigurationError
from provisioner.journal.header import Identity
from provisioner.run.job import Target
from provisioner.settings.apikey import API_KEY_ORIGIN, API_KEY_VARIABLE, find_access, find_api_key, read_api_key
from provisioner.settings.tables import Settings, load
from tests.rig.config import a_config

KEY = "0123456789abcdef0123456789abcdef01234567"


def test_a_path_that_no_file_can_have_is_told() -> None:
    """TOML can write a NUL, the file system cannot."""
    settings = load({}, {}, a_config('[api]\napi_key_file = "a\\u0000b"'))
    with pytest.raises(ConfigurationError):
        read_api_key(settings, {})


@pytest.mark.parametrize("text", [KEY, f"{KEY}\n", f"  {KEY}\r\n", f"\t{KEY}"])
def test_the_key_comes_from_the_environment_or_a_file_and_blanks_round_it_are_nothing(here: Path, text: str) -> None:
    """`echo KEY > file` and a copied blank are no wrong key; the environment wins over the file."""
    (here / "key").write_text(text)
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    assert read_api_key(Settings(), {API_KEY_VARIABLE: text}) == SecretStr(KEY)
    assert read_api_key(settings, {}) == SecretStr(KEY)
    assert read_api_key(settings, {API_KEY_VARIABLE: "  "}) == SecretStr(KEY)
    assert read_api_key(settings, {API_KEY_VARIABLE: "other"}) == SecretStr("other")


def test_the_key_is_told_with_where_it_came_from(here: Path) -> None:
    """The variable or the file, never the key itself."""
    (here / "key").write_text(KEY)
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    assert find_api_key(settings, {}) == (SecretStr(KEY), "key")
    assert find_api_key(settings, {API_KEY_VARIABLE: KEY}) == (SecretStr(KEY), "COMETCHAT_API_KEY")


def test_a_key_file_from_windows_is_read(here: Path) -> None:
    """A byte-order mark is no part of a key."""
    (here / "key").write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    assert read_api_key(load({}, {}, a_config('[api]\napi_key_file = "key"')), {}) == SecretStr(KEY)


@pytest.mark.parametrize("inside", [" ", "\n", "\x00", "\x1b", "\x7f", "ä", "\u200b", "\r\nX-Header: 1"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(here: Path, inside: str) -> None:
    """Blanks, control characters, two lines, non-ASCII: a copying accident, told as such."""
    (here / "key").write_bytes((KEY + inside + KEY).encode())
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    said = "the API key holds blanks or characters that no key has; copy it again"
    for environment, where, origin in (
        ({API_KEY_VARIABLE: KEY + inside + KEY}, Settings(), "COMETCHAT_API_KEY"),
        ({}, settings, "key"),
    ):
        with pytest.raises(ConfigurationError) as error:
            read_api_key(where, environment)
        assert str(error.value) == f"{origin}: {said}"


@pytest.mark.parametrize(
    "text", [f'"{KEY}"', f"'{KEY}'", f'"{KEY}', f"{KEY}'", f"COMETCHAT_API_KEY={KEY}", f"apiKey:{KEY}", f"`{KEY}`"]
)
def test_a_key_in_quotes_or_behind_its_name_is_told_and_not_sent(here: Path, text: str) -> None:
    """As it stands in a script, where a shell takes them off; the API would only say that the key is wrong."""
    (here / "key").write_text(text)
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    said = "the API key stands in quotes or behind its name, as in a script, and would be sent with them"
    for environment, origin in (({API_KEY_VARIABLE: text}, "COMETCHAT_API_KEY"), ({}, "key")):
        with pytest.raises(ConfigurationError) as error:
            read_api_key(settings, environment)
        assert str(error.value) == f"{origin}: {said}; only the key may stand there"


def test_no_key_is_told_with_every_way_to_give_it() -> None:
    """In one sentence."""
    with pytest.raises(ConfigurationError) as error:
        read_api_key(Settings(), {})
    assert str(error.value) == (
        "no API key: set COMETCHAT_API_KEY, or name a file that holds it as api_key_file under [api] in the config "
        "file; without an account, `provisioner run --emulator` needs none, and for the other commands "
        "`provisioner emulator` prints a key and an address for --base-url"
    )


@pytest.mark.parametrize("content", ["", "\n", " \r\n"])
def test_a_key_file_that_holds_nothing_is_named(here: Path, content: str) -> None:
    """Nobody is told to name a file who has named one."""
    (here / "key").write_text(content)
    with pytest.raises(ConfigurationError) as error:
        read_api_key(load({}, {}, a_config('[api]\napi_key_file = "key"')), {})
    assert str(error.value) == "api.api_key_file: key is empty; put the API key into it, or set COMETCHAT_API_KEY"


def test_a_key_file_that_cannot_be_read_is_told(here: Path) -> None:
    """Missing, a folder, as Notepad saves it, with a letter of Windows-1252: why, and nothing of it."""
    (here / "wide").write_bytes(KEY.encode("utf-16"))
    (here / "accent").write_bytes(KEY.encode() + b"\xe9")
    cure = "name the file that holds the secret, or set COMETCHAT_API_KEY"
    for name, why in (
        ("gone", f"cannot be read (No such file or directory); {cure}"),
        (".", f"cannot be read (Is a directory); {cure}"),
        ("wide", "is UTF-16, not UTF-8; save it as UTF-8"),
        ("accent", "is not UTF-8 (line 1, byte 41); save it as UTF-8"),
    ):
        settings = load({"api": {"api_key_file": name}}, {})
        with pytest.raises(ConfigurationError) as error:
            read_api_key(settings, {})
        assert str(error.value) == f"api.api_key_file: {name} {why}"


def test_the_key_is_in_no_repr(here: Path) -> None:
    """Promise 7: whatever prints the settings or the key object prints no key."""
    (here / "key").write_text(KEY)
    settings = load({}, {API_KEY_VARIABLE: KEY}, a_config('[api]\napi_key_file = "key"'))
    key = read_api_key(settings, {API_KEY_VARIABLE: KEY})
    assert KEY not in repr(settings) + str(settings) + repr(key) + str(key) + f"{key}"


def test_the_key_is_not_in_the_repr_of_the_target() -> None:
    """Secrets are masked wherever they travel: a target in a traceback or a log shows none."""
    assert KEY not in repr(Target("http://h", KEY, Identity("app", "http://h")))


def test_a_key_that_a_fleet_hands_on_is_of_where_the_fleet_has_it_from() -> None:
    """Who runs the fleet has set no COMETCHAT_API_KEY."""
    variables = {API_KEY_VARIABLE: KEY, API_KEY_ORIGIN: "keys/acme"}
    assert find_api_key(Settings(), variables) == (SecretStr(KEY), "keys/acme")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"app_id": KEY, "region": "eu"}, "app_id"),
        ({"app_id": KEY.upper(), "region": "eu"}, "app_id"),
        ({"base_url": f"https://{KEY}.api-eu.cometchat.io/v3"}, "base_url"),
    ],
)
def test_a_key_in_the_place_of_the_app_id_is_refused(given: dict[str, str], where: str) -> None:
    """It would be asked for in the clear as the name of a host, and kept in the journal as the app's."""
    with pytest.raises(ConfigurationError) as error:
        find_access(load({"api": given}, {}), {API_KEY_VARIABLE: KEY})
    assert str(error.value) == (
        f"api.{where}: the API key itself stands where the app id belongs; give the app id, which stands beside the "
        "key in the dashboard; the key belongs in COMETCHAT_API_KEY"
    )


@pytest.mark.parametrize("environment", [{API_KEY_VARIABLE: "2711234567890abc"}, {API_KEY_VARIABLE: "other" * 8}])
@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"app_id": KEY, "region": "eu"}, "app_id"),
        ({"app_id": KEY, "base_url": "https://chat.local/v3"}, "app_id"),
        ({"base_url": f"https://{KEY.upper()}.api-eu.cometchat.io/v3"}, "base_url"),
        ({"base_url": f"https://chat.local/{KEY}/v3"}, "base_url"),
    ],
)
def test_what_can_only_be_a_key_is_refused_in_the_place_of_the_app_id(
    given: dict[str, str], where: str, environment: dict[str, str]
) -> None:
    """Swapped with the app id it is not the key that is set, and is as secret; whoever asks for an address is told."""
    settings = load({"api": given}, {})
    said = (
        f"api.{where}: what can only be an API key stands where the app id belongs; give the app id, which stands "
        "beside the key in the dashboard; the key belongs in COMETCHAT_API_KEY"
    )
    for address in (lambda: find_access(settings, environment), lambda: settings.base_url):
        with pytest.raises(ConfigurationError) as error:
            address()
        assert str(error.value) == said


@pytest.mark.parametrize("app_id", ["2711234567890abc", "27112345678901abcdef", "a" * 39, "acme-" + "a1" * 12])
def test_what_is_shorter_than_a_key_is_an_app_id(app_id: str) -> None:
    """Sixteen letters and digits, as a rule."""
    settings = load({"api": {"app_id": app_id, "region": "eu"}}, {})
    assert find_access(settings, {API_KEY_VARIABLE: KEY})[2] == f"https://{app_id}.api-eu.cometchat.io/v3"


def test_a_word_that_is_the_key_of_a_rehearsal_may_stand_in_an_address() -> None:
    """Only what looks like a key is looked for within one."""
    settings = load({"api": {"base_url": "http://rehearsal.local/v3"}}, {})
    found = find_access(settings, {API_KEY_VARIABLE: "rehearsal"})
    assert found == (SecretStr("rehearsal"), API_KEY_VARIABLE, "http://rehearsal.local/v3")

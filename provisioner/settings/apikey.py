"""The API key: from the environment or from a file, never from an argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from provisioner.errors import ConfigurationError
from provisioner.settings.secretfile import looks_like_key, secret_of
from provisioner.settings.tables import Api, Settings

API_KEY_VARIABLE: Final = "COMETCHAT_API_KEY"

API_KEY_ORIGIN: Final = "PROVISIONER_API_KEY_ORIGIN"
"""The variable in which a fleet tells its jobs where the key came from that it hands them in the other."""

# What a shell or a program takes off again, and nobody does here.
_DECORATED: Final = re.compile(r"^[\"'`]|[\"'`]$|^\w*api_?key\w*[=:]", re.IGNORECASE)


def find_api_key(settings: Settings, environment: Mapping[str, str]) -> tuple[SecretStr, str]:
    """Fetch the key from the environment or the file named in the config, and say which; as `read_api_key` does."""
    key = environment.get(API_KEY_VARIABLE, "").strip()
    origin = environment.get(API_KEY_ORIGIN) or API_KEY_VARIABLE
    if not key and (path := settings.api.api_key_file) is not None:
        origin = str(path)
        key = secret_of(path, "api.api_key_file", API_KEY_VARIABLE, like_key=True).strip()
        if not key:
            raise ConfigurationError(
                f"api.api_key_file: {path} is empty; put the API key into it, or set {API_KEY_VARIABLE}"
            )
    if not key:
        message = (
            "no API key: set COMETCHAT_API_KEY, or name a file that holds it as api_key_file under [api] in the config "
            "file; without an account, `provisioner run --emulator` needs none, and for the other commands "
            "`provisioner emulator` prints a key and an address for --base-url"
        )
        raise ConfigurationError(message)
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigurationError(f"{origin}: the API key holds blanks or characters that no key has; copy it again")
    if _DECORATED.search(key):
        why = "stands in quotes or behind its name, as in a script, and would be sent with them; leave the key alone"
        raise ConfigurationError(f"{origin}: the API key {why}")
    return SecretStr(key), origin


def read_api_key(settings: Settings, environment: Mapping[str, str]) -> SecretStr:
    """Fetch the key from the environment or the file named in the config; raises `ConfigurationError`."""
    return find_api_key(settings, environment)[0]


def address_beside(key: str, settings: Settings) -> str:
    """Give the API's root; raises `ConfigurationError` when it is not told, or has the key where the app id belongs.

    The name of a host is asked for in the clear, and a journal keeps it: nobody sends there, and nothing is made.
    """
    address = settings.base_url
    if stands_in_address(key, settings.api):
        where = "base_url" if settings.api.base_url else "app_id"
        cure = "give the app id, which stands beside the key in the dashboard; the key belongs in COMETCHAT_API_KEY"
        raise ConfigurationError(f"api.{where}: the API key itself stands where the app id belongs; {cure}")
    return address


def stands_in_address(key: str, api: Api) -> bool:
    """Whether the key was given as the app id, or stands in the address."""
    given = key.casefold()
    within = looks_like_key(key) and given in (api.base_url or "").casefold()
    return bool(key) and (within or given == (api.app_id or "").casefold())


def find_access(settings: Settings, environment: Mapping[str, str]) -> tuple[SecretStr, str, str]:
    """Fetch the key, say where it came from, and give the API's root; raises `ConfigurationError`."""
    key, origin = find_api_key(settings, environment)
    return key, origin, address_beside(key.get_secret_value(), settings)

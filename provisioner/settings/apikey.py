"""The API key: from the environment or from a file, never from an argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from provisioner.errors import ConfigurationError
from provisioner.settings.refused import refuse_misplaced_key
from provisioner.settings.secretfile import secret_of
from provisioner.settings.tables import Settings

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
        why = "stands in quotes or behind its name, as in a script, and would be sent with them"
        raise ConfigurationError(f"{origin}: the API key {why}; only the key may stand there")
    return SecretStr(key), origin


def read_api_key(settings: Settings, environment: Mapping[str, str]) -> SecretStr:
    """Fetch the key from the environment or the file named in the config; raises `ConfigurationError`."""
    return find_api_key(settings, environment)[0]


def address_beside(key: str, settings: Settings) -> str:
    """Give the API's root; raises `ConfigurationError` when it is not told, or a key stands in it or as the app id."""
    refuse_misplaced_key({"api.app_id": settings.api.app_id, "api.base_url": settings.api.base_url}, key)
    return settings.base_url


def find_access(settings: Settings, environment: Mapping[str, str]) -> tuple[SecretStr, str, str]:
    """Fetch the key, say where it came from, and give the API's root; raises `ConfigurationError`."""
    key, origin = find_api_key(settings, environment)
    return key, origin, address_beside(key.get_secret_value(), settings)

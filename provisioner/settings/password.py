"""The password of a database: from the environment or from a file, never from an argument, an address or a setting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from provisioner.errors import ConfigurationError
from provisioner.roster.database.address import PASSWORD_VARIABLE, parse_address
from provisioner.settings.secretfile import secret_of


def check_address(given: str, origin: str) -> None:
    """Refuse an address that cannot be one, or that holds a password; raises ConfigurationError that quotes nothing."""
    try:
        parse_address(given)
    except ConfigurationError as error:
        raise ConfigurationError(f"{origin}: {error}") from None


def read_database_password(file: Path | None, environment: Mapping[str, str]) -> SecretStr | None:
    """Fetch it; None when nobody gave one, so that the driver looks where it always does. Raises ConfigurationError."""
    password = environment.get(PASSWORD_VARIABLE, "")
    if not password and file is not None:
        password = secret_of(file, "run.database_password_file", PASSWORD_VARIABLE, like_key=False).rstrip("\r\n")
        if not password:
            raise ConfigurationError(f"run.database_password_file: {file} is empty; it holds the password alone")
    return SecretStr(password) if password else None

"""The password of a database: from the environment or from a file, never from an argument, an address or a setting."""

from __future__ import annotations

from pydantic import SecretStr

from provisioner.errors import ConfigurationError
from provisioner.roster.database.address import PASSWORD_VARIABLE
from provisioner.settings.secretfile import secret_of
from provisioner.settings.tables import Settings


def read_database_password(settings: Settings) -> SecretStr | None:
    """Fetch it; None when nobody gave one, so that the driver looks where it always does. Raises ConfigurationError."""
    password, file = settings.environment.get(PASSWORD_VARIABLE, ""), settings.run.database_password_file
    if not password and file is not None:
        password = secret_of(file, "run.database_password_file", PASSWORD_VARIABLE, like_key=False).rstrip("\r\n")
        if not password:
            raise ConfigurationError(f"run.database_password_file: {file} is empty; it holds the password alone")
    return SecretStr(password) if password else None

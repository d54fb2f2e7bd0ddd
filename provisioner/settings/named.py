"""The files that settings are read from, or name to be read: what a command that writes must leave as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provisioner.settings.tables import Settings

APPROVED: Final = "the list of --approve"


def named_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Give what each is called in a sentence, and where it is; of those only that are named."""
    if settings.columns.config is not None:
        yield "the config file", Path(settings.columns.config)
    named = {
        "the file of the API key": settings.api.api_key_file,
        "the file of the database's password": settings.run.database_password_file,
        "the state": settings.sync.state,
        APPROVED: settings.sync.approve,
    }
    yield from ((what, path) for what, path in named.items() if path is not None)

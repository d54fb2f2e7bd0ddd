"""Which shards of a roster a folder holds: each says of how many it is one, and all have to say the same."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from provisioner.errors import ConfigurationError, OutputError
from provisioner.files.looking import content_of
from provisioner.files.writing import name_once
from provisioner.roster.shard import Shard

MANIFEST: Final = "shards.json"
"""Name of the file in the folder that says how many there are."""


def join_folder(folder: Path, shard: Shard) -> None:
    """Have the results of a shard in a folder: the first one says how many there are to be.

    Raises `ConfigurationError` as `refuse_unlike` does, `OutputError` when nothing can be written there.
    """
    manifest = folder / MANIFEST
    if not manifest.exists():
        _write_once(manifest, {"shards": shard.of})
    refuse_unlike(folder, shard)


def refuse_unlike(folder: Path, shard: Shard) -> None:
    """Raise `ConfigurationError` when the shards in a folder say that there is another number of them."""
    if (folder / MANIFEST).exists() and (said := shards_of(folder)) != shard.of:
        which = f"holds shards of {said}" if said else f"has a {MANIFEST} that cannot be read"
        again = f"give --shard {min(shard.number, said)}/{said}, or " if said else "mend it, or "
        raise ConfigurationError(
            f"{folder}: {which}, so shard {shard} has no place there; {again}choose another folder"
        )


def shards_of(folder: Path) -> int | None:
    """Say of how many shards a folder is; null when nothing in it says so."""
    try:
        said = json.loads(content_of(folder / MANIFEST))["shards"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, int) and said > 0 else None


def _write_once(path: Path, document: dict[str, int]) -> None:
    """Write a small file whole, unless another process has been faster: shards may begin at the same moment."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps(document) + "\n")
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                name_once(Path(name), path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --output") from error

"""Which shards of a roster a folder holds: all are of one number and of one roster."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ConfigurationError, OutputError
from provisioner.files.looking import content_of
from provisioner.files.writing import name_once
from provisioner.roster.shard import Shard, Share

MANIFEST: Final = "shards.json"
"""Name of the file in the folder that says how many there are, and of which roster."""

_SHARDS: Final = "shards"
_ROSTER: Final = "fingerprint"


def join_folder(folder: Path, shard: Shard | None, share: Share | None = None, *, begun: bool = True) -> None:
    """Have the results of a shard in a folder: the first one says how many there are to be, and of which roster.

    share  what the shard is of its roster, where that was read
    begun  the shard has been here before: it may read an edited roster, which is that of the others from then on

    Raises `ConfigurationError` as `refuse_unlike` does, `OutputError` when nothing can be written there.
    """
    if shard is None:
        return
    manifest, told = folder / MANIFEST, {_SHARDS: shard.of, **({} if share is None else {_ROSTER: share.fingerprint})}
    if not manifest.exists():
        _write(manifest, told, name_once)
    refuse_unlike(folder, shard, share, begun=begun)
    if share is not None and _manifest(folder) != told:
        _write(manifest, told, Path.replace)


def refuse_unlike(folder: Path, shard: Shard | None, share: Share | None = None, *, begun: bool = True) -> None:
    """Raise `ConfigurationError` when shards in a folder are of another number, or, of a new one, of another roster."""
    if shard is None or not (folder / MANIFEST).exists():
        return
    if (said := shards_of(folder)) != shard.of:
        which = f"holds shards of {said}" if said else f"has a {MANIFEST} that cannot be read"
        again = f"give --shard {min(shard.number, said)}/{said}, or " if said else "mend it, or "
        raise ConfigurationError(
            f"{folder}: {which}, so shard {shard} has no place there; {again}choose another folder"
        )
    known = _manifest(folder).get(_ROSTER)
    if share is not None and not begun and known is not None and known != share.fingerprint:
        raise ConfigurationError(
            f"{folder}: holds shards of a roster with other uids, so shard {shard} of this one has no place there; "
            "give the roster that they have read, run one of them again with this one first, or choose another --output"
        )


def shards_of(folder: Path) -> int | None:
    """Say of how many shards a folder is; null when nothing in it says so."""
    said = _manifest(folder).get(_SHARDS)
    return said if isinstance(said, int) and said > 0 else None


def _manifest(folder: Path) -> dict[str, Any]:
    """Read what is said of all shards; nothing when it cannot be read."""
    try:
        said = json.loads(content_of(folder / MANIFEST))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _write(path: Path, document: dict[str, Any], name: Callable[[Path, Path], object]) -> None:
    """Write a small file whole.

    name  gives it its name; what is there stays where another process has been faster, for shards may begin at once
    """
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps(document) + "\n")
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                name(Path(temporary), path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --output") from error

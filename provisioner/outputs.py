"""Where a run writes, and how a file is written whole: to a temporary neighbour, then renamed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, product
from pathlib import Path
from typing import Final

from provisioner.errors import OutputError, StorageError

FORMATS: Final = (".csv", ".parquet", ".ndjson")
# Tokens and people's data are the owner's alone; without tokens, as wide as the umask allows.
PRIVATE, SHARED = 0o600, 0o666


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that belong to one `--output`, as the user gave it.

    results   one line per roster row
    rejected  the rejected rows, in the roster's own format where that can be written
    summary   JSON
    journal   SQLite
    """

    results: Path
    rejected: Path
    summary: Path
    journal: Path

    @classmethod
    def beside(cls, results: Path, rejected_suffix: str, rosters: Iterable[Path]) -> Outputs:
        """Name the files of `results`; raises `OutputError` when they cannot be used.

        rosters  what must not be overwritten
        """
        if results.suffix.lower() not in FORMATS:
            said = f"{results}: results are written as {', '.join(FORMATS)}; give --output one of these endings"
            raise OutputError(said)
        named = cls(
            results,
            results.with_suffix(f".rejected{rejected_suffix}"),
            results.with_suffix(".summary.json"),
            results.with_suffix(".journal.db"),
        )
        for path, roster in product(named.paths(), rosters):
            if same_file(path, roster):
                said = f"{path}: would overwrite the roster; choose another --output"
                raise OutputError(said)
        return named

    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.results, self.rejected, self.summary, self.journal)

    def make_folder(self) -> None:
        """Make the folder of the outputs; raises `OutputError` when it cannot be written to."""
        folder = self.results.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            said = f"{folder}: the output folder cannot be made ({error.strerror}); choose another --output"
            raise OutputError(said) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputError(f"{folder}: the output folder cannot be written to; choose another --output")
        for path in self.paths():
            try:
                # A little room: temporary files, locks and what is set aside have longer names.
                path.with_name(path.name + "." * 24).is_dir()
                if path.is_dir():
                    raise OutputError(f"{path}: is a folder; choose another --output")
            except OSError as error:
                said = f"{path}: cannot be an output ({error.strerror}); choose another --output"
                raise OutputError(said) from error


@contextmanager
def written_whole(path: Path, mode: int) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends well, and disappears when it does not."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        # What a killed run left behind goes first: opened again it would keep its own mode.
        temporary.unlink(missing_ok=True)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        why = error.strerror or error
        said = f"{path}: cannot be written ({why}); make room or choose another --output, then run again"
        raise StorageError(said) from error
    finally:
        temporary.unlink(missing_ok=True)


def set_aside(path: Path) -> Path | None:
    """Rename a file that must not be overwritten; its new path, None when there was none."""
    if not path.exists():
        return None
    aside = free_name(path)
    path.rename(aside)
    return aside


def free_name(path: Path) -> Path:
    """Give a neighbour's name that is not taken: the time in it, and a number if that is not enough."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    names = (f"{path.stem}.{stamp}{more}{path.suffix}" for more in chain([""], (f"-{n}" for n in count(2))))
    return next(each for name in names if not (each := path.with_name(name)).exists())


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, through links or not, there or not."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)

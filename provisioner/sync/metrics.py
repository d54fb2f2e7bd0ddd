"""What an alert looks at: the end of a sync in Prometheus text format, for a node exporter's textfile collector.

Every sample has the state file as a label, so that a machine can keep several states: one collector takes a name with
the same labels once only, or none of its files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from provisioner.errors import ExitCode, OutputError
from provisioner.files.looking import is_free, same_file
from provisioner.files.writing import SHARED, written_whole
from provisioner.model import ROW_OUTCOMES
from provisioner.results.outputs import refuse_as_output

SUFFIX: Final = ".prom"
"""A collector reads no other files."""

_PREFIX: Final = "provisioner_sync_"
_OURS: Final = tuple(f"{before}{_PREFIX}".encode() for before in ("# HELP ", "# TYPE ", ""))
_LEAVERS: Final = ("deactivated", "failed", "pending", "in_grace", "reported")

# Name, what it means, member of the summary.
_NUMBERS: Final = (
    ("rows", "Rows of the roster.", "rows"),
    ("requests", "Requests sent.", "requests"),
    ("retries", "Requests that were sent again.", "retries"),
    ("rate_limited", "Answers that said to slow down.", "rate_limited"),
    ("duration_seconds", "How long it took.", "elapsed_seconds"),
)

Samples = list[tuple[Mapping[str, str], float]]


def check_metrics_file(path: Path, state: Path | None) -> None:
    """Refuse a file that no collector would read, that is the state, or that holds more than our metrics.

    A collector reads every file of its folder, so what somebody else has written there is not set aside within it.
    Raises `OutputError`.
    """
    if path.suffix != SUFFIX:
        raise OutputError(f"{path}: a textfile collector reads only *{SUFFIX}; give --metrics-file this ending")
    if state is not None and same_file(path, state):
        raise OutputError(f"{path}: the metrics would overwrite the state; choose another --metrics-file")
    refuse_as_output(path, "choose another --metrics-file")
    if not is_free(path, _is_ours):
        message = "holds what is no metric of a sync, and would be overwritten"
        raise OutputError(f"{path}: {message}; choose another --metrics-file")


def write_metrics(path: Path, state: Path | None, started: float, document: Mapping[str, Any]) -> None:
    """Write the file whole; raises `OSError` or `StorageError`.

    started   UNIX seconds
    document  the summary; of a sync that ended before it had one, just the `exit_code`
    """
    labels = {"state": _shown(state)} if state is not None else {}
    text = "".join(f"{line}\n" for line in _lines(labels, started, document))
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, SHARED) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _is_ours(file: IO[bytes]) -> bool:
    """Whether nothing but metrics of a sync is in a file."""
    return all(line.startswith(_OURS) for line in file if line.strip())


def _lines(labels: Mapping[str, str], started: float, document: Mapping[str, Any]) -> Iterator[str]:
    for name, meaning, samples in _metrics(started, document):
        yield f"# HELP {_PREFIX}{name} {meaning}"
        yield f"# TYPE {_PREFIX}{name} gauge"
        for more, value in samples:
            pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in {**labels, **more}.items())
            yield f"{_PREFIX}{name}{{{pairs}}} {value}"


def _metrics(started: float, document: Mapping[str, Any]) -> Iterator[tuple[str, str, Samples]]:
    code = document["exit_code"]
    yield "start_timestamp_seconds", "When the last sync began.", [({}, round(started, 3))]
    yield "end_timestamp_seconds", "When the last sync ended.", [({}, round(time.time(), 3))]
    yield "exit_code", "Exit code of the last sync.", [({}, code)]
    yield "success", "1 when nothing needs a look.", [({}, int(code == ExitCode.OK))]
    if "rows" not in document:
        return
    if (reason := document["stopped_by"]) is not None:
        yield "stopped", "What stopped the last sync; not there when nothing did.", [({"reason": reason}, 1)]
    for name, meaning, member in _NUMBERS:
        yield name, meaning, [({}, document[member])]
    yield "users", "Rows of the roster by outcome.", [({"outcome": each}, document[each]) for each in ROW_OUTCOMES]
    yield "sessions_flushed", "Leavers deactivated of whom no auth token is left.", [({}, document["sessions_flushed"])]
    fates: Samples = [({"fate": each}, document["leavers"][each]) for each in _LEAVERS]
    yield "leavers", "Users that the roster does not name any more, by what became of them.", fates


def _shown(state: Path) -> str:
    """Give the whole path, whatever folder the sync was started in; bytes that are no text are replaced."""
    return os.fsencode(state.absolute()).decode("utf-8", "replace")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

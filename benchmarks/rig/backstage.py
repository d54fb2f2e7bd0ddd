"""The emulator as a process of its own, and what can be seen and done there behind the API's back."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.rig.harness import COMMAND, NO_KEY, listening

# How long a request that arrived may go without taking effect: a slow one does so late.
_LATE_SECONDS: Final = 5.0


class Api:
    """The emulator, behind the API's back."""

    def __init__(self, url: str, audit: Path) -> None:
        self.url = url
        self._root = url.removesuffix("/v3")
        self._audit = audit

    def put(self, what: str, body: str) -> None:
        """Set `users` down, or put `faults` in force."""
        request = urllib.request.Request(f"{self._root}/_emulator/{what}", body.encode(), method="POST")
        with urllib.request.urlopen(request):
            pass

    def users(self) -> dict[str, dict[str, Any]]:
        """Give all users by uid, with their tokens."""
        with urllib.request.urlopen(f"{self._root}/_emulator/users") as answer:
            return {user["uid"]: user for user in map(json.loads, answer.read().splitlines())}

    def place(self) -> int:
        """Give the place in the audit that what comes next will have."""
        return self._audit.stat().st_size

    def arrived(self, place: int, since: float) -> bool:
        """Tell whether a request has arrived since then (monotonic seconds); `place` is one from before.

        What an earlier run had sent may take effect only now: it is not meant.
        """
        with self._audit.open("rb") as file:
            file.seek(place)
            return any(json.loads(line)["monotonic"] >= since for line in file if line.endswith(b"\n"))

    def audit(self) -> list[dict[str, Any]]:
        """Give all records in order of arrival, when those that take effect late have done so."""
        deadline = time.monotonic() + _LATE_SECONDS
        while True:
            records = [json.loads(line) for line in self._audit.read_bytes().splitlines()]
            records.sort(key=lambda record: record["seq"])
            if not records or records[-1]["seq"] == len(records) or time.monotonic() > deadline:
                return records
            time.sleep(0.1)


@contextmanager
def emulator(audit: Path, *options: str) -> Iterator[Api]:
    """Run an emulator as a process of its own for as long as the block lasts. Raises BenchmarkError."""
    arguments = [str(COMMAND), "emulator", "--port", "0", "--audit", str(audit.resolve()), *options]
    with listening(arguments, EMULATOR_API_KEY=NO_KEY) as (url,):
        yield Api(url, audit)

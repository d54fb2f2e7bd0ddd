"""What a process took, seen from outside: how much memory at most, which Linux tells in `/proc`, time and CPU."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.rig.harness import Finished
from benchmarks.rig.medians import Line

POLL_SECONDS: Final = 0.02
_FIELD: Final = re.compile(r"^(VmHWM|RssAnon):\s+(\d+) kB$", re.MULTILINE)


@dataclass(slots=True)
class Footprint:
    """Peak memory of one process in MiB; both stay 0 where there is no `/proc`.

    resident   all that it had in memory (`VmHWM`), pages of files that the system could take back included
    anonymous  what it made itself (`RssAnon`), as seen every 20 ms
    """

    resident: float = 0.0
    anonymous: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, pid: int) -> None:
        """Look at a process until it has ended; returns at once."""
        threading.Thread(target=self._poll, args=(Path(f"/proc/{pid}/status"),), daemon=True).start()

    def wait(self) -> None:
        """Return when the last look has been taken."""
        self._ended.wait()

    def _poll(self, status: Path) -> None:
        pause = threading.Event()
        while self._look(status):
            pause.wait(POLL_SECONDS)
        self._ended.set()

    def _look(self, status: Path) -> bool:
        """Tell whether there is anything more to see; a process that has ended has no memory."""
        try:
            seen = {name: int(kib) / 1024 for name, kib in _FIELD.findall(status.read_text())}
        except OSError:
            return False
        self.resident = max(self.resident, seen.get("VmHWM", 0.0))
        self.anonymous = max(self.anonymous, seen.get("RssAnon", 0.0))
        return bool(seen)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took: seconds by the clock and of CPU, and its memory."""

    seconds: float
    cpu_seconds: float
    memory: Footprint

    @classmethod
    def of(cls, done: Finished, memory: Footprint) -> Cost:
        """Tell it of a process that has ended, and was watched."""
        memory.wait()
        return cls(done.ended - done.started, done.cpu, memory)


COSTS: Final[tuple[Line[Cost], ...]] = (
    Line("wall", "s", 1, lambda each: each.seconds),
    Line("CPU", "s", 1, lambda each: each.cpu_seconds),
    Line("peak memory", "MiB", 1, lambda each: each.memory.resident),
    Line("  anonymous", "MiB", 1, lambda each: each.memory.anonymous),
)
"""What a benchmark prints of its rounds."""

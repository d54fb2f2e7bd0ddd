"""What was given in the last minute: a limit that is changed has to reckon with it."""

from __future__ import annotations

from collections import deque
from typing import Final

_MINUTE: Final = 60.0


class Taken:
    """The slots of the last minute, block by block."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[float, int]] = deque()

    def add(self, now: float, slots: int) -> None:
        """Note a block that was taken just now (monotonic seconds)."""
        self._blocks.append((now, slots))
        while now - self._blocks[0][0] > _MINUTE:
            self._blocks.popleft()

    def room_from(self, per_second: float) -> float:
        """Say from when on (monotonic seconds) slots may go at another pace, so that no 60 s hold too many.

        60 s that began with an old block hold all that was taken from then on, and what the new pace gives after that.
        0 when nothing was taken.
        """
        opens_at, since = 0.0, 0
        for at, slots in reversed(self._blocks):
            since += slots
            opens_at = max(opens_at, at + min(_MINUTE, since / per_second))
        return opens_at

"""The actor that all jobs of a fleet know: it leases slots, hears how far each is, and tells them to stop.

It lives on the node of the fleet and dies with it; a node that is lost takes no count of slots with it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from provisioner.sending.slots.desk import Desk
from provisioner.sending.slots.server import answered


class Hub:
    """What the jobs ask, and what the fleet asks; each call is short."""

    def __init__(self) -> None:
        self._desk = Desk(time.monotonic)
        self._reports: dict[str, Mapping[str, Any]] = {}
        self._stopping = False

    def answer(self, holder: str, question: list[Any]) -> list[Any]:
        """Answer a question for slots, as `sending.slots.server` has them."""
        return answered(self._desk, holder, question)

    def forget(self, holder: str) -> None:
        """Note that somebody has gone, so that the others have its part."""
        self._desk.forget(holder)

    def report(self, job: str, facts: Mapping[str, Any]) -> bool:
        """Hear how far a job is; whether it is to stop."""
        if facts:
            self._reports[job] = facts
        return self._stopping

    def reports(self) -> dict[str, Mapping[str, Any]]:
        """Give what was heard since the last time."""
        heard, self._reports = self._reports, {}
        return heard

    def stop(self) -> None:
        """Tell every job to stop when it reports next."""
        self._stopping = True

"""The client of a desk that is an actor of a Ray cluster, found by its name: slots for a pacer on any node.

Ray is imported at the first question, in a process that Ray itself has started.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from provisioner.sending.slots.link import Link

NAMESPACE: Final = "provisioner"
ACTOR: Final = "ray:"
"""Prefix of an address that is the name of an actor."""


class ActorLink(Link):
    """A `Link` to an actor; see `provisioner.fleet.cluster.hub.Hub`."""

    def __init__(self, name: str, clock: Callable[[], float], gone: Callable[[float], None]) -> None:
        super().__init__(Path(name), clock, gone)
        self._name, self._holder = name, str(uuid.uuid4())
        self._desk: Any = None

    def close(self) -> None:
        """Give up this process's part, so that the others share it."""
        if self._desk is not None:
            import ray

            with suppress(ray.exceptions.RayError):  # the actor is gone
                self._desk.forget.remote(self._holder)
            self._desk = None

    async def _asked(self, line: bytes) -> list[Any]:
        import ray

        try:
            if self._desk is None:
                self._desk = ray.get_actor(self._name, namespace=NAMESPACE)  # ValueError: there is none
            answer: list[Any] = await self._desk.answer.remote(self._holder, orjson.loads(line))
        except ray.exceptions.RayError as error:
            self._desk = None
            raise OSError(str(error)) from error
        return answer

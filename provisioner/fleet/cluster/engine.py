"""The jobs of a fleet as tasks of a Ray cluster; see `provisioner.fleet.local` for those of this machine.

A task is tried once: the fleet starts a job again when its node or its process has died, and goes on from its journal.
"""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from provisioner.errors import ConfigurationError, ExitCode, UsageError
from provisioner.files.cures import with_extra
from provisioner.fleet.cluster.hub import Hub
from provisioner.fleet.cluster.worker import OURS, carry_out
from provisioner.fleet.engine import Progress, prepared, refused
from provisioner.fleet.jobs import Fleet, Job
from provisioner.fleet.standing import KILLED, Ended
from provisioner.sending.slots.actor import ACTOR, NAMESPACE

LOCAL: Final = "local"

_SECONDS: Final = 0.5


class RayJobs:
    """Jobs as tasks of a cluster.

    ray     the library
    hub     the actor, and `name` under which jobs find it
    shared  groups whose jobs share a rate
    """

    def __init__(self, ray: Any, fleet: Fleet, hub: Any, name: str, shared: frozenset[str], every: float) -> None:
        self._ray, self._fleet, self._hub, self._name = ray, fleet, hub, name
        self._shared, self._every = shared, every
        # In a process of its own, which ends with it: no job sees what another one had in its environment.
        self._task = ray.remote(num_cpus=1, max_calls=1, max_retries=0)(carry_out)
        self._running: dict[str, Any] = {}
        self._told: dict[str, Progress] = {}

    @property
    def at_once(self) -> int:
        """Jobs that the cluster has room for."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    async def carry_out(self, job: Job, progress: Progress) -> Ended:
        """Carry out a job to its end."""
        pacer = f"{ACTOR}{self._name}" if job.group in self._shared else None
        try:
            variables, log = prepared(job, self._fleet.base, self._fleet.folder / "logs", pacer, self._every)
        except (ConfigurationError, OSError) as error:
            return refused(error)
        # Of its surroundings a node has its own.
        own = {name: value for name, value in variables.items() if name.startswith(OURS) or name in job.passed}
        self._told[job.name] = progress
        reference = self._running[job.name] = self._task.options(name=f"provisioner {job.name}").remote(
            job, str(self._fleet.base), str(log), own, self._hub
        )
        try:
            code, summary, message = await reference
        except self._ray.exceptions.RayTaskError as bug:
            return Ended(ExitCode.BUG, message=str(bug.cause))
        except self._ray.exceptions.RayError:
            return Ended(KILLED, message="its node, or its process there, has died")
        finally:
            self._running.pop(job.name, None)
        return Ended(code, summary, message)

    async def listen(self) -> None:
        """Hand on what the jobs report."""
        while True:
            with suppress(self._ray.exceptions.RayError):
                for name, facts in (await self._hub.reports.remote()).items():
                    self._told[name](facts)
            await asyncio.sleep(_SECONDS)

    def stop(self) -> None:
        """Ask all jobs to stop."""
        self._hub.stop.remote()

    def kill(self) -> None:
        """End all jobs at once."""
        for reference in self._running.values():
            self._ray.cancel(reference, force=True)


@asynccontextmanager
async def on_cluster(fleet: Fleet, address: str, every: float) -> AsyncIterator[RayJobs]:
    """Reach a cluster, or start one on this machine (`local`), until the block ends.

    Raises `UsageError` when there is none, or no Ray.
    """
    ray = _ray(address)
    try:
        name = f"fleet {uuid.uuid4()}"
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        hub = ray.remote(Hub).options(name=name, namespace=NAMESPACE, num_cpus=0, scheduling_strategy=here).remote()
        engine = RayJobs(ray, fleet, hub, name, fleet.sharing, every)
        listening = asyncio.create_task(engine.listen(), name="listen")
        try:
            yield engine
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    finally:
        ray.shutdown()


def _ray(address: str) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise UsageError(f"--ray needs Ray; {with_extra('ray')}") from None
    if "://" in address:
        raise UsageError(f"--ray {address}: give the head of the cluster as HOST:PORT, auto, or local")
    # Without an address Ray takes any cluster of this machine that it finds.
    new: Mapping[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, **new, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        first = str(error).strip().splitlines()[:1]
        raise UsageError(f"--ray {address}: no cluster there ({''.join(first)})") from None
    return ray

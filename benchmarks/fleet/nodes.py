"""Does a fleet on Ray lose, double or hurry anything when nodes die? `python -m benchmarks.fleet.nodes --removals 10`.

A roster in shards goes from a local cluster of two nodes (and a head that carries out nothing) to the emulator. In each
round a node is removed at a random instant, with all its processes, and another one joins. Each round is judged as
those of `benchmarks.fleet.kills`. Exit code 1 when something does not hold. Needs the extra `ray`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.fleet.kills import faults_of, shards_of_one_app, worst_minute
from benchmarks.rig.harness import COMMAND


class Nodes:
    """A cluster of two nodes that work."""

    def __init__(self, shards: int) -> None:
        from ray.cluster_utils import Cluster

        self._room = (shards + 1) // 2
        self._cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        self._nodes = [self._joined(), self._joined()]

    @property
    def address(self) -> str:
        """Where the head is."""
        return str(self._cluster.address)

    def lose(self, chance: random.Random) -> None:
        """Remove one at once, and have another one join."""
        lost = self._nodes.pop(chance.randrange(len(self._nodes)))
        self._cluster.remove_node(lost, allow_graceful=False)
        self._nodes.append(self._joined())

    def end(self) -> None:
        """End all of them."""
        self._cluster.shutdown()

    def _joined(self) -> Any:
        return self._cluster.add_node(num_cpus=self._room, object_store_memory=100_000_000)


def a_round(folder: Path, nodes: Nodes, rows: int, shards: int, rate: int, chance: random.Random) -> dict[str, Any]:
    """Carry a roster out while a node is lost, and judge it."""
    with shards_of_one_app(folder, rows, shards, rate) as api:
        began, at = time.monotonic(), None
        wanted = chance.randrange(rows // 20, rows * 9 // 10)
        command = [str(COMMAND), "fleet", "f.toml", "--jobs", str(shards), "--ray", nodes.address]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ) as fleet,
        ):
            while fleet.poll() is None:
                time.sleep(0.1)
                created = sum(b'"created"' in line for line in (folder / "audit").read_bytes().splitlines())
                if at is None and created >= wanted:
                    nodes.lose(chance)
                    at = created
        summary = json.loads((folder / "f.fleet" / "summary.json").read_bytes())
        found = faults_of(api, folder, rows, rate)
        if fleet.returncode != 0:
            found.append(f"exit {fleet.returncode}")
        return {
            "lost_after": at,
            "starts": sum(job["starts"] for job in summary["jobs"]),
            "seconds": round(time.monotonic() - began, 1),
            "core_requests": sum(each["group"] == "core" for each in api.audit()),
            "worst_minute": worst_minute(api),
            "faults": found,
        }


def main() -> None:
    """Run rounds until so many nodes were lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 6000), ("shards", 4), ("rate", 5000), ("removals", 10), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    chance, bad, lost = random.Random(asked.seed), 0, 0
    nodes = Nodes(asked.shards)
    try:
        for _ in range(asked.removals):
            with tempfile.TemporaryDirectory() as folder:
                each = a_round(Path(folder), nodes, asked.rows, asked.shards, asked.rate, chance)
            bad, lost = bad + bool(each["faults"]), lost + (each["lost_after"] is not None)
            print(json.dumps(each), flush=True)
    finally:
        nodes.end()
    print(
        f"{asked.removals} rounds of {asked.rows} rows in {asked.shards} shards, {lost} nodes lost, {bad} with faults"
    )
    sys.exit(1 if bad or lost < asked.removals else 0)


if __name__ == "__main__":
    main()

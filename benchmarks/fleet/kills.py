"""Does a fleet lose, double or hurry anything when shards are killed? `python -m benchmarks.fleet.kills --kills 50`.

A roster in shards, all of one app, goes to the emulator; processes of shards are killed at random instants, until there
were as many kills as asked for. Each round is judged by the emulator's audit: every user created once, every result
`created` with a token that is the user's, never more core requests in any 60 s than the rate, none turned away. Exit
code 1 when one of these does not hold.
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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig.backstage import Api, emulator
from benchmarks.rig.harness import COMMAND, NO_KEY, lines_of
from benchmarks.rig.make_roster import write_roster
from provisioner.emulator.app.audit import busiest
from provisioner.journal.lock import holder_of


@dataclass(frozen=True, slots=True)
class Round:
    """One roster, carried out to its end."""

    kills: int
    seconds: float
    worst_minute: int
    faults: tuple[str, ...]


@contextmanager
def shards_of_one_app(folder: Path, rows: int, shards: int, rate: int) -> Iterator[Api]:
    """Write a roster and the fleet `f.toml` that sends it; the app is an emulator for as long as the block lasts."""
    write_roster(folder / "r.csv", rows, seed=1, form="csv")
    (folder / "key").write_text(NO_KEY)
    (folder / "rate.toml").write_text(f"[rate]\nrequests_per_minute = {rate}\nshare = 1.0\n")
    with emulator(folder / "audit", "--latency", "20ms", "--core-limit", str(rate)) as api:
        (folder / "f.toml").write_text(
            f'[[job]]\nname = "all"\nroster = "r.csv"\nshards = {shards}\nbase_url = "{api.url}"\n'
            'api_key_file = "key"\nconfig = "rate.toml"\n'
        )
        yield api


def worst_minute(api: Api) -> int:
    """Count the most core requests that arrived in any 60 s."""
    return busiest((each["monotonic"] for each in api.audit() if each["group"] == "core"), 60)


def a_round(folder: Path, rows: int, shards: int, rate: int, kills: int, chance: random.Random) -> Round:
    """Carry a roster out while its shards are killed, at most so often, and judge it."""
    command = [str(COMMAND), "fleet", "f.toml", "--jobs", str(shards)]
    with shards_of_one_app(folder, rows, shards, rate) as api:
        began, done = time.monotonic(), 0
        for _ in range(20):
            with (
                (folder / "log").open("ab") as log,
                subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as fleet,
            ):
                while fleet.poll() is None:
                    time.sleep(chance.uniform(0.2, 1.5))
                    done += done < kills and _kill_one(folder, chance)
            if fleet.returncode in {0, 1}:
                break
        faults = tuple(faults_of(api, folder, rows, rate))
        return Round(done, time.monotonic() - began, worst_minute(api), faults)


def _kill_one(folder: Path, chance: random.Random) -> bool:
    """Kill the process of a shard that is at work; False when there is none."""
    holders = [holder_of(path) for path in (folder / "f.fleet" / "all").glob("*.journal.db")]
    running = [int(holder.split()[1]) for holder in holders if holder and holder.startswith("process ")]
    if not running:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(running), 9)
        return True
    return False


def faults_of(api: Api, folder: Path, rows: int, rate: int) -> list[str]:
    """Judge what a fleet of `all` has left, by the emulator's audit."""
    records, users = api.audit(), api.users()
    created = Counter(each["uid"] for each in records if each["did"] == "created")
    results = [line for path in (folder / "f.fleet" / "all").glob("*.results.csv") for line in lines_of(path)]
    outcomes = Counter(line["outcome"] for line in results)
    worst = worst_minute(api)
    found = {
        f"{sum(number > 1 for number in created.values())} users created twice": max(created.values(), default=1) > 1,
        f"{rows} rows, but {dict(outcomes)}": outcomes != {"created": rows},
        f"{len(created)} users, {len(results)} results": set(created) != {line["uid"] for line in results},
        "tokens that are nobody's": not all(
            line["auth_token"] in users.get(line["uid"], {}).get("tokens", ()) for line in results
        ),
        f"{worst} core requests in a minute, of {rate}": worst > rate,
        "requests that were turned away": any(each["status"] == 429 for each in records),
    }
    return [fault for fault, holds in found.items() if holds]


def main() -> None:
    """Run rounds until there were enough kills."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 6000), ("shards", 4), ("rate", 6000), ("kills", 50), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=900.0, help="begin no round after that")
    asked = parser.parse_args()
    chance, rounds, began = random.Random(asked.seed), list[Round](), time.monotonic()
    while (killed := sum(each.kills for each in rounds)) < asked.kills and time.monotonic() - began < asked.seconds:
        with tempfile.TemporaryDirectory() as folder:
            each = a_round(Path(folder), asked.rows, asked.shards, asked.rate, asked.kills - killed, chance)
        rounds.append(each)
        print(json.dumps({"kills": each.kills, "seconds": round(each.seconds, 1), "worst_minute": each.worst_minute,
                          "faults": each.faults}), flush=True)  # fmt: skip
    killed = sum(each.kills for each in rounds)
    bad = sum(bool(each.faults) for each in rounds)
    print(
        f"{len(rounds)} rounds of {asked.rows} rows in {asked.shards} shards, {killed} kills, {bad} rounds with faults"
    )
    sys.exit(1 if bad or killed < asked.kills else 0)


if __name__ == "__main__":
    main()

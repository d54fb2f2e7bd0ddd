"""The real command and a real emulator, each as a process of its own; what the end-to-end tests are made of."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from provisioner import errors
from tests.rig import forking
from tests.rig.forking import Piped, Start, fork

ROOT = Path(__file__).resolve().parents[2]
# Where it was imported from: the checkout, or an installed wheel.
PACKAGE = Path(errors.__file__).parent
SAMPLES = ROOT / "samples"
COMMAND = str(Path(sys.executable).with_name("provisioner"))
KEY = "00112233445566778899aabbccddeeff00112233"
PATIENCE = 60.0


def environment(**variables: str) -> dict[str, str]:
    """A clean environment: nothing of the developer's own settings gets in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMETCHAT_")}
    return {**kept, "COLUMNS": "100", **variables}


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log events of that name on stderr."""
        lines = [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]


@dataclass(frozen=True)
class Running:
    """A command that was started, and the files its streams go to."""

    process: ForkServerProcess
    streams: tuple[Path, Path]

    def end(self) -> Finished:
        """Wait for the end."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, "it did not end"
        stdout, stderr = (path.read_text(encoding="utf-8") for path in self.streams)
        shutil.rmtree(self.streams[0].parent)
        return Finished(self.process.exitcode, stdout, stderr)

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.join(PATIENCE)


def start(*arguments: object, cwd: Path, ahead: float = 0.0, **variables: str) -> Running:
    """Start the command, what it says going to files.

    ahead  seconds by which the clock of its machine is ahead of the right time
    """
    folder = Path(tempfile.mkdtemp(prefix="streams-"))
    streams = (folder / "stdout", folder / "stderr")
    with streams[0].open("w") as out, streams[1].open("w") as err:
        numbers = (None, out.fileno(), err.fileno())
        process = fork(Start([*map(str, arguments)], str(cwd), environment(**variables), numbers, ahead))
    return Running(process, streams)


def provisioner(*arguments: object, cwd: Path, **variables: str) -> Finished:
    """Run the command to its end."""
    return start(*arguments, cwd=cwd, ahead=0.0, **variables).end()


@contextmanager
def started(*arguments: object, cwd: Path, **variables: str) -> Iterator[Piped]:
    """Start the command and leave it running inside the block; it is killed at the end of it if it still runs."""
    process = forking.started([*map(str, arguments)], cwd, environment(**variables))
    try:
        yield process
    finally:
        process.kill()
        process.communicate(PATIENCE)


@dataclass(frozen=True)
class RunningEmulator:
    """An emulator in a process of its own, asked over HTTP."""

    url: str

    @property
    def root(self) -> str:
        """The address without the API version."""
        return self.url.removesuffix("/v3")

    def lines(self, what: str) -> list[dict[str, Any]]:
        """`audit` or `users`, one object each."""
        with urllib.request.urlopen(f"{self.root}/_emulator/{what}", timeout=PATIENCE) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def created(self) -> list[str]:
        """The uid of every user that came to be, in order; a uid created twice stands here twice."""
        return [record["uid"] for record in self.lines("audit") if record["did"] == "created"]

    def users(self) -> dict[str, dict[str, Any]]:
        """The users by uid."""
        return {user["uid"]: user for user in self.lines("users")}

    def accepts(self, uid: str, token: str) -> bool:
        """Whether the API knows this token for this user."""
        request = urllib.request.Request(f"{self.url}/users/{uid}/auth_tokens/{token}", headers={"apikey": KEY})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return bool(json.loads(answer.read())["data"]["uid"] == uid)
        except urllib.error.HTTPError:
            return False

    def post(self, what: str, body: str) -> bytes:
        """Do something behind the API's back; what it answers."""
        request = urllib.request.Request(f"{self.root}/_emulator/{what}", body.encode(), method="POST")
        return self._answer(request)

    def seed(self, *users: Mapping[str, Any]) -> None:
        """Put users there as they are."""
        self.post("users", "\n".join(map(json.dumps, users)))

    def faults(self, *script: Mapping[str, Any], **rates: float) -> None:
        """Have the next requests go wrong; without any, nothing does any more."""
        plan = {"script": script, "rates": {name.replace("_", "-"): rate for name, rate in rates.items()}}
        self.post("faults", json.dumps(plan))

    def another_hand(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Ask the API for something that this tool did not."""
        headers = {"apikey": KEY, "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        self._answer(urllib.request.Request(f"{self.url}{path}", data, headers, method=method))

    def _answer(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def flags(self) -> tuple[str, str]:
        """How the command is pointed at it."""
        return ("--base-url", self.url)


@contextmanager
def deadline(process: subprocess.Popen[str] | Piped) -> Iterator[None]:
    """Kill the process when the block takes too long: whoever reads from it then comes to an end of file."""
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


@contextmanager
def emulator(folder: Path, *options: object) -> Iterator[RunningEmulator]:
    """Run an emulator inside the block."""
    key_file = folder / "emulator.key"
    key_file.write_text(KEY)
    with started("emulator", "--port", 0, "--api-key-file", key_file, *options, cwd=folder) as process:
        with deadline(process):
            first = process.stdout.readline()
        assert first.startswith("listening on "), first
        yield RunningEmulator(first.removeprefix("listening on ").strip())


def rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV as it stands."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_roster(path: Path, people: Sequence[Mapping[str, str]]) -> Path:
    """Write people as a CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(people[0]))
        writer.writeheader()
        writer.writerows(people)
    return path


def people(number: int, first: int = 1) -> list[dict[str, str]]:
    """Make up people with nothing wrong with them."""
    return [{"uid": f"person-{n:05}", "name": f"Person {n}"} for n in range(first, first + number)]


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def interrupt(process: Piped, number: signal.Signals = signal.SIGINT) -> Finished:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    stdout, stderr = process.communicate(PATIENCE)
    return Finished(process.wait(PATIENCE), stdout, stderr)

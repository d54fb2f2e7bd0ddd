"""The `emulator` command: its options, what it prints, how it stops."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from provisioner.emulator.app.faults import Fault, FaultPlan, ScriptedFault, named
from provisioner.emulator.app.settings import (
    Constraints,
    DuplicateStyle,
    EmulatorSettings,
    HeaderStyle,
    Plan,
    Scope,
)

if TYPE_CHECKING:
    from provisioner.emulator.server import Emulator

LOCAL_KEY = "e3a1f0c2d4b5968778695a4b3c2d1e0f00112233"
"""The key of an emulator that was given none: known to everybody, and good for nothing but an emulator."""

KEY_VARIABLE = "EMULATOR_API_KEY"

_DURATION = re.compile(r"(-?\d*\.?\d+)\s*(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
_KEY = re.compile(r"[A-Za-z0-9]{20,}")
_LARGEST_KEY = 64 * 1024  # bytes
_FAULT = re.compile(r"([a-z0-9-]+)(?:=(\d*\.?\d+)(%?)|@(\d+))")


def duration(text: str) -> float:
    """Read a duration: seconds, or a number with ms, s or m. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write it as 20ms, 0.3s or 2m")
    return float(match[1]) * _UNITS[match[2]]


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _text(description: str, metavar: str = "TEXT") -> Parameter:
    return Parameter(help=description, metavar=metavar, negative=())


def _time(description: str) -> Parameter:
    # A clock may be behind: -3s is a value, no option.
    return Parameter(
        help=description,
        metavar="TIME",
        allow_leading_hyphen=True,
        converter=lambda _, tokens: duration(tokens[0].value),
    )


def _number(description: str) -> Parameter:
    return Parameter(help=description, metavar="N", converter=lambda _, tokens: _whole(tokens[0].value))


def _flag(description: str) -> Parameter:
    return Parameter(help=description, negative=())


@Parameter(name="*", group="Where it listens, and to whom")
@dataclass(frozen=True)
class Listening:
    """Where the emulator listens, and which key it accepts."""

    host: Annotated[str, _text("Address to listen on. Keep it on loopback: users and tokens can be read.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, _number("Port to listen on; 0 is any free one.")] = 8765
    api_key_file: Annotated[
        Path | None,
        _text(
            f"File with the key to accept; {KEY_VARIABLE} works too. Without either: a fixed local key.",
            metavar="FILE",
        ),
    ] = None
    scope: Annotated[Scope, Parameter(help="Scope of the key; authOnly is refused with 403.")] = "fullAccess"


@Parameter(name="*", group="How it answers")
@dataclass(frozen=True)
class Answers:
    """Wording and timing of the answers, as `EmulatorSettings` has them."""

    latency: Annotated[float, _time("Wait before every answer: 20ms, 0.3s.")] = 0.0
    latency_jitter: Annotated[float, _time("At most this much more, at random.")] = 0.0
    header_style: Annotated[
        HeaderStyle,
        Parameter(name="--headers", help="Rate headers as X-Rate-Limit-..., X-RateLimit-..., or both."),
    ] = "both"
    duplicate_style: Annotated[
        DuplicateStyle,
        Parameter(
            name="--duplicates",
            help="A taken uid: 400 ERR_UID_ALREADY_EXISTS, the older 400 with details, or 409.",
        ),
    ] = "current"
    clock_skew: Annotated[float, _time("How far the server's clock is ahead.")] = 0.0


@Parameter(name="*", group="What it limits")
@dataclass(frozen=True)
class Limits:
    """The limits of the app, as `EmulatorSettings` has them."""

    plan: Annotated[Plan, Parameter(help="free: 500 requests per window in all, and 100 users at most.")] = "paid"
    core_limit: Annotated[int, _number("Creates, deletions and new tokens per window.")] = 10_000
    standard_limit: Annotated[int, _number("All other requests per window.")] = 20_000
    window: Annotated[float, _time("Length of a rate window.")] = 60.0
    quota: Annotated[int | None, _number("Users the app can hold; then 402.")] = None


@Parameter(name="*", group="What goes wrong")
@dataclass(frozen=True)
class Faults:
    """The faults that strike on demand."""

    fault: Annotated[
        list[str] | None,
        _text(
            "Make a fault strike at that rate (0.01 or 1%), or the N-th request. May be repeated. "
            f"Names: {', '.join(Fault)}.",
            metavar="NAME=RATE|NAME@N",
        ),
    ] = None
    fault_script: Annotated[
        Path | None,
        _text('JSON: {"rates": {NAME: RATE}, "script": [{"fault", "nth", "times", "uid", "route"}]}.', metavar="FILE"),
    ] = None
    seed: Annotated[int, _number("The same seed gives the same users the same faults.")] = 0


@Parameter(name="*", group="What it holds and keeps")
@dataclass(frozen=True)
class Contents:
    """What is there at the start, and what is written down."""

    role: Annotated[list[str] | None, _text("A role that exists besides default. May be repeated.")] = None
    users: Annotated[Path | None, _text('Users that exist already, one {"uid": ...} per line.', metavar="FILE")] = None
    sample_users: Annotated[bool, _flag("Begin with the five sample users of a new app.")] = False
    strict_uids: Annotated[bool, _flag("Refuse _ in a uid.")] = False
    audit: Annotated[
        Path | None, _text("Append every request to this file, one JSON object per line.", metavar="FILE")
    ] = None


def emulator(
    *,
    listening: Listening | None = None,
    answers: Answers | None = None,
    limits: Limits | None = None,
    faults: Faults | None = None,
    contents: Contents | None = None,
) -> int:
    """Run a local stand-in for the CometChat API, for rehearsals and tests.

    It keeps users, auth tokens and roles in memory, and checks what it is sent.
    It limits the rate as the API does, and lets things go wrong on demand.
    Nothing leaves this machine. Ctrl-C ends it.
    """
    import asyncio

    listening, contents = listening or Listening(), contents or Contents()
    try:
        key = _key(listening.api_key_file)
        settings = EmulatorSettings(
            host=listening.host,
            port=listening.port,
            api_key=key or LOCAL_KEY,
            scope=listening.scope,
            faults=_faults(faults or Faults()),
            seed=faults.seed if faults else 0,
            audit_path=contents.audit,
            roles=("default", *(contents.role or ())),
            sample_users=contents.sample_users,
            constraints=Constraints(uid_allow_underscore=not contents.strict_uids),
            **vars(answers or Answers()),
            **vars(limits or Limits()),
        )
        lines = contents.users.read_bytes().splitlines() if contents.users else []
        asyncio.run(_serve(settings, contents.users, lines, show_key=key is None))
    except ValueError as wrong:
        return _refuse(str(wrong))
    except OSError as wrong:
        return _refuse(_os_error(wrong, listening))
    return 0


def _key(path: Path | None) -> str | None:
    """Give the key from the file or the environment; None when there is none. Raises ValueError."""
    if path is None:
        return os.environ.get(KEY_VARIABLE, "").strip() or None
    if _KEY.fullmatch(path.name) and not path.exists():
        raise ValueError("--api-key-file: no such file, and it looks like the key itself; give the file that holds it")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_KEY + 1)
    except OSError as wrong:
        cure = "name the file that holds the key, or leave the option out"
        raise ValueError(f"{path}: cannot be read ({wrong.strerror}); {cure}") from None
    if len(content) > _LARGEST_KEY:
        raise ValueError(f"{path}: the key should be in this file, and it is too large to hold one")
    try:
        key = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        key = "\0"
    if "\0" in key:
        raise ValueError(f"{path}: the key should be in this file, and it is not UTF-8 text; save it as UTF-8")
    if not key:
        raise ValueError(
            f"{path}: the key should be in this file, and it is empty; put it there, or leave the option out"
        )
    return key


def _faults(options: Faults) -> FaultPlan:
    """Make one plan of the options and the script. Raises OSError, ValueError."""
    plan, script = FaultPlan(), options.fault_script
    if script:
        try:
            plan = FaultPlan.from_json(json.loads(script.read_bytes()))
        except ValueError as wrong:
            raise ValueError(f"{script}: {wrong}") from None
    rates, scripted = dict(plan.rates), list(plan.script)
    for option in options.fault or ():
        match = _FAULT.fullmatch(option.strip())
        if match is None:
            raise ValueError(f"--fault {option}: write it as lost-reply=0.01, lost-reply=1% or lost-reply@500")
        if match[4]:
            scripted.append(ScriptedFault(named(match[1]), nth=int(match[4])))
        else:
            rates[named(match[1])] = float(match[2]) / (100 if match[3] else 1)
    return FaultPlan(rates=rates, script=tuple(scripted), error_status=plan.error_status)


async def _serve(settings: EmulatorSettings, users: Path | None, lines: Sequence[bytes], *, show_key: bool) -> None:
    """Serve until a signal says to stop. Raises OSError, and ValueError for users that are none."""
    import asyncio

    from provisioner.emulator.server import run_emulator

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with run_emulator(settings) as running:
        try:
            running.seed(lines)
        except ValueError as wrong:
            raise ValueError(f"{users}: {wrong}") from None
        print(f"listening on {running.url}", flush=True)
        print(_instructions(running, show_key=show_key), flush=True)
        await stop.wait()


def _instructions(running: Emulator, *, show_key: bool) -> str:
    root = running.url.rpartition("/")[0]
    given = "" if show_key else f", once COMETCHAT_API_KEY is the key you gave in a file or in {KEY_VARIABLE}"
    key = f"  export COMETCHAT_API_KEY={running.api_key}\n" if show_key else ""
    return f"""
In another terminal{given}:
{key}  provisioner run users.csv --base-url {running.url}

To look behind the scenes, at what was done and the busiest minute, the users with their tokens, every request:
  curl {root}/_emulator/stats
  curl {root}/_emulator/users
  curl {root}/_emulator/audit

Ctrl-C ends it; nothing is kept."""


def _os_error(wrong: OSError, listening: Listening) -> str:
    if wrong.filename:
        return f"{wrong.filename}: {wrong.strerror}"
    if wrong.errno == errno.EADDRINUSE:
        where = f"port {listening.port} of {listening.host}"
        return f"{where} is in use; choose another with --port, or any free one with --port 0"
    if isinstance(wrong, socket.gaierror) or wrong.errno in {errno.EADDRNOTAVAIL, errno.EACCES}:
        why, where = str(wrong.strerror).rpartition(": ")[2], f"{listening.host}, port {listening.port}"
        return f"{where}: cannot be listened on ({why}); choose another --host or --port"
    return str(wrong)


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2

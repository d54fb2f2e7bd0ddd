"""The `emulator` command: its options, what it prints, how it stops."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

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
_FAULT = re.compile(r"([a-z0-9-]+)(?:=(\d*\.?\d+)(%?)|@(\d+))")


def duration(text: str | float) -> float:
    """Read a duration: seconds, or a number with ms, s or m. Raises typer.BadParameter."""
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration; write it as 20ms, 0.3s or 2m")
    return float(match[1]) * _UNITS[match[2]]


def emulator(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Keep it on loopback: users and tokens can be read.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 is any free one.", max=65535)] = 8765,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help=f"File with the key to accept; {KEY_VARIABLE} works too. Without either: a fixed local key."),
    ] = None,
    scope: Annotated[Scope, typer.Option(help="Scope of the key; authOnly is refused with 403.")] = "fullAccess",
    latency: Annotated[
        float, typer.Option(parser=duration, metavar="TIME", help="Wait before every answer: 20ms, 0.3s.")
    ] = 0.0,
    latency_jitter: Annotated[
        float, typer.Option(parser=duration, metavar="TIME", help="At most this much more, at random.")
    ] = 0.0,
    plan: Annotated[Plan, typer.Option(help="free: 500 requests per window in all, and 100 users at most.")] = "paid",
    core_limit: Annotated[int, typer.Option(help="Creates, deletions and new tokens per window.")] = 10_000,
    standard_limit: Annotated[int, typer.Option(help="All other requests per window.")] = 20_000,
    window: Annotated[float, typer.Option(parser=duration, metavar="TIME", help="Length of a rate window.")] = 60.0,
    headers: Annotated[
        HeaderStyle, typer.Option(help="Rate headers as X-Rate-Limit-..., X-RateLimit-..., or both.")
    ] = "both",
    duplicates: Annotated[
        DuplicateStyle,
        typer.Option(help="A taken uid: 400 ERR_UID_ALREADY_EXISTS, the older 400 with details, or 409."),
    ] = "current",
    clock_skew: Annotated[
        float, typer.Option(parser=duration, metavar="TIME", help="How far the server's clock is ahead.")
    ] = 0.0,
    quota: Annotated[int | None, typer.Option(help="Users the app can hold; then 402.", min=0)] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=RATE|NAME@N",
            help="Make a fault strike at that rate (0.01 or 1%), or the N-th request. May be repeated. "
            f"Names: {', '.join(Fault)}.",
        ),
    ] = None,
    fault_script: Annotated[
        Path | None,
        typer.Option(help='JSON: {"rates": {NAME: RATE}, "script": [{"fault", "nth", "times", "uid", "route"}]}.'),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same users the same faults.")] = 0,
    audit: Annotated[
        Path | None, typer.Option(help="Append every request to this file, one JSON object per line.")
    ] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role that exists besides default. May be repeated.")] = None,
    users: Annotated[Path | None, typer.Option(help='Users that exist already, one {"uid": ...} per line.')] = None,
    sample_users: Annotated[
        bool, typer.Option("--sample-users", help="Begin with the five sample users of a new app.")
    ] = False,
    strict_uids: Annotated[bool, typer.Option("--strict-uids", help="Refuse _ in a uid.")] = False,
) -> None:
    """Run a local stand-in for the CometChat API, for rehearsals and tests.

    It keeps users, auth tokens and roles in memory, and checks what it is sent.
    It limits the rate as the API does, and lets things go wrong on demand.
    Nothing leaves this machine. Ctrl-C ends it.
    """
    import asyncio

    try:
        given_key = _key(api_key_file)
        settings = EmulatorSettings(
            host=host,
            port=port,
            api_key=given_key or LOCAL_KEY,
            scope=scope,
            latency=latency,
            latency_jitter=latency_jitter,
            plan=plan,
            core_limit=core_limit,
            standard_limit=standard_limit,
            window=window,
            header_style=headers,
            duplicate_style=duplicates,
            clock_skew=clock_skew,
            quota=quota,
            faults=_faults(fault or (), fault_script),
            seed=seed,
            audit_path=audit,
            roles=("default", *(role or ())),
            sample_users=sample_users,
            constraints=Constraints(uid_allow_underscore=not strict_uids),
        )
        lines = users.read_bytes().splitlines() if users else []
        asyncio.run(_serve(settings, users, lines, show_key=given_key is None))
    except ValueError as wrong:
        _refuse(str(wrong))
    except OSError as wrong:
        _refuse(_told(wrong, host, port))


def _key(path: Path | None) -> str | None:
    """Give the key from the file or the environment; None when there is none. Raises OSError, ValueError."""
    if path is None:
        return os.environ.get(KEY_VARIABLE, "").strip() or None
    key = path.read_text(encoding="utf-8").strip()
    if not key:
        raise ValueError(f"{path}: the key should be in this file, and it is empty")
    return key


def _faults(options: Sequence[str], script: Path | None) -> FaultPlan:
    """Make one plan of the options and the script. Raises OSError, ValueError."""
    plan = FaultPlan()
    if script:
        try:
            plan = FaultPlan.from_json(json.loads(script.read_bytes()))
        except ValueError as wrong:
            raise ValueError(f"{script}: {wrong}") from None
    rates, scripted = dict(plan.rates), list(plan.script)
    for option in options:
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
        typer.echo(f"listening on {running.url}")
        typer.echo(_instructions(running, show_key=show_key))
        await stop.wait()


def _instructions(running: Emulator, *, show_key: bool) -> str:
    root = running.url.rpartition("/")[0]
    key = running.api_key if show_key else f"<the key you gave, in a file or in {KEY_VARIABLE}>"
    return f"""
In another terminal:
  export COMETCHAT_API_KEY={key}
  provisioner run ROSTER --base-url {running.url}

To look behind the scenes:
  curl {root}/_emulator/stats     what was done, and the busiest minute
  curl {root}/_emulator/users     the users, with their tokens
  curl {root}/_emulator/audit     every request

Ctrl-C ends it; nothing is kept."""


def _told(wrong: OSError, host: str, port: int) -> str:
    if wrong.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another with --port, or any free one with --port 0"
    return f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)

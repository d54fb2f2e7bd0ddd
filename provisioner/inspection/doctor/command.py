"""`doctor`: looks at all that a run depends on, sends nothing that changes anything, and says what to do."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rich.text import Text

from provisioner import __version__
from provisioner.errors import ConfigurationError
from provisioner.files.cures import ANOTHER_OUTPUT, cure_at
from provisioner.inspection.doctor import connection, diagnosis, machine
from provisioner.inspection.doctor.diagnosis import Check, Status
from provisioner.inspection.doctor.journalhealth import journal_health
from provisioner.journal.header import EMULATOR, Identity
from provisioner.results.outputs import journal_of
from provisioner.results.tables import plain_table, printed
from provisioner.sending.calls import NOBODY, Operation, Reply
from provisioner.sending.client import Client, Timeouts, proxy_for
from provisioner.sending.users.needs import FIRST_PAGE
from provisioner.settings.apikey import address_beside, find_api_key
from provisioner.settings.layers import DEFAULT
from provisioner.settings.tables import Loaded, Settings
from provisioner.wording import json_text

DISTRIBUTION: Final = "cometchat-provisioner"
"""What the package index calls us; the short name is somebody else's."""

# Seconds for each thing that is asked of the network. Nothing is tried twice: a person is waiting.
PATIENCE: Final = 10.0

_COLOURS: Final[Mapping[Status, str]] = {Status.OK: "green", Status.WARNING: "yellow", Status.ERROR: "red"}


LIBRARIES: Final = (
    "aiohttp", "aiolimiter", "cyclopts", "jinja2", "msgspec", "orjson", "polars", "pydantic", "rich", "structlog",
    "uvloop", "xlsxwriter",
)  # fmt: skip
"""What a run stands on; of those that it needs the version is judged."""


def diagnose(loaded: Loaded, environment: Mapping[str, str], state: Path | None) -> list[Check]:
    """Carry out every check; `state` is a journal to look at."""
    return asyncio.run(_diagnose(loaded, environment, state))


async def _diagnose(loaded: Loaded, environment: Mapping[str, str], state: Path | None) -> list[Check]:
    settings, key = loaded.settings, ""
    checks = [_software(), _configuration(loaded)]
    if settings.api.emulator:
        checks.append(Check("api_key", Status.OK, "the built-in emulator's own"))
        from provisioner.run.command import emulated

        async with emulated(settings) as target:
            checks += await _network(target.base_url, target.api_key, settings)
    else:
        key, about_key = _api_key(settings, environment)
        url, about_url = _base_url(loaded, key)
        checks += [about_key, about_url, *(await _network(url, key, settings) if url else [])]
    checks.append(_output(settings))
    journal = state or _journal(settings)
    return [*checks, journal_health(journal, _identity(settings, key))] if journal else checks


def show(checks: Sequence[Check], *, as_json: bool) -> str:
    """Give the checks as a table for people, or as one JSON object."""
    if as_json:
        document = {"checks": [asdict(each) for each in checks], "exit_code": diagnosis.exit_code(checks)}
        return json_text(document)
    table = plain_table()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in checks:
        message = Text(each.seen).append(f"\n→ {each.do}" if each.do else "", _COLOURS[each.status])
        table.add_row(Text(each.status, _COLOURS[each.status]), Text(each.name.replace("_", " ")), message)
    return printed(lambda console: console.print(table))


# --- this machine ---


def _software() -> Check:
    installed = {"provisioner": __version__, **{name: _version(name) for name in LIBRARIES}}
    try:
        needed = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # started from its sources: nobody says what it needs
        needed = []
    return machine.software(sys.version_info[:3], installed, needed)


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _configuration(loaded: Loaded) -> Check:
    limits = asdict(loaded.settings.constraints)
    own = {key: value for key, value in limits.items() if loaded.origin("constraints", key) != DEFAULT}
    return machine.configuration(None if loaded.config is None else str(loaded.config), own)


def _api_key(settings: Settings, environment: Mapping[str, str]) -> tuple[str, Check]:
    try:
        key, origin = find_api_key(settings, environment)
    except ConfigurationError as error:
        return "", diagnosis.refused("api_key", str(error))
    file = settings.api.api_key_file
    mode = file.stat().st_mode if file is not None and origin == str(file) else None
    return key.get_secret_value(), machine.api_key(origin, mode)


def _base_url(loaded: Loaded, key: str) -> tuple[str, Check]:
    try:
        url = address_beside(key, loaded.settings)
    except ConfigurationError as error:
        return "", diagnosis.refused("base_url", str(error))
    keys = ("base_url",) if loaded.settings.api.base_url else ("app_id", "region")
    origins = dict.fromkeys(loaded.origin("api", key) for key in keys)
    return url, machine.base_url(url, " and ".join(origins))


def _output(settings: Settings) -> Check:
    folder = settings.output.file.parent if settings.output.file else Path()
    # A folder that is not there is made by the run: what counts is the nearest one that is.
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if _is_there(each))
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        free = None
    cure = cure_at(journal_of(settings.output.file)) if settings.output.file else ANOTHER_OUTPUT
    return machine.output(str(folder), cure, writable=writable, free=free, made=there != folder.absolute())


def _journal(settings: Settings) -> Path | None:
    """Find a journal by the configuration: the state of a sync, or the one beside the output, if it is there."""
    beside = journal_of(settings.output.file) if settings.output.file else None
    return next((each for each in (settings.sync.state, beside) if each is not None and _is_there(each)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that cannot be looked into
        return False


def _identity(settings: Settings, key: str) -> Identity | None:
    if settings.api.emulator:
        return EMULATOR
    try:
        app = settings.api.app_id if settings.api.base_url is None else None
        return Identity(app or "", address_beside(key, settings))
    except ConfigurationError:
        return None


# --- the network ---


async def _network(url: str, key: str, settings: Settings) -> list[Check]:
    """Ask the API three times at most: for one user, for the first thousand, and for the roles.

    key  empty when there is none
    """
    try:
        proxy = proxy_for(url)
    except ConfigurationError as error:
        return [diagnosis.refused("proxy", str(error))]
    parts, began = urlsplit(url), time.monotonic()
    limits, agent = Timeouts(PATIENCE, PATIENCE, PATIENCE), f"provisioner/{__version__}"
    async with Client(url, key, timeouts=limits, in_flight=1, agent=agent) as client:
        reply = await client.send(Operation.PROBE, NOBODY)
        seconds = time.monotonic() - began
        way = [
            *([] if proxy is None else [connection.proxy(proxy.shown, proxy.variable)]),
            await _dns(parts.hostname or "", reply, proxied=proxy is not None),
            connection.network(reply, tls=parts.scheme == "https", seconds=seconds),
        ]
        if not connection.reached(reply):
            return way
        theirs = client.clock.now()
        way.append(connection.clock(None if theirs is None else theirs - time.time(), seconds))
        return way + (await _answers(client, reply, settings) if key else [])


async def _answers(client: Client, reply: Reply, settings: Settings) -> list[Check]:
    accepted = connection.access(reply)
    if accepted.status is not Status.OK:
        return [accepted]
    rate = settings.rate
    limit = connection.rate_limit(reply.limit, rate.requests_per_minute, rate.standard_requests_per_minute)
    listed = await client.send(Operation.LIST, NOBODY, FIRST_PAGE)
    underscore, most = settings.constraints.uid_allow_underscore, settings.api.max_users
    users = connection.users(listed, underscore=underscore, most=most)
    found = await client.send(Operation.ROLES, NOBODY)
    return [accepted, limit, users, connection.roles(found, connection.constant_roles(settings.columns))]


async def _dns(host: str, reply: Reply, *, proxied: bool) -> Check:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return connection.dns(host, [], str(error) or "no answer in time", reply, proxied=proxied)
    return connection.dns(host, list(dict.fromkeys(str(address[0]) for *_, address in found)), "", reply)

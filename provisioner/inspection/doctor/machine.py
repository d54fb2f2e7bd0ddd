"""This machine: software, configuration, key, address, output folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from provisioner.inspection.doctor.diagnosis import Check, Status

# Bytes: less free space than this is soon used up by a journal and its results.
LITTLE_SPACE: Final = 100 * 1024 * 1024
PYTHON_NEEDED: Final = (3, 11)

# Without TLS, and not to this machine itself.
_IN_THE_CLEAR: Final = re.compile(r"http://(?!(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$))", re.IGNORECASE)
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9_.-]+)>=([\d.]+)$")


def software(python: tuple[int, int, int], installed: Mapping[str, str | None], needed: Sequence[str]) -> Check:
    """Judge the versions of Python and of the libraries.

    installed  library → its version; None when it is not there
    needed     requirements as the package states them: `polars>=2.0`
    """
    message = ".".join(map(str, python))
    listed = ", ".join(f"{name} {version}" for name, version in installed.items() if version)
    least = {match[1]: match[2] for each in needed if (match := _REQUIREMENT.fullmatch(each))}
    wrong = [name for name, version in least.items() if _release(installed.get(name) or "") < _release(version)]
    seen = f"Python {message}; {listed}"
    if python[:2] < PYTHON_NEEDED:
        wanted = ".".join(map(str, PYTHON_NEEDED))
        return Check("software", Status.ERROR, seen, f"use Python {wanted} or newer")
    if wrong:
        wanted = ", ".join(f"{name} {least[name]} or newer" for name in wrong)
        return Check("software", Status.ERROR, seen, f"install {wanted}")
    return Check("software", Status.OK, seen)


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def configuration(file: str | None, overridden: Mapping[str, object]) -> Check:
    """Name the config file, and the limits it sets itself."""
    seen = file or "no config file; flags, environment and defaults only"
    if overridden:
        seen += "; own limits: " + ", ".join(f"{key} = {_toml(value)}" for key, value in overridden.items())
    return Check("configuration", Status.OK, seen)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def api_key(origin: str, mode: int | None) -> Check:
    """Judge where the key comes from; `mode` is that of the file that holds it, None when it is in no file."""
    if mode is not None and mode & 0o077:
        seen = f"in {origin}, which others on this machine can get at (mode {mode & 0o777:04o})"
        return Check("api_key", Status.WARNING, seen, f"chmod 600 {origin}")
    return Check("api_key", Status.OK, f"in {origin}")


def base_url(url: str, origin: str) -> Check:
    """Judge the API's address by its looks."""
    seen = f"{url}, from {origin}"
    if _IN_THE_CLEAR.match(url):
        return Check("base_url", Status.WARNING, f"{seen}: the key travels in the clear", "use https")
    return Check("base_url", Status.OK, seen)


_THERE: Final = ("can be written to", "cannot be written to")
_TO_BE_MADE: Final = ("is not there and will be made", "is not there and cannot be made")


def output(folder: str, cure: str, *, writable: bool, free: int | None, made: bool = False) -> Check:
    """Judge the folder that results go to.

    cure  what to do where it cannot be written to
    free  in bytes, None when it is not known
    made  it is not there, and a run makes it
    """
    can, cannot = (f"{folder}: {each}" for each in (_TO_BE_MADE if made else _THERE))
    if not writable:
        return Check("output", Status.ERROR, cannot, cure)
    if free is None:
        return Check("output", Status.OK, can)
    seen = f"{can}, {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        return Check("output", Status.WARNING, seen, "make room: a run writes a journal and the results")
    return Check("output", Status.OK, seen)

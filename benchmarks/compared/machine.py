"""What a benchmark ran on: the machine, how busy it was, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

PACKAGES: Final = (
    "aiohttp", "uvloop", "orjson", "polars", "pydantic", "httpx", "requests", "dataframely",
)  # fmt: skip
"""Whose versions decide the figures."""


def missing(packages: Iterable[str]) -> list[str]:
    """Name those that are not installed."""
    return [name for name in packages if _version(name) is None]


def described() -> Iterator[str]:
    """Say what this is, a sentence a line."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; load before: {load}"
    found = [f"{name} {number}" for name in PACKAGES if (number := _version(name)) is not None]
    yield f"Python {platform.python_version()}; {', '.join(found)}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        name = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        name = None
    return name[1] if name else platform.processor() or platform.machine()

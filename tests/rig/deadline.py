"""Coroutines of tests whose clock is real: what hangs fails, and by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
    """Run to the end; raises `TimeoutError` when that takes longer."""

    async def main() -> T:
        async with asyncio.timeout(seconds):
            return await coroutine

    return asyncio.run(main())

"""The table of a benchmark's rounds: every line's median, with its lowest and its highest round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Line(Generic[R]):
    """One line of the table: what it is, its unit, its digits after the point, and how to get it from a round."""

    name: str
    unit: str
    digits: int
    of: Callable[[R], float]


def table(lines: Iterable[Line[R]], rounds: Sequence[R]) -> str:
    """Lay out the medians, each with the lowest and the highest round."""
    laid = [f"{'':36}{'median':>12}{'lowest':>12}{'highest':>12}"]
    for line in lines:
        values = [line.of(each) for each in rounds]
        numbers = (f"{value:12,.{line.digits}f}" for value in (statistics.median(values), min(values), max(values)))
        laid.append(f"{line.name:36}{''.join(numbers)}  {line.unit}".rstrip())
    return "\n".join(laid)

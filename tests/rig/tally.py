"""A tally written in one line: the members of its parts, and outcomes by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from provisioner.model import Outcome
from provisioner.tally import OutcomeTally, RequestTally, RowTally, Tally


def a_tally(drift: Mapping[str, int] | None = None, **facts: Any) -> Tally:
    """Make one: `a_tally(checked=3, rejected=1, sent=2, created=1, failed=1)`; `rejected` is that of the rows."""
    rows = {name: facts.pop(name) for name in _names(RowTally) if name in facts}
    requests = {name: facts.pop(name) for name in _names(RequestTally) if name in facts}
    skipped = facts.pop("skipped", 0)
    settled = Counter({Outcome(name): number for name, number in facts.items()})
    outcomes = OutcomeTally(skipped, settled, Counter(drift or {}))
    return Tally(RowTally(**rows), RequestTally(**requests), outcomes)


def _names(kind: type) -> list[str]:
    return [each.name for each in fields(kind)]

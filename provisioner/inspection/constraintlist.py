"""What CometChat allows a user to be, to be read or to be parsed: limits, defects, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from provisioner.results.tables import Entry, Listing, printed
from provisioner.validation.constraints import AS_OF, BEYOND, DEFECTS, LIMITS, Advice, Constraints, Limit
from provisioner.validation.warnings import WARNINGS
from provisioner.wording import json_text

Overrides = Mapping[str, int | bool]


def constraint_list(constraints: Constraints, *, as_json: bool) -> str:
    """Give the list as one JSON object, or as tables as wide as the terminal (100 columns where there is none)."""
    changed = constraints.overridden
    if as_json:
        return json_text(_document(changed))
    return printed(lambda console: console.print(Group(*_tables(changed))))


def _document(changed: Overrides) -> dict[str, Any]:
    return {
        "as_of": AS_OF,
        "constraints": {name: _limit(name, limit, changed) for name, limit in LIMITS.items()},
        "beyond_a_create": {name: asdict(beyond) for name, beyond in BEYOND.items()},
        "defects": {code: _advice(advice) for code, advice in DEFECTS.items()},
        "warnings": {code: _advice(advice) for code, advice in WARNINGS.items()},
    }


def _advice(advice: Advice) -> dict[str, Any]:
    kinds = {"kinds": dict(advice.kinds)} if advice.kinds else {}
    return {"meaning": advice.meaning, "mend": advice.mend, **kinds}


def _limit(name: str, limit: Limit, changed: Overrides) -> dict[str, Any]:
    return {
        "limit": changed.get(name, limit.default),
        "documented": limit.default,
        "overridden": name in changed,
        "unit": limit.unit,
        "meaning": limit.meaning,
        "source": limit.source,
    }


def _tables(changed: Overrides) -> Iterator[RenderableType]:
    sources = list(dict.fromkeys(limit.source for limit in LIMITS.values()))
    limits = [_limit_entry(name, limit, changed, sources.index(limit.source)) for name, limit in LIMITS.items()]
    yield Text(f"What CometChat allows a user to be, by its pages as read in {AS_OF}:\n")
    yield Listing(("constraint", "limit", "what it holds for"), limits, below=1)
    yield Text("\n".join(["", *(f"[{number}] {source}" for number, source in enumerate(sources, start=1))]))
    yield Text("[constraints] in the config changes these limits.")
    yield Text("\nLimits of the same page [1] that no create can break by itself:\n")
    beyond = [
        Entry((Text(name), Text(each.limit), Text(each.handled)), Text(name, "bold")) for name, each in BEYOND.items()
    ]
    yield Listing(("limit of", "documented", "what is done about it"), beyond, below=2)
    yield Text("\nA row with one of these defects is rejected:\n")
    yield Listing(("defect", "meaning", "how to mend"), _advice_entries(DEFECTS), below=2)
    yield Text("\nA row with one of these is warned of, and rejected with --strict:\n")
    yield Listing(("warning", "meaning", "how to mend"), _advice_entries(WARNINGS), below=2)


def _limit_entry(name: str, limit: Limit, changed: Overrides, source: int) -> Entry:
    documented = limit.described(limit.default)
    allowed = Text(documented)
    if name in changed:
        allowed = Text.assemble((limit.described(changed[name]), "yellow"), f", overridden (documented: {documented})")
    cells = (Text(name), allowed, Text(f"{limit.meaning} [{source + 1}]"))
    return Entry(cells, Text.assemble((name, "bold"), "  ", allowed))


def _advice_entries(table: Mapping[str, Advice]) -> list[Entry]:
    return [
        Entry((Text(code), Text(advice.meaning), Text(advice.mend)), Text(code, "bold"))
        for code, advice in table.items()
    ]

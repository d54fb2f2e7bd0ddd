"""What comes of one campaign, for people and for machines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")

_OFFENDERS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Report(Generic[Options]):
    """What came of one campaign: `offenders` by check, one line each, and the figures beside them."""

    options: Options
    offenders: Mapping[str, Sequence[str]]
    figures: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every check came out at zero."""
        return not any(self.offenders.values())

    @property
    def document(self) -> dict[str, Any]:
        """The same for machines."""
        counts = {name: len(lines) for name, lines in self.offenders.items()}
        return {"options": asdict(self.options), "passed": self.passed, "offenders": counts, **self.figures}


def tell_offenders(report: Report[Any]) -> None:
    """Print the first offenders of every check to stderr."""
    for name, lines in report.offenders.items():
        for line in lines[:_OFFENDERS_SHOWN]:
            print(f"{name}: {line}", file=sys.stderr)

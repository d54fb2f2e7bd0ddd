"""Of which columns `deactivated` is made: where a list would pass over somebody, it is one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from provisioner.validation.vocabulary.standing import Standing, standing

NOW = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
ENABLED = {"column": "enabled", "map": {"true": False, "false": True}}
STATUS = {"column": "Status", "map": {"aktiv": False, "gesperrt": True}}
MANY = {"column": "Status", "map": {"terminated": True}, "default": False}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"suspended": ("suspended", ["0", "1", "0"]), "deleted": ("deleted", ["0", "0", "1"])},
         Standing("suspended", ("suspended",), ("deleted",), nobody=False)),
        ({"suspended": ("suspended", ["0", "1", "0"]), "deleted": ("deleted", ["1", "0", "1"])},
         Standing("deleted", ("deleted",), ("suspended",), nobody=False)),
        ({"enabled": (ENABLED, ["true", "false", "true"]), "deleted": ("deleted", ["0", "0", "1"])},
         Standing(ENABLED, ("enabled",), ("deleted",), nobody=False)),
        ({"blocked": ("blocked", ["yes", None, None]), "deleted": ("deleted", [None, "yes", None])},
         Standing(["blocked", "deleted"], ("blocked", "deleted"), (), nobody=False)),
        # who is filled in both is said to have left by the first
        ({"Status": (STATUS, ["aktiv", "gesperrt"]), "Austritt": ("Austritt", ["2020-01-01", None])},
         Standing(["Austritt", STATUS], ("Austritt", "Status"), (), nobody=False)),
        # a day to come would hide what the other says
        ({"Status": (STATUS, ["gesperrt", "gesperrt"]), "Austritt": ("Austritt", ["2099-01-01", None])},
         Standing(STATUS, ("Status",), ("Austritt",), nobody=False)),
        ({"Austritt": ("Austritt", ["2099-01-01", None])}, Standing("Austritt", ("Austritt",), (), nobody=False)),
        # of many words only what stands for the rest is known: it comes last, and an empty cell is one of the rest
        ({"Status": (MANY, ["odd", None]), "Austritt": ("Austritt", ["2020-01-01", None])},
         Standing(["Austritt", MANY], ("Austritt", "Status"), (), nobody=False)),
        ({"Status": (STATUS, ["aktiv", "aktiv"])}, Standing(STATUS, ("Status",), (), nobody=True)),
        # without a row nobody knows what is filled
        ({"suspended": ("suspended", []), "deleted": ("deleted", [])},
         Standing("suspended", ("suspended",), ("deleted",), nobody=False)),
    ],
)  # fmt: skip
def test_a_list_is_made_only_of_columns_none_of_which_hides_another(
    columns: dict[str, tuple[Any, list[str | None]]], expected: Standing
) -> None:
    """Else it is the one that says it of most people, or the best known."""
    frame = pl.DataFrame({name: pl.Series(cells, dtype=pl.String) for name, (_, cells) in columns.items()})
    assert standing(frame, {name: source for name, (source, _) in columns.items()}, NOW) == expected

"""What a journal keeps by name."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from provisioner.journal.meta import Meta
from provisioner.journal.schema import bring_up_to_date


def test_what_is_kept_by_a_name_is_given_back_until_it_is_dropped() -> None:
    """The last text counts, an empty one as well; what was never kept is none."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        bring_up_to_date(database, 0, {"app_id": "app1"})
        meta = Meta(database)
        for text in ("50.25", ""):
            meta.put("roster", text)
            assert (meta.get("roster"), meta.get("app_id"), meta.get("untold")) == (text, "app1", None)
        meta.drop("roster")
        meta.drop("untold")
        assert (meta.get("roster"), meta.get("app_id")) == (None, "app1")

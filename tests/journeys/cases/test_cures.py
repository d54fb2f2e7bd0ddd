"""The cures that are printed cure: they are taken as they stand, and all rows are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rig.command import provisioner


@pytest.mark.parametrize("column", ["uid", "login", "E-Mail (work)"])
@pytest.mark.parametrize("other", ["bob", "Bob"])
def test_addresses_as_uids_are_mended_with_the_column_that_is_there(tmp_path: Path, column: str, other: str) -> None:
    """In `[columns]` as printed, whatever the column is called; addresses with capitals are folded as well."""
    (tmp_path / "e.csv").write_text(f"{column},name\nann@x.org,Ann\n{other}@x.org,Bob\n")
    config = tmp_path / "provisioner.toml"
    config.write_text(f'[columns]\nuid = "{column}"\n')
    ended = provisioner("validate", "e.csv", "--json", cwd=tmp_path)
    words = ended.summary["defects"]["uid.charset"]["mend"]
    lower = ", lower = true" if other == "Bob" else ""
    (cure,) = re.findall(r"uid = \{.*?\}", words)
    assert cure == f'uid = {{ column = "{column}", encode = "cometchat"{lower} }}'
    config.write_text(f"[columns]\n{cure}\n")
    mended = provisioner("validate", "e.csv", "--json", cwd=tmp_path)
    assert (mended.exit_code, mended.summary["rows"], mended.summary["rejected"]) == (0, 2, 0), mended.stderr

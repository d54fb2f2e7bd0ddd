"""The cures that are printed cure: they are taken as they stand, and all rows are valid."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rig.command import provisioner


@pytest.mark.sampled
@pytest.mark.parametrize("column", ["uid", "login", "E-Mail (work)", "mail{x"])
@pytest.mark.parametrize("other", ["bob", "Bob"])
def test_addresses_as_uids_are_mended_with_the_column_that_is_there(tmp_path: Path, column: str, other: str) -> None:
    """In `[columns]` as printed, whatever the column is called; addresses with capitals are folded as well."""
    (tmp_path / "e.csv").write_text(f"{column},name\nann@x.org,Ann\n{other}@x.org,Bob\n")
    config = tmp_path / "provisioner.toml"
    written = column.replace("{", "{{")
    config.write_text(f'[columns]\nuid = "{written}"\n')
    ended = provisioner("validate", "e.csv", "--json", cwd=tmp_path)
    words = ended.summary["defects"]["uid.charset"]["mend"]
    lower = ", lower = true" if other == "Bob" else ""
    (cure,) = re.findall(r"uid = \{.*?\}", words)
    assert cure == f'uid = {{ column = "{written}", encode = "cometchat"{lower} }}'
    config.write_text(f"[columns]\n{cure}\n")
    mended = provisioner("validate", "e.csv", "--json", cwd=tmp_path)
    assert (mended.exit_code, mended.summary["rows"], mended.summary["rejected"]) == (0, 2, 0), mended.stderr


@pytest.mark.sampled
@pytest.mark.skipif(shutil.which("jq") is None, reason="the cure is a call of jq")
@pytest.mark.parametrize("member", [None, "users", "app users"])
def test_users_under_their_uids_are_mended_by_the_jq_that_is_printed(tmp_path: Path, member: str | None) -> None:
    """As the Realtime Database of Firebase exports them: at the top, or in one member."""
    users = {"a1": {"name": "Ann", "tags": ["x"]}, "b2": {"name": "Bob", "metadata": {"desk": 7}}}
    (tmp_path / "f.json").write_text(json.dumps(users if member is None else {member: users}))
    ended = provisioner("validate", "f.json", "--json", cwd=tmp_path)
    what = "f.json: each user stands under its uid, as Firebase exports them; write them as a list, such as with jq "
    assert (ended.exit_code, ended.summary["message"].startswith(what)) == (2, True), ended.stderr
    command = shlex.split(ended.summary["message"].rpartition("such as with ")[2])
    listed = subprocess.run([*command, "f.json"], cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / "listed.json").write_bytes(listed.stdout)
    mended = provisioner("validate", "listed.json", "--show", "2", "--json", cwd=tmp_path)
    assert [each["body"] for each in mended.summary["shown_requests"]] == [
        {"uid": "a1", "name": "Ann", "tags": ["x"], "withAuthToken": True},
        {"uid": "b2", "name": "Bob", "metadata": {"desk": 7}, "withAuthToken": True},
    ]

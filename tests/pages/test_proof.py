"""docs/proof.md is true: its session runs as it stands there, and what it says of the proof's members and digests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.rig.command import KEY, ROOT, emulator, provisioner
from tests.rig.sessions import play

PAGE = (ROOT / "docs/proof.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """A run, its proof, what another hand did, and the proof of that."""
    with emulator(tmp_path) as api:
        play(PAGE, tmp_path, api.url)


@pytest.mark.slow
def test_the_digests_are_those_that_the_page_computes(tmp_path: Path) -> None:
    """Of a user whose metadata holds what PHP cannot tell apart."""
    row = {"uid": "Ann", "name": "Ann", "tags": ["b", "a"], "metadata": {"level": 2.0, "more": {}, "shares": [1, 2.5]}}
    (tmp_path / "r.ndjson").write_text(json.dumps(row))
    with emulator(tmp_path) as api:
        given = ("r.ndjson", *api.flags(), "-o", "out.csv", "--json")
        assert provisioner("run", *given, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        proof = provisioner("verify", *given, cwd=tmp_path, COMETCHAT_API_KEY=KEY).summary
    computed: dict[str, str] = {}
    exec(PAGE.split("```python\n")[1].split("```")[0], computed)
    assert (proof["roster_sha256"], proof["app_sha256"]) == (computed["digest"], computed["digest"])


def test_every_member_of_a_proof_is_told_of() -> None:
    """A name in the file is a name on the page."""
    source = (ROOT / "provisioner/inspection/proof/proof.py").read_text(encoding="utf-8")
    document = source.split("def document(self)")[1].split("return document")[0]
    members = set(re.findall(r'^ {12}"(\w+)":', document, re.MULTILINE)) | {"leavers"}
    table = PAGE.split("## What the proof holds")[1].split("\n## ")[0]
    assert members <= set(re.findall(r"`(\w+)`", table))
    assert len(members) > 20

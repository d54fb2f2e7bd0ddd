"""docs/proof.md is true: its session runs as it stands there, and what it says of the proof's members and digests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rig.command import ROOT, emulator
from tests.rig.sessions import play

PAGE = (ROOT / "docs/proof.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """A run, its proof, what another hand did, and the proof of that."""
    with emulator(tmp_path) as api:
        play(PAGE, tmp_path, api.url)


def test_every_member_of_a_proof_is_told_of() -> None:
    """A name in the file is a name on the page."""
    source = (ROOT / "provisioner/inspection/proof/proof.py").read_text(encoding="utf-8")
    document = source.split("def document(self)")[1].split("return document")[0]
    members = set(re.findall(r'^ {12}"(\w+)":', document, re.MULTILINE)) | {"leavers"}
    table = PAGE.split("## What the proof holds")[1].split("\n## ")[0]
    assert members <= set(re.findall(r"`(\w+)`", table))
    assert len(members) > 20

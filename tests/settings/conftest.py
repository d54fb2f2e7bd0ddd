"""Tests of settings read no file that lies about by chance."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, so that no `provisioner.toml` is picked up by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path

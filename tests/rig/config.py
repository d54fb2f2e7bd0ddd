"""Config files, and what is said when they are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import ConfigurationError
from provisioner.settings.tables import load


def a_config(text: str, name: str = "c.toml") -> Path:
    """Write one, in the current folder unless the name says otherwise."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def the_refusal(flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: Path | None) -> str:
    """What `load` says of settings that it refuses."""
    with pytest.raises(ConfigurationError) as error:
        load(flags, environment, config)
    return str(error.value)

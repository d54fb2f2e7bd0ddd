"""`provisioner constraints`: what the code really uses, dated and with sources, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from provisioner.validation.constraints import BEYOND, DEFECTS, LIMITS
from provisioner.validation.warnings import WARNINGS
from tests.rig.command import provisioner


def test_the_object_holds_every_limit_and_every_code(tmp_path: Path) -> None:
    """Without a config: nothing is overridden; each limit has its unit, meaning and source."""
    ended = provisioner("constraints", "--json", cwd=tmp_path)
    assert (ended.exit_code, ended.stderr) == (0, "")
    told = ended.summary
    assert list(told) == ["as_of", "constraints", "beyond_a_create", "defects", "warnings"]
    assert told["as_of"] == "November 2026"
    assert told["constraints"] == {
        name: {
            "limit": limit.default,
            "documented": limit.default,
            "overridden": False,
            "unit": limit.unit,
            "meaning": limit.meaning,
            "source": limit.source,
        }
        for name, limit in LIMITS.items()
    }
    assert told["beyond_a_create"] == {name: asdict(each) for name, each in BEYOND.items()}
    for key, table in (("defects", DEFECTS), ("warnings", WARNINGS)):
        assert told[key] == {
            code: {"meaning": each.meaning, "mend": each.mend, **({"kinds": each.kinds} if each.kinds else {})}
            for code, each in table.items()
        }
        assert list(told[key]) == list(table)


def test_what_the_config_overrides_is_marked_with_both_values(tmp_path: Path) -> None:
    """A value that is the documented one anyway overrides nothing."""
    config = tmp_path / "provisioner.toml"
    config.write_text("[constraints]\nuid_max_length = 50\nuid_allow_underscore = true\ntags_max = 25\n")
    told = json.loads(provisioner("constraints", "--json", cwd=tmp_path).stdout)["constraints"]
    changed = {name: (each["limit"], each["documented"]) for name, each in told.items() if each["overridden"]}
    assert changed == {"uid_max_length": (50, 100), "uid_allow_underscore": (True, False)}
    lines = provisioner("constraints", cwd=tmp_path).stdout.splitlines()
    marked = [line.split("  ")[0] for line in lines if "overridden" in line]
    assert marked == ["uid_max_length", "uid_allow_underscore"]


def test_people_get_tables_no_wider_than_a_page(tmp_path: Path) -> None:
    """The date, every limit and every code with its meaning, at most 100 columns."""
    ended = provisioner("constraints", cwd=tmp_path)
    assert (ended.exit_code, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == "What CometChat allows a user to be, by its pages as read in November 2026:"
    assert max(map(len, lines)) <= 100
    assert [name for name in BEYOND if any(line.startswith(name) for line in lines)] == list(BEYOND)
    first_words = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert [word for word in first_words if word in LIMITS] == list(LIMITS)
    assert [word for word in first_words if word in DEFECTS] == list(DEFECTS)
    assert [word for word in first_words if word in WARNINGS] == list(WARNINGS)


def test_a_wrong_config_is_refused_as_anywhere(tmp_path: Path) -> None:
    """Exit 2 and the key that is wrong."""
    (tmp_path / "provisioner.toml").write_text("[constraints]\nuid_max_lenght = 50\n")
    ended = provisioner("constraints", cwd=tmp_path)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "uid_max_length" in ended.stderr

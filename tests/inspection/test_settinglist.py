"""`config show`: every setting in force with where it comes from, and never the key."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from provisioner.inspection.settinglist import Setting, example_config, settings_of, show_config
from provisioner.settings.tables import keys_of_tables, load, load_with_origins
from tests.rig.command import KEY, provisioner

CONFIG = """
[api]
region = "eu"
[rate]
share = "70%"
[columns]
uid = "id"
role = { value = "staff" }
others = "metadata"
[constraints]
uid_max_length = 50
[run]
max_failures = "2.5%"
[sync]
max_deactivations = 7
state = "state.db"
[output]
file = "r.csv"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, with a config to be found."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "provisioner.toml").write_text(CONFIG)
    return tmp_path


def shown(*arguments: str, cwd: Path, **variables: str) -> dict[str, Any]:
    ended = provisioner("config", "show", "--json", *arguments, cwd=cwd, **variables)
    assert (ended.exit_code, ended.stderr) == (0, "")
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_every_key_of_every_table_is_shown_with_its_origin(here: Path) -> None:
    """As JSON: values as the config file would have them, a limit nobody changed as documented."""
    document = shown(cwd=here, COMETCHAT_APP_ID="app1")
    settings = document["settings"]
    known = {table: set(keys) for table, keys in keys_of_tables().items()}
    assert {table: set(keys) for table, keys in settings.items()} == {
        **known, "columns": {"uid", "role", "others", "tags_separator", "null_values", "leave_out"},
    }  # fmt: skip
    given = {
        f"{table}.{key}": (each["value"], each["origin"])
        for table, keys in settings.items()
        for key, each in keys.items()
        if each["origin"] != "default"
    }
    assert given == {
        "api.app_id": ("app1", "COMETCHAT_APP_ID"),
        "api.region": ("eu", "provisioner.toml"),
        "rate.share": (0.7, "provisioner.toml"),
        "columns.uid": ("id", "provisioner.toml"),
        "columns.role": ({"value": "staff"}, "provisioner.toml"),
        "columns.others": ("metadata", "provisioner.toml"),
        "constraints.uid_max_length": (50, "provisioner.toml"),
        "run.max_failures": ("2.5%", "provisioner.toml"),
        "sync.max_deactivations": (7, "provisioner.toml"),
        "sync.state": ("state.db", "provisioner.toml"),
        "output.file": ("r.csv", "provisioner.toml"),
    }
    assert settings["constraints"]["name_max_length"] == {"value": 100, "origin": "default"}
    assert settings["columns"]["tags_separator"] == {"value": ";", "origin": "default"}
    assert settings["run"]["limit"] == {"value": None, "origin": "default"}
    assert (document["config"], document["sends_to"]) == (
        "provisioner.toml", "https://app1.api-eu.cometchat.io/v3",
    )  # fmt: skip


def test_what_is_shown_can_be_configured(here: Path) -> None:
    """Every value that is set, written into a file as it is shown, gives the same settings."""
    loaded = load_with_origins({}, {})
    tables: dict[str, dict[str, Any]] = {}
    for each in settings_of(loaded):
        if each.table not in {"columns", "output"} and each.value is not None:
            tables.setdefault(each.table, {})[each.key] = each.value
    text = "\n".join(
        f"[{table}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
        for table, values in tables.items()
    )
    assert tomllib.loads(text) == tables
    (here / "again.toml").write_text(text)
    again = load({}, {}, Path("again.toml"))
    for table in ("api", "rate", "retry", "run", "sync", "log"):
        assert getattr(again, table) == getattr(loaded.settings, table)


def test_the_table_for_people(here: Path) -> None:
    """One line per key, under its table; the file, the address and the key on top."""
    ended = provisioner("config", "show", cwd=here, COMETCHAT_API_KEY=KEY)
    assert (ended.exit_code, ended.stderr) == (0, "")
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert lines[:5] == [
        ["config", "file", "provisioner.toml"],
        ["sends", "to", "(not", "set)"],
        ["API", "key", "set,", "from", "COMETCHAT_API_KEY"],
        [],
        ["[api]"],
    ]
    assert ["share", "0.7", "provisioner.toml"] in lines
    assert ["max_in_flight", "64", "default"] in lines
    assert ["app_id", "(not", "set)", "default"] in lines
    assert [f"[{table}]" for table in keys_of_tables()] == [line[0] for line in lines if line and line[0][0] == "["]


def test_the_key_is_not_shown_not_even_in_part(here: Path) -> None:
    """Whether it is there and where it comes from is all that anybody needs to know."""
    (here / "key").write_text(KEY)
    (here / "c.toml").write_text('[api]\napi_key_file = "key"\nemulator = true')
    loaded = load_with_origins({}, {}, Path("c.toml"))
    for environment, origin in (({}, "key"), ({"COMETCHAT_API_KEY": KEY}, "COMETCHAT_API_KEY")):
        printed = [show_config(loaded, environment, as_json=as_json) for as_json in (True, False)]
        assert json.loads(printed[0])["api_key"] == {"state": "set", "origin": origin}
        assert not any(KEY[n : n + 6] in text for text in printed for n in range(len(KEY) - 5))
    assert json.loads(printed[0])["sends_to"] == "the built-in emulator"


def test_a_key_in_the_place_of_the_app_id_is_masked(here: Path) -> None:
    """What refuses it is looked into with this."""
    for given in ({"app_id": KEY, "region": "eu"}, {"base_url": f"https://{KEY}.api-eu.cometchat.io/v3"}):
        loaded = load_with_origins({"api": given}, {})
        for environment in ({"COMETCHAT_API_KEY": KEY}, {"COMETCHAT_API_KEY": "2711234567890abc"}, {}):
            printed = [show_config(loaded, environment, as_json=as_json) for as_json in (True, False)]
            assert json.loads(printed[0])["sends_to"] == "https://***.api-eu.cometchat.io/v3"
            assert not any(KEY in text for text in printed)


def test_a_key_that_cannot_be_used_is_no_reason_to_show_nothing(here: Path) -> None:
    """`validate` works without one; what is wrong with it is said in its place."""
    loaded = load_with_origins({"api": {"api_key_file": "gone"}}, {})
    assert json.loads(show_config(load_with_origins({}, {}), {}, as_json=True))["api_key"] == {
        "state": "not set", "origin": None,
    }  # fmt: skip
    state = json.loads(show_config(loaded, {}, as_json=True))["api_key"]["state"]
    assert state.startswith("unusable: api.api_key_file: gone cannot be read (")
    assert f"API key      {state}" in show_config(loaded, {}, as_json=False).splitlines()


def test_wrong_configuration_is_exit_2(here: Path) -> None:
    """As with every command: one sentence, nothing on stdout; `-c` names another file."""
    for text, said in (
        (
            "[rate]\nshare = 70",
            "wrong.toml: rate.share: give a share above 0 and at most 1, such as 0.7 or 70%, not 70",
        ),
        ("[columns]\nuid = 5", "wrong.toml: [columns] uid"),
    ):
        (here / "wrong.toml").write_text(text)
        ended = provisioner("config", "show", "-c", "wrong.toml", cwd=here)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert ended.stderr.startswith(f"error: {said}")


def test_without_a_config_everything_is_a_default(here: Path) -> None:
    """Nothing is made up for it."""
    (here / "provisioner.toml").unlink()
    found = list(settings_of(load_with_origins({}, {})))
    assert {each.origin for each in found} == {"default"}
    assert Setting("run", "max_failures", "5%", "default") in found
    assert shown(cwd=here)["config"] is None


def test_the_example_is_printed_as_it_is(here: Path) -> None:
    """`provisioner config example > provisioner.toml` is a beginning: it can be read as it stands."""
    ended = provisioner("config", "example", cwd=here)
    assert (ended.exit_code, ended.stdout) == (0, example_config())
    (here / "example.toml").write_text(ended.stdout)
    assert provisioner("config", "show", "-c", "example.toml", cwd=here).exit_code == 0

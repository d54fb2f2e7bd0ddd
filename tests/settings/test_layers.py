"""Flag, environment, file and default, laid over each other; what is refused is named with where it came from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from provisioner.cli.app import application
from provisioner.errors import ConfigurationError
from provisioner.model import OnExisting
from provisioner.settings.layers import DEFAULT_CONFIG, ENVIRONMENT, Layer, explain, flag_of, merge
from provisioner.settings.problems import problems_of
from provisioner.settings.tables import Rate, Settings, keys_of_tables, load, load_with_origins
from tests.rig.config import a_config, the_refusal

KEY = "0123456789abcdef0123456789abcdef01234567"
SECRET = "a123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("flag", "variable", "in_file", "wins"),
    [
        (None, None, None, None),
        (None, None, "http://file", "http://file"),
        (None, "http://env", None, "http://env"),
        (None, "http://env", "http://file", "http://env"),
        ("http://flag", None, None, "http://flag"),
        ("http://flag", None, "http://file", "http://flag"),
        ("http://flag", "http://env", None, "http://flag"),
        ("http://flag", "http://env", "http://file", "http://flag"),
    ],
)
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    flag: str | None, variable: str | None, in_file: str | None, wins: str | None
) -> None:
    """Every pair of layers, for one key that all of them can hold."""
    config = a_config(f'[api]\nbase_url = "{in_file}"' if in_file else "")
    flags = {"api": {"base_url": flag}} if flag else {}
    environment = {"COMETCHAT_BASE_URL": variable} if variable else {}
    assert load(flags, environment, config).api.base_url == wins


@pytest.mark.parametrize(
    ("flags", "variables", "in_file", "goes_to"),
    [
        ({}, {}, "emulator = true", "emulator"),
        ({}, {"COMETCHAT_APP_ID": "real", "COMETCHAT_REGION": "eu"}, "emulator = true", "emulator"),
        ({}, {"COMETCHAT_BASE_URL": "http://env"}, "emulator = true", "emulator"),
        ({}, {}, "emulator = true\nbase_url = 'http://file'", "emulator"),
        ({"base_url": "http://flag"}, {}, "emulator = true", "http://flag"),
        ({"base_url": "http://flag"}, {"COMETCHAT_BASE_URL": "http://env"}, "emulator = true", "http://flag"),
        ({"base_url": "http://flag", "emulator": False}, {}, "emulator = true", "http://flag"),
        ({"emulator": True}, {"COMETCHAT_BASE_URL": "http://env"}, "base_url = 'http://file'", "emulator"),
        ({"emulator": False}, {"COMETCHAT_BASE_URL": "http://env"}, "emulator = true", "http://env"),
    ],
)
def test_a_rehearsal_reaches_an_app_only_when_a_flag_says_so(
    flags: dict[str, Any], variables: dict[str, str], in_file: str, goes_to: str
) -> None:
    """`emulator = true` goes before every address of the file and the environment, and `--base-url` before it."""
    settings = load({"api": flags}, variables, a_config(f"[api]\n{in_file}"))
    assert ("emulator" if settings.api.emulator else settings.base_url) == goes_to


@pytest.mark.parametrize(
    ("flags", "in_file", "verbose_quiet"),
    [
        ({"quiet": True}, "verbose = true", (False, True)),
        ({"verbose": True}, "quiet = true", (True, False)),
        ({}, "verbose = true", (True, False)),
        ({}, "quiet = true", (False, True)),
        ({"verbose": False}, "quiet = true", (False, True)),
    ],
)
def test_the_nearer_of_more_and_less_log_counts(
    flags: dict[str, bool], in_file: str, verbose_quiet: tuple[bool, bool]
) -> None:
    """They are one question: `-q` goes before `verbose = true` of the file, and the other way round."""
    log = load({"log": flags}, {}, a_config(f"[log]\n{in_file}")).log
    assert (log.verbose, log.quiet) == verbose_quiet


def test_an_app_and_the_emulator_on_one_command_line_are_refused() -> None:
    """Neither of the two goes before the other; nobody is created anywhere."""
    said = "--base-url and --emulator contradict each other; leave one of them out"
    assert the_refusal({"api": {"base_url": "http://h", "emulator": True}}, {}, None) == said


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("api", "api_key_file"),
        ("run", "database_password_file"),
        ("sync", "state"),
        ("sync", "metrics_file"),
        ("sync", "approve"),
        ("output", "file"),
        ("output", "tokens_to"),
        ("log", "file"),
    ],
)
def test_an_empty_path_is_none(table: str, key: str) -> None:
    """It would be the folder of the config file."""
    said = f"c.toml: {table}.{key}: should name a file, not ''; or take the line out"
    assert the_refusal({}, {}, a_config(f'[{table}]\n{key} = ""')) == said


def test_layers_are_laid_over_each_other_key_by_key() -> None:
    """A flag for one key of a table leaves the file's other keys in force, and the defaults of the rest."""
    config = a_config("[rate]\nshare = 0.5\nmax_in_flight = 3")
    assert load({"rate": {"share": "70%"}}, {}, config).rate == Rate(share=0.7, max_in_flight=3)


@pytest.mark.parametrize(("variable", "place"), ENVIRONMENT.items())
def test_every_variable_stands_for_its_key(variable: str, place: tuple[str, str]) -> None:
    """Blanks round a value are an accident of the shell; a variable that is set to nothing is not set."""
    table, key = place
    value = {"region": "eu", "base_url": "http://h"}.get(key, "app1")
    assert getattr(getattr(load({}, {variable: f" {value}\n"}), table), key) == value
    assert load({}, {variable: "  "}) == Settings()


def test_the_config_in_the_current_folder_is_read_without_being_asked_for() -> None:
    """`provisioner.toml` is the default of `--config`; a config that is asked for takes its place."""
    a_config("[run]\nlimit = 7", str(DEFAULT_CONFIG))
    other = a_config("[run]\non_existing = 'fail'", "other.toml")
    assert load({}, {}).run.limit == 7
    asked = load({}, {}, other).run
    assert (asked.limit, asked.on_existing) == (None, OnExisting.FAIL)


def test_a_config_that_is_there_and_leads_nowhere_is_told() -> None:
    """It may say that this is a rehearsal: going on without it would reach the app."""
    DEFAULT_CONFIG.symlink_to("mounted later.toml")
    assert the_refusal({}, {}, None) == (
        "provisioner.toml: the config file cannot be read (No such file or directory); mend it, or take it away"
    )
    DEFAULT_CONFIG.unlink()
    DEFAULT_CONFIG.mkdir()
    assert the_refusal({}, {}, None) == (
        "provisioner.toml: the config file cannot be read (Is a directory); mend it, or take it away"
    )
    assert load({}, {}, a_config("[run]\nlimit = 7", "other.toml")).run.limit == 7


def test_a_folder_that_cannot_be_looked_into_is_told(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is a `provisioner.toml` cannot be known then; going on without it might go elsewhere."""
    folder = nobody / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.chmod(0o600)
    said = "provisioner.toml: cannot be looked for in this folder (Permission denied); go to another one"
    assert the_refusal({}, {}, None) == said
    folder.chmod(0o700)


def test_a_file_from_windows_is_read() -> None:
    """A byte-order mark is no key."""
    path = Path("c.toml")
    path.write_bytes(b"\xef\xbb\xbf[run]\r\nlimit = 7\r\n")
    assert load({}, {}, path).run.limit == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rat]\nshare = 1", "unknown key rat; did you mean rate?"),
        ("q = 1", f"unknown key q; known here: {', '.join(sorted(Settings.model_fields))}"),
        ("[rate]\nshare_ = 1", "unknown key rate.share_; did you mean rate.share?"),
        (
            "[rate]\nrequest_per_minute = 1",
            "unknown key rate.request_per_minute; did you mean rate.requests_per_minute?",
        ),
        ("[log]\nx = 1", "unknown key log.x; known here: file, format, quiet, verbose"),
        ("[output]\njson_summary = true", "unknown key output.json_summary; did you mean output.json?"),
        ("[constraints]\nuid_max = 1", "unknown key constraints.uid_max; did you mean constraints.uid_max_length?"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(text: str, said: str) -> None:
    """A misspelt limit that is silently ignored would be a limit that does not hold."""
    assert the_refusal({}, {}, a_config(text)) == f"c.toml: {said}"


def test_every_fault_is_told_at_once() -> None:
    """Two faults take one round to mend, not two."""
    said = the_refusal({"run": {"limit": -1}}, {}, a_config("[api]\nregon = 'eu'"))
    assert said == ("c.toml: unknown key api.regon; did you mean api.region?; --limit: should be at least 0, not -1")


@pytest.mark.parametrize("text", [f'api_key = "{KEY}"', f'[api]\napi_key = "{KEY}"', f'[api]\napikey = "{KEY}"'])
def test_a_key_in_the_config_is_refused_and_not_repeated(text: str) -> None:
    """A config file is shown around; the message does not show what it should not have held."""
    said = the_refusal({}, {}, a_config(text))
    assert KEY not in said
    assert "api_key_file" in said


def test_the_origin_is_the_layer_that_won() -> None:
    """A wrong flag over a right file is the flag's fault; a wrong variable the environment's."""
    config = a_config('[rate]\nshare = 0.5\n[api]\nregion = "eu"')
    share = "give a share above 0 and at most 1, such as 0.7 or 70%, not '200%'"
    assert the_refusal({"rate": {"share": "200%"}}, {}, config) == f"--share: {share}"
    region = "should be 'us', 'eu' or 'in', not 'asia'"
    assert the_refusal({}, {"COMETCHAT_REGION": "asia"}, config) == f"COMETCHAT_REGION: {region}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("requests_per_minute = 500", "unknown key requests_per_minute; did you mean rate.requests_per_minute?"),
        ("request_per_minute = 500", "unknown key request_per_minute; did you mean rate.requests_per_minute?"),
        ("[api]\nshare = 0.5", "unknown key api.share; did you mean rate.share?"),
        ("[run]\nfile = 'r.csv'", "unknown key run.file; did you mean output.file or log.file?"),
        ("rat = 5", "unknown key rat; did you mean rate?"),
    ],
)
def test_a_key_outside_its_table_is_told_with_its_table(text: str, said: str) -> None:
    """A limit in the wrong place is a limit that does not hold; the message says where it belongs."""
    assert the_refusal({}, {}, a_config(text)) == f"c.toml: {said}"


@pytest.mark.parametrize("text", ["rate = 5", "columns = 'x'", "[[run]]\nlimit = 1", "api = []"])
def test_a_table_that_is_none_is_told(text: str) -> None:
    """A scalar or an array where a table belongs is named."""
    assert the_refusal({}, {}, a_config(text)).startswith("c.toml: ")


def test_a_table_that_is_none_is_told_even_when_a_flag_sets_one_of_its_keys() -> None:
    """A broken file is broken whatever the command line says."""
    assert the_refusal({"rate": {"share": "50%"}}, {}, a_config("rate = 5")).startswith("c.toml: ")


NAMES = st.sampled_from(sorted({key for keys in keys_of_tables().values() for key in keys} | set(keys_of_tables())))


VALUES = st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(-1, 2) | st.sampled_from(["5%", "x", "us", ""])


TABLES = st.dictionaries(NAMES | st.text("abc-_", min_size=1), VALUES | st.lists(VALUES), max_size=3)


@given(st.dictionaries(NAMES | st.text("abc-_", min_size=1), VALUES | TABLES, max_size=4))
def test_whatever_a_file_says_is_taken_or_refused_in_words(document: Mapping[str, Any]) -> None:
    """Any keys and values anywhere: settings, or one sentence that begins with the file."""
    loaded: Mapping[str, Any] = json.loads(json.dumps(document))
    layers = [
        Layer(loaded, file=Path("c.toml")),
        Layer({"rate": {"share": "5%"}}, names={("rate", "share"): "--share"}),
    ]
    merged, origins = merge(layers)
    try:
        Settings.model_validate(merged)
    except ValidationError as error:
        said = explain(problems_of(error), layers, keys_of_tables())
        assert said.startswith("c.toml: ")
        assert "None" not in said.partition(":")[0]
    assert origins["rate", "share"] == "--share"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[rate\n", "c.toml: not valid TOML (Expected ']' at the end of a table declaration (at line 1, column 6))"),
        (b"[run]\nlimit = 1\nlimit = 2", "c.toml: not valid TOML (Cannot overwrite a value (at end of document))"),
        (b'[log]\nfile = "M\xfcll"', "c.toml: the config file is not UTF-8 (line 2, byte 16); save it as UTF-8"),
        ('[log]\nfile = "a"'.encode("utf-16"), "c.toml: the config file is UTF-16, not UTF-8; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_the_place(content: bytes, said: str) -> None:
    """The parser's own words, after the file's name."""
    Path("c.toml").write_bytes(content)
    assert the_refusal({}, {}, Path("c.toml")).startswith(said)


def test_a_file_that_cannot_be_read_is_told(here: Path) -> None:
    """A config that was asked for and is not there is an error; a folder is none either."""
    missing = "gone.toml: the config file cannot be read (No such file or directory)"
    assert the_refusal({}, {}, Path("gone.toml")) == missing
    assert the_refusal({}, {}, here) == f"{here}: the config file cannot be read (Is a directory)"


def test_every_value_is_told_with_where_it_came_from() -> None:
    """The flag, the variable, the file, or nobody: what a person has to change is what is named."""
    config = a_config(
        '[api]\nregion = "eu"\napp_id = "a"\n[rate]\nshare = 0.5\nmax_in_flight = 3\n[output]\njson = true'
    )
    loaded = load_with_origins({"rate": {"share": "70%"}}, {"COMETCHAT_REGION": "in"}, config)
    assert loaded.settings == load({"rate": {"share": "70%"}}, {"COMETCHAT_REGION": "in"}, config)
    assert loaded.config == config
    assert loaded.origins == {
        ("api", "region"): "COMETCHAT_REGION",
        ("api", "app_id"): "c.toml",
        ("rate", "share"): "--share",
        ("rate", "max_in_flight"): "c.toml",
        ("output", "json"): "c.toml",
    }
    assert loaded.origin("rate", "share") == "--share"
    assert loaded.origin("retry", "max_attempts") == "default"


def test_without_a_config_there_is_none_to_name() -> None:
    """Everything is a default, and no file was read."""
    loaded = load_with_origins({}, {})
    assert (loaded.settings, loaded.config, loaded.origins) == (Settings(), None, {})


def test_the_flags_that_messages_name_are_those_of_the_command() -> None:
    """A message that names a flag nobody has would send people looking for it."""
    names = ("run", "validate", "plan", "sync")
    taken = {
        option
        for name in names
        for each in application()[name].assemble_argument_collection()
        if each.show
        for option in each.names
    }
    ours = {flag_of(table, key) for table, keys in keys_of_tables().items() for key in keys}
    options = {option for option in taken if option.startswith("--")} - {"--config"}
    assert options <= ours


def test_a_path_in_the_file_is_a_path_from_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the command is started; absolute and home paths stay what they are, flags are from here."""
    monkeypatch.setenv("HOME", "/home/ada")
    text = '[api]\napi_key_file = "../key"\n[output]\nfile = "/abs/r.csv"\ntokens_to = "t.csv"\n[log]\nfile = "~/log"'
    config = a_config(text, "etc/conf/c.toml")
    settings = load({}, {}, config)
    assert (settings.api.api_key_file, settings.output.file, settings.log.file) == (
        Path("etc/key"), Path("/abs/r.csv"), Path("/home/ada/log"),
    )  # fmt: skip
    assert settings.output.tokens_to == Path("etc/conf/t.csv")
    assert load({"log": {"file": Path("log")}}, {}, here / config).log.file == Path("log")
    assert load({}, {}, here / config).api.api_key_file == here / "etc/key"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///hr.db", "sqlite:///etc/conf/hr.db"),
        ("SQLite:///../a%20b.db", "sqlite:///etc/a%20b.db"),
        ("sqlite:////srv/hr.db", "sqlite:////srv/hr.db"),
        ("sqlite:///~/hr.db", "sqlite:////home/ada/hr.db"),
        ("postgresql://app@db.example/hr?sslmode=require", "postgresql://app@db.example/hr?sslmode=require"),
    ],
)
def test_the_file_of_a_database_is_a_path_like_others(
    written: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks the database from another folder asks the same one; a flag's address is from here."""
    monkeypatch.setenv("HOME", "/home/ada")
    config = a_config(f'[run]\ndatabase = "{written}"', "etc/conf/c.toml")
    assert load({}, {}, config).run.database == meant
    assert load({"run": {"database": written}}, {}, config).run.database == written


@pytest.mark.parametrize("given", ["", "hr.db", "sqlite://", "sqlite://[", "sqlite:///a:b@c.db"])
def test_an_address_of_no_file_is_refused_as_it_stands(given: str) -> None:
    """It is made no path of before anybody has looked at it."""
    assert "etc/c.toml: run.database: " in the_refusal({}, {}, a_config(f'[run]\ndatabase = "{given}"', "etc/c.toml"))


@pytest.mark.parametrize("line", ['[log]\nfile = "~nosuchuser/log"', '[run]\ndatabase = "sqlite:///~nosuchuser/hr.db"'])
def test_a_home_that_does_not_exist_is_told(line: str) -> None:
    """Nothing a user writes into the file ends as a bug of ours."""
    assert "c.toml" in the_refusal({}, {}, a_config(line))


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("uid = Employee ID", 'put it in quotes: uid = "Employee ID"'),
        ("uid = Employee ID  # as HR says", 'put it in quotes: uid = "Employee ID"'),
        ('Employee ID = "uid"', 'put it in quotes: "Employee ID" = "uid"'),
        ("name = {Vorname} {Name}", 'put it in quotes: name = "{Vorname} {Name}"'),
        ("share = 70%", 'put it in quotes: share = "70%"'),
        ("max_duration = 4h", 'put it in quotes: max_duration = "4h"'),
        ("strict = yes", "write strict = true"),
        ("strict = False", "write strict = false"),
    ],
)
def test_what_lacks_quotes_is_shown_with_them(line: str, mended: str) -> None:
    """The line as it has to stand, to be copied; and what is shown is TOML."""
    said = the_refusal({}, {}, a_config(f"[columns]\n{line}\n"))
    assert said.startswith("c.toml: not valid TOML (")
    assert said.endswith(f"; {mended}")
    assert tomllib.loads(mended.removeprefix("put it in quotes: ").removeprefix("write "))


@pytest.mark.parametrize("value", [SECRET, f'["{SECRET}"]', f'"~{SECRET}"', "12345678901234567890"])
@pytest.mark.parametrize("key", ["api.api_key_file", "run.database_password_file", "api.api_key"])
def test_a_secret_that_was_pasted_into_the_config_is_shown_nowhere(key: str, value: str) -> None:
    """Without its quotes it is no TOML, in brackets no path, behind a tilde nobody's home: and a secret still."""
    table, name = key.split(".")
    with pytest.raises(ConfigurationError) as error:
        load({}, {}, a_config(f"[{table}]\n{name} = {value}\n"))
    assert value.strip('[]"~') not in str(error.value)

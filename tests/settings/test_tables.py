"""Settings: flag, environment, config file, default; whatever is refused is named with where it came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from yarl import URL

from provisioner.cli.app import command_named
from provisioner.errors import ConfigurationError
from provisioner.journal.view import Identity
from provisioner.model import AuthTokens, OnExisting
from provisioner.run.job import Target
from provisioner.settings.key import API_KEY_VARIABLE, find_api_key, read_api_key
from provisioner.settings.layers import DEFAULT_CONFIG, ENVIRONMENT, Layer, explain, flag_of, merge
from provisioner.settings.tables import Rate, Settings, keys_of_tables, load, load_with_origins, problems_of
from provisioner.settings.values import MaxFailures, parse_max_failures, parse_share
from provisioner.validation.fields.mapping import ColumnMapping, parse_mapping

T = TypeVar("T")
KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, so that no `provisioner.toml` is picked up by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_config(text: str, name: str = "c.toml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def the_refusal(flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: Path | None) -> str:
    with pytest.raises(ConfigurationError) as error:
        load(flags, environment, config)
    return str(error.value)


# --- the layers ---


def test_the_defaults_are_those_of_the_contract() -> None:
    """Without a flag, a variable or a file: the documented numbers."""
    settings = load({}, {})
    assert settings == Settings()
    assert settings.rate == Rate(
        requests_per_minute=10_000, standard_requests_per_minute=20_000, share=0.9, max_in_flight=64
    )
    assert (settings.run.on_existing, settings.run.auth_tokens) == (OnExisting.SKIP, AuthTokens.CREATED)
    assert settings.run.max_failures == MaxFailures(share=0.05)
    assert (settings.run.limit, settings.run.dry_run, settings.run.restart) == (None, False, False)
    assert settings.retry.max_attempts == 8


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


def test_settings_do_not_change_once_they_are_made() -> None:
    """One frozen object, tables included."""
    settings = load({}, {})
    with pytest.raises(ValidationError):
        settings.rate.share = 1.0
    with pytest.raises(FrozenInstanceError):
        settings.run.max_failures.rows = 1  # type: ignore[misc]


# --- what is refused ---


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
    assert said == (
        "c.toml: unknown key api.regon; did you mean api.region?; --limit: should be greater than or equal to 0, not -1"
    )


@pytest.mark.parametrize("text", [f'api_key = "{KEY}"', f'[api]\napi_key = "{KEY}"', f'[api]\napikey = "{KEY}"'])
def test_a_key_in_the_config_is_refused_and_not_repeated(text: str) -> None:
    """A config file is shown around; the message does not show what it should not have held."""
    said = the_refusal({}, {}, a_config(text))
    assert KEY not in said
    assert "api_key_file" in said


APP_ID = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
NUMBER = "should be a valid number"
INTEGER = "should be a valid integer"


@pytest.mark.parametrize(
    ("table", "value", "said"),
    [
        ("rate", "requests_per_minute = 0", "should be greater than or equal to 1, not 0"),
        ("rate", "requests_per_minute = 1.5", f"{INTEGER}, not 1.5"),
        ("rate", 'requests_per_minute = "x"', f"{INTEGER}, not 'x'"),
        ("rate", "requests_per_minute = [1]", f"{INTEGER}, not [1]"),
        ("rate", "max_in_flight = 5000", "should be less than or equal to 4096, not 5000"),
        ("rate", "share = 0", "give a share above 0 and at most 1, such as 0.7 or 70%, not 0"),
        ("rate", "share = 70", "give a share above 0 and at most 1, such as 0.7 or 70%, not 70"),
        ("rate", "share = true", "give a number such as 0.7 or 70%, not True"),
        ("run", "max_failures = -1", "give a number of rows such as 100, or a share such as 5%, not -1"),
        ("run", "max_failures = 0.05", "give a number of rows such as 100, or a share such as 5%, not 0.05"),
        ("run", 'max_failures = "101%"', "give a number of rows such as 100, or a share such as 5%, not '101%'"),
        ("run", 'on_existing = "Skip"', "should be 'skip', 'update' or 'fail', not 'Skip'"),
        ("run", 'auth_tokens = "yes"', "should be 'created', 'all' or 'none', not 'yes'"),
        ("run", "limit = -1", "should be greater than or equal to 0, not -1"),
        ("run", 'dry_run = "maybe"', "should be a valid boolean, unable to interpret input, not 'maybe'"),
        ("run", "encoding = 5", "should be a valid string, not 5"),
        ("retry", "max_attempts = 0", "should be greater than or equal to 1, not 0"),
        ("retry", "backoff_base = nan", "should be less than or equal to 86400, not nan"),
        ("retry", "pause_max = inf", "should be less than or equal to 86400, not inf"),
        ("api", "read_timeout = 0", "should be greater than 0, not 0"),
        ("api", 'read_timeout = "soon"', f"{NUMBER}, not 'soon'"),
        ("api", 'region = "US"', "should be 'us', 'eu' or 'in', not 'US'"),
        (
            "api",
            'app_id = "my app"',
            f"String should match pattern '{APP_ID}', not 'my app'",
        ),
        (
            "api",
            'app_id = "a\\n"',
            f"String should match pattern '{APP_ID}', not 'a\\n'",
        ),
        ("constraints", "tags_max = -1", "should be greater than or equal to 0, not -1"),
        ("constraints", "uid_max_length = 0", "should be greater than or equal to 1, not 0"),
        ("log", 'format = "xml"', "should be 'console' or 'json', not 'xml'"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_its_key_and_its_origin(table: str, value: str, said: str) -> None:
    """What is wrong, where, what was found and what is allowed."""
    key = value.partition(" ")[0]
    assert the_refusal({}, {}, a_config(f"[{table}]\n{value}")) == f"c.toml: {table}.{key}: {said}"


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


@pytest.mark.parametrize("value", ["requests_per_minute = true", "max_in_flight = true"])
def test_a_boolean_is_no_number(value: str) -> None:
    """A slip of the pen must not make a run ten thousand times slower."""
    assert the_refusal({}, {}, a_config(f"[rate]\n{value}")).startswith("c.toml: rate.")


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
        (b'[log]\nfile = "M\xfcll"', "c.toml: not valid TOML ('utf-8' codec can't decode byte 0xfc in position 15"),
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


def test_the_columns_table_is_read_once_and_kept_as_it_was_given() -> None:
    """What is read of it is what `parse_mapping` reads; whether a roster has such columns is judged elsewhere."""
    config = a_config('[columns]\nuid = "id"\nrole = { value = "x" }\n[columns.metadata]\n"@private.mail" = "m"')
    table = {"uid": "id", "role": {"value": "x"}, "metadata": {"@private.mail": "m"}}
    columns = load({}, {}, config).columns
    assert (columns, columns.given) == (parse_mapping(table), table)
    assert load({}, {}).columns == ColumnMapping()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[columns]\nnam = 'x'", "[columns] 'nam' is no user field; did you mean 'name'?"),
        ("columns = 5", "c.toml: columns: should be a valid dictionary, not 5"),
    ],
)
def test_a_wrong_columns_table_is_refused_with_the_other_settings(text: str, message: str) -> None:
    """Before any roster is opened, by the key in the table."""
    assert the_refusal({}, {}, a_config(text)) == message


# --- origins ---


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
    taken = {option for name in names for each in command_named(name).params for option in each.opts}
    ours = {flag_of(table, key) for table, keys in keys_of_tables().items() for key in keys}
    options = {option for option in taken if option.startswith("--")} - {"--config", "--help"}
    assert options <= ours


# --- paths in the file ---


def test_a_path_in_the_file_is_a_path_from_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the command is started; absolute and home paths stay what they are, flags are from here."""
    monkeypatch.setenv("HOME", "/home/ada")
    text = '[api]\napi_key_file = "../key"\n[output]\nfile = "/abs/r.csv"\n[log]\nfile = "~/log"'
    config = a_config(text, "etc/conf/c.toml")
    settings = load({}, {}, config)
    assert (settings.api.api_key_file, settings.output.file, settings.log.file) == (
        Path("etc/key"), Path("/abs/r.csv"), Path("/home/ada/log"),
    )  # fmt: skip
    assert load({"log": {"file": Path("log")}}, {}, here / config).log.file == Path("log")
    assert load({}, {}, here / config).api.api_key_file == here / "etc/key"


def test_a_home_that_does_not_exist_is_told() -> None:
    """Nothing a user writes into the file ends as a bug of ours."""
    assert "c.toml" in the_refusal({}, {}, a_config('[log]\nfile = "~nosuchuser/log"'))


def test_a_path_that_no_file_can_have_is_told() -> None:
    """TOML can write a NUL, the file system cannot."""
    settings = load({}, {}, a_config('[api]\napi_key_file = "a\\u0000b"'))
    with pytest.raises(ConfigurationError):
        read_api_key(settings, {})


# --- share and max_failures ---


@given(st.floats(min_value=0, max_value=1, exclude_min=True))
def test_a_share_is_read_back_however_it_is_written(share: float) -> None:
    """As a number, as its text, as a percentage."""
    assert parse_share(share) == parse_share(str(share)) == parse_share(f" {share!r} ") == share
    assert parse_share(f"{share * 100!r}%") == pytest.approx(share)


ANYTHING = st.floats() | st.integers() | st.text() | st.text("0123456789.%-+e ") | st.none() | st.booleans()


def read_or_refused(read: Callable[[object], T], value: object) -> T | None:
    """None for a `ValueError`; anything else that is raised is a fault."""
    try:
        return read(value)
    except ValueError:
        return None


@given(ANYTHING)
def test_whatever_is_no_share_is_a_value_error(value: object) -> None:
    """No text, number or nothing gives a share outside (0, 1], and nothing but `ValueError` comes out."""
    share = read_or_refused(parse_share, value)
    assert share is None or 0 < share <= 1


@given(st.integers(0, 10**12))
def test_a_number_of_failures_is_read_back(rows: int) -> None:
    """As a number and as its text."""
    assert parse_max_failures(rows) == parse_max_failures(f" {rows} ") == MaxFailures(rows=rows)


@given(st.floats(min_value=0, max_value=100))
def test_a_share_of_failures_is_read_back(percent: float) -> None:
    """0 % bears none, 100 % bears all; a bare number is never a share."""
    assert parse_max_failures(f"{percent!r}%") == MaxFailures(share=percent / 100)


@given(ANYTHING)
def test_whatever_is_no_error_budget_is_a_value_error(value: object) -> None:
    """Either a number of rows or a share in [0, 1], never both, never neither."""
    read = read_or_refused(parse_max_failures, value)
    if read is not None:
        assert (read.rows is None) != (read.share is None)
        assert 0 <= (read.share or 0) <= 1
        assert (read.rows or 0) >= 0


# --- where the API is ---


def test_the_base_url_comes_from_app_id_and_region() -> None:
    """The documented form; a base URL of its own wins over both."""
    environment = {"COMETCHAT_APP_ID": "2345abc", "COMETCHAT_REGION": "eu"}
    assert load({}, environment).base_url == "https://2345abc.api-eu.cometchat.io/v3"
    assert load({"api": {"base_url": "http://127.0.0.1:8080/v3"}}, environment).base_url == "http://127.0.0.1:8080/v3"


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, "no app id and no region"),
        ({"COMETCHAT_REGION": "us"}, "no app id"),
        ({"COMETCHAT_APP_ID": "a"}, "no region"),
    ],
)
def test_what_is_missing_is_said_with_every_way_to_give_it(environment: dict[str, str], missing: str) -> None:
    """Variables, config keys, flag, and the way that needs none of them."""
    with pytest.raises(ConfigurationError) as error:
        _ = load({}, environment).base_url
    assert str(error.value) == (
        f"{missing}: set COMETCHAT_APP_ID and COMETCHAT_REGION (us, eu or in), or app_id and region under [api] in the "
        "config file, or give --base-url; --emulator needs none of them"
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://a.api-eu.cometchat.io/v3", "https://a.api-eu.cometchat.io/v3"),
        ("https://a.api-eu.cometchat.io/v3//", "https://a.api-eu.cometchat.io/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/v3", "http://[::1]:8080/v3"),
        ("http://localhost/", "http://localhost"),
    ],
)
def test_a_base_url_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    """The journal remembers it: two spellings of one address are one."""
    assert load({"api": {"base_url": given}}, {}).base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8080", "ftp://h", "https://", "https:///v3", "http://h/v3?x=1", "http://h/v3#x", "http://u:p@h",
        "http://h /v3", "http://h\n", "//h/v3", "http//h",
    ],
)  # fmt: skip
def test_what_is_no_base_url_is_refused(url: str) -> None:
    """Without a scheme, without a host, with a query, a fragment or a password."""
    said = "give an absolute http or https URL, without a user name, a query or a fragment"
    assert the_refusal({"api": {"base_url": url}}, {}, None).startswith(f"--base-url: {said}")


@pytest.mark.parametrize(
    "url", ["http://h:abc", "http://h:99999", "http://:80", "https://[::1", "http://[", "http://a\\b", "http://[x]/v3"]
)
def test_a_base_url_that_is_kept_can_be_sent_to(url: str) -> None:
    """Wrong ports and brackets are told as a wrong setting, before anything is opened."""
    try:
        kept = load({"api": {"base_url": url}}, {}).base_url
    except ConfigurationError:
        return
    assert URL(kept + "/users").host


def test_a_password_in_a_base_url_is_not_repeated() -> None:
    """A proxy's or gateway's password does not end up in a log because the setting was refused."""
    assert "hunter2" not in the_refusal({"api": {"base_url": "https://ada:hunter2@h/v3"}}, {}, None)


# --- the key ---


@pytest.mark.parametrize("text", [KEY, f"{KEY}\n", f"  {KEY}\r\n", f"\t{KEY}"])
def test_the_key_comes_from_the_environment_or_a_file_and_blanks_round_it_are_nothing(here: Path, text: str) -> None:
    """`echo KEY > file` and a copied blank are no wrong key; the environment wins over the file."""
    (here / "key").write_text(text)
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    assert read_api_key(Settings(), {API_KEY_VARIABLE: text}) == SecretStr(KEY)
    assert read_api_key(settings, {}) == SecretStr(KEY)
    assert read_api_key(settings, {API_KEY_VARIABLE: "  "}) == SecretStr(KEY)
    assert read_api_key(settings, {API_KEY_VARIABLE: "other"}) == SecretStr("other")


def test_the_key_is_told_with_where_it_came_from(here: Path) -> None:
    """The variable or the file, never the key itself."""
    (here / "key").write_text(KEY)
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    assert find_api_key(settings, {}) == (SecretStr(KEY), "key")
    assert find_api_key(settings, {API_KEY_VARIABLE: KEY}) == (SecretStr(KEY), "COMETCHAT_API_KEY")


def test_a_key_file_from_windows_is_read(here: Path) -> None:
    """A byte-order mark is no part of a key."""
    (here / "key").write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    assert read_api_key(load({}, {}, a_config('[api]\napi_key_file = "key"')), {}) == SecretStr(KEY)


@pytest.mark.parametrize("inside", [" ", "\n", "\x00", "\x1b", "\x7f", "ä", "\u200b", "\r\nX-Header: 1"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(here: Path, inside: str) -> None:
    """Blanks, control characters, two lines, non-ASCII: a copying accident, told as such."""
    (here / "key").write_bytes((KEY + inside + KEY).encode())
    settings = load({}, {}, a_config('[api]\napi_key_file = "key"'))
    said = "the API key holds blanks or characters that no key has; copy it again"
    for environment, where, origin in (
        ({API_KEY_VARIABLE: KEY + inside + KEY}, Settings(), "COMETCHAT_API_KEY"),
        ({}, settings, "key"),
    ):
        with pytest.raises(ConfigurationError) as error:
            read_api_key(where, environment)
        assert str(error.value) == f"{origin}: {said}"


def test_no_key_is_told_with_every_way_to_give_it(here: Path) -> None:
    """Also when the file is there and empty."""
    (here / "key").write_text("\n")
    for settings in (Settings(), load({}, {}, a_config('[api]\napi_key_file = "key"'))):
        with pytest.raises(ConfigurationError) as error:
            read_api_key(settings, {})
        assert str(error.value) == (
            "no API key: set COMETCHAT_API_KEY, or name a file that holds it as api_key_file under [api] in the config "
            "file; --emulator needs none"
        )


def test_a_key_file_that_cannot_be_read_is_told(here: Path) -> None:
    """Missing, a folder, or not text."""
    (here / "binary").write_bytes(b"\xff\xfe")
    for name, why in (("gone", "No such file"), (".", "Is a directory"), ("binary", "can't decode")):
        settings = load({"api": {"api_key_file": name}}, {})
        with pytest.raises(ConfigurationError, match=rf"^api\.api_key_file: {name} cannot be read \(.*{why}"):
            read_api_key(settings, {})


def test_the_key_is_in_no_repr(here: Path) -> None:
    """Promise 7: whatever prints the settings or the key object prints no key."""
    (here / "key").write_text(KEY)
    settings = load({}, {API_KEY_VARIABLE: KEY}, a_config('[api]\napi_key_file = "key"'))
    key = read_api_key(settings, {API_KEY_VARIABLE: KEY})
    assert KEY not in repr(settings) + str(settings) + repr(key) + str(key) + f"{key}"


def test_the_key_is_not_in_the_repr_of_the_target() -> None:
    """Secrets are masked wherever they travel: a target in a traceback or a log shows none."""
    assert KEY not in repr(Target("http://h", KEY, Identity("app", "http://h")))

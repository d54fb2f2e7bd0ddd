"""The settings as one frozen object: their defaults, and what each key may hold."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import pytest
from pydantic import ValidationError
from yarl import URL

from provisioner.errors import ConfigurationError
from provisioner.model import AuthTokens, OnExisting
from provisioner.settings.tables import Rate, Settings, keys_of_tables, load, load_with_origins
from provisioner.settings.values import LEAST_SETTLED, Allowance
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.mapping import ColumnMapping, parse_mapping
from tests.rig.config import a_config, the_refusal


def test_the_defaults_are_those_of_the_contract() -> None:
    """Without a flag, a variable or a file: the documented numbers."""
    settings = load({}, {})
    assert settings == Settings()
    assert settings.rate == Rate(
        requests_per_minute=10_000, standard_requests_per_minute=20_000, share=0.9, max_in_flight=64
    )
    assert (settings.run.on_existing, settings.run.auth_tokens) == (OnExisting.SKIP, AuthTokens.CREATED)
    assert settings.run.max_failures == Allowance(share=0.05, counted_at=LEAST_SETTLED)
    assert (settings.run.limit, settings.run.dry_run, settings.run.restart) == (None, False, False)
    assert settings.retry.max_attempts == 8


def test_settings_do_not_change_once_they_are_made() -> None:
    """One frozen object, tables included."""
    settings = load({}, {})
    with pytest.raises(ValidationError):
        settings.rate.share = 1.0
    with pytest.raises(FrozenInstanceError):
        settings.run.max_failures.number = 1  # type: ignore[misc]


NUMBER = "should be a number of seconds, such as 30"


FIELDS = "the fields are uid, name, avatar, link, role, statusMessage, metadata, tags, withAuthToken, deactivated"
TABLE = 'should be a table, such as [columns] with the line uid = "a column" below it'
INTEGER = "should be a whole number, such as 100"


@pytest.mark.parametrize(
    ("table", "value", "said"),
    [
        ("rate", "requests_per_minute = 0", "should be at least 1, not 0"),
        ("rate", "requests_per_minute = 1.5", f"{INTEGER}, not 1.5"),
        ("rate", 'requests_per_minute = "x"', "give a whole number such as 500 or 10k, not 'x'"),
        ("rate", "requests_per_minute = [1]", f"{INTEGER}, not [1]"),
        ("rate", "max_in_flight = 5000", "should be at most 4096, not 5000"),
        ("rate", "share = 0", "give a share above 0 and at most 1, such as 0.7 or 70%, not 0"),
        ("rate", "share = 70", "give a share above 0 and at most 1, such as 0.7 or 70%, not 70"),
        ("rate", "share = true", "give a number such as 0.7 or 70%, not True"),
        ("run", "max_failures = -1", "give a number such as 20, or a share such as 5%, not -1"),
        ("run", "max_failures = 0.05", "give a number such as 20, or a share such as 5%, not 0.05"),
        ("run", 'max_failures = "101%"', "give a number such as 20, or a share such as 5%, not '101%'"),
        ("run", 'on_existing = "Skip"', "should be 'skip', 'update' or 'fail', not 'Skip'"),
        ("run", 'auth_tokens = "yes"', "should be 'created', 'all' or 'none', not 'yes'"),
        ("run", "limit = -1", "should be at least 0, not -1"),
        ("run", 'dry_run = "maybe"', "should be true or false, not 'maybe'"),
        ("run", "encoding = 5", "should be a text in quotes, not 5"),
        ("retry", "max_attempts = 0", "should be at least 1, not 0"),
        ("retry", "backoff_base = nan", "should be at most 86400, not nan"),
        ("retry", "pause_max = inf", "should be at most 86400, not inf"),
        ("api", "read_timeout = 0", "should be more than 0, not 0"),
        ("api", 'read_timeout = "soon"', f"{NUMBER}, not 'soon'"),
        ("api", 'region = "US"', "should be 'us', 'eu' or 'in', not 'US'"),
        (
            "api",
            'app_id = "my app"',
            "should be letters, digits and -, with no - at either end, not 'my app'",
        ),
        (
            "api",
            'app_id = "a\\n"',
            "should be letters, digits and -, with no - at either end, not 'a\\n'",
        ),
        ("constraints", "tags_max = -1", "should be at least 0, not -1"),
        ("constraints", "uid_max_length = 0", "should be at least 1, not 0"),
        ("log", 'format = "xml"', "should be 'console' or 'json', not 'xml'"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_its_key_and_its_origin(table: str, value: str, said: str) -> None:
    """What is wrong, where, what was found and what is allowed."""
    key = value.partition(" ")[0]
    assert the_refusal({}, {}, a_config(f"[{table}]\n{value}")) == f"c.toml: {table}.{key}: {said}"


@pytest.mark.parametrize("value", ["requests_per_minute = true", "max_in_flight = true"])
def test_a_boolean_is_no_number(value: str) -> None:
    """A slip of the pen must not make a run ten thousand times slower."""
    assert the_refusal({}, {}, a_config(f"[rate]\n{value}")).startswith("c.toml: rate.")


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
        ("[columns]\nnam = 'x'", f"c.toml: [columns] 'nam' is no user field; did you mean 'name'?; {FIELDS}"),
        (
            "columns = 5",
            'c.toml: columns: should be a table, such as [columns] with the line uid = "a column" below it, not 5',
        ),
    ],
)
def test_a_wrong_columns_table_is_refused_with_the_other_settings(text: str, message: str) -> None:
    """Before any roster is opened, by the key in the table."""
    assert the_refusal({}, {}, a_config(text)) == message


def test_columns_that_a_program_gives_are_not_looked_for_in_the_config_file() -> None:
    """A file is blamed only for what it may hold: the table of a program goes over that of the file, key by key."""
    config = a_config('[columns]\nname = "full"')
    message = f"[columns] 'nam' is no user field; did you mean 'name'?; {FIELDS}"
    assert the_refusal({"columns": {"nam": "x"}}, {}, config) == message


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
        "config file, or give --base-url; without an account, `provisioner run --emulator` needs none of them, and for "
        "the other commands `provisioner emulator` prints an address for --base-url"
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://a.api-eu.cometchat.io/v3", "https://a.api-eu.cometchat.io/v3"),
        ("https://a.api-eu.cometchat.io/v3//", "https://a.api-eu.cometchat.io/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/v3", "http://[::1]:8080/v3"),
        ("http://localhost/", "http://localhost"),
        ("HTTPS://a.api-eu.cometchat.io/V3", "https://a.api-eu.cometchat.io/V3"),
        ("Http://localhost//", "http://localhost"),
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


COMETCHAT = 'uid = { column = "mail", encode = "cometchat" }'


def test_uids_that_hold_underscores_by_their_making_are_allowed_to() -> None:
    """Where it follows from the mapping, in a file or from Python, it is told whose doing it is."""
    loaded = load_with_origins({}, {}, a_config(f"[columns]\n{COMETCHAT}\n"))
    assert loaded.settings.constraints == Constraints(uid_allow_underscore=True)
    assert loaded.origin("constraints", "uid_allow_underscore") == 'encode = "cometchat"'
    mapping = parse_mapping({"uid": ["id", {"column": "mail", "encode": "cometchat"}]})
    assert Settings(columns=mapping, constraints=Constraints(tags_max=3)).constraints == Constraints(
        uid_allow_underscore=True, tags_max=3
    )
    assert Settings(columns=parse_mapping({"uid": {"column": "mail", "encode": "slug"}})).constraints == Constraints()


def test_underscores_that_are_made_and_refused_at_once_are_told() -> None:
    """One of the two has to go; said explicitly, the permission is the file's own."""
    refused = a_config(f"[columns]\n{COMETCHAT}\n[constraints]\nuid_allow_underscore = false\n")
    assert the_refusal({}, {}, refused) == (
        'c.toml: [constraints] uid_allow_underscore = false rejects what encode = "cometchat" makes; '
        "take one of them out"
    )
    said = load_with_origins({}, {}, a_config(f"[columns]\n{COMETCHAT}\n[constraints]\nuid_allow_underscore = true\n"))
    assert said.origin("constraints", "uid_allow_underscore") == "c.toml"


WRONG = ('"x"', "5", "-1", "2.5", "true", "[]", "{}", '""', "nan", "1979-05-27", '"10k"', "99999999999")


@pytest.mark.sampled
@pytest.mark.parametrize(("table", "key"), [(table, key) for table, keys in keys_of_tables().items() for key in keys])
def test_no_word_of_a_library_reaches_a_person(table: str, key: str) -> None:
    """Every key with every wrong kind of value: taken, or refused in words of ours, with the file and the key."""
    foreign = re.compile(
        r"\binput\b|valid|instance|dictionary|pars|match|pattern|finite|boolean|integer|string", re.IGNORECASE
    )
    for value in WRONG:
        config = a_config(f"[{table}]\n{key} = {value}\n")
        try:
            load({}, {}, config)
        except ConfigurationError as error:
            said = str(error)
            assert said.startswith(f"c.toml: {table}.{key}: ")
            assert not foreign.search(said.partition(": ")[2].partition(", not ")[0]), said


@pytest.mark.parametrize(("given", "number"), [("10k", 10_000), ("1.5M", 1_500_000), ("10_000", 10_000), (" 7 ", 7)])
def test_thousands_are_understood(given: str, number: int) -> None:
    """In the file and on the command line alike."""
    assert load({}, {}, a_config(f'[rate]\nrequests_per_minute = "{given}"')).rate.requests_per_minute == number


@pytest.mark.parametrize("given", ["10kk", "1.5", "k", "", "10,000", "1.0005k", "ten"])
def test_what_is_no_whole_number_is_refused(given: str) -> None:
    """Nothing is rounded, and no comma is taken for what it may not be."""
    said = the_refusal({}, {}, a_config(f'[rate]\nrequests_per_minute = "{given}"'))
    assert said == f"c.toml: rate.requests_per_minute: give a whole number such as 500 or 10k, not {given!r}"

"""What is said of a setting that was refused, and never a secret."""

from __future__ import annotations

import tomllib

import pytest

from provisioner.roster.database.address import NO_PASSWORD
from provisioner.settings.refused import NO_PLACE, mended, shown

KEY = "0123456789abcdef0123456789abcdef01234567"


def said(line: str, table: str) -> str:
    """What is said of a line of a table, which is no TOML."""
    text = f"[log]\nquiet = true\n[{table}]\n{line}\n"
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    return mended(text, str(error.value)).removeprefix("; ")


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85"])
def test_a_line_is_what_toml_takes_for_one(end: str) -> None:
    """What only other programs take for the end of a line does not shift the place of the mistake."""
    line = "name = {first} {last}"
    assert said(f"# copied from a page{end}b = c d\n{line}", "columns") == 'put it in quotes: name = "{first} {last}"'
    assert said(f"{line}\r", "columns") == 'put it in quotes: name = "{first} {last}"'


@pytest.mark.parametrize(
    ("table", "line", "cure"),
    [
        ("run", "database = postgresql://app:s3cret@db/hr", NO_PASSWORD),
        ("run", "database = mysql://app:s3/cr@et@db/hr  # ours", NO_PASSWORD),
        ("run", "database = postgresql://db/hr?password=s3cret", NO_PASSWORD),
        ("run", "database_password = s3cret", NO_PASSWORD),
        ("run", "database_pwd = s3cret 7", NO_PASSWORD),
        ("run", "database_password_file = s3cret", "put the value of database_password_file in quotes"),
        ("api", f"key = {KEY}", NO_PLACE),
        ("api", "auth_key = s3cret", NO_PLACE),
        ("api", "auth-key = s3cret", NO_PLACE),
        ("api", "apiKey = s3cret", NO_PLACE),
        ("api", "REST_API_KEY = s3cret", NO_PLACE),
        ("api", "secret = s3cret", NO_PLACE),
        ("api", "token = s3cret", NO_PLACE),
        ("api", "'key' = s3cret", NO_PLACE),
        ("api", f"app_id = a{KEY}", "put the value of app_id in quotes"),
        ("api", f"App Id = {KEY}a b", "put the key App Id and the value of App Id in quotes"),
        ("api", f'App Id = "{KEY}"', "put the key App Id in quotes"),
        ("api", f"{KEY} again = 5", ""),
        ("api", "my_key = s3cret", NO_PLACE),
        ("api", "My Api = { api_key = s3cret }", "put the key My Api in quotes"),
        (
            "api",
            "base_url = https://ann:s3cret@host/v3",
            "put the value of base_url in quotes, without a user name, a query or a fragment",
        ),
        (
            "api",
            "base_url = https://host/v3?key=s3cret",
            "put the value of base_url in quotes, without a user name, a query or a fragment",
        ),
        ("columns", "withAuthToken = Token Wanted", "put the value of withAuthToken in quotes"),
        ("columns.metadata", "secret = Secret Friend", "put the value of secret in quotes"),
        ("columns", "uid = postgresql://app:s3cret@db/hr", NO_PASSWORD),
        ("output", "tokens_to = tokens out.csv", 'put it in quotes: tokens_to = "tokens out.csv"'),
        ("run", "database = postgresql://app@db/hr", "put the value of database in quotes"),
        ("run", "database = mysql://app:s3c#ret@db/hr", NO_PASSWORD),
        ("run", "database = sqlite:///hr.db", 'put it in quotes: database = "sqlite:///hr.db"'),
    ],
)
def test_no_value_is_repeated_that_may_be_a_secret(table: str, line: str, cure: str) -> None:
    """By the name of its key or by its form; and what is told instead is not refused afterwards."""
    assert said(line, table) == cure
    assert not any(secret in cure for secret in ("s3cret", "s3c#", KEY))


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("https://u:p@host/v3", "'https://***@host/v3'"),
        ("https://u:p/w@host/v3", "'https://***@host/v3'"),
        ("https://u:p@w?x#@host/v3", "'https://***@host/v3'"),
        ("https://u:p'\"w@host/v3", "'https://***@host/v3'"),
        ("u:p/w@host", "'***@host'"),
        ("https:/u:p@host", "'***@host'"),
        ("https://host/v3?key=1", "'https://host/v3?***'"),
        (KEY, "'***'"),
        ("one at most", "'one at most'"),
    ],
)
def test_what_is_secret_in_an_address_is_not_shown(value: str, masked: str) -> None:
    """Whatever characters a password is made of."""
    assert shown(repr(value)).replace('"', "'") == masked

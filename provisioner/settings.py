"""Flags, environment and config file, laid over each other into one frozen, checked object.

Precedence: flag, environment, config file, default. A value that is refused is named with where it came from.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from provisioner.errors import ConfigurationError
from provisioner.model import AuthTokens, OnExisting

DEFAULT_CONFIG: Final = Path("provisioner.toml")

# Environment variable → the config key it stands for.
ENVIRONMENT: Final[Mapping[str, tuple[str, str]]] = {
    "COMETCHAT_APP_ID": ("api", "app_id"),
    "COMETCHAT_REGION": ("api", "region"),
    "COMETCHAT_BASE_URL": ("api", "base_url"),
}
API_KEY_VARIABLE: Final = "COMETCHAT_API_KEY"


@dataclass(frozen=True, slots=True)
class MaxFailures:
    """How many failed rows are borne: a number of rows, or a share of the settled ones (0.05 is 5 %)."""

    rows: int | None = None
    share: float | None = None


def parse_share(value: object) -> float:
    """Read `0.7`, `"0.7"` or `"70%"` as 0.7; raises `ValueError` for anything not above 0 and at most 1."""
    number = _fraction(value)
    if not 0 < number <= 1:
        raise ValueError("give a share above 0 and at most 1, such as 0.7 or 70%")
    return number


def parse_max_failures(value: object) -> MaxFailures:
    """Read a number of rows (`100`) or a share of the settled ones (`"5%"`)."""
    if isinstance(value, MaxFailures):
        return value
    text = str(value).strip()
    if text.endswith("%"):
        number = _fraction(text)
        if 0 <= number <= 1:
            return MaxFailures(share=number)
    elif text.isdecimal():
        return MaxFailures(rows=int(text))
    raise ValueError("give a number of rows such as 100, or a share such as 5%")


def _fraction(value: object) -> float:
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ValueError("give a number such as 0.7 or 70%") from None
    return number


def _url(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"https?://[^\s/@?#\\]+[^\s@?#\\]*", value) or not _has_address(value):
            raise ValueError("give an absolute http or https URL, without a user name, a query or a fragment")
        return value.rstrip("/")
    return value


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


Share = Annotated[float, BeforeValidator(parse_share)]
Failures = Annotated[MaxFailures, BeforeValidator(parse_max_failures)]
BaseUrl = Annotated[str, BeforeValidator(_url)]
# Strict: pydantic would take `true` for 1.
Seconds = Annotated[float, Field(gt=0, le=86400, strict=True)]
Positive = Annotated[int, Field(ge=1, strict=True)]


class Table(BaseModel):
    """A table of the config file: no key it does not know, nothing changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Api(Table):
    """Where the API is and how long to wait for it."""

    app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$", max_length=63)] | None = None
    region: Literal["us", "eu", "in"] | None = None
    base_url: BaseUrl | None = None
    api_key_file: Path | None = None
    emulator: bool = False
    connect_timeout: Seconds = 10.0
    read_timeout: Seconds = 60.0
    total_timeout: Seconds = 60.0


class Rate(Table):
    """How fast, and how much of the app's limit is ours."""

    requests_per_minute: Positive = 10_000
    standard_requests_per_minute: Positive = 20_000
    share: Share = 0.9
    max_in_flight: Annotated[int, Field(ge=1, le=4096, strict=True)] = 64


class Retry(Table):
    """How often and how patiently to try again."""

    max_attempts: Annotated[int, Field(ge=1, le=100, strict=True)] = 8
    backoff_base: Seconds = 0.5
    backoff_max: Seconds = 30.0
    pause_max: Seconds = 120.0
    unreachable_after: Seconds = 60.0


class ConstraintOverrides(Table):
    """Limits that differ for this app; what is not given stays as documented."""

    uid_max_length: Positive | None = None
    uid_allow_underscore: bool | None = None
    name_max_length: Positive | None = None
    url_max_length: Positive | None = None
    role_max_length: Positive | None = None
    tags_max: Annotated[int, Field(ge=0, strict=True)] | None = None
    tag_max_length: Positive | None = None
    metadata_max_bytes: Annotated[int, Field(ge=2, strict=True)] | None = None
    body_max_bytes: Annotated[int, Field(ge=2, strict=True)] | None = None


class Run(Table):
    """What a run does."""

    on_existing: OnExisting = OnExisting.SKIP
    auth_tokens: AuthTokens = AuthTokens.CREATED
    max_failures: Failures = MaxFailures(share=0.05)
    check_roles: bool = True
    limit: Annotated[int, Field(ge=0, strict=True)] | None = None
    encoding: str | None = None
    dry_run: bool = False
    restart: bool = False


class Output(Table):
    """What is written where."""

    file: Path | None = None
    json_summary: Annotated[bool, Field(alias="json")] = False
    progress: bool = True


class Log(Table):
    """The story, on stderr and in a file."""

    format: Literal["console", "json"] | None = None
    file: Path | None = None
    verbose: bool = False
    quiet: bool = False


class Settings(Table):
    """Everything that can be set."""

    api: Api = Api()
    rate: Rate = Rate()
    retry: Retry = Retry()
    columns: dict[str, Any] = {}
    constraints: ConstraintOverrides = ConstraintOverrides()
    run: Run = Run()
    output: Output = Output()
    log: Log = Log()

    @property
    def base_url(self) -> str:
        """The API's root; raises `ConfigurationError` when it is not told."""
        api = self.api
        if api.base_url:
            return api.base_url
        missing = [name for name, value in (("app id", api.app_id), ("region", api.region)) if not value]
        if missing:
            said = (
                f"no {' and no '.join(missing)}: set COMETCHAT_APP_ID and COMETCHAT_REGION (us, eu or in), or app_id "
                "and region under [api] in the config file, or give --base-url; --emulator needs none of them"
            )
            raise ConfigurationError(said)
        return f"https://{api.app_id}.api-{api.region}.cometchat.io/v3"


def load(
    flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: Path | None = None
) -> Settings:
    """Build the settings; `flags` holds only what was given. Raises `ConfigurationError`.

    config  a TOML file; without one `provisioner.toml` in the current folder is read when it is there
    """
    path = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)
    layers: list[tuple[str, Mapping[str, Any]]] = []
    if path is not None:
        layers.append((str(path), _read_toml(path)))
    layers.append(("the environment", _from_environment(environment)))
    layers.append(("the command line", flags))
    merged: dict[str, Any] = {}
    for _, layer in layers:
        for table, values in layer.items():
            known = merged.setdefault(table, {})
            # What is no table is left as it is, to be refused.
            if isinstance(known, dict):
                merged[table] = {**known, **values} if isinstance(values, Mapping) else values
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, layers)) from None


def read_api_key(settings: Settings, environment: Mapping[str, str]) -> SecretStr:
    """Fetch the key from the environment or the file named in the config; raises `ConfigurationError`."""
    key, origin = environment.get(API_KEY_VARIABLE, "").strip(), API_KEY_VARIABLE
    if not key and (path := settings.api.api_key_file) is not None:
        origin = str(path)
        try:
            key = path.read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"api.api_key_file: {path} cannot be read ({error})") from None
    if not key:
        said = (
            "no API key: set COMETCHAT_API_KEY, or name a file that holds it as api_key_file under [api] in the config "
            "file; --emulator needs none"
        )
        raise ConfigurationError(said)
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigurationError(f"{origin}: the API key holds blanks or characters that no key has; copy it again")
    return SecretStr(key)


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for variable, (table, key) in ENVIRONMENT.items():
        if value := environment.get(variable, "").strip():
            found.setdefault(table, {})[key] = value
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path}: the config file cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not valid TOML ({error})") from None
    # A path in the file means a path from the file, wherever the command is started.
    for table, key in (("api", "api_key_file"), ("output", "file"), ("log", "file")):
        values = document.get(table)
        if isinstance(values, dict) and isinstance(values.get(key), str):
            try:
                values[key] = os.path.normpath(path.parent / Path(values[key]).expanduser())
            except RuntimeError as error:
                raise ConfigurationError(f"{path}: {table}.{key}: {error}, in {values[key]!r}") from None
    return document


_PASSWORD: Final = re.compile(r"//[^/@]*@")


def _explain(error: ValidationError, layers: list[tuple[str, Mapping[str, Any]]]) -> str:
    problems = []
    for each in error.errors(include_url=False):
        where = [str(part) for part in each["loc"]]
        name = ".".join(where[:2])
        # Where the refused value stands; a table that is none has no keys of its own.
        holders = [origin for origin, layer in reversed(layers) if _holds(layer, where)]
        tables = [
            origin for origin, layer in layers if len(where) == 1 and not isinstance(layer.get(where[0], {}), dict)
        ]
        origin = (tables or holders or ["the config file"])[0]
        if each["type"] == "extra_forbidden":
            problems.append(f"{origin}: unknown key {name}{_nearest(where)}")
        else:
            said = each["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
            problems.append(f"{origin}: {name}: {said}, not {_PASSWORD.sub('//***@', repr(each['input']))}")
    return "; ".join(problems)


def _holds(layer: Mapping[str, Any], where: list[str]) -> bool:
    inside: Any = layer
    for part in where[:2]:
        if not isinstance(inside, Mapping) or part not in inside:
            return False
        inside = inside[part]
    return True


def _nearest(where: list[str]) -> str:
    if where[-1] == "api_key":
        return "; a key does not belong in a config file: set COMETCHAT_API_KEY, or name a file in api_key_file"
    names = list(Settings.model_fields)
    if len(where) > 1:
        table = Settings.model_fields[where[0]].annotation
        fields = table.model_fields if isinstance(table, type) and issubclass(table, BaseModel) else {}
        names = [field.alias or name for name, field in fields.items()]
    close = difflib.get_close_matches(where[-1], names, n=1, cutoff=0.4)
    prefix = where[0] + "." if len(where) > 1 else ""
    return f"; did you mean {prefix}{close[0]}?" if close else f"; known here: {', '.join(sorted(names))}"

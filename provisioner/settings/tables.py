"""Everything that can be set, with its default: one frozen, checked object.

Precedence: flag, environment, config file, default. A value that is refused is named with where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    create_model,
)

from provisioner.errors import ConfigurationError
from provisioner.model import AuthTokens, OnExisting
from provisioner.roster.shard import Shard
from provisioner.settings.layers import DEFAULT, Key, WithEnvironment, default_config, explain, layers_of, merge
from provisioner.settings.problems import problems_of
from provisioner.settings.refused import check_address, refuse_misplaced_key
from provisioner.settings.values import (
    LEAST_CHANGED,
    LEAST_DEACTIVATIONS,
    LEAST_REJECTED,
    LEAST_SETTLED,
    Allowance,
    parse_allowance,
    parse_count,
    parse_delimiter,
    parse_duration,
    parse_escape,
    parse_shard,
    parse_share,
    parse_url,
)
from provisioner.validation.constraints import LIMITS, Constraints
from provisioner.validation.fields.mapping import ColumnMapping, parse_mapping


def parse_columns(table: object) -> ColumnMapping:
    """Read the `[columns]` table; raises `ConfigurationError` naming its key, or `ValueError` for what is no table."""
    if isinstance(table, ColumnMapping):
        return table
    if not isinstance(table, dict):
        raise ValueError('should be a table, such as [columns] with the line uid = "a column" below it')
    return parse_mapping(table)


Delimiter = Annotated[str, BeforeValidator(parse_delimiter)]
Escape = Annotated[str, BeforeValidator(parse_escape)]
ShardOf = Annotated[Shard, BeforeValidator(parse_shard)]
Share = Annotated[float, BeforeValidator(parse_share)]
Failures = Annotated[Allowance, BeforeValidator(lambda value: parse_allowance(value, counted_at=LEAST_SETTLED))]
Deactivations = Annotated[
    Allowance, BeforeValidator(lambda value: parse_allowance(value, LEAST_DEACTIVATIONS, tenth=True))
]
Rejected = Annotated[Allowance, BeforeValidator(lambda value: parse_allowance(value, LEAST_REJECTED))]
Changed = Annotated[Allowance, BeforeValidator(lambda value: parse_allowance(value, LEAST_CHANGED))]
Duration = Annotated[float, BeforeValidator(parse_duration)]
BaseUrl = Annotated[str, BeforeValidator(parse_url)]
Columns = Annotated[ColumnMapping, PlainValidator(parse_columns)]
# Strict: pydantic would take `true` for 1.
Seconds = Annotated[float, Field(gt=0, le=86400, strict=True)]
Count = BeforeValidator(parse_count)
# More than there can be of anything, and as much as every program that is handed a number can hold.
_MOST = 10**12
Positive = Annotated[int, Field(ge=1, le=_MOST, strict=True), Count]


class Table(BaseModel):
    """A table of the config file: no key it does not know, nothing changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Api(Table):
    """Where the API is and how long to wait for it."""

    app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$", max_length=63)] | None = None
    region: Literal["us", "eu", "in"] | None = None
    base_url: BaseUrl | None = None
    api_key_file: Path | None = None
    max_users: Positive | None = None
    emulator: bool = False
    connect_timeout: Seconds = 10.0
    read_timeout: Seconds = 60.0
    total_timeout: Seconds = 60.0


class Rate(Table):
    """How fast, and how much of the app's limit is ours."""

    requests_per_minute: Positive = 10_000
    standard_requests_per_minute: Positive = 20_000
    share: Share = 0.9
    max_in_flight: Annotated[int, Field(ge=1, le=4096, strict=True), Count] = 64


class Retry(Table):
    """How often and how patiently to try again."""

    max_attempts: Annotated[int, Field(ge=1, le=100, strict=True), Count] = 8
    backoff_base: Seconds = 0.5
    backoff_max: Seconds = 30.0
    pause_max: Seconds = 120.0
    unreachable_after: Seconds = 60.0


# A limit that is a number takes no boolean, which pydantic would read as 1.
_LIMIT_FIELDS: Final[dict[str, Any]] = {
    name: (
        bool if limit.default is False else Annotated[int, Field(ge=limit.least, le=_MOST, strict=True), Count],
        limit.default,
    )
    for name, limit in LIMITS.items()
}
_GivenConstraints: Final = create_model("Constraints", __base__=Table, **_LIMIT_FIELDS)


UNDERSCORE: Final[Key] = ("constraints", "uid_allow_underscore")


def parse_constraints(table: object, info: ValidationInfo) -> Constraints:
    """Read the `[constraints]` table; what is not given stays as documented.

    Uids that are made with `_` in them are allowed to have it, unless the table says that they are not.
    Raises `ValidationError`, or `ConfigurationError` for that.
    """
    given = None if isinstance(table, Constraints) else _GivenConstraints.model_validate(table)
    limits = table if isinstance(table, Constraints) else Constraints(**(given.model_dump() if given else {}))
    columns = info.data.get("columns")
    if limits.uid_allow_underscore or columns is None or not columns.needs_underscore:
        return limits
    if given is not None and UNDERSCORE[1] in given.model_fields_set:
        message = 'uid_allow_underscore = false rejects what encode = "cometchat" makes; take one of them out'
        raise ConfigurationError(f"[constraints] {message}")
    return replace(limits, uid_allow_underscore=True)


class Run(Table):
    """What a run does."""

    on_existing: OnExisting = OnExisting.SKIP
    auth_tokens: AuthTokens = AuthTokens.CREATED
    max_failures: Failures = Allowance(share=0.05, counted_at=LEAST_SETTLED)
    check_roles: bool = True
    create_roles: bool = False
    query: Annotated[str, Field(min_length=1)] | None = None
    database: str | None = None
    database_password_file: Path | None = None
    limit: Annotated[int, Field(ge=0, le=_MOST, strict=True), Count] | None = None
    shard: ShardOf | None = None
    encoding: str | None = None
    delimiter: Delimiter | None = None
    escape: Escape | None = None
    header_row: Positive | None = None
    sheet: Annotated[str, Field(min_length=1)] | None = None
    strict: bool = False
    show: Annotated[int, Field(ge=0, le=1000, strict=True), Count] = 0
    dry_run: bool = False
    restart: bool = False
    restored: bool = False


class Sync(Table):
    """What a nightly sync does, and what it refuses to do."""

    state: Path | None = None
    deactivate_leavers: bool = False
    keep_sessions: bool = False
    max_deactivations: Deactivations = Allowance(share=0.05, least=LEAST_DEACTIVATIONS, tenth=True)
    max_rejected: Rejected = Allowance(share=0.05, least=LEAST_REJECTED)
    max_creates: Changed = Allowance(share=0.34, least=LEAST_CHANGED)
    max_updates: Changed = Allowance(share=0.5, least=LEAST_CHANGED)
    grace_nights: Annotated[int, Field(ge=0, le=1000, strict=True), Count] = 0
    max_duration: Duration | None = None
    metrics_file: Path | None = None
    approve: Path | None = None
    adopt: bool = False
    refresh: bool = False
    yes: bool = False


class Output(Table):
    """What is written where."""

    file: Path | None = None
    any_filesystem: bool = False
    tokens_to: Path | None = None
    json_summary: Annotated[bool, Field(alias="json")] = False
    progress: bool = True
    report: bool = False
    rejected_format: Literal["same", "csv", "xlsx"] = "same"


class Log(Table):
    """The story, on stderr and in a file."""

    format: Literal["console", "json"] | None = None
    file: Path | None = None
    verbose: bool = False
    quiet: bool = False


class Settings(Table, WithEnvironment):
    """Everything that can be set."""

    api: Api = Api()
    rate: Rate = Rate()
    retry: Retry = Retry()
    columns: Columns = ColumnMapping()
    constraints: Annotated[Constraints, PlainValidator(parse_constraints), Field(validate_default=True)] = Constraints()
    run: Run = Run()
    sync: Sync = Sync()
    output: Output = Output()
    log: Log = Log()

    @property
    def base_url(self) -> str:
        """The API's root; raises `ConfigurationError` when it is not told, or a key stands in it."""
        api = self.api
        refuse_misplaced_key({"api.app_id": api.app_id, "api.base_url": api.base_url})
        if api.base_url:
            return api.base_url
        missing = [name for name, value in (("app id", api.app_id), ("region", api.region)) if not value]
        if missing:
            message = (
                f"no {' and no '.join(missing)}: set COMETCHAT_APP_ID and COMETCHAT_REGION (us, eu or in), or app_id "
                "and region under [api] in the config file, or give --base-url; "
                "without an account, `provisioner run --emulator` needs none of them, and for the other commands "
                "`provisioner emulator` prints an address for --base-url"
            )
            raise ConfigurationError(message)
        return f"https://{api.app_id}.api-{api.region}.cometchat.io/v3"

    @property
    def state_file(self) -> Path:
        """What a sync knows; raises `ConfigurationError` when it is not told where."""
        if self.sync.state is None:
            raise ConfigurationError("no state file: give --state FILE, or state under [sync] in the config file")
        return self.sync.state


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each comes from.

    config   the config file that was read; None when there is none
    origins  of the values that were given: a config file's path, a variable or a flag
    """

    settings: Settings
    config: Path | None
    origins: Mapping[Key, str]

    def origin(self, table: str, key: str) -> str:
        """Say where a value comes from; `default` when nobody gave it."""
        return self.origins.get((table, key), DEFAULT)


def load(
    flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: Path | None = None
) -> Settings:
    """Build the settings; `flags` holds only what was given. Raises `ConfigurationError`.

    config  a TOML file; without one `provisioner.toml` in the current folder is read when it is there
    """
    return load_with_origins(flags, environment, config).settings


def load_with_origins(
    flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: Path | None = None
) -> Loaded:
    """Do what `load` does, and say where each value comes from."""
    return _loaded(flags, environment, config or default_config())


def load_flags(flags: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Build the settings of flags alone, for what makes a config file and reads none. Raises `ConfigurationError`."""
    return _loaded(flags, None, None).settings


def _loaded(flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str] | None, path: Path | None) -> Loaded:
    layers = layers_of(flags, environment or {}, path)
    merged, origins = merge(layers)
    try:
        settings = Settings.model_validate(merged, context=environment)
    except ConfigurationError as error:  # of tables for which there are no flags; a program may give them
        is_of_file = path is not None and flags.keys().isdisjoint(("columns", "constraints"))
        raise ConfigurationError(f"{path}: {error}" if is_of_file else str(error)) from None
    except ValidationError as error:
        raise ConfigurationError(explain(problems_of(error), layers, keys_of_tables())) from None
    if settings.run.database is not None:
        origin = origins[("run", "database")]
        check_address(settings.run.database, origin if origin.startswith("--") else f"{origin}: run.database")
    if settings.columns.needs_underscore:
        origins.setdefault(UNDERSCORE, 'encode = "cometchat"')
    columns = replace(settings.columns, config=None if path is None else str(path))
    return Loaded(settings.model_copy(update={"columns": columns}), path, origins)


def keys_of_tables() -> dict[str, tuple[str, ...]]:
    """Give the keys that each table knows, as the file spells them; `columns` has those of its roster."""
    known = {}
    for table, each in Settings.model_fields.items():
        model = _GivenConstraints if each.annotation is Constraints else each.annotation
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        known[table] = tuple(inner.alias or key for key, inner in fields.items())
    return known

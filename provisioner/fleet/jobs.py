"""What the fleet file asks for: one `[[job]]` for a tenant, or for the shards of a roster; checked before it starts.

    [defaults]                      # of all jobs
    config = "common.toml"

    [[job]]
    name = "acme"
    command = "sync"
    roster = "acme.csv"
    state = "acme.state.db"
    app_id = "123"
    region = "eu"
    api_key_file = "keys/acme"

Paths are relative to the file they stand in, and that is where the jobs are started; `~/` is the home of whoever starts
them.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ConfigurationError
from provisioner.fleet.files import refuse_shared, settings_of
from provisioner.journal.header import app_at
from provisioner.results.outputs import FORMATS, journal_of
from provisioner.roster.files.inputs import is_local
from provisioner.roster.shard import MOST_SHARDS, Shard
from provisioner.settings.layers import ENVIRONMENT, read_document
from provisioner.settings.refused import refuse_misplaced_key
from provisioner.settings.secretfile import looks_like_key
from provisioner.settings.tables import Settings
from provisioner.wording import nearest, shortened

_TEXTS: Final = (
    "name", "command", "config", "output", "state", "app_id", "region", "base_url", "api_key_file", "api_key_variable",
)  # fmt: skip
_LISTS: Final = ("roster", "environment")
KEYS: Final = (*_TEXTS, *_LISTS, "shards")
"""What a job can say, and what `[defaults]` can say for all of them."""

_PATHS: Final = ("config", "output", "state", "api_key_file")
COMMANDS: Final = ("run", "sync")
_TABLES: Final = ("defaults", "job")
_ADDRESS: Final = {key: variable for variable, (_, key) in ENVIRONMENT.items()}
_EITHER: Final = (("base_url", "app_id"), ("base_url", "region"), ("api_key_file", "api_key_variable"))
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Job:
    """One command that is to be carried out.

    name          told to people: `acme`, and `big 3/16` for a shard
    group         the `name` in the file, which shards have in common
    output        the results file
    address       the variables that say which app it is
    key_file      holds the API key; None when a variable or the job's config has it
    key_variable  holds it in the fleet's environment
    passed        more variables of the fleet's environment that it needs
    yes           what it would ask a person is answered with yes; else it refuses what nobody is there to answer
    """

    name: str
    group: str
    command: str
    roster: tuple[str, ...]
    output: Path
    config: Path | None = None
    state: Path | None = None
    shard: str | None = None
    address: Mapping[str, str] = field(default_factory=dict)
    key_file: Path | None = None
    key_variable: str | None = None
    passed: tuple[str, ...] = ()
    yes: bool = False

    @property
    def journal(self) -> Path:
        """What it goes on from: a journal, or a state."""
        return self.state or journal_of(self.output)

    @property
    def file_name(self) -> str:
        """Its name as a file can have it."""
        return self.name.replace(" ", "-").replace("/", "-of-")

    def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Give those that the fleet file has for it: passed on from the fleet's `environment`, and its address."""
        passed = {name: environment[name] for name in self.passed if name in environment}
        return passed | dict(self.address)

    def _told(self) -> Iterator[tuple[str, str, str, object]]:
        """Give what the fleet file says for it, each as an option of the command and as a table and key of settings.

        A `base_url` goes before all that its config says, also before `emulator`.
        """
        yield "--output", "output", "file", self.output
        if self.state is not None:
            yield "--state", "sync", "state", self.state
        if self.shard is not None:
            yield "--shard", "run", "shard", self.shard
        if (base_url := self.address.get(_ADDRESS["base_url"])) is not None:
            yield "--base-url", "api", "base_url", base_url

    def tables(self) -> dict[str, dict[str, object]]:
        """Give it as settings that go before those of its config."""
        return {table: {key: value} for _, table, key, value in self._told()}

    def arguments(self) -> list[str]:
        """Give the command's arguments. No key is among them."""
        given = [f"--config={self.config}"] if self.config is not None else []
        given += [f"{option}={value}" for option, _, _, value in self._told()]
        given += ["--yes"] if self.yes else []
        # What a config keeps quiet is what the fleet goes by: how far the job is, and that it lives.
        return [self.command, *given, "--json", "--log-format=json", "--quiet=false", "--", *self.roster]


@dataclass(frozen=True, slots=True)
class Fleet:
    """All jobs of a file.

    apps  group → the address of its app; None when its settings are refused, which the job itself will tell
    """

    path: Path
    jobs: tuple[Job, ...]
    apps: Mapping[str, str | None]

    @property
    def base(self) -> Path:
        """The folder that the file stands in."""
        return self.path.resolve().parent

    @property
    def folder(self) -> Path:
        """Where the fleet writes, and its jobs by default."""
        return self.base / f"{self.path.stem}.fleet"

    @property
    def sharing(self) -> frozenset[str]:
        """The groups whose app has more than one job, so that they have to share its rate."""
        # The shards of a roster have one app, whichever that is.
        apps = {group: app or group for group, app in self.apps.items()}
        jobs = Counter(apps[job.group] for job in self.jobs)
        return frozenset(group for group, app in apps.items() if jobs[app] > 1)

    def files(self) -> Iterator[Path]:
        """Name the fleet file and what its jobs name; a pattern is no file, and neither is an address."""
        yield self.path
        for job in self.jobs:
            named = (job.output, job.journal, job.config, job.key_file, *map(Path, filter(is_local, job.roster)))
            yield from (self.base / each for each in named if each is not None)

    def with_yes(self) -> Fleet:
        """Give the fleet whose jobs have every question answered with yes."""
        return replace(self, jobs=tuple(replace(job, yes=True) for job in self.jobs))


def read_fleet(path: Path) -> Fleet:
    """Read a fleet file. Raises `ConfigurationError` naming the job and the key."""
    document = read_document(path, "fleet file")
    for table in document.keys() - set(_TABLES):
        raise ConfigurationError(f"{path}: unknown key {table!r}{nearest(table, _TABLES)}")
    defaults = _table(f"{path}: defaults", document.get("defaults", {}))
    given = document.get("job", [])
    if not isinstance(given, list) or not given:
        raise ConfigurationError(f"{path}: no job in it; each begins with the line [[job]]")
    jobs: list[Job] = []
    for number, table in enumerate(given, 1):
        named = f" ({table['name']})" if isinstance(table, dict) and isinstance(table.get("name"), str) else ""
        where = f"{path}: job {number}{named}"
        own = _table(where, table)
        # What a job says for itself stands instead of a default that says the same in another way.
        instead = {each for pair in _EITHER for each in pair if set(pair) & own.keys()}
        jobs.extend(_jobs(where, path.stem, {k: v for k, v in defaults.items() if k not in instead} | own))
    _refuse_namesakes(path, jobs)
    first, base = {job.group: job for job in reversed(jobs)}, path.resolve().parent
    settings = {job.group: settings_of(job, base, os.environ) for job in reversed(first.values())}
    refuse_shared(path, jobs, settings)
    return Fleet(path, tuple(jobs), {group: _app(told) for group, told in settings.items()})


def _app(settings: Settings | None) -> str | None:
    try:
        return app_at(settings.base_url) if settings is not None else None
    except ConfigurationError:
        return None


def _table(where: str, table: object) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigurationError(f'{where}: should be a table, with lines such as name = "acme" below its head')
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigurationError(f"{where}: {_unknown(key)}")
        if key in _TEXTS and not (isinstance(value, str) and value.strip()):
            raise ConfigurationError(f"{where}: {key} should be a text in quotes, not {shortened(repr(value))}")
        if key in _LISTS and not _is_listed(value):
            raise ConfigurationError(f"{where}: {key} should be a text or a list of texts")
        if key == "shards" and not (type(value) is int and 1 <= value <= MOST_SHARDS):
            raise ConfigurationError(f"{where}: shards should be a whole number from 1 to {MOST_SHARDS:,}")
    home = os.path.expanduser  # pathlib makes another address of an address
    paths = {key: home(value) for key, value in table.items() if key in _PATHS}
    return {**table, **paths, **({"roster": [*map(home, _listed(table["roster"]))]} if "roster" in table else {})}


def _is_listed(value: object) -> bool:
    listed = [value] if isinstance(value, str) else value
    return isinstance(listed, list) and bool(listed) and all(isinstance(each, str) and each for each in listed)


def _told(variable: str) -> str:
    return "***, which looks like the key itself," if looks_like_key(variable) else shortened(variable)


def _unknown(key: str) -> str:
    if key.lower().replace("_", "").replace("-", "") == "apikey":
        return "a key has no place in a fleet file: name a file that holds it in api_key_file, or use api_key_variable"
    return f"unknown key {key!r}{nearest(key, KEYS) or '; known here: ' + ', '.join(KEYS)}"


def _jobs(where: str, stem: str, given: Mapping[str, Any]) -> Iterator[Job]:
    """Make the jobs that one table asks for: one, or one for each shard."""
    _check(where, given)
    name, command, shards = given["name"], given.get("command", "run"), given.get("shards")
    asked = Job(
        name=name,
        group=name,
        command=command,
        roster=tuple(_listed(given["roster"])),
        output=Path(given.get("output", f"{stem}.fleet/{name}" if shards else f"{stem}.fleet/{name}.results.csv")),
        config=Path(given["config"]) if "config" in given else None,
        state=Path(given["state"]) if command == "sync" else None,
        address={variable: given[key] for key, variable in _ADDRESS.items() if key in given},
        key_file=Path(given["api_key_file"]) if "api_key_file" in given else None,
        key_variable=given.get("api_key_variable"),
        passed=tuple(_listed(given.get("environment", ()))),
    )
    yield from [asked] if shards is None else _shards(asked, shards)


def _shards(job: Job, of: int) -> Iterator[Job]:
    for number in range(1, of + 1):
        shard = Shard(number, of)
        yield replace(
            job, name=f"{job.group} {shard}", shard=str(shard), output=job.output / f"{shard.stem}.results.csv"
        )


def _check(where: str, given: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for the first thing that is missing, or does not go with the others."""
    command, state, shards = given.get("command", "run"), given.get("state"), given.get("shards")
    if shards is None and "output" in given and Path(given["output"]).suffix.lower() not in FORMATS:
        ending = f" that ends in {', '.join(FORMATS)}" if Path(given["output"]).name else ""
        raise ConfigurationError(f"{where}: output should be the name of a file{ending}, not {given['output']!r}")
    variables = [given.get("api_key_variable", "A"), *_listed(given.get("environment", ()))]
    wrong = [name for name in variables if not _VARIABLE.fullmatch(name)]
    rules = (
        ("name" not in given, "no name"),
        ("roster" not in given, "no roster"),
        (
            not _NAME.fullmatch(given.get("name", "A")),
            "name should be letters, digits, . _ and -: files are called by it",
        ),
        (command not in COMMANDS, f"command should be run or sync, not {shortened(command)}"),
        (command == "sync" and state is None, "a sync needs a state, the file that is kept from night to night"),
        (command == "sync" and shards is not None, 'a sync has no shards; take them out, or write command = "run"'),
        (command == "run" and state is not None, 'a run has no state; take it out, or write command = "sync"'),
        ("-" in _listed(given.get("roster", ())), "a fleet has no standard input to give; name a file as the roster"),
        (bool(wrong), f"{_told(''.join(wrong[:1]))} is no name of a variable"),
        *((one in given and other in given, f"{one} and {other}: take one of them out") for one, other in _EITHER),
    )
    for holds, message in rules:
        if holds:
            raise ConfigurationError(f"{where}: {message}")
    refuse_misplaced_key({f"{where}: {key}": given.get(key) for key in _ADDRESS})


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _refuse_namesakes(path: Path, jobs: list[Job]) -> None:
    """Raise `ConfigurationError` when two jobs cannot be told apart."""
    named: dict[str, str] = {}
    for job in jobs:
        if (other := named.get(job.file_name)) is not None:
            both = f"jobs are called {job.name}" if other == job.name else f"jobs, {other} and {job.name}, share a log"
            raise ConfigurationError(f"{path}: two {both}; give one of them another name")
        named[job.file_name] = job.name

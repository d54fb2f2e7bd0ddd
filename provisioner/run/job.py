"""What was asked for: the roster, the settings, where to write and where to send; and a run of it under way."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provisioner.errors import ConfigurationError, JournalError
from provisioner.files.aside import set_aside
from provisioner.journal.copies.mark import refuse_empty_copy
from provisioner.journal.course.table import roster_in
from provisioner.journal.header import EMULATOR, Identity, owner_in
from provisioner.journal.lock import JournalLock, set_journal_aside
from provisioner.logs.events import get_logger
from provisioner.model import OnExisting
from provisioner.results.manifest import Source, begun_beside, places, set_others_aside
from provisioner.results.outputs import Outputs, default_stem, is_output_of, tokens_of
from provisioner.results.resubmission import default_results
from provisioner.roster.database.address import PREFIX, Query, parse_address
from provisioner.roster.database.printing import roster_in_command
from provisioner.roster.files.inputs import Inputs, Location, Sheets, find_inputs
from provisioner.run.progress.watch import Watch, told_every
from provisioner.sending.serverclock import ServerClock
from provisioner.settings.apikey import find_access
from provisioner.settings.named import named_files
from provisioner.settings.password import read_database_password
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper
from provisioner.tally import Tally
from provisioner.wording import counted

if TYPE_CHECKING:  # what only checks has no need of the network
    from provisioner.roster.reader import RosterOptions
    from provisioner.run.rates import Dial
    from provisioner.sending.client import Client

log = get_logger()

_NEVER_TOLD: Final = frozenset({"database", "query", "database_password_file"})
_ALWAYS_TOLD: Final = frozenset(
    {"requests_per_minute", "share", "max_in_flight", "on_existing", "auth_tokens", "max_failures"}
)


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for.

    drawn  the progress is to be drawn on the terminal
    dial   changes the rate while it runs, when somebody may
    """

    roster: Inputs
    settings: Settings
    outputs: Outputs
    drawn: bool = False
    dial: Dial | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    identity    what the journal remembers of it
    client      makes what sends to it; None for the one over the network
    key_origin  the variable or the file that the key came from
    """

    base_url: str
    api_key: str = field(repr=False)
    identity: Identity
    client: Callable[[Settings, Target], Client] | None = field(default=None, repr=False, compare=False)
    key_origin: str = ""


_ON_EXISTING: Final = {
    OnExisting.SKIP: "users that exist are left as they are",
    OnExisting.UPDATE: "users that exist are overwritten",
    OnExisting.FAIL: "users that exist count as failed",
}


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a run is about to do, in one line for a person.

    rows  of the roster, whether they can be sent or not
    """

    rows: int
    roster: Sequence[str]
    app: Identity
    on_existing: OnExisting

    def __str__(self) -> str:
        first, *more = self.roster
        roster = f"{first} and {len(more)} more" if more else first
        app = f"app {self.app.app_id} at {self.app.base_url}" if self.app.app_id else self.app.base_url
        return f"{counted(self.rows, 'row')} of {roster} become users of {app}; {_ON_EXISTING[self.on_existing]}"


@dataclass(frozen=True, slots=True)
class Run:
    """A job that is being carried out.

    stopper  ends it early
    tally    how far it has come
    watch    shows that, as long as it is watching
    started  UNIX seconds
    clock    the server's, as far as its answers have told it
    """

    job: Job
    stopper: Stopper
    tally: Tally
    watch: Watch
    started: float
    clock: ServerClock = field(default_factory=ServerClock)

    @classmethod
    def begin(cls, job: Job, stopper: Stopper) -> Run:
        """Begin with nothing read, sent or settled. Raises `ConfigurationError`, see `told_every`."""
        tally = Tally()
        watch = Watch(tally, stopper, drawn=job.drawn, every=told_every(job.settings.environment))
        return cls(job, stopper, tally, watch, time.time())


def identity(settings: Settings) -> Identity:
    """Name the app the settings are about; raises `ConfigurationError`."""
    app = settings.api.app_id if settings.api.base_url is None else None
    return Identity(app or "", settings.base_url)


def source_of(job: Job, sheets: Sheets) -> Source:
    """Say what the roster of a job is, `sheets` being read of its workbooks."""
    asked, query = job.settings.run, None
    if _is_asked(job.roster) and asked.query is not None and asked.database is not None:
        # Its password is not asked for: what holds it may be a pipe, which was read when the query was.
        query = Query(asked.query, parse_address(asked.database)).digest
    return Source(places(job.roster), job.roster.stem, sheets, query)


def begins_anew(job: Job, source: Source) -> tuple[bool, str | None]:
    """Whether a run goes on with nothing, and the other roster whose files these are; asked before they are opened.

    It was told so, what is there was sent to the built-in emulator, or it was begun for other rows of these files.
    """
    settings, journal = job.settings, job.outputs.journal
    whose = begun_beside(job.outputs, source, roster_in(journal))
    rehearsed = not settings.api.emulator and owner_in(journal) == EMULATOR
    return settings.run.restart or rehearsed or whose is not None, whose


def check_journal(job: Job, *, anew: bool) -> None:
    """Raise `JournalError` for one that is said to be restored and holds nothing, or that is to be set aside in use.

    anew  see `keep_earlier_files`
    """
    journal = job.outputs.journal
    if job.settings.run.restored:
        if not journal.exists():
            message = "no such journal, so nothing was restored; put the copy there, or leave --restored out"
            raise JournalError(f"{journal}: {message}")
        refuse_empty_copy(journal)
    if anew and journal.exists():
        with JournalLock(journal):
            pass


def keep_earlier_files(job: Job, source: Source, whose: str | None, *, anew: bool, new: bool) -> None:
    """Keep what an earlier run left where this one does not continue it: its files may hold the only tokens.

    anew  the journal that may be there is not gone on with; `whose`: see `begins_anew`
    new   there is none that is gone on with
    """
    files = job.outputs
    set_others_aside(files, source, check=False)
    if anew and (aside := set_journal_aside(files.journal)) is not None:
        if whose is None:
            log.info("journal.set_aside", kept_as=str(aside))
        else:
            log.warning("journal.set_aside", kept_as=str(aside), reason=f"it belongs to another roster, {whose}")
    if new:
        set_results_aside(files)


def set_results_aside(files: Outputs, *, whole: bool = False) -> None:
    """Set aside results and tokens, with `whole` all beside them, that belong to no journal or state gone on with."""
    beside = (files.rejected, files.summary) if whole else ()
    for path in (files.results, files.tokens, *beside):
        if path is not None and (aside := set_aside(path)) is not None:
            reason = "they belong to no journal that is continued here"
            log.warning("results.set_aside", kept_as=str(aside), reason=reason)


def options_of(settings: Settings) -> dict[str, Any]:
    """Say how a job was asked to go about it, as a report tells it: what matters most, and all that is not the default.

    No key, no token and no address is in it.
    """
    defaults, told = Settings(), {}
    for name in ("rate", "retry", "run", "sync"):
        table, usual = getattr(settings, name), getattr(defaults, name)
        for key in type(table).model_fields:
            value = getattr(table, key)
            if key in _NEVER_TOLD:
                continue
            if key in _ALWAYS_TOLD or value != getattr(usual, key):
                # A file may have a name that is not UTF-8.
                text = str(value).encode(errors="backslashreplace").decode()
                told[key] = value if isinstance(value, int | float) else text
    return told


def refuse_emulator(settings: Settings) -> None:
    """Raise `ConfigurationError` where the built-in emulator is asked for and the users of an app are meant."""
    if settings.api.emulator:
        lives = "the built-in emulator lives only as long as a run or a doctor, and nothing else can use it"
        cure = "start `provisioner emulator` and give its address with --base-url (as base_url to a job of a fleet)"
        raise ConfigurationError(f"api.emulator: {lives}; {cure}")


def make_target(settings: Settings) -> Target:
    """Find where requests go, and with which key.

    Raises `ConfigurationError`, also for a proxy that cannot be one, and for the built-in emulator.
    """
    from provisioner.sending.client import proxy_for

    refuse_emulator(settings)
    key, origin, base_url = find_access(settings, settings.environment)
    proxy_for(base_url)  # refused now, and not when the whole roster has been read
    return Target(base_url, key.get_secret_value(), identity(settings), key_origin=origin)


def rosters(given: Sequence[str], settings: Settings) -> Sequence[str]:
    """Give the arguments that name the roster: those of the command, else what stands for the query of the settings.

    Raises `ConfigurationError` when there is neither.
    """
    if given:
        return given
    query = query_of(settings)
    if query is None:
        raise ConfigurationError("no roster: name a file, or give --query and --database")
    return [PREFIX + query.address.name]


def query_of(settings: Settings) -> Query | None:
    """Give the query of the settings, with its password; raises `ConfigurationError` for half of one."""
    asked = settings.run
    if asked.query is None and asked.database is None:
        return None
    if asked.query is None or asked.database is None:
        missing = "database" if asked.query is not None else "query"
        raise ConfigurationError(f"no {missing}: --query and --database go together; give --{missing}")
    password = read_database_password(settings)
    address = parse_address(asked.database)
    return Query(asked.query, address, password.get_secret_value() if password is not None else None)


def reading_options(inputs: Inputs, settings: Settings, interrupted: Callable[[], None]) -> RosterOptions:
    """Say how a roster is to be read; raises `ConfigurationError`.

    interrupted  called while a query is answered or a pipe is read; what it raises ends it
    """
    from provisioner.roster.reader import RosterOptions

    reading = settings.run
    return RosterOptions(
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        sheet=reading.sheet,
        limit=reading.limit,
        header_row=reading.header_row,
        escape=reading.escape or "",
        missing=settings.columns.missing,
        of_people=settings.columns.missing_of_people,
        query=query_of(settings) if _is_asked(inputs) else None,
        interrupted=interrupted,
    )


def _is_asked(inputs: Inputs) -> bool:
    return any(file.location is Location.QUERY for file in inputs.files)


def make_job(given: Sequence[str], settings: Settings, *, check: bool = False) -> Job:
    """Find what is read and where is written; raises `RosterError` or `OutputError`.

    check  nothing will be sent, so what is written has names of its own
    """
    roster = find_inputs(rosters(given, settings))
    usual = default_results(default_stem(roster), settings.run.shard)
    results = settings.output.file or usual
    tokens = None if (apart := settings.output.tokens_to) is None else tokens_of(apart, settings.run.shard)
    written = [path for path in (results, usual, tokens) if path is not None]
    roster = roster.without(lambda path: any(is_output_of(each, path) for each in written))
    asked = settings.output.rejected_format
    suffix = roster.rejected_suffix if asked == "same" else f".{asked}"
    outputs = Outputs.beside(results, suffix, roster.paths, check=check, tokens=tokens)
    outputs.refuse_overwriting(set(outputs.paths()) - {outputs.journal}, named_files(settings))
    return Job(roster, settings, outputs)


def way_to_a_mapping(inputs: Inputs, settings: Settings) -> str:
    """Say which config file was read, and what proposes a mapping."""
    read, first = f"{settings.columns.config or 'no config file'} was read", inputs.files[0]
    if first.location is Location.QUERY:
        return f"{read}; AS in the query names a column too"
    way = f"; `provisioner init {shlex.quote(roster_in_command(first.where))}` proposes a mapping"
    return f"{read}{', and maps others' if settings.columns.fields else way}"

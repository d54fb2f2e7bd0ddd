"""Provisioning from Python: what the commands do, without a command line.

    from provisioner import api

    settings = api.settings(config="provisioner.toml")
    summary = api.run("users.csv", settings)
    tokens = api.results(summary).select("uid", "auth_token").collect()

Each function takes paths and a `Settings` and gives a frozen summary; `summary.document` is what `--json` prints, and
`summary.exit_code` what the command would end with. Nothing is printed, no logging is set up (a host that has
configured structlog gets our events), no signal is taken and no process ended. What cannot begin raises one of
`provisioner.errors`; what stops once it has begun to send is no exception: it ends with a summary that says so, and
the same call goes on.

Every function has an async form, for code that runs in an event loop: there the others raise `UsageError`. A `Stopper`
of the caller's can end it early, and so can cancelling it: requests on the wire finish first (10 s at most).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from provisioner.errors import NoResultsError, UsageError
from provisioner.settings.problems import refuse_what_is_no_table
from provisioner.settings.tables import Settings, keys_of_tables, load
from provisioner.stop import InterruptedEarlyError, Stop, Stopper, ending_gently, stop_early

if TYPE_CHECKING:
    import polars as pl

    from provisioner.inspection.proof.proof import Proof
    from provisioner.journal.undo.telling import ToDo
    from provisioner.results.summary import Summary
    from provisioner.run.job import Prospect
    from provisioner.run.rates import Dial
    from provisioner.run.undo.summary import UndoPreview, UndoSummary
    from provisioner.sync.plan.assessment import Assessment
    from provisioner.sync.plan.report import PlanReport
    from provisioner.sync.summary import NightSummary

__all__ = [
    "InterruptedEarlyError",
    "Settings",
    "Stop",
    "Stopper",
    "plan",
    "plan_async",
    "results",
    "run",
    "run_async",
    "settings",
    "sync",
    "sync_async",
    "undo",
    "undo_async",
    "undo_preview",
    "undo_preview_async",
    "validate",
    "validate_async",
    "verify",
    "verify_async",
]

P = ParamSpec("P")
T = TypeVar("T")

Rosters: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One roster: a path, a pattern of paths, an address, or several of these, whose rows follow each other."""


def settings(
    config: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    **tables: Mapping[str, Any],
) -> Settings:
    """Build the settings as the commands do. Raises `ConfigurationError` naming the key and where it came from.

    config       a TOML file; without one `provisioner.toml` in the current folder is read when it is there
    environment  variables that count, key and password included; those of this process by default
    tables       what overrides both, table by table: `rate={"share": "70%"}, output={"file": "out.csv"}`
    """
    refuse_what_is_no_table(tables, keys_of_tables())
    return load(tables, os.environ if environment is None else environment, None if config is None else Path(config))


def validate(roster: Rosters, settings: Settings | None = None) -> Summary:
    """Check a roster against CometChat's constraints, without network; see `validate_async`."""
    return _carried_out(validate_async, roster, settings)


async def validate_async(
    roster: Rosters, settings: Settings | None = None, *, stopper: Stopper | None = None, drawn: bool = False
) -> Summary:
    """Check a roster against CometChat's constraints, without network.

    Writes the rejected rows and the summary beside `settings.output.file`, with `.check` in their names: the files of
    a run stay as they are. Valid rows count as pending.

    stopper  ends it early
    drawn    draw the progress on stderr

    Raises `RosterError`, `OutputError`, `StorageError`, or `InterruptedEarlyError` when it is stopped.
    """
    from provisioner.run.command import validate

    asked, stopping = settings or Settings(), stopper or Stopper()
    return await ending_gently(validate(_arguments(roster), asked, stopping, drawn=drawn), stopping)


def run(roster: Rosters, settings: Settings | None = None) -> Summary:
    """Create the users of a roster, or go on where an earlier run was stopped; see `run_async`."""
    return _carried_out(run_async, roster, settings)


async def run_async(
    roster: Rosters,
    settings: Settings | None = None,
    *,
    confirm: Callable[[Prospect], bool] | None = None,
    confirm_minting: Callable[[int], bool] | None = None,
    stopper: Stopper | None = None,
    drawn: bool = False,
    dial: Dial | None = None,
) -> Summary:
    """Create the users of a roster, or go on where an earlier run was stopped.

    The key comes from COMETCHAT_API_KEY or from `settings.api.api_key_file`; `settings.api.emulator` sends to the
    built-in emulator and needs none. With `settings.run.dry_run` nothing is sent, as in `validate_async`.

    confirm          asked before the first request, with what is about to be done; without it nobody is asked
    confirm_minting  asked when the job begins anew and mints for all, with how many users were given a token before
    stopper          ends it early: requests on the wire finish (10 s at most), and the summary says what stopped it
    drawn            draw the progress on stderr
    dial             changes the rate while it runs

    Raises `ConfigurationError`, `RosterError`, `OutputError`, `JournalError`, `StorageError`, `RosterChangedError`, or
    `InterruptedEarlyError` when it is stopped before anything was sent.
    """
    from provisioner.run.command import run

    stopping = stopper or Stopper()
    running = run(
        _arguments(roster), settings or Settings(), stopping,
        confirm=confirm, confirm_minting=confirm_minting, drawn=drawn, dial=dial,
    )  # fmt: skip
    return await ending_gently(running, stopping)


def plan(roster: Rosters, settings: Settings) -> PlanReport:
    """Say what a sync of a roster would change, and change nothing; see `plan_async`."""
    return _carried_out(plan_async, roster, settings)


async def plan_async(
    roster: Rosters, settings: Settings, *, stopper: Stopper | None = None, drawn: bool = False
) -> PlanReport:
    """Say what a sync of a roster would change, and change nothing.

    `settings.sync.state` is the state; `settings.output.file`, if it is set, is where the plan is kept.
    Raises as `sync_async` does.
    """
    from provisioner.sync.command import plan

    stopping = stopper or Stopper()
    return await ending_gently(plan(_arguments(roster), settings, stopping, drawn=drawn), stopping)


def sync(roster: Rosters, settings: Settings) -> NightSummary:
    """Bring the app's users to what a roster, or a kept plan, says; see `sync_async`."""
    return _carried_out(sync_async, roster, settings)


async def sync_async(
    roster: Rosters,
    settings: Settings,
    *,
    confirm: Callable[[Assessment], bool] | None = None,
    stopper: Stopper | None = None,
    drawn: bool = False,
    dial: Dial | None = None,
) -> NightSummary:
    """Bring the app's users to what a roster, or a kept plan, says.

    confirm  asked before the first change, with what is about to be done; without it nobody is asked
    stopper  ends it early: requests on the wire finish (10 s at most), and the summary says what stopped it
    drawn    draw the progress on stderr
    dial     changes the rate while it runs

    Raises `ConfigurationError`, `RosterError`, `OutputError`, `JournalError`, `StorageError`, `UsageError` for a plan
    that does not fit any more, or `InterruptedEarlyError` when it is stopped before anything was changed.
    """
    from provisioner.sync.command import sync

    stopping = stopper or Stopper()
    syncing = sync(_arguments(roster), settings, stopping, confirm=confirm, drawn=drawn, dial=dial)
    return await ending_gently(syncing, stopping)


def verify(roster: Rosters, settings: Settings | None = None) -> Proof:
    """Prove that the app's users are as a roster has them, and change nothing; see `verify_async`."""
    return _carried_out(verify_async, roster, settings)


async def verify_async(
    roster: Rosters, settings: Settings | None = None, *, stopper: Stopper | None = None, drawn: bool = False
) -> Proof:
    """Prove that the app's users are as a roster has them, and change nothing.

    Writes the proof and the list of differences beside `settings.output.file`. With `settings.sync.state` it proves a
    sync: those of the state whom the roster does not name are compared with the state.

    stopper  ends it early
    drawn    draw the progress on stderr

    Raises `ConfigurationError`, `RosterError`, `OutputError`, `JournalError`, `StorageError`, `RosterChangedError`,
    `DirectoryError` when the API does not tell, or `InterruptedEarlyError` when it is stopped.
    """
    from provisioner.inspection.proof.command import verify

    asked, stopping = settings or Settings(), stopper or Stopper()
    return await ending_gently(verify(_arguments(roster), asked, stopping, drawn=drawn), stopping)


def undo(out: str | os.PathLike[str], settings: Settings | None = None, *, permanent: str | None = None) -> UndoSummary:
    """Take back what the run with these results did, and only that; see `undo_async`."""
    return _carried_out(undo_async, out, settings, permanent=permanent)


async def undo_async(
    out: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    permanent: str | None = None,
    confirm: Callable[[ToDo], bool] | None = None,
    stopper: Stopper | None = None,
    drawn: bool = False,
) -> UndoSummary:
    """Take back what the run with these results did, and only that, or go on where an earlier undo was stopped.

    Writes `….undo.csv` and `….undo.summary.json` beside the results.

    out        the results file, as the run's output names it
    permanent  the app's id: whom the run created is deleted for good, not deactivated
    confirm    asked before the first request, with what there is to be undone; without it nobody is asked
    stopper    ends it early: requests on the wire finish (10 s at most), and the summary says what stopped it
    drawn      draw the progress on stderr

    Raises `ConfigurationError`, `JournalError`, `OutputError`, `StorageError`, `UsageError` for an id that is not the
    app's, or `InterruptedEarlyError` when it is stopped before anything was sent.
    """
    from provisioner.run.undo.command import undo

    asked, stopping = settings or Settings(), stopper or Stopper()
    undoing = undo(os.fspath(out), asked, stopping, permanent=permanent, confirm=confirm, drawn=drawn)
    return await ending_gently(undoing, stopping)


def undo_preview(
    out: str | os.PathLike[str], settings: Settings | None = None, *, permanent: str | None = None
) -> UndoPreview:
    """Say what `undo` would do, and send nothing; see `undo_preview_async`."""
    return _carried_out(undo_preview_async, out, settings, permanent=permanent)


async def undo_preview_async(
    out: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    permanent: str | None = None,
    stopper: Stopper | None = None,
) -> UndoPreview:
    """Say what `undo` would do, and send nothing. Takes and raises what `undo_async` does, and writes no file."""
    from provisioner.run.undo.command import preview

    previewed = await asyncio.to_thread(preview, os.fspath(out), settings or Settings(), permanent=permanent)
    stop_early(stopper or Stopper())
    return previewed


def results(of: Summary | NightSummary | str | os.PathLike[str]) -> pl.LazyFrame:
    """Give the results, one row for each row of the roster, in its order; nothing is read before it is collected.

    of  the summary of a run or a sync, or the results file: `.csv`, `.parquet`, `.ndjson` or `.xlsx`

    The columns and their types are those of `provisioner.results.formats.outcomes.RESULT_SCHEMA`.
    Raises `NoResultsError` when nothing was sent or there is no such file (it is a `FileNotFoundError` too), and
    `OutputError` when it is a folder, cannot be read, has another ending or holds no results. What is no workbook is
    told when it is collected, with `RosterError`.
    """
    from provisioner.results.formats.outcomes import open_results

    written = of if isinstance(of, str | os.PathLike) else of.outputs["results"]
    if written is None:
        raise NoResultsError("no results were written: nothing was sent")
    return open_results(Path(written))


def _arguments(roster: Rosters) -> list[str]:
    return [os.fspath(roster)] if isinstance(roster, str | os.PathLike) else [os.fspath(each) for each in roster]


def _carried_out(form: Callable[P, Coroutine[Any, Any, T]], *given: P.args, **named: P.kwargs) -> T:
    from provisioner.run.runtime import loop_factory

    with suppress(RuntimeError):  # no loop is running here
        asyncio.get_running_loop()
        waits = f"api.{form.__name__.removesuffix('_async')} waits for its end, and an event loop is running here"
        raise UsageError(f"{waits}; use await api.{form.__name__}(…)")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(form(*given, **named))

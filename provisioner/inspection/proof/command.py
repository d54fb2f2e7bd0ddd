"""`verify`, from a roster and settings to a proof, readable from top to bottom.

    roster → checking → ledger: expected → pages of the app → ledger: met → asked for singly → proof

Nothing is changed, in the app or in the job: the journal and the state are only read.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final

from provisioner.errors import ConfigurationError, DirectoryError, ExitCode, JournalError
from provisioner.inspection.proof.ledger import Expected, Ledger
from provisioner.inspection.proof.proof import DIFFERENCES, Proof, write_differences
from provisioner.inspection.proof.reading import NOTHING_PROVED, Reading, read_app
from provisioner.inspection.proof.stored import Terms, sent_profile
from provisioner.journal.header import Identity, header_of, is_bound, open_for_reading, owner_of
from provisioner.journal.journal import JournalReader
from provisioner.journal.lock import holder_of
from provisioner.logs.events import get_logger
from provisioner.model import FIELDS, Standing
from provisioner.results.manifest import written_last
from provisioner.results.outputs import refuse_as_output, refuse_what_is_no_file
from provisioner.results.summary import write_summary
from provisioner.run.intake import Surveyed, open_roster, survey
from provisioner.run.job import Job, Run, Target, make_job, make_target
from provisioner.run.wiring import connected
from provisioner.sending.attempts import Exchanger
from provisioner.sending.roles import RoleCheck
from provisioner.sending.users.profile import NOT_CLEARABLE
from provisioner.settings.named import named_files
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper, stop_early
from provisioner.sync.plan.decision import managed_fields
from provisioner.threads import in_thread
from provisioner.wording import counted

# Users of a state taken in at once.
_AT_ONCE: Final = 4000
# What no sync can empty stays as it is where the roster has nothing.
_STAYS: Final = frozenset({NOT_CLEARABLE})

_NO_COLUMN: Final = "the roster has no column for it"
_UNTOLD: Final = "the API shows it of nobody"
_NO_FIELD: Final = "a token is no field of a profile, and none is asked for"

log = get_logger()


async def verify(arguments: Sequence[str], settings: Settings, stopper: Stopper, *, drawn: bool) -> Proof:
    """Prove that the app's users are as a roster has them; see `provisioner.api.verify_async`."""
    target = make_target(settings)
    job = replace(proof_job(arguments, settings), drawn=drawn)
    if settings.run.shard is not None:
        raise ConfigurationError("run.shard: a proof is about a whole roster; leave it out")
    if settings.sync.state is None:
        _refuse_another_app(job, target.identity)
    return await prove(job, target, stopper)


def proof_job(arguments: Sequence[str], settings: Settings) -> Job:
    """Find what is read and where the proof is written. Raises `RosterError`, `OutputError`, `ConfigurationError`."""
    job, state = make_job(arguments, settings), settings.sync.state
    if state is not None:
        if settings.run.limit is not None:
            raise ConfigurationError("run.limit: a sync takes the whole roster, and so does the proof of one")
        refuse_what_is_no_file(state, "check --state")
        job = replace(job, outputs=replace(job.outputs, journal=state))
    for path in (job.outputs.proof, job.outputs.differences):
        refuse_as_output(path, job.outputs.cure(path))
    kept = [("the roster", roster) for roster in job.roster.paths] + [("the journal", job.outputs.journal)]
    job.outputs.refuse_overwriting((job.outputs.proof, job.outputs.differences), [*named_files(settings), *kept])
    return job


async def prove(job: Job, target: Target, stopper: Stopper) -> Proof:
    """Read the roster and the app, compare them, write the proof.

    Raises `ProvisionerError`, or `InterruptedEarlyError` when it is stopped: nothing is proved then.
    """
    run, nightly = Run.begin(job, stopper), job.settings.sync.state is not None
    job.outputs.make_folder()
    async with AsyncExitStack() as stack:
        stack.enter_context(run.watch.watching())
        opened = stack.enter_context(closing(await open_roster(run)))
        reader = stack.enter_context(ThreadPoolExecutor(1, "reader"))
        surveyed = await survey(opened, reader, stopper)
        if nightly:
            surveyed = await in_thread(reader, partial(surveyed.compared, lambda: stop_early(stopper)))
        terms = Terms(managed_fields(opened.binding), _STAYS if nightly else frozenset())
        ledger = stack.enter_context(closing(Ledger(job.outputs.results.parent, terms)))
        run.watch.enter("checking")
        await in_thread(reader, lambda: _take_in_roster(run, surveyed, ledger, nightly=nightly))
        if nightly:
            await in_thread(reader, lambda: _take_in_leavers(job, target.identity, ledger))
        run.watch.enter("proving")
        async with connected(run, target) as connection:
            reading = await read_app(connection.exchanger, ledger, partial(in_thread, reader))
            if reading is not None and not nightly:
                await _reject_unknown_roles(run, connection.exchanger, ledger, reader)
        if reading is None or stopper.is_stopping():
            raise _stopped(stopper)
        run.watch.enter("writing")
        return await in_thread(reader, lambda: _finish(run, target.identity, surveyed, ledger, reading))


async def _reject_unknown_roles(run: Run, exchanger: Exchanger, ledger: Ledger, reader: ThreadPoolExecutor) -> None:
    """Count as rejected, as a run does, who has a role that the app does not know: nobody is created with it.

    The app is asked only when somebody who is not as the roster has them is given such a role.
    """
    asked, rows = run.job.settings.run, run.tally.rows
    named = await in_thread(reader, lambda: {each.role for each in ledger.unlike() if each.role is not None})
    roles = RoleCheck(exchanger, on=asked.check_roles and not asked.create_roles and bool(named))
    await roles.ask()
    if unknown := {role for role in named if roles.doubtful(role)}:
        rejected = await in_thread(reader, partial(ledger.reject, unknown))
        rows.valid, rows.rejected = rows.valid - rejected, rows.rejected + rejected


def _take_in_roster(run: Run, surveyed: Surveyed, ledger: Ledger, *, nightly: bool) -> None:
    """Take in every valid row as it is sent; a rejected one only says that there is somebody."""
    rows, fields = run.tally.rows, ledger.terms.fields
    for each in surveyed.batches():
        checked = each.checked
        sent = checked.valid.select("uid", "body", "role", "deactivated").iter_rows()
        ledger.expect(_expected(*row, fields=fields, nightly=nightly) for row in sent)
        ledger.name(checked.lines.drop_nulls(["uid", "error_code"])["uid"].to_list())
        rows.valid += len(checked.valid)
        rows.rejected += len(checked.rejected)
        rows.checked += len(checked.lines)
        stop_early(run.stopper)


def _expected(
    uid: str, body: str, role: str | None, leaves: bool | None, *, fields: Collection[str], nightly: bool
) -> Expected:
    """Say how a user has to be: by a run it is created and deactivated, by a sync it need not be there."""
    profile = sent_profile(body, fields)
    if leaves:
        return Expected(uid, profile, Standing.DEACTIVATED, role, nightly)
    return Expected(uid, profile, role=role)


def _take_in_leavers(job: Job, identity: Identity, ledger: Ledger) -> None:
    """Take in those whom the state knows for certain and the roster does not name. Raises `JournalError`."""
    path = job.outputs.journal
    if not path.exists():
        raise JournalError(f"{path}: no such state file; check --state")
    if (holder := holder_of(path)) is not None:
        log.warning("state.in_use", by=holder, hint="what is proved may be changing; verify again when it has ended")
    with _State(path, identity) as state:
        standings = state.standings()
        while some := list(islice(standings, _AT_ONCE)):
            ledger.expect_leavers(some)


class _State(JournalReader):
    """A state that is only looked at."""

    instead = "check --state"
    another_app = "check --state, the app id and the region"
    may_be_blank = False


def _refuse_another_app(job: Job, identity: Identity) -> None:
    """Raise `JournalError` when the job beside the output sent its users elsewhere; the proof needs no journal."""
    path = job.outputs.journal
    try:
        with closing(open_for_reading(path)) as database:
            header = header_of(database)
            owner = owner_of(database) if header.ours and not header.newer and is_bound(database) else identity
    except FileNotFoundError:
        return
    except (OSError, sqlite3.DatabaseError) as error:
        log.warning("journal.unread", file=str(path), reason=str(error), hint="whose it is cannot be told")
        return
    if owner != identity:
        todo = "give the configuration of that job, or another --output"
        raise JournalError(f"{path}: the users of this job are those of {owner}, not of {identity}; {todo}")


def _stopped(stopper: Stopper) -> Exception:
    """Say why there is no proof: what the API refuses is told in its words."""
    stop = stopper.stop
    if stop is not None and stop.exit_code is ExitCode.API:
        return DirectoryError(f"{NOTHING_PROVED}: {stop.message}")
    stop_early(stopper)
    raise AssertionError("the reading ended, but nothing stopped it")


def _finish(run: Run, identity: Identity, surveyed: Surveyed, ledger: Ledger, reading: Reading) -> Proof:
    outputs, rows, total = run.job.outputs, run.tally.rows, surveyed.survey.rows
    not_compared = _not_compared(ledger)
    state = run.job.settings.sync.state
    first, digest = write_differences(outputs.differences, written_last(outputs.proof, DIFFERENCES), ledger)
    proof = Proof(
        identity=identity,
        roster=tuple(run.job.roster.names),
        state=None if state is None else str(state),
        time=run.clock.now() or time.time(),
        started=run.started,
        finished=time.time(),
        rows=total,
        rejected=rows.rejected,
        repeated=total - rows.checked,
        totals=ledger.totals(),
        compared_fields=tuple(name for name in FIELDS if name in ledger.terms.fields - ledger.untold),
        not_compared=not_compared,
        reading=reading,
        requests=run.tally.requests.sent,
        sides=ledger.digests(),
        outputs={"proof": str(outputs.proof), DIFFERENCES: str(outputs.differences), "summary": str(outputs.proof)},
        digests={DIFFERENCES: digest},
        first=first,
    )
    write_summary(outputs.proof, proof.document)
    return proof


def _not_compared(ledger: Ledger) -> dict[str, str]:
    """Say of which fields nothing is said, of anybody or of some users, and why."""
    fields, untold = ledger.terms.fields, ledger.untold
    reasons = {name: _UNTOLD if name in fields else _NO_COLUMN for name in FIELDS if name not in fields - untold}
    for name, (users, first) in ledger.left_open().items():
        reasons[name] = f"of {counted(users, 'user')}, {first} among them, the API does not show it"
    return reasons | {"withAuthToken": _NO_FIELD}

"""An undo, from the journal to its list, readable from top to bottom.

journal → who was created or updated → backlog → workers: look, record, take back → journal → list, summary
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from provisioner.errors import ExitCode, StorageError
from provisioner.journal.course.table import UNDO
from provisioner.journal.header import Identity
from provisioner.journal.undo.reversals import Candidate
from provisioner.journal.undo.telling import ToDo
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.logs.events import get_logger
from provisioner.model import Outcome, Past, State, UserRequest
from provisioner.results.manifest import written_last
from provisioner.results.summary import end_unwritten, keep_summary
from provisioner.run.admission import Outbox
from provisioner.run.job import Job, Run, Target
from provisioner.run.pipeline import carry_out
from provisioner.run.undo.listing import Counts, count_lines, write_list
from provisioner.run.undo.reversal import Reversals
from provisioner.run.undo.summary import LIST, UndoSummary
from provisioner.run.wiring import connected, open_store, tell_of_copy
from provisioner.sending.users import trace
from provisioner.stop import NOT_CONFIRMED, Stop, Stopper, confirmed, stop_early, stopping_on_storage_error

log = get_logger()

TAGS: Final = trace.bits_of({"tags"})
SHOWN: Final = (Outcome.REVERSED, Outcome.KEPT, Outcome.UNTOUCHED, Outcome.FAILED)
"""What is counted while it lasts."""

# Seconds by which a request can outlast the patience of whoever sent it.
_LATE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Undo:
    """What was asked for.

    job        settings and files; it has no roster
    permanent  users are deleted for good
    confirm    asked before the first request, with what there is to be undone
    """

    job: Job
    permanent: bool = False
    confirm: Callable[[ToDo], bool] = lambda _: True

    @property
    def journal(self) -> Path:
        """What the run has left."""
        return self.job.outputs.journal


async def take_back(undo: Undo, target: Target, stopper: Stopper) -> UndoSummary:
    """Take back what a run did. Raises `ProvisionerError`, or `InterruptedEarlyError` before anything was sent."""
    run = Run.begin(undo.job, stopper)
    run.watch.shown = SHOWN
    log.info("undo.started", journal=str(undo.journal), api=target.identity.base_url, permanent=undo.permanent)
    journal = UndoJournal(undo.journal, target.identity, permanent=undo.permanent, tags=TAGS)
    async with AsyncExitStack() as stack:
        recorder = await stack.enter_async_context(open_store(journal, stopper, undo.job.settings))
        tell_of_copy(journal)
        to_do = await recorder.run(journal.to_do)
        stop_early(stopper)
        run.tally.rows.total = to_do.users
        number, stop = None, None
        if to_do.users and not confirmed(lambda: undo.confirm(to_do)):
            stop = Stop(NOT_CONFIRMED, "nothing was changed: the undo was not confirmed", ExitCode.SAFETY)
        else:
            # Also with nothing to do: this is how a round ends whose last undo was killed when all was done.
            number = await recorder.run(partial(journal.begin, run.started))
        if to_do.users and stop is None:
            stack.enter_context(run.watch.watching())
            run.watch.enter("sending")
            async with connected(run, target) as connection:
                late = undo.job.settings.api.total_timeout + _LATE
                lifetimes = await recorder.run(journal.lifetimes)
                reversals = Reversals(connection.exchanger, recorder, journal, connection.clock, late, lifetimes)
                await carry_out(run, connection, recorder, reversals.settle, partial(_feed, reversals), UNDO)
            run.watch.enter("writing")
        return await recorder.run(partial(_finish, undo, run, journal, target.identity, number, stop or stopper.stop))


async def _feed(reversals: Reversals, outbox: Outbox) -> None:
    """Put everybody who is to be looked at into the outbox."""
    after, journal = 0, reversals.journal
    with stopping_on_storage_error(outbox.stopper):
        while not outbox.stopper.is_stopping():
            some = await outbox.recorder.run(partial(journal.candidates, after, outbox.block_size))
            if not some:
                return
            after = some[-1].key
            reversals.taken.update((each.key, each) for each in some)
            await outbox.put([_request(each) for each in some])


def _request(each: Candidate) -> UserRequest:
    past = (
        Past(State.PENDING, Outcome.FAILED) if each.failed else None
    )  # by it the error budget spares whoever fails again
    return UserRequest(each.key, each.row, each.uid, b"", "", token=False, past=past)


def _finish(
    undo: Undo, run: Run, journal: UndoJournal, app: Identity, number: int | None, stop: Stop | None
) -> UndoSummary:
    outputs, declined = undo.job.outputs, stop is not None and stop.reason == NOT_CONFIRMED
    counts, digest, listed = (count_lines(journal.lines()), None, False) if declined else _listed(run, journal)
    finished = time.time()

    def made(left: bool) -> UndoSummary:
        return UndoSummary(
            counts,
            untouched=journal.untouched(),
            tokens_left=journal.tokens_left(),
            tally=run.tally,
            started=run.started,
            finished=finished,
            stop=stop or run.stopper.stop,
            app=app,
            permanent=undo.permanent,
            outputs={
                LIST: str(outputs.undo) if listed else None,
                "summary": str(outputs.undo_summary) if left else None,
                "journal": str(outputs.journal),
            },
            digests={LIST: digest},
            copied_at=journal.copied_at,
        )

    summary = made(False) if declined else keep_summary(outputs.undo_summary, run.stopper, made)
    if number is not None:
        journal.end(number, summary.finished, summary.document, good=summary.stop is None)
    return summary


def _listed(run: Run, journal: UndoJournal) -> tuple[Counts, str | None, bool]:
    """Write the list: what it adds up to, the digest of what was written there last, and whether it is there now."""
    outputs = run.job.outputs
    known = written_last(outputs.undo_summary, LIST)
    try:
        return *write_list(outputs.undo, known, journal.lines()), True
    except StorageError as error:
        end_unwritten(run.stopper, error)
        return count_lines(journal.lines()), known, False

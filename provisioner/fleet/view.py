"""What a person sees of a fleet: a line for each job that runs, and totals; an event now and then off a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from provisioner.fleet.standing import Phase, Standing
from provisioner.logs.events import get_logger
from provisioner.results.tables import plain_table
from provisioner.run.progress.watch import EVENT

_REDRAW: Final = 0.5
_NAME: Final = 14
_ROWS: Final = 12


@contextmanager
def watching(standings: Sequence[Standing], *, drawn: bool) -> Iterator[None]:
    """Draw or log in the background of the running event loop until the block ends.

    drawn  whether a terminal is there to draw on
    """
    task = asyncio.create_task(_draw(standings) if drawn else _log_now_and_then(standings), name="view")
    try:
        yield
    finally:
        task.cancel()


def facts(standings: Sequence[Standing]) -> dict[str, Any]:
    """Add up how far all jobs are."""
    running = [each.progress for each in standings if each.phase is Phase.RUNNING]
    return {
        "jobs": len(standings),
        **{phase.value.replace(" ", "_"): sum(each.phase is phase for each in standings) for phase in Phase},
        "in_trouble": sum(each.in_trouble for each in standings),
        "rows_done": sum(_done(each) for each in standings),
        "requests_per_minute": sum(each.get("requests_per_minute") or 0 for each in running),
    }


def _done(standing: Standing) -> int:
    if isinstance(rows := standing.summary.get("rows"), int):
        pending = standing.summary.get("pending", 0)
        return rows - (pending if isinstance(pending, int) else 0)
    return standing.done


async def _log_now_and_then(standings: Sequence[Standing]) -> None:
    log = get_logger()
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(EVENT)
            log.info("fleet.progress", **facts(standings))


async def _draw(standings: Sequence[Standing]) -> None:
    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            live.update(picture(standings, lines=max(3, console.height - 4)), refresh=True)
            await asyncio.sleep(_REDRAW)


def picture(standings: Sequence[Standing], lines: int) -> Table:
    """Make the table: the jobs that run, those in trouble, and a line for all together.

    lines  as many as there is room for
    """
    table = plain_table()
    # A long message gives way, not the name of the job.
    for least in (_NAME, _ROWS, None):
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=least)
    running = [each for each in standings if each.phase is Phase.RUNNING]
    trouble = [each for each in standings if each.in_trouble]
    shown = [*running, *trouble][: lines - 1]
    for each in shown:
        table.add_row(each.job.name, _progress(each), Text(_state(each), "red" if each in trouble else ""))
    if (more := len(running) + len(trouble) - len(shown)) > 0:
        table.add_row(f"and {more:,} more", "", "")
    total = facts(standings)
    over = total["ended"] + total["held_back"]
    sentence = f"{over:,} of {total['jobs']:,} jobs have ended, {total['in_trouble']:,} in trouble"
    table.add_row("all", f"{total['rows_done']:,} rows", f"{total['requests_per_minute']:,}/min · {sentence}")
    return table


def _progress(standing: Standing) -> str:
    if standing.ended is not None:
        return f"{_done(standing):,} rows"
    done, of = standing.progress.get("done"), standing.progress.get("of")
    if done is None:
        return ""
    return f"{done:,} of {of:,}" if of is not None else f"{done:,}"


def _state(standing: Standing) -> str:
    if standing.phase is Phase.HELD_BACK:
        return standing.message or ""
    if standing.ended is not None:
        return f"exit {standing.exit_code}: {standing.message or 'see its log'}"
    if standing.waits_for is not None:
        return f"its journal is in use by {standing.waits_for}; waiting"
    progress = standing.progress
    again = f" · start {standing.starts}" if standing.starts > 1 else ""
    if (rate := progress.get("requests_per_minute")) is not None:
        return f"{rate:,}/min ({progress.get('pace')}){again}"
    return f"{progress.get('stage', 'starting')}{again}"

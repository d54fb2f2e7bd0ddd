"""The main job, `run`, and its offline half, `validate`: arguments become settings, settings an exit code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from provisioner.cli.asked import Asked
from provisioner.cli.options.arguments import Config, RosterOrQuery, Yes
from provisioner.cli.options.base import given
from provisioner.cli.options.output import CheckOutput, Log, Output
from provisioner.cli.options.reading import Asking, PartialReading
from provisioner.cli.options.sending import Api, Rate, Run, Validation

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from provisioner.run.rates import Dial
    from provisioner.run.runtime import Ending
    from provisioner.settings.tables import Settings
    from provisioner.stop import Stopper


class Carrying(Protocol):
    """What carries out a command, as `provisioner.api` has it."""

    def __call__(
        self, roster: Sequence[str], settings: Settings, *, stopper: Stopper, drawn: bool
    ) -> Coroutine[Any, Any, Ending]:
        """Carry it out, and give what it ends with."""


def run(
    *roster: RosterOrQuery,
    asking: Asking | None = None,
    reading: PartialReading | None = None,
    api: Api | None = None,
    rate: Rate | None = None,
    doing: Run | None = None,
    output: Output | None = None,
    log: Log | None = None,
    config: Config = None,
    yes: Yes = False,
) -> int:
    """Create the users of ROSTER in CometChat, one result per row.

    The API key comes from COMETCHAT_API_KEY or from a file named in the config, never from an argument.
    The same command again resumes: what is settled costs no request.

    Try it without an account:  provisioner run users.csv --emulator
    """
    from provisioner import api as provisioning
    from provisioner.run.command import confirming, confirming_mints
    from provisioner.run.rates import Dial

    with Asked(roster, given(asking, reading, api, rate, doing, output, log), config).leaving_summary() as asked:
        settings = asked.load()
        confirm, again = confirming(settings, yes=yes), confirming_mints(settings, yes=yes)
        dial = Dial(asked.read, settings.rate)
        work = partial(provisioning.run_async, confirm=confirm, confirm_minting=again, dial=dial)
        return carried_out(asked, settings, work, dial)


def validate(
    *roster: RosterOrQuery,
    asking: Asking | None = None,
    reading: PartialReading | None = None,
    doing: Validation | None = None,
    output: CheckOutput | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Check ROSTER against CometChat's constraints, without network: same report, same rejected file."""
    from provisioner import api as provisioning

    with Asked(roster, given(asking, reading, doing, output, log), config, check=True).leaving_summary() as asked:
        return carried_out(asked, asked.load(), provisioning.validate_async)


def carried_out(asked: Asked, settings: Settings, work: Carrying, dial: Dial | None = None) -> int:
    """Carry out what was asked for, print how it ended, give the exit code; a check sends nothing."""
    from provisioner.run.job import make_job
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs

    asked.refuse_contradictions()
    job = make_job(asked.roster, settings, check=asked.check or settings.run.dry_run)
    set_up_logs(settings, (*job.roster.paths, *job.outputs.paths()))
    drawn = is_drawn(settings)
    return conduct(
        settings, lambda stopper: asked.noted(work(asked.roster, settings, stopper=stopper, drawn=drawn)), dial
    )

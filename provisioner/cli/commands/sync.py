"""The nightly sync: `plan`, `sync` and `history`."""

from __future__ import annotations

import os
from typing import Annotated

from provisioner.cli.asked import Asked
from provisioner.cli.boundary import show
from provisioner.cli.options.arguments import Config, RosterOrQuery
from provisioner.cli.options.base import given
from provisioner.cli.options.nightly import KeptState, Plan, Sync
from provisioner.cli.options.output import Log, Output, PlanOutput, Printed
from provisioner.cli.options.reading import Asking, Reading
from provisioner.cli.options.sending import Address, Pace, Rate, Sending, Shown
from provisioner.cli.options.types import number


def plan(
    *roster: RosterOrQuery,
    asking: Asking | None = None,
    sync: Plan | None = None,
    reading: Reading | None = None,
    shown: Shown | None = None,
    api: Address | None = None,
    rate: Pace | None = None,
    output: PlanOutput | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Say what a sync of ROSTER would change, and change nothing."""
    from provisioner import api as provisioning
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs
    from provisioner.sync.command import files_of

    with Asked(
        roster, given(sync, asking, reading, shown, api, rate, output, log), config, filed=False
    ).leaving_summary() as asked:
        settings = asked.load()
        asked.refuse_contradictions()
        # A config file's output is that of a sync: a plan is kept only where it is asked for.
        nowhere = settings.output.model_copy(update={"file": None})
        kept = nowhere.model_copy(update={"file": output.file if output else None})
        files = files_of(roster, settings.model_copy(update={"output": nowhere}), planning=True)
        set_up_logs(settings, filter(None, (*files, kept.file)))
        settings, drawn = settings.model_copy(update={"output": kept}), is_drawn(settings)
        return conduct(
            settings, lambda stopper: provisioning.plan_async(roster, settings, stopper=stopper, drawn=drawn)
        )


def sync(
    *roster: RosterOrQuery,
    asking: Asking | None = None,
    sync: Sync | None = None,
    reading: Reading | None = None,
    api: Address | None = None,
    rate: Rate | None = None,
    doing: Sending | None = None,
    output: Output | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Bring the app's users to what ROSTER says; only what changed costs a request.

    ROSTER may be a plan that was kept with plan -o: just that is carried out, or nothing.
    Nobody is ever deleted, and users that are in no roster of this state are never touched.
    """
    from provisioner import api as provisioning
    from provisioner.logs.events import be_heard
    from provisioner.run.rates import Dial
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs
    from provisioner.sync.command import confirming, files_of, measured, refuse_other_than_planned

    with Asked(
        roster, given(sync, asking, reading, api, rate, doing, output, log), config, nightly=True
    ).leaving_summary() as asked:
        settings = asked.load()
        be_heard()
        with measured(roster, settings):  # what is refused before it begins
            asked.refuse_contradictions()
            refuse_other_than_planned(roster, settings, asked.tables)
            set_up_logs(settings, files_of(roster, settings))
        drawn, confirm, dial = is_drawn(settings), confirming(settings), Dial(asked.read, settings.rate)
        return conduct(
            settings,
            lambda stopper: asked.noted(
                provisioning.sync_async(roster, settings, confirm=confirm, stopper=stopper, drawn=drawn, dial=dial)
            ),
            dial,
        )


def history(
    *,
    state: KeptState | None = None,
    last: Annotated[int, number("So many nights.", "--last", "-n", least=1)] = 14,
    output: Printed | None = None,
    config: Config = None,
) -> None:
    """Tell the last nights of a state: counts, duration, what stopped them."""
    from provisioner.inspection.record.history import history_of
    from provisioner.settings.tables import load

    settings = load(given(state), os.environ, config)
    show(history_of(settings.state_file, last, as_json=bool(output and output.json)))

"""What a job has done, and whether it is so: `verify`, `status` and `show`."""

from __future__ import annotations

from provisioner.cli.asked import Asked
from provisioner.cli.boundary import show
from provisioner.cli.options.arguments import Config, Out, Roster, Uid
from provisioner.cli.options.base import given
from provisioner.cli.options.nightly import KeptState
from provisioner.cli.options.output import Log, Printed, ProofOutput
from provisioner.cli.options.reading import WholeReading
from provisioner.cli.options.sending import Address, Rate


def status(out: Out, /, *, output: Printed | None = None) -> None:
    """Tell what a job has done so far, and what its next run would send; no network.

    It may be asked while the job is running. With --json it is one object, for scripts.
    """
    from provisioner.inspection.record.status import status_of

    show(status_of(out, as_json=bool(output and output.json)))


def show_user(uid: Uid, out: Out, /, *, output: Printed | None = None) -> None:
    """Tell the story of one person: every attempt, answer, night and outcome, but no token; no network."""
    from provisioner.inspection.record.story import story_of

    show(story_of(uid, out, as_json=bool(output and output.json)))


def verify(
    *roster: Roster,
    sync: KeptState | None = None,
    reading: WholeReading | None = None,
    api: Address | None = None,
    rate: Rate | None = None,
    output: ProofOutput | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Read the app's users and prove that they are as ROSTER has them; changes nothing.

    Writes <output>.proof.json and <output>.differences.csv. With --state it proves a sync.
    Exit code 0 when everybody is as the roster says, 1 when somebody is not.
    """
    from provisioner import api as provisioning
    from provisioner.inspection.proof.command import proof_job
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs

    # Its proof is no summary of a run: those files stay as they are.
    with Asked(roster, given(sync, reading, api, rate, output, log), config, filed=False).leaving_summary() as asked:
        settings = asked.load()
        asked.refuse_contradictions()
        job = proof_job(roster, settings)
        set_up_logs(settings, (*job.roster.paths, *job.outputs.paths(), job.outputs.proof, job.outputs.differences))
        drawn = is_drawn(settings)
        return conduct(
            settings, lambda stopper: provisioning.verify_async(roster, settings, stopper=stopper, drawn=drawn)
        )

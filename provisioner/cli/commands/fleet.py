"""`fleet`: many jobs from one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from provisioner.cli.asked import Asked
from provisioner.cli.options.arguments import Yes
from provisioner.cli.options.base import given
from provisioner.cli.options.output import Log, Watched
from provisioner.cli.options.types import argument, number, text

FleetFile = Annotated[
    Path,
    argument("FLEET", "A TOML file with a [[job]] for each tenant, and for each roster that is dealt out to shards."),
]


def fleet(
    fleet: FleetFile,
    /,
    *,
    jobs: Annotated[
        int | None, number("So many at a time. [default: one on each core]", "--jobs", "-j", least=1)
    ] = None,
    ray: Annotated[
        str | None,
        text(
            "Have a Ray cluster carry them out: HOST:PORT of its head, auto, or local for one here.",
            "--ray",
            metavar="ADDRESS",
        ),
    ] = None,
    output: Watched | None = None,
    log: Log | None = None,
    yes: Yes = False,
) -> int:
    """Carry out many jobs from one file: tenants, and shards of a roster; jobs of one app share its rate.

    Each is a process of its own, that knows of no other.

    On a terminal it says what will happen to which app, and asks; the jobs themselves ask nobody.
    The same command again resumes: each job goes on where it was, and one that is done costs no request.
    """
    from provisioner.fleet.command import Manner, carry_out, confirming
    from provisioner.fleet.jobs import read_fleet
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs
    from provisioner.settings.tables import load_flags

    with Asked((), given(output, log), filed=False).leaving_summary() as asked:
        asked.settings = settings = load_flags(asked.tables)
        wanted = read_fleet(fleet)
        set_up_logs(settings, wanted.files())
        manner = Manner(jobs, is_drawn(settings), ray, confirming(yes=yes))
        return conduct(settings, lambda stopper: carry_out(wanted.with_yes() if yes else wanted, manner, stopper))

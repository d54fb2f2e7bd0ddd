"""`fleet`: many jobs from one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from provisioner.cli.options.base import given
from provisioner.cli.options.output import Log, Watched
from provisioner.cli.options.types import number, path_of, text

FleetFile = Annotated[
    Path,
    Parameter(
        name="FLEET",
        group="Arguments",
        required=True,
        converter=path_of,
        help="A TOML file with a [[job]] for each tenant, and for each roster that is dealt out to shards.",
    ),
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
) -> int:
    """Carry out many jobs from one file: tenants, and shards of a roster; jobs of one app share its rate.

    Each is a process of its own, that knows of no other.

    The same command again resumes: each job goes on where it was, and one that is done costs no request.
    """
    from provisioner.fleet.command import Asked, carry_out
    from provisioner.fleet.jobs import read_fleet
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs
    from provisioner.settings.tables import load_flags

    settings, asked = load_flags(given(output, log)), read_fleet(fleet)
    set_up_logs(settings, (fleet,))
    wanted = Asked(jobs, is_drawn(settings), ray)
    return conduct(settings, lambda stopper: carry_out(asked, wanted, stopper))

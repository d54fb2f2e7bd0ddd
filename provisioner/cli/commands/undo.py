"""What takes a run back: `undo`."""

from __future__ import annotations

from typing import Annotated

from provisioner.cli.asked import Asked
from provisioner.cli.options.arguments import Config, OutOfRun, Yes
from provisioner.cli.options.base import given
from provisioner.cli.options.output import Log, Watched
from provisioner.cli.options.sending import Address, Rate
from provisioner.cli.options.types import flag, text


def undo(
    out: OutOfRun,
    /,
    *,
    # What destroys is typed each time: none of these is a key of the config file.
    permanent: Annotated[
        str | None, text("Delete for good who was created; the app's id has to be typed.", metavar="APP_ID")
    ] = None,
    dry_run: Annotated[bool, flag("Say what would be done; send nothing.")] = False,
    yes: Yes = False,
    api: Address | None = None,
    rate: Rate | None = None,
    output: Watched | None = None,
    log: Log | None = None,
    config: Config = None,
) -> int:
    """Take back what the run with the results OUT did, and only that.

    Users it created are deactivated, or deleted with --permanent; users it updated get the profile they had before.
    Whoever was changed by another hand since is kept and named. The same command again goes on.
    """
    from provisioner import api as provisioning
    from provisioner.run.runtime import conduct, is_drawn, set_up_logs
    from provisioner.run.undo.command import confirming, undo_of

    with Asked((), given(api, rate, output, log), config, filed=False).leaving_summary() as asked:
        settings = asked.load()
        job = undo_of(str(out), settings, permanent=permanent)
        set_up_logs(settings, (*job.outputs.paths(), job.outputs.undo, job.outputs.undo_summary))
        if dry_run or settings.run.dry_run:
            return conduct(
                settings,
                lambda stopper: provisioning.undo_preview_async(out, settings, permanent=permanent, stopper=stopper),
            )
        confirm, drawn = confirming(settings, yes=yes, permanent=permanent is not None), is_drawn(settings)
        return conduct(
            settings,
            lambda stopper: provisioning.undo_async(
                out, settings, permanent=permanent, confirm=confirm, stopper=stopper, drawn=drawn
            ),
        )

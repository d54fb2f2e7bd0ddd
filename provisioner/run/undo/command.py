"""What `undo` does, from the name of the results and settings to a summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from provisioner.errors import ConfigurationError, JournalError, UsageError
from provisioner.journal.header import EMULATOR, Identity, owner_in
from provisioner.journal.undo.telling import ToDo
from provisioner.journal.undo.undojournal import UndoReader, refuse_what_is_no_run
from provisioner.results.manifest import refuse_merged
from provisioner.results.outputs import FORMATS, Outputs, refuse_as_output, results_of, state_of
from provisioner.roster.files.inputs import Inputs
from provisioner.run.job import Job, identity, make_target, refuse_emulator
from provisioner.run.runtime import is_agreed, is_anybody_there
from provisioner.run.undo.course import TAGS, Undo, take_back
from provisioner.run.undo.summary import UndoPreview, UndoSummary, sentences
from provisioner.settings.named import named_files
from provisioner.settings.refused import without_key
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper


async def undo(
    out: str,
    settings: Settings,
    stopper: Stopper,
    *,
    permanent: str | None,
    confirm: Callable[[ToDo], bool] | None,
    drawn: bool,
) -> UndoSummary:
    """Take back what a run did; see `provisioner.api.undo_async`."""
    if settings.run.dry_run:
        raise ConfigurationError("run.dry_run: an undo sends; look at its preview, or take dry_run out")
    asked = undo_of(out, settings, permanent=permanent, drawn=drawn)
    target = make_target(settings)
    return await take_back(Undo(asked, permanent is not None, confirm or (lambda _: True)), target, stopper)


def preview(out: str, settings: Settings, *, permanent: str | None) -> UndoPreview:
    """Say what an undo would do, and send nothing; see `provisioner.api.undo_preview`."""
    job = undo_of(out, settings, permanent=permanent)
    app = _app(settings, job.outputs.journal)
    with UndoReader(job.outputs.journal, app, permanent=permanent is not None, tags=TAGS) as journal:
        return UndoPreview(journal.to_do(), app, permanent is not None, settings.rate, str(job.outputs.journal))


def undo_of(out: str, settings: Settings, *, permanent: str | None = None, drawn: bool = False) -> Job:
    """Find the journal and the files of an undo. Raises `UsageError`, also when the app's id is not the right one."""
    outputs = outputs_of(out)
    for path in (outputs.undo, outputs.undo_summary):
        refuse_as_output(path, "move it away")
    outputs.refuse_overwriting((outputs.undo, outputs.undo_summary), named_files(settings), "give that another name")
    if owner_in(outputs.journal) == EMULATOR:
        message = "was a rehearsal with the built-in emulator, and its users went with it: there is nothing to undo"
        raise JournalError(f"{outputs.journal}: {message}")
    app = _app(settings, outputs.journal)
    # An app behind an address that was given is known by that.
    if permanent is not None and permanent != (wanted := app.app_id or app.base_url):
        about = f"this is about {app}, so that {wanted} has to be typed; nothing was changed"
        raise UsageError(f"--permanent {without_key(permanent)}: {about}")
    return Job(Inputs(()), settings, outputs, drawn)


def _app(settings: Settings, journal: Path) -> Identity:
    """Say whose users are meant: the settings' app, or the journal's where they ask for the built-in emulator."""
    kept = owner_in(journal) if settings.api.emulator else None
    return kept or identity(settings)


def outputs_of(out: str | Path) -> Outputs:
    """Name the files of a job by its results, or by its journal. Raises `UsageError`."""
    path = Path(out)
    results = results_of(path) or path
    if results.suffix.lower() not in FORMATS:
        refuse_what_is_no_run(path)
    outputs = Outputs.beside(results, FORMATS[0], ())
    if not outputs.journal.exists():
        refuse_merged(results)
        if (state := state_of(results)) is not None:
            refuse_what_is_no_run(state)
    return outputs


def confirming(settings: Settings, *, yes: bool, permanent: bool) -> Callable[[ToDo], bool]:
    """Give what asks a person before the first request.

    Raises `UsageError` when nobody is there to be asked, `ConfigurationError` when the settings name no app.
    """
    refuse_emulator(settings)
    if yes:
        return lambda _: True
    if not is_anybody_there():
        raise UsageError("nobody is there to be asked; look with --dry-run, then give --yes")
    app = identity(settings)

    def ask(to_do: ToDo) -> bool:
        console = Console(stderr=True)
        console.print(Text("\n".join(sentences(to_do, app, permanent=permanent))))
        return is_agreed("Take it back?", default=False, console=console)

    return ask

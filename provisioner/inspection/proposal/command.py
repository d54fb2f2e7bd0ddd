"""What `init` does: it looks at a file, proposes a mapping, proves it, asks, and writes it where nothing stands yet."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from provisioner.errors import ExitCode, OutputError, RosterError
from provisioner.files.writing import name_once, temporary_folder
from provisioner.inspection.proposal.choice import propose
from provisioner.inspection.proposal.document import Proposal, document
from provisioner.inspection.proposal.opening import Opened, open_unknown
from provisioner.inspection.proposal.proof import Proof, prove, reads_alike
from provisioner.inspection.proposal.screen import Found
from provisioner.roster.database.printing import roster_in_command
from provisioner.roster.files.inputs import Inputs, Location, find_inputs, local_file
from provisioner.roster.files.origin import chunks, unreadable
from provisioner.roster.reader import RosterOptions
from provisioner.roster.wrapped import renamed, retold
from provisioner.run.runtime import is_agreed
from provisioner.settings.layers import DEFAULT_CONFIG
from provisioner.settings.tables import Run
from provisioner.streams import answer, say
from provisioner.wording import counted, listed


def init(arguments: Sequence[str], reading: Run, output: Path | None) -> int:
    """Propose a mapping for a roster, and write it as a config file.

    reading  what a person has said of how the file is read
    output   the config file; the default name is taken without it, on a terminal only

    Raises RosterError for what cannot be read, OutputError for a file that is there already or cannot be written.
    """
    if output is not None:
        _refuse_existing(output)
    found = look(arguments, reading)
    present = sys.stdin.isatty() and sys.stdout.isatty()
    target = output or _free_name(arguments)
    if not present and output is None:
        say(found.shown(_width()))
        say(f"\nnothing is written; the config file is on standard output: -o {target or 'FILE'} writes it")
        trouble = answer(found.text)
        if trouble is not None and trouble.what == "not_printed" and not trouble.broken:
            raise OutputError(f"the config file is not printed ({trouble.reason}); name a file with -o")
        return ExitCode.OK
    answer(found.shown() + "\n")
    if target is None:
        say(f"{DEFAULT_CONFIG} is there already and is not overwritten; name another file with -o")
        return ExitCode.OK
    if present and not is_agreed(f"Write {target}?", default=True):
        say("nothing was written")
        return ExitCode.OK
    _write(target, found.text)
    answer(_next(found, arguments, target) + "\n")
    return ExitCode.OK


def look(arguments: Sequence[str], reading: Run) -> Found:
    """Look at a file and propose a mapping that was proved. Raises RosterError for what cannot be read."""
    inputs = find_inputs(arguments)
    name = listed(inputs.names, 3)
    given = RosterOptions(
        reading.encoding, reading.delimiter, reading.sheet, None, reading.header_row, reading.escape or ""
    )
    with temporary_folder() as folder:
        kept, source = _kept(inputs, folder)
        try:
            found = _look(name, kept, given, folder)
        except RosterError as error:
            raise (error if source is None else renamed(error, source, name)) from None
    if source is None:
        return found
    notices = tuple(retold(notice, source, name) for notice in found.opened.notices)
    return replace(found, opened=replace(found.opened, notices=notices))


def _look(name: str, inputs: Inputs, given: RosterOptions, folder: Path) -> Found:
    opened = open_unknown(inputs, given, folder)
    evidence = opened.evidence
    proposal = propose(evidence, time.time(), evidence.nameless)
    settings = _settings(inputs, opened, given, proposal, folder)
    sample = next((name for name in opened.columns if not name.isascii()), "") if "encoding" in settings else ""
    proof: Proof | None = None
    proved = ["Not checked yet: a column is to be chosen first."]
    if not proposal.questions:
        text = document(name, proposal, settings)
        proof = prove(inputs, text, folder, None if evidence.whole else evidence.rows)
        proved = [_proved(proof, whole=evidence.whole)]
    return Found(name, opened, proposal, proof, document(name, proposal, settings, proved, sample))


def _settings(
    inputs: Inputs, opened: Opened, given: RosterOptions, proposal: Proposal, folder: Path
) -> dict[str, str | int]:
    """Say how the roster has to be read, as far as the reader does not find it by the names that the mapping has.

    Which sheet counts is said wherever others have people too.
    """
    said = {name: getattr(given, name) for name in ("encoding", "delimiter", "escape", "sheet", "header_row")}
    needed: dict[str, str | int] = {name: value for name, value in said.items() if value}
    needed |= {name: value for name, value in opened.tried.items() if name in {"encoding", "delimiter"}}
    needed |= {"sheet": opened.sheet} if opened.sheet is not None else {}
    tried = opened.tried
    for names in ((), ("sheet",), ("header_row",), ("sheet", "header_row")):
        settings = needed | {name: tried[name] for name in names if name in tried}
        if not proposal.questions and reads_alike(inputs, document("", proposal, settings), folder, opened.columns):
            return settings
    return needed | tried


def _proved(proof: Proof, *, whole: bool) -> str:
    which = "all" if whole else "the first"
    said = f"Checked with {which} {counted(proof.rows, 'row')}: {proof.valid:,} valid, {proof.rejected:,} rejected"
    codes = [f"{code} {found.rows:,}" for code, found in proof.report.defects.items()]
    return f"{said} ({listed(codes, 6)})." if codes else f"{said}."


def _kept(inputs: Inputs, folder: Path) -> tuple[Inputs, Path | None]:
    """Keep what can be read only once, because it is read several times here."""
    file = inputs.files[0]
    if file.location is not Location.STREAM:
        return inputs, None
    path = folder / f"stdin{file.suffix}"
    try:
        with path.open("wb") as kept:
            kept.writelines(chunks(file))
    except OSError as error:
        raise unreadable(file.name, error) from error
    return replace(inputs, files=(local_file(str(path)), *inputs.files[1:])), path


def _width() -> int | None:
    """How wide the terminal is that the story is told on; None for the default where it is none."""
    return Console(stderr=True).width if sys.stderr.isatty() else None


def _free_name(arguments: Sequence[str]) -> Path | None:
    """Give the name of a config file that is not taken; None when both that come to mind are."""
    names = (DEFAULT_CONFIG, Path(f"{find_inputs(arguments).stem}.toml"))
    return next((name for name in names if not os.path.lexists(name)), None)


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise OutputError(f"{path} is there already, and nothing is overwritten; name another file with -o")


def _write(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all: half of it would be read as well. Raises OutputError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            name_once(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        _refuse_existing(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); name another file with -o") from error


def _next(found: Found, arguments: Sequence[str], target: Path) -> str:
    """Name the next command."""
    config = [] if target == DEFAULT_CONFIG else ["-c", str(target)]
    rosters = [roster_in_command(each) for each in arguments]
    command = shlex.join(["provisioner", "validate", *rosters, *config])
    if not found.complete:
        fields = listed([question.field for question in found.proposal.questions])
        return f"wrote {target}; choose a column for {fields} in it, then: {command}"
    rehearsal = shlex.join(["provisioner", "run", *rosters, *config, "--emulator"])
    return f"wrote {target}\nnext: {command}\nthen, a rehearsal in which nobody is created: {rehearsal}"

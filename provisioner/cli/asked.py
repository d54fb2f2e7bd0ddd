"""What a command was asked for, and the summary that it leaves however it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from provisioner.cli.boundary import impossible_name, panics_as_errors, report_bug
from provisioner.cli.idle import refuse_idle_options
from provisioner.errors import ProvisionerError, UsageError
from provisioner.streams import answer, say

if TYPE_CHECKING:
    from provisioner.results.manifest import Record
    from provisioner.roster.files.inputs import Inputs
    from provisioner.run.runtime import Ending
    from provisioner.settings.tables import Loaded, Settings
    from provisioner.sync.keptplan import KeptPlan

Ended = TypeVar("Ended", bound="Ending")


@dataclass(slots=True)
class Asked:
    """What a command was asked for, as far as that is known yet.

    roster    the ROSTER arguments
    tables    the flags, as tables of settings
    config    the config file that was named
    check     nothing will be sent
    nightly   it is known by its state, and its roster may be called otherwise every night
    filed     it has a summary file, not only one on standard output
    slip      its arguments make no sense: an older summary gives way to its own, but no file is made
    settings  once they are there
    started   UNIX seconds
    summary   its file, once it is written
    """

    roster: Sequence[str]
    tables: Mapping[str, Mapping[str, Any]]
    config: Path | None = None
    check: bool = False
    nightly: bool = False
    filed: bool = True
    slip: bool = False
    settings: Settings | None = None
    started: float = field(default_factory=time.time)
    summary: Path | None = None

    @contextmanager
    def leaving_summary(self) -> Iterator[Self]:
        """See that a command leaves a summary also when it ends before it has one, so that nobody reads an older one.

        It is written where a file can be named, and printed where it is wanted on standard output. Where a report is
        asked for, it is made of the summary, whatever that says.
        """
        try:
            with panics_as_errors():
                yield self
            self._report()
        except Exception as error:
            refused = impossible_name(error)
            self._leave(refused or error)
            if refused is not None:
                raise refused from None
            # One that was stopped early has told so; all others are told at the boundary.
            if (stop := getattr(error, "stop", None)) is not None:
                raise SystemExit(stop.exit_code) from None
            raise

    def load(self) -> Settings:
        """Load the settings, which are known from then on. Raises `ConfigurationError`."""
        self.settings = self.read().settings
        return self.settings

    def read(self) -> Loaded:
        """Read what flags, environment and config say now, and where each value comes from."""
        from provisioner.settings.tables import load_with_origins

        return load_with_origins(self.tables, os.environ, self.config)

    def refuse_contradictions(self) -> None:
        """Raise `UsageError` for two rosters, and for an option with which the roster cannot be read."""
        if self.roster and not self._is_kept_plan() and self.tables.get("run", {}).keys() & {"query", "database"}:
            raise UsageError("ROSTER and --query are two rosters; give one of them")
        queried = self.settings is not None and self.settings.run.query is not None
        refuse_idle_options(self.roster, self.tables, queried=queried)

    def _is_kept_plan(self) -> bool:
        """Whether a plan is carried out, which may be one of a query."""
        if not self.nightly:
            return False
        from provisioner.sync.keptplan import is_plan

        return is_plan(self.roster)

    async def noted(self, work: Coroutine[Any, Any, Ended]) -> Ended:
        """Carry out the work of a command, and note where its summary is."""
        ending = await work
        if (summary := ending.outputs.get("summary")) is not None:
            self.summary = Path(summary)
        return ending

    def _report(self) -> None:
        """Make the report, if that was asked for; that it cannot be made is only told."""
        if self.summary is None or self.settings is None or not self.settings.output.report:
            return
        from provisioner.inspection.report.page import write_report
        from provisioner.logs.events import get_logger

        try:
            get_logger().info("report.written", file=str(write_report(self.summary)))
        except ProvisionerError as error:
            get_logger().warning("report.not_written", reason=str(error))
        except Exception as error:  # what was done is done, and its exit code says so
            get_logger().error("report.not_written", reason=report_bug(error))

    def _leave(self, error: Exception) -> None:
        if self.settings is None and not (self.roster or self.nightly or self._wants_json()):
            return  # a slip of the hand is told at once, without all that it takes to write a summary
        from provisioner.files.cures import ANOTHER_OUTPUT
        from provisioner.logs.events import be_heard
        from provisioner.results.manifest import NOTHING_RECORDED, RESULTS
        from provisioner.results.outputs import LAST_RUN, refuse_as_output, told_of_results
        from provisioner.results.summary import document_of_end, encode, write_summary

        be_heard()  # what is set aside for the summary is told, also by a command that did not come to its own log
        try:
            path, record = self._file()
        except OSError:  # a roster called as no file can be
            path, record = None, NOTHING_RECORDED
        document = document_of_end(error, self.started, {"summary": None if path is None else str(path)}, record)
        if path is not None:
            with suppress(OSError, ValueError, KeyError, TypeError):  # no results are there that would be told of
                told = told_of_results(path)
                document |= {LAST_RUN: told} if told["outputs"][RESULTS] is not None else {}
            try:
                refuse_as_output(path, ANOTHER_OUTPUT)
                write_summary(path, document)
                self.summary = path
                self._report()
            except (ProvisionerError, OSError) as trouble:
                if not str(error).startswith(f"{path}: "):  # which is what is told at the boundary
                    say(f"warning: {impossible_name(trouble) or trouble}")
        if self._wants_json() and (failed := answer(encode(document).decode())) is not None:
            say(f"warning: {failed.reason}")

    def _wants_json(self) -> bool:
        return bool(self._said("output", "json", "json_summary"))

    def _file(self) -> tuple[Path | None, Record]:
        """Name the summary file and what it is to remember; None where it cannot, or may not, be written."""
        from provisioner.files.looking import leads_nowhere, same_file
        from provisioner.results.manifest import NOTHING_RECORDED, places, read_record
        from provisioner.roster.files.inputs import find_inputs
        from provisioner.run.job import rosters

        roster = self.roster if (kept := self._kept()) is None else kept.roster
        try:
            inputs = find_inputs(roster if self.settings is None else rosters(roster, self.settings))
        except ProvisionerError:
            return None, NOTHING_RECORDED
        if (path := self._place(inputs)) is None or leads_nowhere(path):
            return None, NOTHING_RECORDED
        record, ours = read_record(path), places(inputs)
        taken = any(same_file(path, each) for each in (*inputs.paths, *self._named(kept)))
        if taken or self._is_of_others(record, ours):
            return None, NOTHING_RECORDED
        # A name that nobody asked for, made of that of a roster which is not there, is a slip of the hand.
        asked_for = self._output() is not None or path.exists() or not inputs.paths or kept is not None
        named = bool(record.roster) if self.slip else asked_for or any(each.exists() for each in inputs.paths)
        # What lies there stays as it was read, be it of fewer files or of another sheet than is asked for now.
        roster = ours if ours and (self.nightly or not record.roster) else record.roster
        return (path if named else None), replace(record, roster=roster, merged=())

    def _place(self, inputs: Inputs) -> Path | None:
        """Name the file that a summary of this roster would be; None where there can be none."""
        from provisioner.results.outputs import FORMATS, summary_of

        if not self.filed or not (inputs.files or (self.nightly and self._output() is not None)):
            return None
        try:
            results = self._results(inputs)
        except ValueError:
            return None
        if results.suffix.lower() not in FORMATS or not results.parent.is_dir():
            return None
        return summary_of(results, check=self.check or (not self.nightly and bool(self._said("run", "dry_run"))))

    def _is_of_others(self, record: Record, ours: Collection[str]) -> bool:
        """Whether a summary that is there tells of another roster than ours; that of a sync may have any name."""
        if self.nightly and not (self.slip and self._output() is None):
            return False
        return bool(record.roster) and set(ours).isdisjoint(record.roster)

    def _kept(self) -> KeptPlan | None:
        """Read the plan that is carried out, of whose roster the files are named; None if it cannot be read."""
        if not self.nightly:
            return None
        from provisioner.sync.keptplan import readable_in

        return readable_in(self.roster)

    def _named(self, kept: KeptPlan | None) -> Iterator[Path]:
        """Name what the command would have read, kept or written elsewhere: nothing takes the place of that."""
        from provisioner.settings.named import named_files

        given: list[Any] = [self.config, *(value for table in self.tables.values() for value in table.values())]
        given += [kept.state, *map(Path, self.roster)] if kept is not None else []
        if (settings := self._known()) is not None:
            given += [path for _, path in named_files(settings)]
            given += [settings.log.file, settings.output.tokens_to, settings.sync.metrics_file]
        yield from (each for each in given if isinstance(each, Path))

    def _known(self) -> Settings | None:
        """Give the settings; those of the config alone where a flag was refused, and None where that cannot be read."""
        # A slip has looked for what it says already.
        return self.settings if self.settings is not None or self.slip else configured(self.config)

    def _said(self, table: str, flag: str, key: str | None = None) -> Any:
        """Give one setting (`key`, unless it is called as its flag): as the flag says it where one was refused."""
        known = self._known()
        if self.settings is None and (given := self.tables.get(table, {}).get(flag)) is not None:
            return given
        return None if known is None else getattr(getattr(known, table), key or flag)

    def _output(self) -> Path | None:
        output: Path | None = self._said("output", "file")
        return output

    def _results(self, inputs: Inputs) -> Path:
        """Name the results of this roster. Raises ValueError for a shard that is none."""
        from provisioner.results.resubmission import default_results
        from provisioner.settings.values import parse_shard

        # A sync takes the whole roster, and refuses to be asked for less.
        shard = None if self.nightly else self._said("run", "shard")
        return self._output() or default_results(inputs.stem, None if shard is None else parse_shard(shard))


def configured(config: Path | None) -> Settings | None:
    """Give the settings without the flags; None where they cannot be read."""
    from provisioner.settings.tables import load

    with suppress(ProvisionerError):
        return load({}, os.environ, config)
    return None

"""What was asked for, before anything is opened."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError, OutputError
from provisioner.journal.view import Identity
from provisioner.run.job import Run, identity, make_job, make_target, on_terminal, set_up_logs
from provisioner.settings.tables import Api, Log, Output, Settings
from provisioner.stop import Stopper
from tests.rig.tally import a_tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def roster(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text("uid,name\nann,Ann\n")
    return str(path)


def test_results_stand_in_the_working_folder_unless_told_otherwise(roster: str, tmp_path: Path) -> None:
    """Named after the roster; the rest beside them."""
    assert make_job([roster], Settings()).outputs.results == Path("people.results.csv")
    outputs = make_job([roster], Settings(output=Output(file=tmp_path / "o.csv"))).outputs
    names = [path.name for path in outputs.paths()]
    assert names == ["o.csv", "o.rejected.csv", "o.summary.json", "o.journal.db"]


def test_a_roster_is_not_overwritten(roster: str) -> None:
    """By results that would have its name."""
    with pytest.raises(OutputError, match="would overwrite the roster"):
        make_job([roster], Settings(output=Output(file=Path(roster))))


def test_progress_is_drawn_for_a_command_only(roster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a terminal, and nobody has asked for silence; a job as such draws nothing."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    jobs = [make_job([roster], each) for each in (
        Settings(), Settings(output=Output(progress=False)), Settings(log=Log(quiet=True)),
    )]  # fmt: skip
    assert [job.drawn for job in jobs] == [False, False, False]
    assert [on_terminal(job).drawn for job in jobs] == [True, False, False]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not on_terminal(jobs[0]).drawn


def test_an_address_of_ones_own_is_no_app() -> None:
    """A journal made for an app is not continued for whatever stands behind another address."""
    assert identity(Settings(api=Api(base_url="http://x.test/v3", app_id="app1"))) == Identity("", "http://x.test/v3")
    named = identity(Settings(api=Api(app_id="app1", region="eu")))
    assert (named.app_id, named.base_url) == ("app1", "https://app1.api-eu.cometchat.io/v3")


def test_the_key_is_wanted_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never shows in a target that is printed."""
    settings = Settings(api=Api(base_url="http://x.test/v3"))
    monkeypatch.setenv("COMETCHAT_API_KEY", "k3y-of-this-app")
    target = make_target(settings)
    assert (target.base_url, target.api_key) == ("http://x.test/v3", "k3y-of-this-app")
    assert "k3y" not in repr(target)
    monkeypatch.delenv("COMETCHAT_API_KEY")
    with pytest.raises(ConfigurationError):
        make_target(settings)


def test_a_log_is_not_written_into_what_is_read_or_written(roster: str, tmp_path: Path) -> None:
    """Neither the roster nor any output."""
    output = Output(file=tmp_path / "o.csv")
    for path in (Path(roster), tmp_path / "o.csv", tmp_path / "o.journal.db"):
        job = make_job([roster], Settings(output=output, log=Log(file=path)))
        with pytest.raises(OutputError, match="the log would be written into it"):
            set_up_logs(job)


def test_a_run_begins_with_nothing_done(roster: str) -> None:
    """No two runs share what they count."""
    job = make_job([roster], Settings())

    def begin() -> Run:
        return Run.begin(job, Stopper())

    one, other = begin(), begin()
    one.tally.rows.checked += 1
    assert other.tally == a_tally()

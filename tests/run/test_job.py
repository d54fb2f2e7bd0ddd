"""What was asked for, before anything is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError, OutputError
from provisioner.journal.header import Identity
from provisioner.run.job import Run, identity, make_job, make_target, options_of
from provisioner.settings.tables import Api, Output, Settings, Sync
from provisioner.stop import Stopper
from tests.rig.tally import a_tally


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


@pytest.mark.parametrize("name", ["o.csv", "o.rejected.csv", "o.summary.json", "t.csv"])
def test_nothing_that_settings_name_is_overwritten(roster: str, tmp_path: Path, name: str) -> None:
    """A key that bears the name of an output was set aside by the run: the next one had none."""
    key = tmp_path / name
    output = Output(file=tmp_path / "o.csv", tokens_to=tmp_path / "t.csv")
    option = "--tokens-to" if name == "t.csv" else "--output"
    with pytest.raises(OutputError) as refused:
        make_job([roster], Settings(api=Api(api_key_file=key), output=output))
    assert str(refused.value) == f"{key}: would overwrite the file of the API key; choose another {option}"


def test_the_journal_of_a_run_may_be_the_state_of_a_sync(roster: str, tmp_path: Path) -> None:
    """Which begins with it."""
    state = tmp_path / "o.journal.db"
    assert make_job([roster], Settings(sync=Sync(state=state), output=Output(file=tmp_path / "o.csv"))).outputs.journal


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


def test_the_built_in_emulator_is_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the run that started it: whatever else sends refuses it, and says what serves instead."""
    monkeypatch.setenv("COMETCHAT_API_KEY", "k")
    with pytest.raises(ConfigurationError) as refusal:
        make_target(Settings(api=Api(base_url="http://x.test/v3", emulator=True)))
    assert str(refusal.value) == (
        "api.emulator: the built-in emulator lives only as long as a run or a doctor, and nothing else can use it; "
        "start `provisioner emulator` and give its address with --base-url (as base_url to a job of a fleet)"
    )


def test_a_run_begins_with_nothing_done(roster: str) -> None:
    """No two runs share what they count."""
    job = make_job([roster], Settings())

    def begin() -> Run:
        return Run.begin(job, Stopper())

    one, other = begin(), begin()
    one.tally.rows.checked += 1
    assert other.tally == a_tally()


def test_what_the_job_itself_has_written_is_no_part_of_its_roster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command with the same pattern resumes: results, rejected rows and what was set aside are not read."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("uid,name\nann,Ann\n")
    pattern = str(tmp_path / "*.csv")
    first = make_job([pattern], Settings())
    for path in (*first.outputs.paths(), Path("a.results.20270101T120000.csv"), Path("a.results.rejected.csv")):
        path.write_text("uid,name\nbob,Bob\n")
    again = make_job([pattern], Settings())
    assert again.roster.names == first.roster.names
    assert again.outputs == first.outputs
    assert [Path(name).name for name in again.roster.names] == ["a.csv", "b.csv"]


def test_what_was_asked_for_is_told_as_text_that_can_be_written() -> None:
    """A file may have a name that is not UTF-8: that is told with what is not."""
    settings = Settings(sync=Sync(metrics_file=Path(os.fsdecode(b"m\xff.prom"))))
    assert options_of(settings)["metrics_file"] == r"m\udcff.prom"

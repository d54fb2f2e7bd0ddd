"""What an undo is asked for by name: a run's results or its journal, and what else people name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from provisioner.errors import JournalError, OutputError
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.undo.telling import ToDo
from provisioner.run.undo import command
from provisioner.run.undo.command import confirming, outputs_of, undo_of
from provisioner.settings.tables import Settings, load
from tests.rig.journals import HERE, a_journal


@pytest.mark.parametrize("name", ["out.csv", "out.journal.db"])
def test_a_run_is_named_by_its_results_or_its_journal(tmp_path: Path, name: str) -> None:
    """Both are one job."""
    journal = a_journal(tmp_path / "out.journal.db")
    outputs = outputs_of(str(tmp_path / name))
    assert (outputs.journal, outputs.results) == (journal, tmp_path / "out.csv")


def test_a_sync_is_told_as_one_and_how_it_is_taken_back(tmp_path: Path) -> None:
    """By its state, whatever its name, and by the results of a night."""
    with SyncState(tmp_path / "hr.state.db", HERE, make=True) as state:
        state.begin_night(1.0)
    (tmp_path / "night.summary.json").write_text(json.dumps({"outputs": {"journal": str(tmp_path / "hr.state.db")}}))
    for name in ("hr.state.db", "night.csv"):
        with pytest.raises(JournalError, match=r"hr\.state\.db: is the state of a sync, .* sync the roster as it was"):
            outputs_of(str(tmp_path / name))


def test_what_is_no_run_is_told_in_words_that_are_about_it(tmp_path: Path) -> None:
    """A copy by another name, a summary, a name that nothing has: none is told which endings --output takes."""
    a_journal(tmp_path / "copy.db")
    (tmp_path / "out.summary.json").write_text("{}")
    for name, said in {
        "copy.db": r"a journal by another name, a copy perhaps; have it beside its results",
        "out.summary.json": r"no results of a run; name the results of a run, as its --output has them",
        "gone": r"gone: no such file; name the results of a run",
    }.items():
        with pytest.raises(JournalError, match=said):
            outputs_of(str(tmp_path / name))


@pytest.mark.parametrize("name", ["out.undo.csv", "out.undo.summary.json"])
def test_what_is_no_file_in_the_place_of_what_an_undo_writes_is_told(tmp_path: Path, name: str) -> None:
    """Before anybody is deleted, whether it is a folder, a pipe or a link that leads nowhere."""
    a_journal(tmp_path / "out.journal.db")
    for what, make in (("folder", os.mkdir), ("pipe, not a file", os.mkfifo)):
        make(tmp_path / name)
        with pytest.raises(OutputError) as error:
            undo_of(str(tmp_path / "out.csv"), Settings())
        assert str(error.value) == f"{tmp_path / name}: is a {what}; move it away"
        (tmp_path / name).rename(tmp_path / what)
    (tmp_path / name).symlink_to("/nowhere/u.csv")
    with pytest.raises(OutputError) as error:
        undo_of(str(tmp_path / "out.csv"), Settings())
    cure = "mount the disk that it leads to, or remove the link"
    assert str(error.value) == f"{tmp_path / name}: is a link that leads nowhere; {cure}"


def test_the_app_is_named_as_it_is_before_anything_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brackets in its address are no styles."""
    monkeypatch.setattr(command, "is_anybody_there", lambda: True)
    monkeypatch.setattr(command, "is_agreed", lambda *_, **__: False)
    settings = load({"api": {"base_url": "http://[fd00::1]/v3"}}, {})
    assert not confirming(settings, yes=False, permanent=False)(ToDo(1, 0, 0, 0, 0))
    assert "of app (none) at http://[fd00::1]/v3:" in capsys.readouterr().err

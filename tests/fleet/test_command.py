"""A fleet as a whole: what a person is told and asked before the first job."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from provisioner.errors import JournalError, OutputError
from provisioner.fleet.command import Manner, carry_out, confirming, prospect
from provisioner.fleet.jobs import Fleet, read_fleet
from provisioner.fleet.pacing import alone
from provisioner.fleet.summary import FleetSummary
from provisioner.stop import InterruptedEarlyError, Stopper
from tests.rig.terminal import at_a_terminal

THREE = """
[defaults]
base_url = "https://here.test/v3"
[[job]]
name = "acme"
command = "sync"
state = "acme.db"
roster = "acme.csv"
[[job]]
name = "big"
roster = "big.csv"
shards = 4
[[job]]
name = "zeta"
roster = "zeta.csv"
app_id = "123"
region = "eu"
"""


def fleet(folder: Path, text: str = THREE) -> Fleet:
    path = folder / "all.toml"
    path.write_text(text)
    return read_fleet(path)


def test_what_it_is_about_to_do_is_a_line_for_each_app(tmp_path: Path) -> None:
    """What becomes of whom where, and how many jobs that are; an app that no settings tell is said to be one."""
    text = THREE + '[[job]]\nname = "lost"\nroster = "l.csv"\nconfig = "no.toml"\n'
    assert prospect(fleet(tmp_path, text)).splitlines() == [
        "https://here.test/v3: sync of acme, run of big in 4 shards",
        "https://123.api-eu.cometchat.io/v3: run of zeta",
        "(an app that its settings do not tell): run of lost",
        "7 jobs for 3 apps",
    ]


def test_no_screen_is_filled_with_apps(tmp_path: Path) -> None:
    """Twenty of them, and how many more there are."""
    jobs = [
        f'[[job]]\nname = "t{number}"\nroster = "r.csv"\nbase_url = "https://{number}.test/v3"\n'
        for number in range(25)
    ]
    lines = prospect(fleet(tmp_path, "".join(jobs))).splitlines()
    assert lines[19:] == ["https://19.test/v3: run of t19", "and 5 apps more", "25 jobs for 25 apps"]


def test_what_is_not_confirmed_is_not_begun(tmp_path: Path) -> None:
    """Not even its folder is made."""
    asked = Manner(confirm=lambda _: False)
    with pytest.raises(InterruptedEarlyError, match="nothing was started: the fleet was not confirmed"):
        asyncio.run(carry_out(fleet(tmp_path), asked, Stopper()))
    assert [path.name for path in tmp_path.iterdir()] == ["all.toml"]


def test_a_file_that_is_called_as_its_folder_would_be_has_to_be_renamed(tmp_path: Path) -> None:
    """To copy it elsewhere would not help."""
    path = tmp_path / "all.fleet"
    path.write_text('[[job]]\nname = "a"\nroster = "a.csv"\n')
    with pytest.raises(OutputError, match=r"all\.fleet: a file is called as the fleet's folder would be; rename one"):
        asyncio.run(carry_out(read_fleet(path), Manner(), Stopper()))


def test_another_name_of_the_file_makes_no_other_fleet(tmp_path: Path) -> None:
    """Two at a time would take slots from two desks, and each the socket of the other."""
    one = fleet(tmp_path)
    (tmp_path / "link.toml").symlink_to(one.path)
    with alone(one), pytest.raises(JournalError, match=r"link\.toml: in use by process \d+ .*take another fleet file"):
        asyncio.run(carry_out(read_fleet(tmp_path / "link.toml"), Manner(), Stopper()))


def test_a_refused_fleet_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the refusal comes before anything of it is opened, or when its socket cannot be."""
    one = fleet(tmp_path)
    (tmp_path / "link.toml").symlink_to(one.path)
    with alone(one), pytest.raises(JournalError, match="in use by"):
        asyncio.run(carry_out(read_fleet(tmp_path / "link.toml"), Manner(), Stopper()))
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(OutputError, match="no socket can be made there"):
        asyncio.run(carry_out(one, Manner(), Stopper()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.toml", deep.name, "link.toml"]


def test_what_is_in_the_way_of_its_summary_is_told_before_any_job(tmp_path: Path) -> None:
    """Nothing is started that could not be told of."""
    one = fleet(tmp_path)
    (one.folder / "summary.json").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"summary\.json: is a folder; move it away"):
        asyncio.run(carry_out(one, Manner(), Stopper()))


@pytest.mark.process
def test_a_summary_that_cannot_be_written_takes_no_numbers_with_it(tmp_path: Path) -> None:
    """How each job ended is told all the same, and why there is no file of it."""
    one = fleet(tmp_path, '[[job]]\nname = "a"\nroster = "none.csv"\nbase_url = "http://127.0.0.1:1/v3"\n')

    async def carried_out() -> FleetSummary:
        work = asyncio.create_task(carry_out(one, Manner(), Stopper()))
        await asyncio.sleep(0)  # until it waits for its job
        (one.folder / "summary.json").mkdir()
        return await work

    document = asyncio.run(carried_out()).document
    assert (document["exit_code"], document["stopped_by"], document["outputs"]) == (3, "storage", {"summary": None})
    assert "summary.json: cannot be written (Is a directory)" in document["message"]
    assert [(job["name"], job["exit_code"]) for job in document["jobs"]] == [("a", 2)]


def test_yes_is_for_the_jobs_as_well(tmp_path: Path) -> None:
    """What they would ask a person, they need not refuse; nobody is asked about the fleet itself either."""
    one = fleet(tmp_path)
    assert [("--yes" in job.arguments()) for job in (*one.jobs, *one.with_yes().jobs)] == [False] * 6 + [True] * 6
    assert confirming(yes=True) is None


@pytest.mark.process
def test_a_person_at_a_terminal_is_asked_once(tmp_path: Path) -> None:
    """No, and nothing was started."""
    fleet(tmp_path)
    ended, printed = at_a_terminal("fleet", "all.toml", cwd=tmp_path, asked="Begin?", typed="n\n")
    assert (ended, "run of zeta\n6 jobs for 2 apps. Begin?" in printed) == (3, True)
    assert "stopped before anything was sent" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["all.toml"]

"""The report of real runs: what a manager is shown of a job that was stopped, killed, resumed, refused, or goes on."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.rig.command import KEY, emulator, interrupt, people, provisioner, rows, started, wait_until, write_roster

pytestmark = pytest.mark.process


def told(page: Path) -> str:
    """The page as it is read: without style, pictures and tags."""
    text = re.sub(r"<(style|svg)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


@pytest.mark.slow
def test_a_run_that_was_stopped_and_resumed_is_one_report(tmp_path: Path) -> None:
    """Made while it goes on, by the run that is stopped, and by the one that ends it; no key and no token is in it."""
    write_roster(tmp_path / "r.csv", [*people(400), {"uid": "no good", "name": "Nobody"}])
    with emulator(tmp_path, "--fault", "storm@150", "--latency", "30ms") as app:
        asked = ("run", "r.csv", *app.flags(), "--report")
        with started(*asked, "--max-in-flight", 1, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(app.created()) > 20)
            looked = provisioner("report", "r.results.csv", cwd=tmp_path)
            running = told(tmp_path / "r.results.report.html")
            stopped = interrupt(process, signal.SIGINT)
        after_stop = told(tmp_path / "r.results.report.html")
        done = provisioner(*asked, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (looked.exit_code, stopped.exit_code, done.exit_code) == (0, 130, 1)
    assert looked.stdout.startswith("r.results.report.html (")
    assert "Still running" in running
    assert "Stopped: sigint" in after_stop
    page = tmp_path / "r.results.report.html"
    text, whole = told(page), page.read_text(encoding="utf-8")
    assert "401 rows = 400 created + 1 rejected" in text
    assert re.search(r"stopped: sigint .* came to its end", text)
    assert "uid.charset 1 401 (no good)" in text
    assert app.url in text
    tokens = [row["auth_token"] for row in rows(tmp_path / "r.results.csv") if row["auth_token"]]
    assert len(tokens) == 400
    assert [secret for secret in (KEY, *tokens) if secret in whole] == []
    assert "Person 7" not in whole
    assert page.stat().st_size < 500_000
    assert page.stat().st_mode & 0o777 == 0o600
    assert [event["file"] for event in done.events("report.written")] == ["r.results.report.html"]


@pytest.mark.slow
def test_every_end_that_leaves_a_summary_leaves_a_report(tmp_path: Path) -> None:
    """A check, a roster that cannot be read, a report that cannot take its place: the exit code stays what it was."""
    write_roster(tmp_path / "r.csv", [*people(3), {"uid": "no good", "name": "Nobody"}])
    assert provisioner("validate", "r.csv", "-o", "out.csv", "--report", cwd=tmp_path).exit_code == 1
    assert "1 rejected + 3 pending" in told(tmp_path / "out.check.report.html")
    (tmp_path / "broken.csv").write_text('uid,name\nann,"Ann\n')
    broken = provisioner("run", "broken.csv", "-o", "b.csv", "--emulator", "--report", cwd=tmp_path)
    assert (broken.exit_code, "Stopped: roster" in told(tmp_path / "b.report.html")) == (2, True)
    (tmp_path / "out.report.html").write_text("mine")
    done = provisioner("run", "r.csv", "-o", "out.csv", "--emulator", "--report", cwd=tmp_path)
    assert (done.exit_code, len(done.events("report.not_written"))) == (1, 1)
    assert (tmp_path / "out.report.html").read_text() == "mine"
    assert provisioner("report", "none.csv", cwd=tmp_path).exit_code == 2


@pytest.mark.slow
def test_a_sync_and_its_state_have_reports(tmp_path: Path) -> None:
    """The night's own, and the story of all nights."""
    write_roster(tmp_path / "r.csv", people(5))
    with emulator(tmp_path) as app:
        for night in ((*app.flags(), "--adopt"), app.flags()):
            write_roster(tmp_path / "r.csv", people(6 if night == app.flags() else 5))
            asked = ("sync", "r.csv", "--state", "hr.state", *night, "--report", "-o", "out.csv")
            assert provisioner(*asked, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
    assert provisioner("report", "hr.state", cwd=tmp_path).exit_code == 0
    of_night, of_state = told(tmp_path / "out.report.html"), told(tmp_path / "hr.report.html")
    assert "Nightly sync Done" in of_night
    assert "6 rows = 1 created + 5 unchanged" in of_night
    assert "State The last night was good" in of_state
    assert "Changes of each of the last 2 nights: 6 created in all." in of_state


@pytest.mark.slow
def test_a_refused_night_is_told_without_names_and_cells(tmp_path: Path) -> None:
    """On the page of the night and on that of the state; the summary has the examples."""
    asked = ("sync", "r.csv", "--state", "hr.state", "--report", "-o", "out.csv")
    hidden = "metadata.@private.email"
    with emulator(tmp_path) as app:
        for name, more in (("Before", ("--adopt",)), ("Afterwards", ())):
            users = [{"uid": f"u{n}", "name": f"{name} {n}", hidden: f"{name}{n}@firm.example"} for n in range(8)]
            write_roster(tmp_path / "r.csv", users)
            done = provisioner(*asked, *more, *app.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (done.exit_code, "Afterwards" in done.stdout) == (3, True)
    assert provisioner("report", "hr.state", cwd=tmp_path).exit_code == 0
    for page in ("out.report.html", "hr.report.html"):
        text = told(tmp_path / page)
        assert (
            "Nothing was changed: the name of 8 of 8 users would be changed (--max-updates 50%): a column was" in text
        )
        assert [each for each in ("Before", "Afterwards", "firm.example", "for example") if each in text] == []

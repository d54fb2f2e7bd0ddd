"""A person at a terminal is asked before a real run; the rate of a run can be changed while it goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from tests.rig.command import KEY, emulator, interrupt, people, provisioner, started, wait_until, write_roster
from tests.rig.terminal import at_a_terminal

NOWHERE = "http://127.0.0.1:9/v3"


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "code"), [("n\n", 3), ("\x03", 130)], ids=["no", "Ctrl-C"])
def test_a_run_says_what_it_will_do_and_asks(tmp_path: Path, typed: str, code: int) -> None:
    """One sentence: rows, roster, app, and what happens to users that exist. No, or Ctrl-C, and nothing is sent."""
    (tmp_path / "users.csv").write_text("uid,name\nann,Ann\nbob,Bob\n")
    arguments = ("run", "users.csv", "--base-url", NOWHERE, "--on-existing", "update")
    ended, printed = at_a_terminal(
        *arguments, cwd=tmp_path, asked="Begin?", typed=typed, columns=160, COMETCHAT_API_KEY="k"
    )
    sentence = f"2 rows of users.csv become users of {NOWHERE}; users that exist are overwritten. Begin?"
    assert (ended, sentence in printed, "stopped before anything was sent" in printed) == (code, True, True)
    assert not (tmp_path / "users.results.csv").exists()


def test_tokens_are_not_minted_again_by_mistake(tmp_path: Path) -> None:
    """To begin anew with --auth-tokens all is asked about apart, or needs --yes; no, and the journal stays in place."""
    (tmp_path / "users.csv").write_text("uid,name\nann,Ann\nbob,Bob\n")
    journal = tmp_path / "users.results.journal.db"
    with Journal(journal, Identity("", NOWHERE)) as opened:
        opened.count_mints(["ann", "bob"])
    arguments = ("run", "users.csv", "--base-url", NOWHERE, "--restart", "--auth-tokens", "all")
    sentence = "2 users of this job were given auth tokens before"
    ended, printed = at_a_terminal(
        *arguments, cwd=tmp_path, asked="Mint them?", typed="n\n", columns=200, COMETCHAT_API_KEY="k"
    )
    assert (ended, sentence in printed, "Begin?" in printed) == (3, True, False)
    refused = provisioner(*arguments, cwd=tmp_path, COMETCHAT_API_KEY="k")
    assert (refused.exit_code, sentence in refused.stderr) == (2, True)
    assert "without --restart, or give --yes" in refused.stderr
    assert [path.name for path in tmp_path.glob("*.db")] == [journal.name]


def test_a_rehearsal_is_not_asked_about(tmp_path: Path) -> None:
    """The built-in emulator is nobody's app. How it ended is said by the summary, and by the log in its file."""
    (tmp_path / "users.csv").write_text("uid,name\nann,Ann\n")
    ended, printed = at_a_terminal("run", "users.csv", "--emulator", "--log-file", "log", cwd=tmp_path)
    assert (ended, "Begin?" in printed) == (0, False)
    finished = "run.finished"
    assert (finished in printed, finished in (tmp_path / "log").read_text()) == (False, True)


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "code"), [("n\n", 3), ("\x03", 130)], ids=["no", "Ctrl-C"])
def test_a_sync_and_an_undo_ask_before_the_first_change(tmp_path: Path, typed: str, code: int) -> None:
    """No, or Ctrl-C, and nothing was changed; the answer to no is said before numbers of what was done earlier."""
    roster = write_roster(tmp_path / "users.csv", people(3))
    with emulator(tmp_path) as api:
        assert (
            provisioner("run", roster, *api.flags(), "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        )
        before = api.users()
        state = ("--state", "s.db", "--adopt", "-o", "night.csv")
        for asked, command in (
            ("Carry this out?", ("sync", write_roster(tmp_path / "more.csv", people(4)), *state, *api.flags())),
            ("Take it back?", ("undo", "x.csv", *api.flags())),
        ):
            ended, printed = at_a_terminal(
                *command, cwd=tmp_path, asked=asked, typed=typed, columns=160, COMETCHAT_API_KEY=KEY
            )
            assert (ended, asked in printed, "Traceback" in printed) == (code, True, False), printed
            # A "no" to the first night leaves none, so that the next one has to say --adopt as well.
            assert not list(tmp_path.glob("s.db*"))
            answered = printed.split(asked, 1)[1]
            what = "plan" if command[0] == "sync" else "undo"
            found = f"nothing was changed: the {what} was not confirmed" in answered.split("pending", 1)[0]
            assert found == (code == 3), printed
        assert api.users() == before


@pytest.mark.slow
def test_the_rate_is_read_again_at_a_sighup(tmp_path: Path) -> None:
    """A run that would take minutes is over in seconds; the log says what was changed."""
    config = tmp_path / "provisioner.toml"
    config.write_text("[rate]\nrequests_per_minute = 60\n")
    roster = write_roster(tmp_path / "users.csv", people(40))
    with emulator(tmp_path) as api:
        command = ("run", roster, *api.flags(), "-o", "x.csv", "--log-format", "json")
        with started(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(api.users()) > 0)
            config.write_text("[rate]\nrequests_per_minute = 60000\n")
            ended = interrupt(process, signal.SIGHUP)
        assert (ended.exit_code, len(api.users())) == (0, 40)
        (changed,) = ended.events("rate.changed")
        assert changed["requests_per_minute"] == 60000


NO_APP = "api.emulator: the built-in emulator lives only as long as a run or a doctor, and nothing else can use it"


@pytest.mark.slow
def test_a_config_that_rehearses_reaches_no_app_by_itself(tmp_path: Path) -> None:
    """Whatever would send or ask refuses the setting, with a cure that works; what asks nobody goes on."""
    roster = write_roster(tmp_path / "users.csv", people(3))
    (tmp_path / "e.toml").write_text("[api]\nemulator = true\n")
    state = ("--state", "s.db")
    with emulator(tmp_path) as app:

        def ended(*arguments: object) -> tuple[int, bool]:
            done = provisioner(*arguments, cwd=tmp_path, COMETCHAT_API_KEY=KEY, COMETCHAT_BASE_URL=app.url)
            return done.exit_code, NO_APP in done.stderr

        rehearsing = ("-c", "e.toml")
        commands: tuple[tuple[object, ...], ...] = (
            ("sync", roster, *state, "--adopt", "-y"),
            ("plan", roster, *state, "--adopt"),
            ("verify", roster, "-o", "x.csv"),
        )
        assert [ended(*each, *rehearsing) for each in commands] == [(2, True)] * 3
        assert ended("run", roster, "-o", "e.csv", *rehearsing) == (0, False)
        assert app.lines("audit") == []
        assert ended("run", roster, "-o", "x.csv", *rehearsing, *app.flags()) == (0, False)
        assert sorted(app.users()) == [person["uid"] for person in people(3)]
        assert [ended(*each, *rehearsing, *app.flags()) for each in commands] == [(0, False)] * 3
        assert ended("plan", roster, *state, *rehearsing) == (0, False)
        assert ended("plan", roster, *state, "--refresh", *rehearsing) == (2, True)
        assert ended("plan", roster, *state, "--create-roles", *rehearsing) == (2, True)
        assert ended("undo", "x.csv", "--dry-run", *rehearsing) == (0, False)
        assert ended("undo", "x.csv", "-y", *rehearsing) == (2, True)
        assert ended("undo", "x.csv", "-y", *rehearsing, *app.flags()) == (0, False)


@pytest.mark.slow
def test_a_job_of_a_fleet_goes_where_the_fleet_file_says(tmp_path: Path) -> None:
    """A config that rehearses ends a sync with the refusal; a `base_url` of the job is the cure that it names."""
    write_roster(tmp_path / "users.csv", people(3))
    (tmp_path / "e.toml").write_text("[api]\nemulator = true\n[sync]\nadopt = true\n")
    (tmp_path / "key").write_text(KEY)
    job = '[[job]]\nname = "a"\ncommand = "sync"\nroster = "users.csv"\nstate = "s.db"\nconfig = "e.toml"\n'
    fleet = tmp_path / "f.toml"
    with emulator(tmp_path) as app:
        fleet.write_text(f'{job}api_key_file = "key"\napp_id = "real"\nregion = "eu"\n')
        refused = provisioner("fleet", fleet, cwd=tmp_path)
        assert (refused.exit_code, NO_APP in refused.stdout + refused.stderr) == (2, True)
        fleet.write_text(f'{job}api_key_file = "key"\nbase_url = "{app.url}"\n')
        assert provisioner("fleet", fleet, cwd=tmp_path).exit_code == 0
        assert sorted(app.users()) == [person["uid"] for person in people(3)]

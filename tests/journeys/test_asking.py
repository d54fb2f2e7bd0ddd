"""A person at a terminal is asked before a real run; the rate of a run can be changed while it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.terminal import at_a_terminal

NOWHERE = "http://127.0.0.1:9/v3"


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


def test_a_rehearsal_is_not_asked_about(tmp_path: Path) -> None:
    """The built-in emulator is nobody's app."""
    (tmp_path / "users.csv").write_text("uid,name\nann,Ann\n")
    ended, printed = at_a_terminal("run", "users.csv", "--emulator", cwd=tmp_path)
    assert (ended, "Begin?" in printed) == (0, False)

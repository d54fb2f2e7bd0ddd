"""What arguments that make no sense still say of the summary; that it is left is held by the journeys."""

from __future__ import annotations

import pytest

from provisioner.cli.app import application
from provisioner.cli.slips import roster_in


@pytest.mark.parametrize(
    ("words", "roster"),
    [
        ("a.csv b.csv --nope", ["a.csv", "b.csv"]),
        ("--max-in-flight 6x4 a.csv", ["a.csv"]),
        ("--share=2 -q a.csv -o x.csv --emulator b.csv -c p.toml", ["a.csv", "b.csv"]),
        ("a.csv --share", ["a.csv"]),
        ("--share 2", []),
        ("-qy a.csv", ["a.csv"]),
        ("a.csv -ox.csv", []),
        ("a.csv -qyo x.csv", []),
    ],
)
def test_the_roster_is_found_among_arguments_that_make_no_sense(words: str, roster: list[str]) -> None:
    """A word behind an option is its value, unless it takes none."""
    _, apps, _ = application().parse_commands(["run"])
    assert roster_in(words.split(), apps[-1]) == roster

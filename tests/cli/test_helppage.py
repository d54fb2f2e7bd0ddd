"""Help is plain text, grouped by tables of settings, as wide as the terminal."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from provisioner.cli.app import COMMANDS, HELP_OPTION, application, carry_out
from provisioner.cli.examples import DOCUMENTATION, EXAMPLES, WAYS
from provisioner.cli.helppage import Section, page, sections
from provisioner.errors import ConfigurationError
from tests.rig.command import ROOT


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("command", [*COMMANDS, "config show"])
def test_help_fits_its_terminal(
    command: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No line is longer than the terminal, or than 100; no colour, no frame, no blanks at the end."""
    monkeypatch.setenv("COLUMNS", str(columns))
    carry_out([*command.split(), "--help"])
    text = capsys.readouterr().out
    lines = [line for line in text.splitlines() if DOCUMENTATION not in line]
    assert max(map(len, lines)) <= min(columns, 140)
    assert text.isascii()
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_options_are_grouped_by_their_table() -> None:
    """The table of the config file is named where its options are; what is no setting comes last."""
    titles = [each.title for each in sections(application()["run"], HELP_OPTION)]
    assert titles == [
        "Arguments", "What is read [run]", "Where it is sent [api]", "How fast [rate]", "What is done [run]",
        "What is written [output]", "What is logged [log]", "General",
    ]  # fmt: skip


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "config"])
def test_every_option_is_explained_once(command: str) -> None:
    """Short form first, what it takes beside it; a flag takes nothing."""
    entries = [entry for each in sections(application()[command], HELP_OPTION) for entry in each.entries]
    written = [option for option, _ in entries]
    assert len(set(written)) == len(written)
    assert all(meaning for _, meaning in entries)
    # What stands in its place needs no name in front, and cannot be taken for an option.
    groups = {each.title: each.entries for each in sections(application()[command], HELP_OPTION)}
    assert not any(argument.startswith("-") for argument, _ in groups.get("Arguments", ()))
    shown = {word.strip(",") for option in written for word in option.split() if word.startswith("-")}
    arguments = application()[command].assemble_argument_collection()
    known = {name for each in arguments if each.show for name in each.names if name.startswith("-")}
    assert shown == known | {"-h", "--help"}


def test_help_offers_nothing_that_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A proof of a shard, and an undo of a state: both are told in their own words, and are no choice on the page."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("COMETCHAT_API_KEY", "key")
    monkeypatch.chdir(tmp_path)
    for command in ("verify", "undo"):
        carry_out([command, "--help"])
    text = capsys.readouterr().out
    assert ("--shard" in text, "state of a sync" in text) == (False, False)
    with pytest.raises(ConfigurationError, match=r"run\.shard: a proof is about a whole roster; leave it out"):
        carry_out(["verify", "u.csv", "--shard", "1/2", "--base-url", "http://127.0.0.1:1/v3"])


@pytest.mark.parametrize(("command", "default"), [("init", "found by itself"), ("run", "utf-8"), ("verify", "utf-8")])
def test_help_tells_the_encoding_that_is_taken(command: str, default: str) -> None:
    """Whoever only proposes finds it; whoever sends takes no guess."""
    entries = dict(entry for each in sections(application()[command], HELP_OPTION) for entry in each.entries)
    assert entries["--encoding NAME"].endswith(f"[default: {default}]")


@pytest.mark.parametrize("command", ["run", "validate", "sync", "plan", "verify", "init"])
def test_help_names_every_kind_of_roster(command: str) -> None:
    """What docs/formats.md lists, in a sentence."""
    (meaning,) = [
        meaning
        for each in sections(application()[command], HELP_OPTION)
        for option, meaning in each.entries
        if option.startswith("ROSTER")
    ]
    assert meaning.startswith("The users: CSV, TSV, JSON, NDJSON (also compressed), Parquet or .xlsx; several files, ")


def test_a_page_has_two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than the first column stands on a line of its own."""
    monkeypatch.setenv("COLUMNS", "40")
    entries = [("-q, --quiet", "Say little of what there is to say."), ("--a-very-long-option-name X", "Words.")]
    assert page("provisioner x", "Do.\n\n    It\n    does.", [Section("General", entries)]).splitlines() == [
        "Usage: provisioner x [OPTIONS]",
        "",
        "  Do.",
        "",
        "  It does.",
        "",
        "General:",
        "  -q, --quiet       Say little of what",
        "                    there is to say.",
        "  --a-very-long-option-name X",
        "                    Words.",
    ]


@pytest.mark.parametrize("command", EXAMPLES)
def test_every_example_is_one_of_its_command(command: str) -> None:
    """Two for each, and every option in them is taken by the command."""
    assert len(EXAMPLES[command]) == 2
    name, *within = command.split()
    app = application()[name][within[0]] if within else application()[name]
    known = {option for each in app.assemble_argument_collection() for option in each.names}
    for typed, meaning in EXAMPLES[command]:
        assert typed.startswith(f"provisioner {command}")
        assert {word for word in typed.split() if word.startswith("-")} <= known
        assert meaning


def test_the_front_page_shows_the_ways_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    """For a sheet, for HR's nights, for millions; and where the documentation is, as the package has it."""
    carry_out([])
    said = " ".join(capsys.readouterr().err.split())
    assert all(f"{title}: {typed[0][0]} {typed[0][1]}" in said for title, typed in WAYS.items())
    assert said.endswith(f"Documentation: {DOCUMENTATION}")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == DOCUMENTATION

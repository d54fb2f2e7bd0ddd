"""The command line as people meet it: help, version, wrong usage, and what is imported for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner import __version__
from provisioner.cli import app as cli
from provisioner.cli.app import COMMANDS, application, carry_out
from provisioner.cli.asked import Asked
from provisioner.cli.slips import ANSWERING, SUMMED_UP
from provisioner.errors import ExitCode, ProvisionerError, UsageError


def refusal(*words: str) -> str:
    """The sentence that a wrong usage is refused with."""
    with pytest.raises(UsageError) as caught:
        carry_out(words)
    assert caught.value.exit_code == ExitCode.USAGE
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("rnu", "provisioner has no command rnu; did you mean run?"),
        ("rnu --help", "provisioner has no command rnu; did you mean run?"),
        ("config sho", "provisioner config has no command sho; did you mean show?"),
        ("config x", "provisioner config has no command x; it has show, example"),
        ("-v run a", ("provisioner has no option -v here; options of a command come after its name; "
         "see provisioner --help")),
        ("run", "no roster: name a file, or give --query and --database"),
        ("verify -v", "provisioner verify needs a ROSTER; see provisioner verify --help"),
        ("show", "provisioner show needs a UID; see provisioner show --help"),
        ("status", "provisioner status needs an OUT; see provisioner status --help"),
        ("run a --shar 1", "provisioner run has no option --shar; did you mean --share?"),
        ("run a --requests-per-minut=1", ("provisioner run has no option --requests-per-minut; "
         "did you mean --requests-per-minute?")),
        ("run a -x", "provisioner run has no option -x; see provisioner run --help"),
        ("run a --no-strict", "provisioner run has no option --no-strict; did you mean --strict?"),
        ("run a --no-no-progress", "provisioner run has no option --no-no-progress; did you mean --no-progress?"),
        ("validate a --emulator", "provisioner validate has no option --emulator; see provisioner validate --help"),
        ("run a --share", "--share needs a value; see provisioner run --help"),
        ("run a -o", "-o needs a value; see provisioner run --help"),
        ("run a --share --verbose", "--share needs a value; see provisioner run --help"),
        ("run a --limit 1.5", "--limit: '1.5' is no whole number, such as 500 or 10k"),
        ("run a --requests-per-minute 10kk", "--requests-per-minute: '10kk' is no whole number, such as 500 or 10k"),
        ("runn a", "provisioner has no command runn; did you mean run?"),
        ("inti a", "provisioner has no command inti; did you mean init?"),
        ("run a --on-existing skp", "--on-existing: 'skp' is none of skip, update, fail; did you mean skip?"),
        ("run a --auth-tokens CREATED", "--auth-tokens: 'CREATED' is none of created, all, none"),
        ("run a --verbose=3", "--verbose: takes no value"),
        ("history --last 0", "--last: 0 is less than 1"),
        *(
            (f"merge {words}", (
                f"{one}: is no results file (.csv, .parquet, .ndjson, .xlsx); name the results of a run and those of "
                "its rounds, or of shards their one folder and nothing else"
            ))
            for words, one in ((". a.csv", "."), ("/ a.csv -o b.csv", "/"), ("a.csv b.shards", "b.shards"))
        ),
        (
            "history s",
            "provisioner history has no use for 's'; the state is named with --state; see provisioner history --help",
        ),
        ("doctor x", "provisioner doctor has no use for 'x'; see provisioner doctor --help"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_sentence(words: str, sentence: str) -> None:
    """It names what is wrong and what was probably meant; a value is never rounded or guessed."""
    assert refusal(*words.split()) == sentence


def test_wrong_usage_ends_the_command_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one line on stderr, nothing on stdout."""
    monkeypatch.setattr(sys, "argv", ["provisioner", "rnu"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", "error: provisioner has no command rnu; did you mean run?\n")


@pytest.fixture
def rosters(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The rosters that `validate` is called with, instead of a validation."""
    called: list[list[str]] = []

    def carried_out(asked: Asked, *_: object) -> ExitCode:
        called.append(list(asked.roster))
        return ExitCode.ROWS_LEFT

    monkeypatch.setattr("provisioner.cli.commands.run.carried_out", carried_out)
    return called


@pytest.mark.parametrize(
    ("words", "roster"),
    [
        ("-", ["-"]),
        ("- -q", ["-"]),
        ("a.csv -o x.csv b.csv", ["a.csv", "b.csv"]),
        ("-qv a.csv -ox.csv - [1]", ["a.csv", "-", "[1]"]),
        ("-- -a.csv --help", ["-a.csv", "--help"]),
        ("a.csv --limit 1 --limit 2 -q -q", ["a.csv"]),
    ],
)
def test_rosters_and_options_in_any_order(words: str, roster: list[str], rosters: list[list[str]]) -> None:
    """`-` is standard input, after `--` everything is a roster, and of an option given twice the last one counts."""
    assert carry_out(["validate", *words.split()]) == ExitCode.ROWS_LEFT
    assert rosters == [roster]


def test_help_that_nobody_asked_for_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command nothing can be done: exit 2, and the page that `--help` prints on stdout with exit 0."""
    for words in ([], ["config"]):
        assert carry_out(words) == ExitCode.USAGE
        missing = capsys.readouterr()
        assert carry_out([*words, "--help"]) == ExitCode.OK
        wanted = capsys.readouterr()
        assert (missing.out, missing.err) == (wanted.err, wanted.out)
        assert wanted.out.startswith(" ".join(["Usage: provisioner", *words, "[OPTIONS] COMMAND"]))


@pytest.mark.parametrize("words", [["-h"], ["-"], ["a.csv", "--limit", "x", "--help"], ["--nonsense", "-h"]])
def test_help_is_given_wherever_it_is_asked_for(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before and after other arguments, right ones and wrong ones."""
    assert carry_out(["run", *words, "--help"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("Usage: provisioner run [OPTIONS] ROSTER...\n")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    assert carry_out(["--version"]) == ExitCode.OK
    assert capsys.readouterr() == (f"provisioner {__version__}\n", "")


@pytest.mark.slow
def test_completion_knows_the_commands_and_their_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script for the shell that runs; asked for it."""
    monkeypatch.setenv("BASH_VERSION", "5")
    assert carry_out(["--show-completion"]) == ExitCode.OK
    script = capsys.readouterr().out
    assert set(COMMANDS) <= set(script.replace("'", " ").split())
    assert "--max-in-flight" in script


@pytest.mark.slow
def test_completion_says_which_files_it_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody's own `.bashrc` among them, once; where nothing can be written it is a sentence, with the way out."""
    monkeypatch.setenv("BASH_VERSION", "5")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_text("alias l=ls\n")
    for _ in range(2):
        assert carry_out(["--install-completion"]) == ExitCode.OK
    script = tmp_path / ".local/share/bash-completion/completions/provisioner"
    assert capsys.readouterr().out.splitlines() == [
        f"installed in {script}, which lines added to ~/.bashrc load; it works in the next shell",
        f"installed in {script}; it works in the next shell",
    ]
    lines = f'alias l=ls\n# Load provisioner completion\n[ -f "{script}" ] && . "{script}"\n'
    assert ((tmp_path / ".bashrc").read_text(), script.is_file()) == (lines, True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".local").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(UsageError, match=r"Not a directory: '.*/\.local/share.*'\); put what `provisioner --show-comp"):
        carry_out(["--install-completion"])


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("words", "strangers"),
    [
        (["--help"], ["cyclopts", "pydantic", "polars", "rich", "provisioner.cli.options.base"]),
        (["--version"], ["cyclopts", "pydantic", "polars", "rich", "provisioner.cli.options.base"]),
        (
            ["run", "--help"],
            ["pydantic", "polars", "rich", "provisioner.cli.commands.sync", "provisioner.emulator.command"],
        ),
        (
            ["config", "show", "-h"],
            ["pydantic", "polars", "rich", "provisioner.cli.commands.run", "provisioner.cli.commands.sync"],
        ),
        (["emulator", "--help"], ["pydantic", "polars", "rich", "aiohttp", "provisioner.cli.options.base"]),
    ],
)
def test_only_what_is_called_is_imported(words: list[str], strangers: list[str]) -> None:
    """Help costs no command but the one it is about, and no library that only a run needs."""
    code = (
        "import sys, provisioner.cli.app as app\n"
        f"app.carry_out({words!r})\n"
        f"sys.exit([name for name in {strangers!r} if name in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_commands_are_there() -> None:
    """Each place in the table of commands can be imported."""
    for name in COMMANDS:
        assert application()[name].name == (name,)


def test_every_command_that_answers_as_json_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Or a refusal of it would print nothing on standard output, and a script could not tell why."""
    found = set()
    for name in (*COMMANDS, "config show", "config example"):
        carry_out([*name.split(), "--help"])
        found |= {name.rpartition(" ")[2]} if " --json " in capsys.readouterr().out else set()
    assert found == SUMMED_UP | ANSWERING


@pytest.mark.parametrize(
    "words",
    [
        "merge gone.shards -o t.csv", "merge", "status gone.csv", "show ann gone.csv", "history --state gone.db",
        "doctor -c gone.toml", "constraints -c gone.toml", "config show -c gone.toml", "backup gone.csv copy.db",
        "fleet gone.toml", "fleet --jbos 1", "verify gone.csv", "undo gone.csv", "run gone.csv", "status gone.csv --x",
    ],
)  # fmt: skip
def test_a_refusal_is_one_json_object_where_that_was_asked_for(
    words: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the sentence and the exit code; without --json nothing stands on standard output."""
    monkeypatch.chdir(tmp_path)
    for more in ((), ("--json",)):
        with pytest.raises(ProvisionerError) as refused:
            carry_out([*words.split(), *more])
        told = capfd.readouterr().out
        if not more:
            assert told == ""
    document = json.loads(told)
    assert (document["message"], document["exit_code"]) == (str(refused.value), refused.value.exit_code)
    assert list(tmp_path.iterdir()) == []

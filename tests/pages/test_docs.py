"""The documentation is true: what it names exists, what it tells to run, runs."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from provisioner.cli.app import COMMANDS, application
from provisioner.errors import ExitCode
from provisioner.settings.tables import Settings, keys_of_tables
from provisioner.validation.constraints import DEFECTS, LIMITS
from tests.rig.command import PACKAGE, ROOT, environment, provisioner
from tests.rig.house import drawn, on_the_page

README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks/README.md"]


def section(title: str) -> str:
    """The text under a heading of the reference, down to the next one of any level."""
    return re.split(r"\n#+ ", REFERENCE.split(f" {title}\n", 1)[1], maxsplit=1)[0]


def commands_in(document: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", document, re.DOTALL)
    lines = [line.removeprefix("$ ").split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(COMETCHAT_API_KEY=… )?provisioner ", line)]


def options_of(command: str) -> set[str]:
    """Every long option that a command takes."""
    arguments = application()[command].assemble_argument_collection()
    return {option for each in arguments if each.show for option in each.names if option.startswith("--")}


def warned_of() -> set[str]:
    """Every event of the code that is a warning or an error, but for what is only known while it runs."""
    calls = [
        node
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
        if node.func.attr in {"warning", "error", "exception", "critical"}
    ]
    texts = [part.value for call in calls for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z]+(\.[a-z_]+)+", text)}


def test_the_pages_name_every_event_that_is_worth_a_look() -> None:
    """Whoever finds a warning or an error in a log finds on a page what it means."""
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCUMENTS)
    assert {"run.stopped", "rate.paused"} <= warned_of()
    assert {event for event in warned_of() if f"`{event}`" not in pages} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_commands_say(name: str) -> None:
    """The list is shown without loading the commands: it is a copy of how their own help begins."""
    said = COMMANDS[name][1].removesuffix(".")
    assert application()[name].help.startswith(said)


def test_the_option_table_is_that_of_the_command() -> None:
    """No option is missing from the reference, none is made up."""
    assert set(re.findall(r"`(--[a-z-]+)`", section("Options of `run`").split("Environment:")[0])) >= options_of("run")
    named = re.findall(r"(--[a-z][a-z-]+)", README + REFERENCE)
    assert {name for name in named if "-completion" not in name} <= (
        {"--help"}.union(*(options_of(command) for command in COMMANDS if command != "config"))
    )


def test_every_option_of_run_is_a_key_of_the_config() -> None:
    """What a flag can say, the file can say."""
    keys = {key for table in tomllib.loads(uncommented(EXAMPLE)).values() for key in table}
    renamed = {"output": "file", "log-format": "format", "log-file": "file", "no-progress": "progress"}
    renamed["no-check-roles"] = "check_roles"
    flags = {name.removeprefix("--") for name in options_of("run")} - {"config"}
    assert {renamed.get(flag, flag).replace("-", "_") for flag in flags} <= keys


def test_the_exit_code_table_is_that_of_the_code() -> None:
    """Every exit code is in the table, and no other."""
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    assert told == {0, 1, 2, 3, 4, 5, 70, 130, 143} == set(ExitCode)


def test_the_table_of_rules_names_every_code() -> None:
    """A code a person meets can be looked up."""
    assert set(re.findall(r"`([a-z_]+\.[a-z_]+)`", section("What a row may hold"))) == set(DEFECTS)


# Code → the limit that its row of the table names; a row may name it without the unit.
LIMITED = {
    "uid.too_long": "uid_max_length", "name.too_long": "name_max_length", "avatar.too_long": "url_max_length",
    "role.charset": "role_max_length", "tags.too_many": "tags_max", "tags.too_long": "tag_max_length",
    "metadata.too_large": "metadata_max_bytes", "body.too_large": "body_max_bytes",
}  # fmt: skip


def test_the_table_of_rules_names_every_limit() -> None:
    """Each is the one the code holds to; whether a uid may hold _ is no number, and stands with its characters."""
    rows = section("What a row may hold").splitlines()
    named = {code: re.search(rf"at most (\d+)\b.*`{code}`", "\n".join(rows)) for code in LIMITED}
    assert {code: int(found[1]) for code, found in named.items() if found} == {
        code: LIMITS[name].default for code, name in LIMITED.items()
    }
    assert set(LIMITS) - set(LIMITED.values()) == {"uid_allow_underscore"}
    assert any("ASCII letters, digits, `-` |" in row and "`uid.charset`" in row for row in rows)


def uncommented(example: str) -> str:
    """The example with every key that is commented out put in."""
    return re.sub(r"^# (\[columns\.metadata\]|\"?[a-z@.]+[a-z_.]*\"? = )", r"\1", example, flags=re.MULTILINE)


def test_the_config_example_holds_every_key_with_its_default() -> None:
    """Read as it stands it changes nothing; with all its comments taken off it knows every key."""
    stands = Settings.model_validate(tomllib.loads(EXAMPLE))
    assert stands.model_copy(update={"columns": Settings().columns}) == Settings()
    everything = tomllib.loads(uncommented(EXAMPLE))
    for table, names in keys_of_tables().items():
        if table != "columns":
            assert set(everything[table]) == set(names), table
    mapped = {"uid", "name", "role", "deactivated", "metadata"}
    assert set(everything["columns"]) == {*mapped, "tags_separator", "null_values", "leave_out"}


# Its session has a test of its own.
MIGRATION = (ROOT / "docs/migration.md").read_text(encoding="utf-8").split("\n## A roster that was not")[1]


@pytest.mark.parametrize("command", [line for line in commands_in(README + MIGRATION) if "samples/" in line])
def test_the_readmes_commands_run(tmp_path: Path, command: str) -> None:
    """Copied from the README into an empty folder beside the samples, each command does what it says."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    ended = provisioner(*shlex.split(command)[1:], cwd=tmp_path)
    assert ended.exit_code == (0 if "hr_export" in command else 1), ended.stderr
    assert (tmp_path / "out").is_dir()


def test_the_readmes_session_is_what_the_command_prints(tmp_path: Path) -> None:
    """The output shown is the real one, but for the time it took and for what … leaves out."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    shown = README.split("$ provisioner run samples/users.csv", 1)[1].split("\n", 1)[1].split("\n\n$ ", 1)[0]
    printed = provisioner("run", "samples/users.csv", "--emulator", "-o", "out/results.csv", cwd=tmp_path).stdout
    seconds = re.compile(r"in \d+ s")
    left = " ".join(seconds.sub("in N s", printed).split())
    for piece in seconds.sub("in N s", shown).split("…"):
        _, found, left = left.partition(" ".join(piece.split()))
        assert found, piece
    assert not left


def test_the_readme_is_short() -> None:
    """A newcomer reads it to its end: what is longer has its page."""
    assert len(README.splitlines()) <= 150


def test_the_index_names_every_page() -> None:
    """No page that only its author finds."""
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert set(re.findall(r"\(([\w-]+\.md)", index)) == pages


def test_links_lead_somewhere() -> None:
    """Every relative link in the documents is a file of the project."""
    for document in DOCUMENTS:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document}: {link}"


def test_links_into_a_page_lead_to_a_heading() -> None:
    """Whoever follows one stands where it says, in a text editor's preview as on the site."""
    for document in DOCUMENTS:
        for link, anchor in re.findall(r"\]\(([^)#:]*)#([\w-]+)\)", document.read_text(encoding="utf-8")):
            page = re.sub(
                r"```.*?```", "", ((document.parent / link) if link else document).read_text("utf-8"), flags=re.DOTALL
            )
            headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
            anchors = {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.lower())) for heading in headings}
            assert anchor in anchors, f"{document}: {link}#{anchor}"


def test_the_help_of_every_command_is_told_without_heavy_imports() -> None:
    """`--help` answers for each command, in words."""
    for command in ((), ("config", "show"), *((name,) for name in COMMANDS)):
        ended = provisioner(*command, "--help", cwd=ROOT, **environment())
        assert (ended.exit_code, ended.stderr) == (0, "")
        assert len(ended.stdout.splitlines()) > 5


def test_the_map_of_the_code_is_what_the_folders_say() -> None:
    """Every folder with its sentence and its rooms; `python -m tests.rig.house` writes it."""
    assert drawn() == on_the_page()


def test_paths_in_the_documents_exist() -> None:
    """A file or module of the project that is named is there."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for path in re.findall(r"`((?:provisioner|tests|benchmarks|docs|samples)/[\w./-]*)`", text):
            base = PACKAGE.parent if path.startswith("provisioner/") else ROOT
            assert (base / path).exists(), f"{document}: {path}"
        for module in re.findall(r"\b(?:-m |pytest )?((?:tests|benchmarks)\.[a-z_.]*[a-z_])\b", text):
            found = ROOT / module.replace(".", "/")
            assert found.is_dir() or found.with_suffix(".py").exists(), f"{document}: {module}"

"""How values are read: every option and argument that names a file refuses to be nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.command import provisioner

EMPTY = "is empty; name a file (a variable that is not set gives nothing)"
FOLDERS = (".", "/", "..", "folder", "folder/")


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("run", "u.csv", "-o", ""), "-o"),
        (("run", "u.csv", "--tokens-to", ""), "--tokens-to"),
        (("run", "u.csv", "--log-file", ""), "--log-file"),
        (("run", "u.csv", "-c", ""), "-c"),
        (("sync", "u.csv", "--state", ""), "--state"),
        (("sync", "u.csv", "--state", "s.db", "--approve", ""), "--approve"),
        (("sync", "u.csv", "--state", "s.db", "--metrics-file", ""), "--metrics-file"),
        (("plan", "u.csv", "--state="), "--state"),
        (("status", ""), "OUT"),
        (("show", "ann", ""), "OUT"),
        (("undo", ""), "OUT"),
        (("report", ""), "OUT"),
        (("backup", "x.csv", ""), "TO"),
        (("merge", ""), "WHAT"),
        (("fleet", ""), "FLEET"),
        (("doctor", "--state", ""), "--state"),
    ],
)
def test_nothing_names_no_file(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    """It would be the current folder: what a variable gives that is not set."""
    ended = provisioner(*arguments, cwd=tmp_path)
    assert (ended.exit_code, ended.stderr) == (2, f"error: {named}: {EMPTY}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [("validate", "u.csv", "-o", "r.csv/"), ("init", "u.csv", "-o", "i.toml/"), ("init", "u.csv", "-o", "u.csv/")],
)
def test_a_slash_at_the_end_names_no_file(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """It would be dropped, and a file be made of that name."""
    (tmp_path / "u.csv").write_text("uid,name\nann,Ann\n")
    ended = provisioner(*arguments, cwd=tmp_path)
    said = f"error: -o: {arguments[-1]!r} ends with a slash, as the name of a folder does; name a file\n"
    assert (ended.exit_code, ended.stderr) == (2, said)
    assert [each.name for each in tmp_path.iterdir()] == ["u.csv"]


@pytest.mark.sampled
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "u.csv", "-y", "--adopt", "--state"),
        ("plan", "u.csv", "--state"),
        ("plan", "u.csv", "--adopt", "--state"),
        ("verify", "u.csv", "--state"),
    ],
    ids=" ".join,
)
def test_a_folder_is_no_state(tmp_path: Path, arguments: tuple[str, ...], folder: str) -> None:
    """Told with the option that names it, before anything is sent; a name that is none is no bug of ours."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "u.csv").write_text("uid,name\nann,Ann\n")
    where = {"COMETCHAT_API_KEY": "k", "COMETCHAT_BASE_URL": "http://127.0.0.1:9/v3"}
    ended = provisioner(*arguments, folder, cwd=tmp_path, **where)
    assert (ended.exit_code, f"error: {Path(folder)}: is a folder; check --state" in ended.stderr) == (2, True)


@pytest.mark.sampled
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("command", [("status",), ("show", "ann"), ("undo",), ("report",), ("history", "--state")])
def test_a_folder_is_no_job(tmp_path: Path, command: tuple[str, ...], folder: str) -> None:
    """Whatever asks what a job has done says that there is none in it."""
    (tmp_path / "folder").mkdir()
    ended = provisioner(*command, folder, cwd=tmp_path)
    assert (ended.exit_code, ended.stderr.startswith("error: "), ended.stderr.count("\n")) == (2, True, 1)

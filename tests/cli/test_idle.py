"""An option of reading that can mean nothing for the roster is refused, where it was given for this very command."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from provisioner.cli.idle import refuse_idle_options
from provisioner.errors import UsageError
from tests.rig.command import provisioner

GIVEN = {
    "encoding": "only a text (CSV, TSV, NDJSON, JSON) can be read with it",
    "delimiter": "only a CSV or TSV can be read with it",
    "escape": "only a CSV or TSV can be read with it",
    "header_row": "only a CSV, a TSV or a workbook can be read with it",
    "sheet": "only a workbook (.xlsx) can be read with it",
}
IDLE = {
    "u.csv": {"sheet"},
    "u.tsv.gz": {"sheet"},
    "-": {"sheet"},
    "u.json": {"delimiter", "escape", "header_row", "sheet"},
    "u.ndjson": {"delimiter", "escape", "header_row", "sheet"},
    "https://example.com/u.parquet?v=1": set(GIVEN),
    "u.xlsx": {"encoding", "delimiter", "escape"},
    "u.zip": set[str](),
    "u.unknown": set[str](),
    "no/*.csv": set[str](),
    "u.rejected.xlsx": set[str](),
}


def a_workbook() -> bytes:
    """Give what a workbook is told by."""
    with zipfile.ZipFile(held := io.BytesIO(), "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return held.getvalue()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that are what their names say."""
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "u.csv": b"uid,name\n",
        "u.tsv.gz": gzip.compress(b"uid\tname\n"),
        "u.json": b"[]",
        "u.ndjson": b"{}\n",
        "u.parquet": b"PAR1\0",
        "v.parquet": b"PAR1\0",
        "u.xlsx": a_workbook(),
        "u.rejected.xlsx": a_workbook(),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("roster", "idle"), IDLE.items())
def test_an_option_that_cannot_read_the_roster_is_refused(roster: str, idle: set[str]) -> None:
    """Whoever gives it takes the file for another one, and would read other rows than they believe."""
    refused = set()
    for key in GIVEN:
        try:
            refuse_idle_options([roster], {"run": {key: "x"}})
        except UsageError:
            refused.add(key)
    assert refused == idle


@pytest.mark.parametrize("name", ["no.csv", "no.xlsx", "u.csv", "u.json", "u.parquet", "u.tsv.gz", "u.xlsx"])
def test_what_is_not_as_it_is_called_is_left_to_the_reader(here: Path, name: str) -> None:
    """It says that the file is not there, or what to call it: without the option it would be no better."""
    if not name.startswith("no."):
        (here / name).write_bytes(b"%PDF-1.7")
    for key in GIVEN:
        refuse_idle_options([name], {"run": {key: "x"}})


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("key", "said"), GIVEN.items())
def test_the_option_is_named_with_what_it_is_for(key: str, said: str) -> None:
    """And what to do; several files are one roster, and one that can be read so is enough."""
    flag = "--" + key.replace("_", "-")
    for roster, which in (
        (["u.parquet"], "u.parquet is none"),
        (["u.parquet", "v.parquet"], "none of these 2 files is one"),
        ([], "the rows of a query are none"),
    ):
        with pytest.raises(UsageError) as error:
            refuse_idle_options(roster, {"run": {key: "x"}}, queried=True)
        assert str(error.value) == f"{flag}: {said}, and {which}; leave the option out"
    refuse_idle_options(["u.parquet", "u.xlsx", "u.csv"], {"run": {key: "x"}})
    refuse_idle_options([], {"run": {key: "x"}})


def test_a_config_may_say_how_other_rosters_are_read(tmp_path: Path) -> None:
    """Only what was given for this command has to mean something for this roster."""
    (tmp_path / "u.csv").write_text("uid,name\nann,Ann\n")
    (tmp_path / "c.toml").write_text('[run]\nsheet = "People"\n')
    assert provisioner("validate", "u.csv", "-c", "c.toml", cwd=tmp_path).exit_code == 0
    for command in ("validate", "init"):
        refused = provisioner(command, "u.csv", "--sheet", "People", cwd=tmp_path)
        said = "error: --sheet: only a workbook (.xlsx) can be read with it, and u.csv is none; leave the option out"
        assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (2, said)
    (tmp_path / "q.toml").write_text('[run]\nquery = "SELECT 1"\ndatabase = "postgresql://hr@localhost/hr"\n')
    refused = provisioner("validate", "-c", "q.toml", "--sheet", "People", cwd=tmp_path)
    assert (refused.exit_code, "and the rows of a query are none; leave" in refused.stderr) == (2, True)

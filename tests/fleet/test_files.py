"""Promise: two jobs that would write one file are refused, and so is a file that is written and read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError
from provisioner.fleet.jobs import Job, read_fleet

RUN = 'command = "run"\n'
SYNC = 'command = "sync"\nstate = "{}.db"\n'


def read(folder: Path, *jobs: str) -> tuple[Job, ...]:
    """Read a fleet of these jobs, called a, b and so on; each says what it wants in lines."""
    tables = [f'[[job]]\nname = "{name}"\n{lines}\n' for name, lines in zip("abc", jobs, strict=False)]
    tables = [text if "roster" in text else f'{text}roster = "{"abc"[at]}.csv"\n' for at, text in enumerate(tables)]
    path = folder / "all.toml"
    path.write_text("".join(tables), encoding="utf-8")
    return read_fleet(path).jobs


def said(folder: Path, *jobs: str) -> str:
    """Give the one sentence of a refusal, without the path of the fleet file."""
    with pytest.raises(ConfigurationError) as error:
        read(folder, *jobs)
    return str(error.value).removeprefix(f"{folder / 'all.toml'}: ")


def sync(state: str, output: str) -> str:
    return f'command = "sync"\nstate = "{state}"\noutput = "{output}"'


@pytest.mark.parametrize(
    ("one", "other", "file", "key"),
    [
        ('output = "y.csv"', 'output = "y.csv"', "y.csv", "output"),
        ('output = "y.csv"', 'output = "y.parquet"', "y.summary.json", "output"),
        ('output = "o/y.ndjson"', 'output = "o/../o/y.xlsx"', "o/../o/y.summary.json", "output"),
        ('output = "y.csv"', 'output = "y.rejected.csv"', "y.rejected.csv", "output"),
        ('roster = "a.ndjson"\noutput = "y.csv"', 'output = "y.rejected.ndjson"', "y.rejected.ndjson", "output"),
        ('roster = "a.json"\noutput = "y.csv"', 'output = "y.rejected.ndjson"', "y.rejected.ndjson", "output"),
        (sync("s.db", "y.csv"), 'output = "y.leavers.csv"', "y.leavers.csv", "output"),
        ('output = "y.csv"', sync("y.journal.db", "z.csv"), "y.journal.db", "state"),
        (sync("s.db", "y.csv"), sync("link/../s.db", "z.csv"), "link/../s.db", "state"),
        (sync("s.db", "y.csv"), sync("s.db", "y.parquet"), "y.summary.json", "output"),
        ('output = "link/y.csv"', 'output = "folder/y.parquet"', "folder/y.summary.json", "output"),
        (
            'shards = 2\noutput = "o"',
            'output = "o/shard-1-of-2.results.xlsx"',
            "o/shard-1-of-2.results.summary.json",
            "output",
        ),
    ],
)
def test_two_jobs_write_no_file_in_common(tmp_path: Path, one: str, other: str, file: str, key: str) -> None:
    """Of all that they write, by whatever path it is named; in both orders."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    first = "a 1/2" if "shards" in one else "a"
    assert said(tmp_path, one, other) == f"{first} and b would both write {file}; give one of them another {key}"
    with pytest.raises(ConfigurationError, match=r"would both write .*; give one of them another (output|state)$"):
        read(tmp_path, other, one)


def test_what_only_looks_alike_is_no_clash(tmp_path: Path) -> None:
    """Another stem, another folder, a file that only a sync or only another format would write."""
    jobs = (
        'output = "y.csv"',
        'output = "o/y.csv"',
        'output = "y.leavers.csv"',
    )
    assert [job.output for job in read(tmp_path, *jobs)] == [Path("y.csv"), Path("o/y.csv"), Path("y.leavers.csv")]
    read(tmp_path, 'output = "y.csv"', 'output = "y.rejected.ndjson"', sync("y.db", "z.csv"))
    read(tmp_path, 'roster = "a.ndjson.gz"\noutput = "y.csv"', 'output = "y.rejected.ndjson"')


@pytest.mark.parametrize(
    ("config", "jobs", "message"),
    [
        (
            '[output]\ntokens_to = "t.csv"\n',
            (RUN, RUN),
            "a and b would both write {0}/t.csv; give one of them another tokens_to in its config",
        ),
        (
            '[sync]\nmetrics_file = "m.prom"\n',
            (SYNC.format("a"), SYNC.format("b")),
            "a and b would both write {0}/m.prom; give one of them another metrics_file in its config",
        ),
        (
            '[output]\nrejected_format = "xlsx"\n',
            ('output = "y.csv"', 'output = "y.rejected.xlsx"'),
            "a and b would both write y.rejected.xlsx; give one of them another output",
        ),
        (
            '[output]\ntokens_to = "b.csv"\n',
            (RUN,),
            None,
        ),
    ],
)
def test_what_a_config_names_is_written_as_well(
    tmp_path: Path, config: str, jobs: tuple[str, ...], message: str | None
) -> None:
    """That of the fleet's folder, which every job has, or one of its own; shards have a file of tokens each."""
    (tmp_path / "provisioner.toml").write_text(config)
    if message is None:
        read(tmp_path, 'shards = 3\noutput = "o"')
        return
    expected = message.format(tmp_path)
    assert said(tmp_path, *jobs) == expected
    (tmp_path / "provisioner.toml").rename(tmp_path / "own.toml")
    read(tmp_path, *jobs)
    own = [f'config = "own.toml"\n{job}' for job in jobs]
    assert said(tmp_path, *own) == expected


@pytest.mark.parametrize(
    ("roster", "output", "message"),
    [
        ("o.csv", "o.csv", "a would write o.csv, which is in its own roster; give it another output"),
        ("./o.csv", "x/../o.csv", "a would write x/../o.csv, which is in its own roster; give it another output"),
        (
            "o.rejected.csv",
            "o.xlsx",
            "a would write o.rejected.csv, which is in its own roster; give it another output",
        ),
        ("real.csv", "link.csv", "a would write link.csv, which is in its own roster; give it another output"),
    ],
)
def test_no_job_writes_its_own_roster(tmp_path: Path, roster: str, output: str, message: str) -> None:
    """It is known before the others have begun."""
    (tmp_path / "x").mkdir()
    (tmp_path / "real.csv").write_text("uid,name\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert said(tmp_path, f'roster = "{roster}"\noutput = "{output}"') == message


@pytest.mark.parametrize("roster", ["in", "in/*.csv", "i*/*", "**/*.csv", "in/**", "*"])
def test_what_a_job_finds_and_has_written_itself_is_left_out(tmp_path: Path, roster: str) -> None:
    """As the command leaves it out; but not what another one writes there, nor a state."""
    (tmp_path / "in").mkdir()
    read(tmp_path, f'roster = "{roster}"\noutput = "in/o.csv"')
    message = "b would write p.csv, which is in the roster of a; give it another output"
    assert said(tmp_path, f'roster = "{roster}"', 'output = "in/p.csv"') == message
    kept = sync("in/s.csv", "o.csv") + f'\nroster = "{roster}"'
    assert said(tmp_path, kept) == "a would write in/s.csv, which is in its own roster; give it another state"


@pytest.mark.parametrize(
    "roster", ["other", "in/*.parquet", "in/p", "s3://in/*.csv", "https://in/p.csv", "in/?.csv", "in/[x].csv"]
)
def test_a_roster_of_other_files_is_read(tmp_path: Path, roster: str) -> None:
    """What fits neither its names nor its folder is none of it, nor what only an address has in common."""
    read(tmp_path, f'roster = "{roster}"', 'output = "in/pp.csv"')


@pytest.mark.slow
def test_a_fleet_of_many_jobs_is_looked_through_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of each is known by its name: nothing is compared with all others, nor with all that is there."""
    jobs = "".join(f'[[job]]\nname = "t{at}"\nroster = "r/{at}.csv"\n' for at in range(500))
    (tmp_path / "all.toml").write_text(jobs + '[[job]]\nname = "big"\nroster = "big/*.csv"\nshards = 2000\n')
    monkeypatch.chdir(tmp_path)
    there = Path("all.fleet", "big")
    there.mkdir(parents=True)
    for at in range(8000):
        (there / f"{at}.rejected.csv").touch()
    began = time.monotonic()
    assert len(read_fleet(Path("all.toml")).jobs) == 2500
    assert time.monotonic() - began < 20


def test_shards_of_one_folder_are_of_one_number(tmp_path: Path) -> None:
    """Of two jobs of the file, by whatever path, and of what is there already; `merge` could make nothing of it."""
    (tmp_path / "o").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "o")
    two, three = 'shards = 2\noutput = "o"', 'shards = 3\noutput = "link"'
    assert said(tmp_path, two, three) == "a has its 2 shards in o, and b its 3 in link; give one of them another output"
    assert len(read(tmp_path, two, 'shards = 3\noutput = "o/deeper"')) == 5
    (tmp_path / "o" / "shards.json").write_text('{"shards": 2}\n')
    assert len(read(tmp_path, two)) == 2
    assert said(tmp_path, three) == "link holds shards of 2, and a has 3; write shards = 2, or give it another output"

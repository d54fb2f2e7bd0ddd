"""Promise: a fleet file says what it means before anything is started, and a slip in it names the job and the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError
from provisioner.fleet.jobs import Fleet, Job, read_fleet


def read(tmp_path: Path, text: str) -> tuple[Job, ...]:
    path = tmp_path / "all.toml"
    path.write_text(text, encoding="utf-8")
    return read_fleet(path).jobs


def test_tenants_take_the_defaults_that_they_do_not_replace(tmp_path: Path) -> None:
    """A tenant's own address or key stands instead of the default one, also where it is told in another way."""
    text = """
    [defaults]
    region = "eu"
    api_key_variable = "KEY"
    environment = "AWS_PROFILE"
    [[job]]
    name = "acme"
    roster = ["a.csv", "b.csv"]
    app_id = "123"
    [[job]]
    name = "zeta"
    command = "sync"
    roster = "z.csv"
    state = "z.db"
    config = "z.toml"
    base_url = "https://z.test/v3"
    api_key_file = "keys/z"
    output = "out/z.csv"
    """
    acme, zeta = read(tmp_path, text)
    assert acme == Job(
        "acme",
        "acme",
        "run",
        ("a.csv", "b.csv"),
        Path("all.fleet/acme.results.csv"),
        address={"COMETCHAT_APP_ID": "123", "COMETCHAT_REGION": "eu"},
        key_variable="KEY",
        passed=("AWS_PROFILE",),
    )
    assert zeta.address == {"COMETCHAT_BASE_URL": "https://z.test/v3"}
    assert (zeta.key_file, zeta.key_variable) == (Path("keys/z"), None)
    assert zeta.arguments() == [
        "sync", "--config=z.toml", "--output=out/z.csv", "--state=z.db", "--base-url=https://z.test/v3", "--json",
        "--log-format=json", "--quiet=false", "--", "z.csv",
    ]  # fmt: skip


def test_shards_are_jobs_whose_files_stand_together(tmp_path: Path) -> None:
    """Each has its part of the roster, its own results, and a name as a file can have it."""
    jobs = read(tmp_path, '[[job]]\nname = "big"\nroster = "big.csv"\nshards = 12\noutput = "out"\n')
    assert [job.shard for job in jobs] == [f"{number}/12" for number in range(1, 13)]
    assert (jobs[2].name, jobs[2].group, jobs[2].file_name) == ("big 3/12", "big", "big-3-of-12")
    assert jobs[2].output == Path("out/shard-03-of-12.results.csv")
    assert "--shard=3/12" in jobs[2].arguments()


def test_a_fleet_names_the_files_that_a_log_must_not_be_written_into(tmp_path: Path) -> None:
    """Where they are named: beside the fleet file; an address is no file."""
    path = tmp_path / "all.toml"
    job = 'name = "a"\nroster = ["a.csv", "s3://b/c.csv"]\noutput = "o.csv"\nconfig = "c.toml"\napi_key_file = "k"\n'
    path.write_text(f"[[job]]\n{job}", encoding="utf-8")
    named = {file.relative_to(tmp_path).name for file in read_fleet(path).files()}
    assert named == {"all.toml", "a.csv", "o.csv", "o.journal.db", "c.toml", "k"}


def test_paths_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a config file may; what is no path, and the home of nobody, stays as it is."""
    monkeypatch.setenv("HOME", "/home/ann")
    night = (
        '[[job]]\nname = "a"\ncommand = "sync"\nstate = "~/s.db"\nconfig = "~/c.toml"\noutput = "~/o.csv"\n'
        'api_key_file = "~/k"\nroster = ["~/in/*.csv", "s3://~/b.csv", "~nobody-at-all/c.csv"]\n'
    )
    (job,) = read(tmp_path, night)
    home = Path("/home/ann")
    assert (job.state, job.config, job.output, job.key_file) == (
        home / "s.db", home / "c.toml", home / "o.csv", home / "k",
    )  # fmt: skip
    assert job.roster == ("/home/ann/in/*.csv", "s3://~/b.csv", "~nobody-at-all/c.csv")
    (alone,) = read(tmp_path, '[[job]]\nname = "a"\nroster = "~/r.csv"\n')
    assert alone.roster == ("/home/ann/r.csv",)


JOB = '[[job]]\nname = "a"\nroster = "a.csv"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "all.toml: no job in it; each begins with the line [[job]]"),
        ("[default]\n" + JOB, "all.toml: unknown key 'default'; did you mean 'defaults'?"),
        (JOB + "shard = 3\n", "all.toml: job 1 (a): unknown key 'shard'; did you mean 'shards'?"),
        (
            JOB + f'api_key_variable = "{"01" * 20}"\n',
            "(a): ***, which looks like the key itself, is no name of a variable",
        ),
        (
            JOB + f'app_id = "{"01" * 20}"\nregion = "eu"\n',
            "job 1 (a): app_id: what can only be an API key stands where the app id belongs; give the app id, which",
        ),
        (JOB + f'base_url = "http://h/{"0f" * 20}"\n', "job 1 (a): base_url: what can only be an API key stands"),
        (JOB + 'api_key = "x"\n', "job 1 (a): a key has no place in a fleet file: name a file that holds it in"),
        (JOB + "shards = true\n", "job 1 (a): shards should be a whole number from 1 to 10,000"),
        (JOB + "region = 3\n", "job 1 (a): region should be a text in quotes, not '3'"),
        (JOB + 'command = "undo"\n', "job 1 (a): command should be run or sync, not 'undo'"),
        (JOB + 'command = "sync"\n', "job 1 (a): a sync needs a state, the file that is kept from night to night"),
        (JOB + 'state = "a.db"\n', 'job 1 (a): a run has no state; take it out, or write command = "sync"'),
        (JOB + 'app_id = "1"\nbase_url = "http://x/v3"\n', "job 1 (a): base_url and app_id: take one of them out"),
        ('[[job]]\nname = "a"\n', "job 1 (a): no roster"),
        ('[[job]]\nname = "a/b"\nroster = "a.csv"\n', "name should be letters, digits, . _ and -"),
        ('[[job]]\nname = "a"\nroster = "-"\n', "a fleet has no standard input to give; name a file as the roster"),
        (JOB + JOB, "all.toml: two jobs are called a; give one of them another name"),
        (
            JOB + JOB.replace('"a"', '"b-1-of-2"') + JOB.replace('"a"', '"b"') + "shards = 2\n",
            "all.toml: two jobs, b-1-of-2 and b 1/2, share a log; give one of them another name",
        ),
        (JOB + JOB.replace('"a"', '"b"') + 'output = "all.fleet/a.results.csv"\n', "a and b would both write"),
        (
            JOB + JOB.replace('"a"', '"b"').replace('"a.csv"', '"all.fleet/a.results.csv"'),
            "a would write a.results.csv, which is in the roster of b",
        ),
        (
            JOB + 'output = "out.csv"\n' + JOB.replace('"a"', '"b"').replace('"a.csv"', '["x.csv", "*.csv"]'),
            "a would write out.csv, which is in the roster of b",
        ),
        (JOB + 'output = "."\n', "job 1 (a): output should be the name of a file, not '.'"),
        (
            JOB + 'output = "y.txt"\n',
            "output should be the name of a file that ends in .csv, .parquet, .ndjson, .xlsx, not 'y.txt'",
        ),
        ("a = " + "[" * 5000, "all.toml: not valid TOML (nested too deep); take brackets out"),
        (JOB + 'environment = ["A=1"]\n', "job 1 (a): 'A=1' is no name of a variable"),
    ],
)
def test_a_slip_is_named_with_its_job_and_its_cure(tmp_path: Path, text: str, message: str) -> None:
    """Nothing is started for a file that does not say what it means."""
    with pytest.raises(ConfigurationError) as error:
        read(tmp_path, text)
    assert message in str(error.value)


def fleet_of(tmp_path: Path, *jobs: str) -> Fleet:
    """Give a fleet of jobs a, b and so on; each says what it wants in lines."""
    tables = (
        f'[[job]]\nname = "{name}"\nroster = "{name}.csv"\n{lines}\n' for name, lines in zip("abcd", jobs, strict=False)
    )
    path = tmp_path / "all.toml"
    path.write_text("".join(tables), encoding="utf-8")
    return read_fleet(path)


def test_jobs_of_one_app_share_its_rate_wherever_each_has_its_address_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fleet file, a config, or a variable that is passed on: what the job itself will find, and nothing else."""
    monkeypatch.setenv("COMETCHAT_BASE_URL", "https://x.test/v3")
    (tmp_path / "c.toml").write_text('[api]\nbase_url = "https://x.test/v3"\n')
    fleet = fleet_of(
        tmp_path,
        'base_url = "https://x.test/v3"',
        'environment = "COMETCHAT_BASE_URL"',
        'config = "c.toml"',
        'app_id = "1"\nregion = "eu"',
    )
    same = "https://x.test/v3"
    assert fleet.apps == {"a": same, "b": same, "c": same, "d": "https://1.api-eu.cometchat.io/v3"}
    assert fleet.sharing == {"a", "b", "c"}
    assert fleet_of(tmp_path, 'config = "c.toml"', "").sharing == set(), "a variable that is not passed on"


def test_an_app_is_one_however_its_address_is_spelled(tmp_path: Path) -> None:
    """Capital letters of a host, a port that goes without saying; another port is another app."""
    spelled = ("https://X.test:443/v3/", "https://x.test/v3", "https://x.test:444/v3", "http://x.test:443/v3")
    fleet = fleet_of(tmp_path, *(f'base_url = "{url}"' for url in spelled))
    assert fleet.sharing == {"a", "b"}


def test_shards_share_a_rate_whichever_their_app_is(tmp_path: Path) -> None:
    """Also where their settings are refused, and may be mended before they begin; two groups of that kind do not."""
    assert fleet_of(tmp_path, "shards = 2", "", "").sharing == {"a"}

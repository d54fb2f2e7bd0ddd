"""What arguments that make no sense still say of the summary; that it is left is held by the journeys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.cli.app import application, carry_out
from provisioner.cli.slips import roster_in
from provisioner.errors import UsageError


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


SYNC, RUN = "sync paris.csv --adoptt", "run hr.csv --bogus"


@pytest.mark.parametrize(
    ("words", "leaves"),
    [
        (SYNC, "berlin.out"),
        (f"{SYNC} -qy", "berlin.out"),
        (f"{SYNC} -c paris.toml", "paris.out"),
        (f"{SYNC} --output=paris.out.csv", "paris.out"),
        *((f"{SYNC} {joined}", None) for joined in ("-cparis.toml", "-opa.csv", "-yo pa.csv", "-C paris.toml")),
        *((f"{SYNC} {slip}", None) for slip in ("--confg paris.toml", "--outptu=pa.csv", "-c", "-o", "--config=")),
        *((f"{SYNC} -c {unread}", None) for unread in ("bad.toml", "none.toml")),
        (f"{RUN} -c none.toml", None),
        (f"{RUN} -c bad.toml", None),
        (f"{RUN} -c plain.toml", "hr.results"),
        (f"{RUN} -c plain.toml --shard", None),
    ],
)
def test_the_summary_of_another_job_is_left_where_arguments_may_mean_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, leaves: str | None
) -> None:
    """Of a config or an output that is named in a way that is not read here, or in a config that cannot be."""
    monkeypatch.chdir(tmp_path)
    for config, name in {"provisioner.toml": "berlin.out", "paris.toml": "paris.out"}.items():
        Path(config).write_text(f'[output]\nfile = "{name}.csv"\n')
    Path("bad.toml").write_text('[output]\nfile = "x.csv"\nfil = 1\n')
    Path("plain.toml").write_text("")
    for roster in ("paris.csv", "hr.csv"):
        Path(roster).write_text("uid,name\na,A\n")
    for name in ("berlin.out", "paris.out", "hr.results"):
        told = {"roster": [str(tmp_path / f"{name.partition('.')[0]}.csv")], "digests": {}, "exit_code": 0}
        Path(f"{name}.summary.json").write_text(json.dumps(told))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UsageError):
        carry_out(words.split())
    after = {path: path.read_bytes() for path in tmp_path.iterdir()}
    changed = [path.name for path in after if after[path] != before.get(path)]
    assert changed == ([] if leaves is None else [f"{leaves}.summary.json"])

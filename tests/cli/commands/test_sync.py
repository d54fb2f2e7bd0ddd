"""The nightly commands: where a plan is kept, and how many nights are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.cli.app import carry_out
from provisioner.errors import ExitCode, OutputError
from provisioner.settings.tables import Settings


@pytest.mark.parametrize(("words", "kept"), [([], None), (["-o", "plan.json"], Path("plan.json"))])
def test_a_plan_is_kept_only_where_it_is_asked_for(
    words: list[str], kept: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A config file's output is that of a sync."""
    (tmp_path / "c.toml").write_text('[output]\nfile = "results.csv"\njson = true\n')
    called: list[Settings] = []

    def conduct(settings: Settings, _: object) -> ExitCode:
        called.append(settings)
        return ExitCode.OK

    monkeypatch.setattr("provisioner.run.runtime.conduct", conduct)
    given = ["plan", "hr.csv", "--state", "hr.db", "-c", str(tmp_path / "c.toml")]
    assert carry_out([*given, *words]) == ExitCode.OK
    [settings] = called
    assert (settings.output.file, settings.output.json_summary) == (kept, True)


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "hr.csv", "--state", "s.db", "-o", "x.json", "--log-file", "x.json"),
        ("sync", "hr.csv", "--state", "s.db", "--metrics-file", "x.prom", "--log-file", "x.prom"),
    ],
)
def test_the_log_does_not_go_where_something_else_is_written_whole(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing is there yet: what it says of the first night would be gone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hr.csv").write_text("uid,name\na,A\n")
    with pytest.raises(OutputError) as refused:
        carry_out(words)
    assert str(refused.value) == f"{words[-1]}: the log would be written into it; choose another --log-file"


@pytest.mark.parametrize(("words", "expected"), [([], (14, False)), (["-n", "3", "--json"], (3, True))])
def test_history_tells_the_last_nights(
    words: list[str],
    expected: tuple[int, bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Fourteen unless another number is given; what it tells is printed."""

    def history_of(state: Path, last: int, *, as_json: bool) -> str:
        return f"{state} {(last, as_json)}"

    monkeypatch.setattr("provisioner.inspection.record.history.history_of", history_of)
    assert carry_out(["history", "--state", "hr.state", *words]) == ExitCode.OK
    assert capsys.readouterr().out == f"hr.state {expected}\n"

"""The commands of a run, and the half of each that a program can call: it gives a summary and prints nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from provisioner.errors import ConfigurationError
from provisioner.results.summary import Summary
from provisioner.run.command import run
from provisioner.settings.tables import Api, Output, Settings
from provisioner.stop import Stopper
from tests.rig.work import Place


def test_without_a_target_the_built_in_emulator_is_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lives as long as the run; a second run knows it again, whatever port it has."""
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\n")

    async def main() -> list[Summary]:
        async with asyncio.timeout(60):
            settings = place.job().settings
            emulated = settings.model_copy(update={"api": Api(emulator=True)})
            roster = [str(tmp_path / "r.csv")]
            return [await run(roster, emulated, Stopper(), drawn=False) for _ in range(2)]

    with capture_logs() as events:
        first, again = asyncio.run(main())
    assert [each["event"] for each in events].count("run.started") == 2
    assert (first.document["created"], first.document["requests"]) == (1, 2)
    assert (again.document["created"], again.document["requests"]) == (1, 0)
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_run_without_a_key_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before the roster is opened."""
    monkeypatch.delenv("COMETCHAT_API_KEY", raising=False)
    settings = Settings(api=Api(base_url="http://x.test/v3"), output=Output(file=tmp_path / "out.csv"))
    with pytest.raises(ConfigurationError):
        asyncio.run(run([str(tmp_path / "not-there.csv")], settings, Stopper(), drawn=False))
    assert list(tmp_path.iterdir()) == []

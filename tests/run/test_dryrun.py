"""What `validate` does: the whole roster judged, nothing sent, nothing printed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from provisioner.errors import ExitCode
from provisioner.results.summary import Summary
from provisioner.run.dryrun import validate
from provisioner.settings.tables import Rate
from provisioner.settings.tables import Run as RunSettings
from provisioner.stop import InterruptedEarlyError, Stop, Stopper
from tests.rig.work import Place


def validated(place: Place, stopper: Stopper | None = None, *, show: int = 0) -> Summary:
    job = place.job(run=RunSettings(show=show), rate=Rate(requests_per_minute=60, share=1.0))

    async def main() -> Summary:
        async with asyncio.timeout(60):
            return await validate(job, stopper or Stopper())

    return asyncio.run(main())


def test_every_row_is_judged_and_none_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 for what is rejected; what it would take is estimated; no results and no journal are made."""
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\nbob,\ncy,Cy\n")
    summary = validated(place)
    document = summary.document
    assert (document["rows"], document["rejected"], document["pending"], document["requests"]) == (3, 1, 2, 0)
    assert document["estimate"] == {"requests": 2, "seconds": 2.0}
    assert summary.exit_code is ExitCode.ROWS_LEFT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.rejected.csv", "out.summary.json", "r.csv"]
    assert tuple(capsys.readouterr()) == ("", "")


def test_what_is_shown_of_people_is_not_filed(tmp_path: Path) -> None:
    """`--show` is for whoever asked."""
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\n")
    summary = validated(place, show=1)
    assert [each["body"]["name"] for each in summary.document["shown_requests"]] == ["Ann"]
    assert "shown_requests" not in json.loads((tmp_path / "out.summary.json").read_text())


def test_a_stop_ends_it_without_a_summary(tmp_path: Path) -> None:
    """Half a judgement would be none."""
    place, stopper = Place(tmp_path), Stopper()
    place.write("uid,name\nann,Ann\n")
    stopper.request(Stop("sigterm", "interrupted", ExitCode.SIGTERM))
    with pytest.raises(InterruptedEarlyError):
        validated(place, stopper)
    assert not (tmp_path / "out.summary.json").exists()

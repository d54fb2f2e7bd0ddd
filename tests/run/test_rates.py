"""The rate that is set anew while a run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from provisioner.run.rates import Dial
from provisioner.sending.calls import Budget
from provisioner.settings.tables import load_with_origins
from tests.rig import clock
from tests.run.progress.test_pace import a_pacing


def turned(config: Path, flags: dict[str, Any], *texts: str) -> tuple[list[float], list[dict[str, Any]]]:
    """Turn the dial once for each text of the file behind the first: core slots a minute after each, and the events."""
    config.write_text(texts[0])
    write = config.write_text

    def read() -> Any:
        return load_with_origins(flags, {}, config)

    async def main() -> list[float]:
        pacing, dial, limits = a_pacing(), Dial(read, read().settings.rate), []
        with dial.turning(pacing):
            for text in texts[1:]:
                write(text)
                dial.turn()
                limits.append(pacing.pacers[Budget.CORE].per_minute)
        return limits

    with capture_logs() as events:
        limits = clock.run(main())
    return limits, [dict(each) for each in events]


def test_it_goes_up_and_down_as_the_file_says(tmp_path: Path) -> None:
    """The limit and the share; both are told with what comes of them."""
    config = tmp_path / "c.toml"
    limits, events = turned(
        config, {}, "", "[rate]\nrequests_per_minute = 600\n", "[rate]\nrequests_per_minute = 12000\nshare = 0.5\n"
    )
    assert limits == [540.0, 6000.0]
    assert events == [
        {
            "event": "rate.changed", "log_level": "warning", "requests_per_minute": 600, "core_per_minute": 540.0,
            "standard_per_minute": 18_000.0, "file": str(config),
        },
        {
            "event": "rate.changed", "log_level": "warning", "requests_per_minute": 12_000, "share": 0.5,
            "core_per_minute": 6000.0, "standard_per_minute": 10_000.0, "file": str(config),
        },
    ]  # fmt: skip


def test_a_flag_goes_before_the_file_and_that_is_said(tmp_path: Path) -> None:
    """As when the run began."""
    config = tmp_path / "c.toml"
    flags = {"rate": {"requests_per_minute": 1000}}
    limits, (kept, unchanged) = turned(config, flags, "", "[rate]\nrequests_per_minute = 600\n")
    assert limits == [900.0]
    assert kept["event"] == "rate.flag_kept"
    assert kept["reason"] == f"--requests-per-minute was given with the command, which goes before {config}"
    assert unchanged == {
        "event": "rate.not_changed", "log_level": "warning", "reason": f"what {config} may set is as it was"
    }  # fmt: skip


def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    """A slip of the hand in the file ends no run of days."""
    limits, (event,) = turned(tmp_path / "c.toml", {}, "", "[rate]\nrequests_per_minute = many\n")
    assert limits == [9000.0]
    assert (event["event"], "not valid TOML" in event["reason"]) == ("rate.not_changed", True)

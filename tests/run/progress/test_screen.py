"""What fits on a terminal: whole facts, and why the rate is what it is goes last."""

from __future__ import annotations

import pytest

from provisioner.run.progress.screen import Fact, lines

WHERE = [Fact("sending 12,340 of 50,000", 1), Fact("24%", 2), Fact("4 min left", 3)]
HOW = [
    Fact("4,000/min (latency)", 0), Fact("--max-in-flight 256 would help", 4), Fact("12,285 created", 7),
    Fact("40 rejected", 6), Fact("15 failed", 5),
]  # fmt: skip

BAR, FAR = "━━━┄┄┄┄┄┄┄┄┄┄┄┄┄", "sending 12,340 of 50,000 · 24% · 4 min left"
FAST = "4,000/min (latency) · --max-in-flight 256 would help"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (140, f"{BAR} {FAR}\n{FAST} · 12,285 created · 40 rejected · 15 failed"),
        (80, f"{BAR} {FAR}\n{FAST} · 40 rejected · 15 failed"),
        (60, f"{FAR}\n{FAST}"),
        (24, "sending 12,340 of 50,000\n4,000/min (latency)"),
    ],
)
def test_facts_are_left_out_whole(width: int, shown: str) -> None:
    """The least important first; no word is cut, no line is as wide as the terminal."""
    text = lines(WHERE, HOW, 0.2468, width, ascii_only=False)
    assert text.plain == shown


def test_a_terminal_without_unicode_has_a_bar_of_its_own() -> None:
    """Number signs and dots."""
    assert lines(WHERE, [], 0.5, 80, ascii_only=True).plain.startswith("########........ sending")


def test_without_a_total_there_is_no_bar() -> None:
    """Nothing is promised."""
    assert lines([Fact("reading 7", 1)], [], None, 80, ascii_only=False).plain == "reading 7"

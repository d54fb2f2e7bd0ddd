"""Two rows that may be one person: a name spelled otherwise, an address under two uids."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.checking import looked_over


@pytest.mark.parametrize("run_length", [1, 1_000])
def test_a_name_that_an_earlier_row_spells_otherwise_is_a_twin(tmp_path: Path, run_length: int) -> None:
    """By case, composition, compatibility forms or blanks; the first row of the name is named, identical ones pass."""
    names = [
        "José", "Ann Lee", "JOSE", "JOSÉ", "Jose\u0301", "José", "ann  lee", "Bob", "Ann Lee", "\uff21nn Lee", "Straße",
        "STRASSE", "Bob", "ann\u00a0lee",
    ]  # fmt: skip
    rows = [{"uid": f"u{number}", "name": name} for number, name in enumerate(names)]
    assert looked_over(tmp_path, rows, run_length=run_length) == [
        (4, "name.twin: 'JOSÉ' is spelled 'José' in row 1"),
        (5, "name.twin: 'Jose\u0301' is spelled 'José' in row 1"),
        (7, "name.twin: 'ann  lee' is spelled 'Ann Lee' in row 2"),
        (10, "name.twin: '\uff21nn Lee' is spelled 'Ann Lee' in row 2"),
        (12, "name.twin: 'STRASSE' is spelled 'Straße' in row 11"),
        (14, "name.twin: 'ann\u00a0lee' is spelled 'Ann Lee' in row 2"),
    ]


def test_identities_are_compared_only_when_that_is_asked_for(tmp_path: Path) -> None:
    """The first request of an ordinary run does not wait for it."""
    rows = [{"uid": "a", "name": "Ann", "email": "a@x.org"}, {"uid": "b", "name": "ANN", "email": "a@x.org"}]
    shared = "email.shared: 'a@x.org' is the e-mail address of another uid in row 1"
    assert looked_over(tmp_path, rows, identity=False) == []
    assert looked_over(tmp_path, rows) == [
        (2, f"name.twin: 'ANN' is spelled 'Ann' in row 1; {shared}"),
    ]

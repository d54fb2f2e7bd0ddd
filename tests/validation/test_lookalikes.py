"""Two rows that may be one person: a name spelled otherwise, an address under two uids."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.validation.lookalikes import Identities, Lookalikes
from provisioner.validation.repeats import fingerprints
from tests.rig.checking import bound, looked_over


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
        (14, "name.twin: 'ann\\xa0lee' is spelled 'Ann Lee' in row 2"),
    ]


def test_identities_are_compared_only_when_that_is_asked_for(tmp_path: Path) -> None:
    """The first request of an ordinary run does not wait for it."""
    rows = [{"uid": "a", "name": "Ann", "email": "a@x.org"}, {"uid": "b", "name": "ANN", "email": "a@x.org"}]
    shared = "email.shared: 'a@x.org' is the e-mail address of another uid in row 1"
    assert looked_over(tmp_path, rows, identity=False) == []
    assert looked_over(tmp_path, rows) == [
        (2, f"name.twin: 'ANN' is spelled 'Ann' in row 1; {shared}"),
    ]


PEOPLE = pl.DataFrame(
    {
        "name": ["Ann", "ANN", "Bob", None, "Ann"],
        "email": ["a@x.org", "b@x.org", "A@x.org", "a@x.org", None],
        "work_mail": [None, "a@x.org", "none", None, "b@x.org"],
    }
)
UIDS = pl.Series("uid", ["u1", "u2", "u3", "u4", None], dtype=pl.String)


def test_names_with_two_spellings_and_addresses_with_two_uids_are_found(tmp_path: Path) -> None:
    """Every spelling of such a name, and addresses whichever column they stand in; a row without a uid counts not."""
    binding = bound(PEOPLE, {"name": "name"})
    with closing(Identities(binding, tmp_path, 10)) as identities:
        identities.add(PEOPLE, fingerprints(UIDS))
        respelled, shared = identities.respelled(), identities.shared_emails()
    assert respelled.to_list() == fingerprints(pl.Series(["Ann", "ANN"])).sort().to_list()
    assert shared.to_list() == fingerprints(pl.Series(["a@x.org"])).to_list()


def test_each_row_is_held_against_the_first_of_its_name_and_address() -> None:
    """Of what the survey has named, row by row over batches; the first row itself has no twin."""
    binding = bound(PEOPLE, {"name": "name"})
    respelled = fingerprints(pl.Series(["Ann", "ANN"])).sort()
    lookalikes = Lookalikes(binding, respelled, fingerprints(pl.Series(["a@x.org"])))
    found = []
    for start, size in ((0, 2), (2, 3)):
        batch = PEOPLE.slice(start, size)
        rows = pl.int_range(start + 1, start + 1 + batch.height, eager=True).alias("row")
        found += lookalikes.columns(batch, batch.select("name").with_columns(rows, UIDS.slice(start, size))).rows()
    nothing = (None, None)
    assert found == [
        (*nothing, *nothing),
        (1, "Ann", 1, "a@x.org"),
        (*nothing, 1, "a@x.org"),
        (*nothing, 1, "a@x.org"),
        (*nothing, *nothing),
    ]

"""A good night and a night with a broken export, as rosters people have: what the second one may not do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig.cases import SAMPLES
from tests.rig.command import KEY, Finished, RunningEmulator, emulator, provisioner, rows

CHANGING = {"POST", "PUT", "DELETE"}


class Nights:
    """A state of its own and an app of its own, taken over on the first night."""

    def __init__(self, folder: Path, app: RunningEmulator) -> None:
        self.folder, self.app = folder, app
        self._asked = 0

    def sync(self, roster: str, *options: str, command: str = "sync") -> Finished:
        """Carry out a night with a sample, or with a file of the folder."""
        if (SAMPLES / roster).exists():
            shutil.copyfile(SAMPLES / roster, self.folder / "hr.csv")
        output = ("-o", "out.csv") if command == "sync" else ()
        told = ("--state", "hr.db", *output, "--json", *options, *self.app.flags())
        return provisioner(command, "hr.csv", *told, cwd=self.folder, COMETCHAT_API_KEY=KEY)

    def first(self, roster: str) -> None:
        """Take over the app, where nobody is."""
        ended = self.sync(roster, "--adopt")
        assert (ended.exit_code, ended.summary["created"]) == (0, 60), ended.stderr
        self.changes()

    def changes(self) -> list[dict[str, Any]]:
        """What the app was asked to change since this was asked last."""
        audit = self.app.lines("audit")
        new, self._asked = audit[self._asked :], len(audit)
        return [record for record in new if record["method"] in CHANGING]


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    with emulator(tmp_path) as app:
        yield Nights(tmp_path, app)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("roster", "option", "field", "example"),
    [
        ("guards/sync-night2-zeros-lost.csv", "--max-creates", None, "uid"),
        ("guards/sync-night2-mojibake.csv", "--max-updates", "name", "name"),
        ("null-words/sync-night2-null.csv", "--max-updates", "metadata", "metadata"),
    ],
)
def test_a_broken_export_changes_nobody(
    nights: Nights, roster: str, option: str, field: str | None, example: str
) -> None:
    """Exit 3 with the guard, its option, its field and three examples, whether or not leavers are to go."""
    nights.first(f"{Path(roster).parent}/sync-night1.csv")
    for more in ((), ("--deactivate-leavers",)):
        ended = nights.sync(roster, *more)
        assert (ended.exit_code, nights.changes()) == (3, []), ended.stderr
        refusal = ended.summary["refused"][0]
        assert (refusal["option"], refusal.get("field")) == (option, field)
        assert [each["field"] for each in refusal["examples"]] == [example] * 3
        assert option in ended.summary["message"]
        assert refusal["examples"][0]["uid"] in ended.summary["message"]
    assert ("name.mojibake" in ended.summary["warnings"]) == (field == "name")


@pytest.mark.slow
def test_a_stray_quote_ends_the_night(nights: Nights) -> None:
    """Two rows that swallow what is between them: exit 2 with the row, nobody is changed or deactivated."""
    nights.first("quotes/sync-night1.csv")
    ended = nights.sync("quotes/sync-night2-stray-quotes.csv", "--deactivate-leavers")
    assert (ended.exit_code, nights.changes()) == (2, [])
    assert "row 21" in ended.stderr
    assert "row 21" in ended.summary["message"]


@pytest.mark.slow
def test_blank_rows_are_nobody(nights: Nights) -> None:
    """Six rows of commas: all others as they were, and no row of them is rejected or counted."""
    nights.first("empty-rows/sync-night1.csv")
    ended = nights.sync("empty-rows/sync-night2-blank-rows.csv", "--deactivate-leavers", "--max-rejected", "0")
    assert (ended.exit_code, nights.changes()) == (0, [])
    counts = {name: ended.summary[name] for name in ("rows", "unchanged", "rejected", "deactivated")}
    assert counts == {"rows": 60, "unchanged": 60, "rejected": 0, "deactivated": 0}


@pytest.mark.slow
def test_two_rows_for_one_person(nights: Nights) -> None:
    """Equal ones are one row with a warning; unlike ones are both rejected, and the person is left alone."""
    sample = (SAMPLES / "guards" / "sync-night1.csv").read_text().splitlines()
    nights.first("guards/sync-night1.csv")
    again, other = sample[1], sample[2].replace("Person", "Nobody")
    assert other != sample[2]
    (nights.folder / "hr.csv").write_text("\n".join([*sample, again, other]) + "\n")
    uid = sample[2].split(",")[0].lower()
    planned = nights.sync("hr.csv", "--deactivate-leavers", command="plan")
    found = {
        name: planned.summary[name] for name in ("rows", "rejected", "create", "update", "deactivate", "unchanged")
    }
    expected = {"rows": 61, "rejected": 2, "create": 0, "update": 0, "deactivate": 0, "unchanged": 59}
    assert (planned.exit_code, found) == (1, expected)
    ended = nights.sync("hr.csv", "--deactivate-leavers")
    assert (ended.exit_code, nights.changes()) == (1, [])
    assert {name: ended.summary[name] for name in ("rows", "rejected", "unchanged")} == {
        "rows": 61,
        "rejected": 2,
        "unchanged": 59,
    }
    assert ended.summary["leavers"]["found"] == 0
    assert ended.summary["warnings"]["row.repeated"]["first_rows"] == [61]
    assert ended.summary["defects"]["uid.duplicate"]["first_rows"] == [2, 62]
    rest = "as well, which says otherwise, so neither is taken"
    rejected = [line for line in rows(nights.folder / "out.csv") if line["outcome"] == "rejected"]
    assert [(line["row"], line["error_message"]) for line in rejected] == [
        ("2", f"uid.duplicate: '{uid}' is the uid of row 62 (line 63) {rest}"),
        ("62", f"uid.duplicate: '{uid}' is the uid of row 2 (line 3) {rest}"),
    ]

"""CSV files as people have them: read as they are plainly meant, or refused with the place and a cure."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from provisioner import api
from provisioner.errors import RosterError
from tests.rig.command import KEY, ROOT, RunningEmulator, emulator, provisioner

ROSTERS = ROOT / "tests" / "rig" / "data" / "rosters"


class Found:
    """What became of a roster: its users as they would be sent, its warnings and what was logged."""

    def __init__(self, roster: Path, folder: Path, **reading: Any) -> None:
        given = reading.pop("columns", {})
        tables = {"run": {"show": 10, **reading}, "output": {"file": folder / "out.csv"}, "columns": given}
        with capture_logs() as logs:
            document = api.validate(roster, api.settings(environment={}, **tables)).document
        self.exit_code: int = document["exit_code"]
        self.rows: int = document["rows"]
        self.users = [_user(request["body"]) for request in document.get("shown_requests", [])]
        self.defects = {code: found["first_rows"] for code, found in document["defects"].items()}
        self.warnings = {code: found["first_rows"] for code, found in document["warnings"].items()}
        self.log = {line["event"]: line for line in logs if line["log_level"] == "warning"}


def _user(body: Any) -> dict[str, Any]:
    user: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)
    return {name: value for name, value in user.items() if name != "withAuthToken"}


def refusal(roster: Path, folder: Path, **reading: Any) -> str:
    """What is said of a roster that is refused."""
    with pytest.raises(RosterError) as raised:
        Found(roster, folder, **reading)
    said = str(raised.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("file", "users"),
    [
        ("quotes/json-unquoted-semi.csv", [{"uid": "a1", "metadata": {"dept": "R&D", "n": 1}}]),
        ("blanks/space-quote.csv", [{"uid": "a1", "name": "Ann Lee", "statusMessage": "hello"}, {"uid": "b2"}]),
        ("blanks/quoted-header-space.csv", [{"uid": "a1", "name": "Ann"}]),
        ("escapes/q-backslash-end.csv", [{"uid": "a1", "name": "C:\\", "statusMessage": "hi"}, {"uid": "b2"}]),
        (
            "tsv-quotes/q-tab-quote.tsv",
            [{"statusMessage": '5" pipe'}, {}, {"uid": "c3", "name": '"Cy" Fox'}, {}],
        ),
        ("empty-rows/empty-rows.csv", [{}, {}]),
        ("empty-rows/crcrlf.csv", [{}, {}]),
        ("empty-rows/ctrl-z.csv", [{}]),
        ("surplus-cells/trailing-delim.csv", [{"uid": "a1", "name": "Ann Lee", "tags": ["red"]}, {"uid": "b2"}]),
        ("surplus-cells/trailing-delim-header.csv", [{}, {}]),
        ("surplus-cells/blank-header-cell-data.csv", [{"uid": "a1", "name": "Ann"}]),
        ("sep-line/sep-line.csv", [{"uid": "a1", "name": "Ann Lee", "tags": ["red"]}, {"name": "Bob Poe"}]),
        ("sep-line/sep-line-quoted.csv", [{"uid": "a1", "name": "Ann Lee"}]),
        ("line-ends/cr-in-cell.csv", [{}, {}]),
        ("delimiters/mixed-delim.csv", [{}]),
        ("same-names/dup-unused.csv", [{"uid": "a1", "name": "Ann"}]),
        ("header-names/upper-header.csv", [{"uid": "a1", "name": "Ann", "tags": ["x"]}]),
        ("header-names/header-newline2.csv", [{"uid": "a1", "name": "Ann"}]),
        ("swallowed/name-newline.csv", [{}, {}, {}]),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_plainly_meant_is_read(tmp_path: Path, file: str, users: list[dict[str, Any]], packed: bool) -> None:
    """Every row, and nothing but the rows; compressed or not."""
    roster = ROSTERS / file
    if packed:
        roster = tmp_path / f"{roster.name}.gz"
        roster.write_bytes(gzip.compress((ROSTERS / file).read_bytes()))
    found = Found(roster, tmp_path)
    assert (found.exit_code, found.rows, len(found.users)) == (0, len(users), len(users))
    assert [user | some for user, some in zip(found.users, users, strict=True)] == found.users
    assert "row.swallowed" not in found.warnings


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("quotes/q-inch-two-rows.csv", "row 1 (line 2), column 'statusMessage' .* must be doubled$"),
        ("quotes/q-far-quotes.csv", "row 101 (line 102), column 'statusMessage' .* must be doubled$"),
        ("quotes/q-inner-undoubled.csv", "row 1 (line 2), column 'name' .* must be doubled$"),
        ("quotes/q-one-stray.csv", "row 11 (line 12), .* must be doubled$"),
        ("quotes/json-unquoted.csv", "row 1 .* column 'metadata' .*; put it in quotes and double the quotes in it$"),
        ("quotes/line-quoted.csv", "each line is quoted as a whole"),
        ("quotes/single-quotes.csv", "its cells are in single quotes"),
        ("escapes/backslash-quote-odd.csv", r"row 1 .*; if \\ .* give --escape '\\'$"),
        ("escapes/backslash-quote-name.csv", r"row 1 .*; if \\ .* give --escape '\\'$"),
        ("escapes/backslash-comma.csv", r"row 1 .*: 3 cells, but the header has 2; .* --escape '\\'$"),
        ("header-line/header-missing.csv", "line 1 looks like a row of data"),
        ("line-ends/mixed-eol.csv", "row 3 .*: its line ends are mixed"),
        ("line-ends/cr-header-lf.csv", "its line ends are mixed: line 1"),
        ("delimiters/caret.csv", r"give --delimiter '\^'$"),
        ("delimiters/colon.csv", "give --delimiter ':'$"),
        ("header-names/header-stars.csv", r"did you mean 'uid\*' by uid, 'name\*' by name\?"),
        ("header-names/header-brackets.csv", r"did you mean 'UID \[Required\]' by uid, 'Name \[Required\]' by name\?"),
        ("header-names/synonyms.csv", r"did you mean 'userId' by uid, 'displayName' by name\?"),
    ],
)
def test_what_could_mean_two_things_is_refused_with_a_cure(tmp_path: Path, file: str, said: str) -> None:
    """One sentence; commas in cells are spoken of only where they are the cause."""
    pattern = re.sub(r"\((line \d+)\)", r"\\(\1\\)", said)
    message = refusal(ROSTERS / file, tmp_path)
    assert re.search(pattern, message), message
    assert "that hold a comma" not in message or file == "escapes/backslash-comma.csv"


@pytest.mark.parametrize(
    ("file", "reading", "names"),
    [
        ("escapes/backslash-quote-odd.csv", {"escape": "\\"}, {"a1": '5" pipe', "c3": 'also " odd'}),
        ("escapes/backslash-quote-name.csv", {"escape": "\\"}, {"a1": 'Ann "Annie" Lee', "b2": 'Bob "Bo", Jr'}),
        ("delimiters/caret.csv", {"delimiter": "^"}, {}),
        ("delimiters/colon.csv", {"delimiter": ":"}, {}),
        ("header-line/title-row.csv", {"header_row": 3}, {"a1": "Ann Lee", "b2": "Bob Poe"}),
    ],
)
def test_the_cure_that_is_named_cures(
    tmp_path: Path, file: str, reading: dict[str, Any], names: dict[str, str]
) -> None:
    """What a refusal proposes has the file read."""
    found = Found(ROSTERS / file, tmp_path, **reading)
    assert found.exit_code == 0
    assert {user["uid"]: user["name"] for user in found.users} | names == {
        user["uid"]: user["name"] for user in found.users
    }


@pytest.mark.parametrize(
    ("file", "named", "better"),
    [
        ("azure-version.csv", 1, "line 2"),
        ("azure-version.csv", 3, "line 2"),
        ("title-row.csv", 1, "line 3"),
        ("x-title.xlsx", 1, "row 2 of the sheet 'Sheet'"),
        ("x-title.xlsx", 3, "row 2 of the sheet 'Sheet'"),
        ("x-merged-header.xlsx", 1, "row 2 of the sheet 'Sheet'"),
    ],
)
def test_a_wrong_line_that_is_named_is_refused_with_the_right_one(
    tmp_path: Path, file: str, named: int, better: str
) -> None:
    """In a text and in a sheet, above it and below; the line that is said is the one to give."""
    roster, unit = ROSTERS / "header-line" / file, better.split()[0]
    number = int(better.split()[1])
    said = f"{better} looks like the header, and not {unit} {named}, which --header-row names"
    assert refusal(roster, tmp_path, header_row=named) == f"{roster}: {said}; give --header-row {number}"
    assert Found(roster, tmp_path, header_row=number).exit_code == 0


@pytest.mark.parametrize("packed", [False, True])
def test_the_right_line_is_that_of_the_mapping(tmp_path: Path, packed: bool) -> None:
    """Whatever the columns are called, compressed or not; where no line is better, the columns are spoken of."""
    text = b"Staff list,2026\nuid,name\nNr,Wer\n1,Ann\n"
    roster = tmp_path / ("r.csv.gz" if packed else "r.csv")
    roster.write_bytes(gzip.compress(text) if packed else text)
    said = refusal(roster, tmp_path, header_row=1, columns={"uid": "Nr", "name": "Wer"})
    assert said.endswith("line 3 looks like the header, and not line 1, which --header-row names; give --header-row 3")
    none = refusal(roster, tmp_path, header_row=1, columns={"uid": "Id", "name": "Who"})
    assert "names the column 'Id', which the roster does not have" in none


@pytest.mark.parametrize(("file", "line"), [("azure-version.csv", 2), ("title-row.csv", 3)])
def test_a_header_behind_other_lines_is_found_and_told(tmp_path: Path, file: str, line: int) -> None:
    """Rows count from behind it."""
    found = Found(ROSTERS / "header-line" / file, tmp_path)
    assert [(user["uid"], user["name"]) for user in found.users] == [("a1", "Ann Lee"), ("b2", "Bob Poe")]
    assert f"line {line} is taken for the header" in found.log["header.found"]["message"]


def test_a_mapping_says_which_delimiter_and_line_are_meant(tmp_path: Path) -> None:
    """The header has more commas than semicolons, and only semicolons make the columns that are mapped."""
    mapping = {"uid": "Personalnummer", "name": "Name, Vorname"}
    roster = tmp_path / "r.csv"
    roster.write_text("Liste, vom, Mai\nPersonalnummer;Name, Vorname;x, y, z\n007;Lee, Ann;1\n")
    assert Found(roster, tmp_path, columns=mapping).users == [{"uid": "007", "name": "Lee, Ann"}]


def test_a_cell_that_holds_rows_is_warned_of_and_rejected_when_strict(tmp_path: Path) -> None:
    """By its row."""
    roster = ROSTERS / "swallowed" / "q-stray-pair.csv"
    found = Found(roster, tmp_path)
    assert (found.exit_code, found.rows, found.warnings) == (0, 2, {"row.swallowed": [1]})
    found = Found(roster, tmp_path, strict=True)
    assert (found.exit_code, found.defects) == (1, {"row.swallowed": [1]})


def test_an_unknown_column_that_is_nearly_a_field_is_hinted_at(tmp_path: Path) -> None:
    """In the warning that it is ignored."""
    found = Found(ROSTERS / "header-names" / "rawmetadata.csv", tmp_path)
    assert "did you mean metadata by 'rawMetadata'?" in found.log["roster.unknown_columns"]["hint"]


@pytest.mark.parametrize(
    ("file", "said"),
    [("single-quotes-header-plain.csv", "single quotes"), ("smart-quote-wrapped.csv", "typographic quotes")],
)
def test_cells_in_other_quotes_are_told_of_once(tmp_path: Path, file: str, said: str) -> None:
    """They stand for themselves, so the uids are rejected."""
    found = Found(ROSTERS / "quotes" / file, tmp_path)
    assert (found.exit_code, list(found.defects)) == (1, ["uid.charset"])
    assert said in found.log["cells.other_quotes"]["message"]


def night(running: RunningEmulator, folder: Path, roster: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """One night: exit code, summary and what was said."""
    done = provisioner(
        "sync", roster, "--state", folder / "s.state.db", "-o", folder / "out.csv", *running.flags(),
        "--json", *options, cwd=folder, COMETCHAT_API_KEY=KEY,
    )  # fmt: skip
    return done.exit_code, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr


@pytest.mark.slow
def test_a_night_with_stray_quotes_changes_nobody_and_one_with_blank_rows_is_as_the_night_before(
    tmp_path: Path,
) -> None:
    """The file is refused whole before a request is sent; rows of blanks are no people."""
    with emulator(tmp_path, "--seed", "1") as running:
        code, _, said = night(running, tmp_path, ROSTERS / "empty-rows" / "sync-night1.csv", "--adopt")
        assert code == 0, said
        users = running.users()
        stray = ROSTERS / "quotes" / "sync-night2-stray-quotes.csv"
        code, _, said = night(running, tmp_path, stray, "--deactivate-leavers")
        assert (code, "row 21 (line 22)" in said) == (2, True)
        assert running.users() == users
        header, *people = (ROSTERS / "empty-rows" / "sync-night1.csv").read_text().splitlines(keepends=True)
        (tmp_path / "sorted.csv").write_text("".join([*people[:3], header, *people[3:]]))
        code, _, said = night(running, tmp_path, tmp_path / "sorted.csv", "--deactivate-leavers")
        assert (code, "lines 1, 2, 3 stand above the header" in said) == (2, True)
        assert running.users() == users
        blank = ROSTERS / "empty-rows" / "sync-night2-blank-rows.csv"
        code, summary, said = night(running, tmp_path, blank, "--deactivate-leavers", "--max-rejected", "0")
        assert (code, summary.get("rows"), summary.get("unchanged")) == (0, 60, 60), said
        assert running.users() == users


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["s.csv", "s.tsv", "s.tab", "s.TSV"])
@pytest.mark.parametrize("mark", [";", "\t", "^", "§"])
@pytest.mark.parametrize("line", ["sep={}\n", '"sep={}"\r\n', "\ufeffsep={}\n"])
def test_a_line_sep_overrules_what_the_name_says(tmp_path: Path, name: str, mark: str, line: str) -> None:
    """Of the cells that it separates some may be quoted, and what is rejected can be fed in again."""
    path = tmp_path / name
    quoted = '"Ann\tL;ee"' if mark != "\t" else '"Ann L;ee"'
    rows = ["uid,name", f"a1,{quoted}", "b b,Bob"]
    path.write_text(line.format(mark) + "".join(f"{row}\n" for row in rows).replace(",", mark), newline="")
    found = Found(path, tmp_path)
    assert found.users == [{"uid": "a1", "name": quoted[1:-1]}]
    assert found.defects == {"uid.charset": [2]}
    if (path.suffix, mark) == (".csv", "^"):
        return
    rejected = tmp_path / f"out.check.rejected{path.suffix.lower()}"
    assert Found(rejected, tmp_path / "again").defects == {"uid.charset": [1]}


def test_a_delimiter_that_is_given_overrules_a_line_sep(tmp_path: Path) -> None:
    """As in a CSV."""
    path = tmp_path / "s.tsv"
    path.write_text('sep=;\nuid\tname\na1\t"Ann" Lee\n')
    assert Found(path, tmp_path, delimiter="\t").users == [{"uid": "a1", "name": '"Ann" Lee'}]


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_what_ends_lines_elsewhere_is_told_as_that(tmp_path: Path, end: str) -> None:
    """Never with the advice to put cells in quotes; the cure has been proved."""
    text = end.join(["uid,name\na1,Ann", "b2,Bob", "c3,Cy", ""])
    (path := tmp_path / "r.csv").write_text(text)
    said = refusal(path, tmp_path)
    assert "r.csv: row 1 (line 2, byte " in said
    assert said.endswith(f"(U+{ord(end):04X}) is none here; save the file with LF alone")
    path.write_text(text.replace(end, "\n"))
    assert [user["uid"] for user in Found(path, tmp_path).users] == ["a1", "b2", "c3"]


@pytest.mark.parametrize(
    "nothing", ["\u200b,\ufeff\n", " \u200b \u200b,\n", "\0\0\0\0", "\0\n\0", "\x1a\0\0", "\u00ad\x1a\n"]
)
def test_a_row_in_which_nothing_can_be_seen_is_no_row(tmp_path: Path, nothing: str) -> None:
    """Invisible characters are blanks, and so is what fills up the last block of a file."""
    (path := tmp_path / "r.csv").write_text(f"uid,name\na1,Ann\nb2,Bob\n{nothing}")
    assert [user["uid"] for user in Found(path, tmp_path).users] == ["a1", "b2"]

"""`init`, as people meet it: at a terminal, in a pipe, and with every kind of export."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import OutputError, RosterError
from provisioner.inspection.proposal import opening
from provisioner.inspection.proposal.command import init, look
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.formats.rows import Roster
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.settings.tables import Run, load
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from tests.journeys.test_streams import piped
from tests.rig.command import COMMAND, deadline, environment, provisioner, wait_until
from tests.rig.disk import no_file_larger_than
from tests.rig.exports import EXPORTS, Export, book, lines, text
from tests.rig.terminal import at_a_terminal
from tests.rig.workbooks import Fill, table

HARD = EXPORTS["German HR sheet (.xlsx: title, merged header, 00123 by format)"]


@pytest.mark.sampled
@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_every_export_is_mapped_as_a_person_would(export: Export, tmp_path: Path) -> None:
    """The config is whole, is just what is right for the export, and nearly all rows pass with it."""
    found = look([str(export.write(tmp_path))], Run())
    config = tomllib.loads(found.text)
    left_out = [*export.columns.get("leave_out", []), *found.proposal.unused]
    columns = {**export.columns, **({"leave_out": left_out} if left_out else {})}
    assert (config["columns"], config.get("run", {})) == (columns, export.run)
    assert found.complete
    assert found.proof is not None
    binding = bind(dict.fromkeys(found.proof.columns, pl.String()), parse_mapping(config["columns"]))
    assert binding.unknown == ()
    assert (found.proof.rows, found.proof.rejected <= 2) == (found.opened.evidence.rows, True)


@pytest.mark.sampled
@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize("name", list(EXPORTS)[::6])
def test_what_is_shown_fits_the_terminal(name: str, columns: int, tmp_path: Path) -> None:
    """But for the requests, which are shown as they are sent, each on a line."""
    shown = look([str(EXPORTS[name].write(tmp_path))], Run()).shown(columns).splitlines()
    assert all(len(line) <= columns for line in shown if not line.startswith("{") and str(tmp_path) not in line)
    assert sum(line.startswith("POST /users  row ") for line in shown) == 3


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("write", "config"),
    [
        (text("caret.csv", ["user_id", "name"], ["u1", "Ann"], by="^"),
         {"run": {"delimiter": "^"}, "columns": {"uid": "user_id", "name": "name"}}),
        (text("strange.csv", ["Liste"], ["", ""], ["Foo", "Bar"], ["x1", "Ann Lee"], ["x2", "Bob Poe"], by=";"),
         {"run": {"header_row": 3}, "columns": {}}),
        (text("wide.csv", ["Personalnummer", "Name"], ["1", "Zoë"], by=";", encoding="utf-16-le"),
         {"run": {"encoding": "utf-16-le"}, "columns": {"uid": "Personalnummer", "name": "Name"}}),
        (text("twice.csv", ["Bericht", ""], ["ID", "Name"], ["1", "Ann"], ["ID", "Name"], ["2", "Bob"]),
         {"run": {"header_row": 2}, "columns": {"uid": "ID", "name": "Name"}}),
        (text("marks.csv", ["Id (x)", "Vor.x", "a@b"], ["1", "Ann", "x"]), {"columns": {"uid": "Id (x)"}}),
        (text("none.csv", ["Personalnummer", "Name"]), {"columns": {"uid": "Personalnummer", "name": "Name"}}),
        (text("mails.csv", ["email"], ["ann@x.org"], ["bob@x.org"]),
         {"columns": {"uid": {"column": "email", "encode": "base32", "lower": True},
                      "metadata": {"@private.email": "email"}}}),
        (book(("Info", table(["Stand", "2026"])), ("A", table(["Foo", "Bar"], ["x1", "Ann"])), ("B", table(["x"]))),
         {"run": {"sheet": "A"}, "columns": {}}),
        (lines("nested.ndjson", {"id": "00u1", "profile": {"login": "a"}}, {"id": "00u2", "profile": {"login": "b"}}),
         {"columns": {"uid": "id"}}),
    ],
)  # fmt: skip
def test_what_cannot_be_found_by_itself_is_found_by_trying(
    write: Callable[[Path], Path], config: dict[str, object], tmp_path: Path
) -> None:
    """Delimiter, header, sheet and encoding are written where a run would not find them; what is open is left open."""
    found = look([str(write(tmp_path))], Run())
    left_out = {"leave_out": list(found.proposal.unused)} if found.proposal.unused else {}
    columns = config["columns"]
    assert isinstance(columns, dict)
    assert tomllib.loads(found.text) == config | {"columns": columns | left_out}
    assert found.complete == ("name" in {entry.key for entry in found.proposal.entries})


@pytest.mark.parametrize(
    "other",
    [
        table(["Personalnr", "Name"], ["3", "Cy Roe"]),
        table(["E-Mail", "Name"], ["cy@x.org", "Cy Roe"]),
        table(["Extern"], [], ["Personalnr", "Name", "Bild"], ["3", "Cy Roe"]),
    ],
)
def test_the_sheet_that_counts_is_written_where_others_have_people(other: Fill, tmp_path: Path) -> None:
    """With the config nothing is said of them any more, and each can be looked at by itself."""
    picture = "https://x.org/a.png"
    staff = table(["Personalnr", "Name", "Bild"], ["1", "Ann Lee", picture], ["2", "Bob Poe", picture])
    path = book(("Staff", staff), ("Extern", other), ("Codes", table(["x", "y"], ["1", "2"])))(tmp_path)
    found = look([str(path)], Run())
    assert tomllib.loads(found.text)["run"] == {"sheet": "Staff"}
    (told,) = [notice for notice in found.opened.notices if "of its sheets" in notice]
    assert "of its sheets only 'Staff' is read, and 'Extern' has the needed columns as well" in told
    assert found.proof is not None
    assert found.proof.rows == 2
    (tmp_path / "c.toml").write_text(found.text)
    checked = provisioner("validate", path, "-c", "c.toml", cwd=tmp_path)
    assert (checked.exit_code, "of its sheets" in checked.stderr) == (0, False)
    assert look([str(path)], Run(sheet="Extern")).opened.columns[:2] in {("Personalnr", "Name"), ("E-Mail", "Name")}


def test_a_day_that_cannot_be_read_hides_no_other_column_and_is_told(tmp_path: Path) -> None:
    """Its line would deactivate nobody; written as is said, the day is the line."""
    rows = [["u0", "Ann Lee", "", "Oui"], ["u1", "Bob Poe", "05/31/2024", "Non"]]
    header = ["id", "name", "Termination Date", "Actif"]
    found = look([str(text("r.csv", header, *rows)(tmp_path))], Run())
    (line,) = [each for each in found.text.splitlines() if "deactivated = " in each]
    assert tomllib.loads(line[2:]) == {"deactivated": {"column": "Actif", "map": {"Oui": False, "Non": True}}}
    told = {each.column: each.reason for each in found.proposal.left_out}
    assert told["Termination Date"] == (
        "it says who is active (05/31/2024: 1); every row becomes a user: take out those who should not, or write its "
        "days as 2026-12-31 or 31.12.2026, for these cannot be read"
    )
    rows[1][2] = "2024-05-31"
    mended = look([str(text("r.csv", header, *rows)(tmp_path))], Run())
    assert '# deactivated = ["Termination Date", { column = "Actif",' in mended.text


def test_a_flag_that_gives_no_line_speaks_of_none(tmp_path: Path) -> None:
    """Whoever has no mark has to be taken out."""
    path = text("r.csv", ["id", "name", "Active"], ["u0", "Ann Lee", "X"], ["u1", "Bob Poe", ""])(tmp_path)
    found = look([str(path)], Run())
    assert "deactivated" not in found.text
    assert {each.column: each.reason for each in found.proposal.left_out} == {
        "Active": "it says who is active (X: 1); every row becomes a user: take out those who should not"
    }


@pytest.mark.parametrize("cell", ["m", "ann@example.org", "https://example.org/ann.png", "4711"])
def test_an_empty_key_is_left_out(tmp_path: Path, cell: str) -> None:
    """No line can name it, whatever it holds; the file is one that can be used."""
    (tmp_path / "r.ndjson").write_text(json.dumps({"uid": "u1", "name": "Ann Lee", "": cell}))
    found = look([str(tmp_path / "r.ndjson")], Run())
    assert found.complete
    assert tomllib.loads(found.text)["columns"] == {"uid": "uid", "name": "name", "leave_out": [""]}
    assert [(each.column, each.reason) for each in found.proposal.left_out] == [
        ("", "its key is empty: give it a name to use it")
    ]


def test_what_a_list_would_not_read_and_what_deactivates_nobody_is_told(tmp_path: Path) -> None:
    """Beside the line, and of each column."""
    path = text("r.csv", ["id", "name", "blocked", "archived"], ["u0", "A B", "no", "no"], ["u1", "C D", "yes", "no"])
    found = look([str(path(tmp_path))], Run())
    (offer,) = found.proposal.offers
    assert offer.reason == (
        "Who may not log in: created, and deactivated at once. Take the # away to use it. Not in it: archived, for of "
        "a list only the first cell that is filled counts. To use all, make one column of them in the roster"
    )
    start = "every row becomes a user: take out those who should not, or"
    assert {each.column: each.reason for each in found.proposal.left_out} == {
        "blocked": f"it says who is active (no: 1, yes: 1); {start} take the # before deactivated away",
        "archived": f"it says who is active (no: 2); {start} make one column of it and blocked",
    }
    many = text("m.csv", ["id", "name", "Status"], *([f"u{n}", "A B", f"{n}a"] for n in range(49)))(tmp_path)
    (offer,) = look([str(many)], Run()).proposal.offers
    assert ". 'Status' has too many words to name them all: add each that says so. As it stands it" in offer.reason
    odd = look([str(text("s.csv", ["id", "name", "Status"], ["u0", "A B", "1"], ["u1", "C D", "0"])(tmp_path))], Run())
    (offer,) = odd.proposal.offers
    assert offer.reason == (
        "Who may not log in: created, and deactivated at once. Take the # away to use it; in a map true has to stand "
        "for those who are deactivated, so look it through. As it stands it deactivates nobody: write true for each "
        "word that says so"
    )


@pytest.mark.parametrize(
    ("columns", "line", "gone"),
    [
        ({"Austritt": ["2024-03-31", None, "2099-01-01"]}, '"Austritt"', 1),
        ({"termination_date": ["31.03.2024", "1.1.2020", None]}, '"termination_date"', 2),
        ({"disabled": ["true", "false", None]}, '"disabled"', 1),
        ({"is_active": ["true", "false", "true"]},
         '{ column = "is_active", map = { true = false, false = true } }', 1),
        ({"Employment Status": ["Active", "Terminated", "On leave"]},
         '{ column = "Employment Status", map = { Active = false, "On leave" = false, Terminated = true } }', 1),
        ({"Austritt": ["2024-03-31", None, "unbefristet"]},
         '{ column = "Austritt", map = { unbefristet = false } }', 1),
        ({"Status": ["aktiv", "gesperrt", "aktiv"], "Austritt": [None, None, "2020-01-01"]},
         '["Austritt", { column = "Status", map = { aktiv = false, gesperrt = true } }]', 2),
        ({"suspended": ["0", "1", "1"], "deleted": ["0", "0", "1"]}, '"suspended"', 2),
        ({"Active": ["Yes", "No", "Yes"], "Status": ["Active", "Terminated", "Terminated"]},
         '{ column = "Status", map = { Terminated = true, Active = false } }', 2),
        ({"Gesperrt": ["nein", "ja", "ja"], "Austritt": [None, None, "2099-12-31"]},
         '{ column = "Gesperrt", map = { ja = true, nein = false } }', 2),
        ({"Status": ["1", "0", "1"]}, '{ column = "Status", map = { 1 = false, 0 = false } }', 0),
        ({"Status": ["active", "terminated", "inactive", "resigned", "suspended", "on-leave", "deleted"]},
         ('{ column = "Status", map = { active = false, terminated = true, inactive = true, resigned = true, '
          'suspended = true, "on-leave" = false, deleted = true } }'), 5),
        ({"Status": [f"{n}a" for n in range(49)]},
         '{ column = "Status", map = { terminated = true }, default = false }', 0),
    ],
)  # fmt: skip
def test_what_says_who_has_left_is_a_line_that_can_be_used(
    columns: dict[str, list[str | None]], line: str, gone: int, tmp_path: Path
) -> None:
    """A day, a flag, a status: without the # each row is valid, and just those who are to be are deactivated."""
    names, many = list(columns), len(next(iter(columns.values())))
    cells = [[f"u{n}", "Ann Lee", *(columns[name][n] or "" for name in names)] for n in range(many)]
    path = text("r.csv", ["id", "name", *names], *cells)(tmp_path)
    found = look([str(path)], Run())
    commented = next(each for each in found.text.splitlines() if each.startswith("# deactivated = "))
    assert sorted(commented) == sorted(f"# deactivated = {line}")
    assert tomllib.loads(commented[2:]) == tomllib.loads(f"deactivated = {line}")
    assert "deactivated" not in tomllib.loads(found.text)["columns"]
    (tmp_path / "c.toml").write_text(found.text.replace(commented, commented[2:]))
    ran = provisioner("run", path, "-c", "c.toml", "--emulator", "--json", cwd=tmp_path)
    assert (ran.exit_code, ran.summary["created"], ran.summary["deactivated"]) == (0, many, gone)


@pytest.mark.parametrize(
    ("names", "line", "tags"),
    [(["groups"], '"groups"', ["a", "b"]), (["groups", "teams"], '{ columns = ["groups", "teams"] }', ["a", "b"])],
)
def test_lists_of_texts_are_offered_as_tags(names: list[str], line: str, tags: list[str], tmp_path: Path) -> None:
    """As Parquet has them: with the # taken away the config makes tags of them; objects are none."""
    people = {"id": ["u1", "u2"], "name": ["Ann", "Bob"], "more": [[{"a": 1}], []], "Password": [["x"], ["y"]]}
    pl.DataFrame(people | {name: [tags, []] for name in names}).write_parquet(path := tmp_path / "r.parquet")
    found = look([str(path)], Run())
    assert [each for each in found.text.splitlines() if each.startswith("# tags")] == [f"# tags = {line}"]
    (tmp_path / "c.toml").write_text(found.text.replace("# tags =", "tags ="))
    checked = provisioner("validate", path, "-c", "c.toml", "--show", "1", cwd=tmp_path)
    assert (checked.exit_code, '"tags":["a","b"' in checked.stdout) == (0, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "r.csv is empty: it has no bytes at all"),
        (b"ann@x.org\nbob@x.org\n", ("r.csv: its first line looks like a row of data ('ann@x.org'), not like the names "
         "of columns; put a line with the names above it, such as uid,name")),
        (b'id,name\n1,"Ann\n2,Bob\n', ("r.csv: row 1 (line 2), column 'name' (byte 10): a quote (\") that is never "
         "closed; close it, or double it where it is part of the text")),
        (b"\x89PNG\r\n\x1a\n", "r.csv is a picture (PNG); export the people in it as CSV"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_as_everywhere(
    content: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guess that leads nowhere is no better than the reader's own words."""
    monkeypatch.chdir(tmp_path)
    Path("r.csv").write_bytes(content)
    with pytest.raises(RosterError) as error:
        look(["r.csv"], Run())
    assert str(error.value) == said


@pytest.mark.slow
def test_at_a_terminal_it_asks_and_writes_what_validate_reads(tmp_path: Path) -> None:
    """Enter is yes; the next command is named, and does what was shown."""
    name = HARD.write(tmp_path).name
    code, printed = at_a_terminal("init", name, cwd=tmp_path, asked="Write provisioner.toml?", typed="\n")
    assert (code, printed.splitlines()[-3:]) == (
        0,
        [
            "wrote provisioner.toml",
            f"next: provisioner validate {name}",
            f"then, a rehearsal in which nobody is created: provisioner run {name} --emulator",
        ],
    )
    validated = provisioner("validate", name, "--json", cwd=tmp_path)
    assert (validated.exit_code, validated.summary["rows"]) == (0, 12)
    ran = provisioner("run", name, "--emulator", "--json", cwd=tmp_path)
    assert (ran.exit_code, ran.summary["created"]) == (0, 12)


@pytest.mark.parametrize(("typed", "code"), [("n\n", 0), ("\x04", 0), ("\x03", 130)])
def test_whoever_does_not_agree_keeps_the_folder_as_it_is(typed: str, code: int, tmp_path: Path) -> None:
    """No, the end of the input, and Ctrl-C at the question: nothing is written, and there is no traceback."""
    name = HARD.write(tmp_path).name
    ended, printed = at_a_terminal("init", name, cwd=tmp_path, asked="Write provisioner.toml?", typed=typed)
    assert (ended, [path.name for path in tmp_path.iterdir()]) == (code, [name])
    assert "Traceback" not in printed
    assert ("nothing was written" in printed) == (code == 0)


@pytest.mark.slow
def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    """The default gives way to a name that is free; one that was asked for is refused."""
    name = HARD.write(tmp_path).name
    (tmp_path / "provisioner.toml").write_text("[run]\nstrict = 7\n")
    code, printed = at_a_terminal("init", name, cwd=tmp_path, asked="Write people.toml?", typed="y\n")
    assert (code, f"next: provisioner validate {name} -c people.toml" in printed) == (0, True)
    refused = provisioner("init", name, "-o", "provisioner.toml", cwd=tmp_path)
    assert (refused.exit_code, refused.stderr) == (
        2, "error: provisioner.toml is there already, and nothing is overwritten; name another file with -o\n",
    )  # fmt: skip
    code, printed = at_a_terminal("init", name, cwd=tmp_path)
    assert (code, printed.splitlines()[-1]) == (
        0, "provisioner.toml is there already and is not overwritten; name another file with -o",
    )  # fmt: skip
    assert (tmp_path / "provisioner.toml").read_text() == "[run]\nstrict = 7\n"


@pytest.mark.parametrize("column", ["enabled", "active", "email_verified"])
def test_true_and_false_are_told_as_in_a_csv(column: str, tmp_path: Path) -> None:
    """As Keycloak, SCIM and Auth0 export them in JSON; what really is an object is told as one."""
    flags = {"1a": True, "2b": False, "3c": True}
    comma = text("r.csv", ["id", "name", column], *([uid, "Ann", str(flag).lower()] for uid, flag in flags.items()))
    people = [{"id": uid, "name": "Ann", column: flag, "more": {"a": 1}} for uid, flag in flags.items()]
    left_out = {
        path.name: {each.column: each.reason for each in look([str(path)], Run()).proposal.left_out}
        for path in (comma(tmp_path), lines("r.ndjson", *people)(tmp_path))
    }
    told = left_out["r.csv"][column]
    assert "objects" not in told
    objects = "it holds objects or lists: export what is in them as columns of their own to use it"
    assert left_out == {"r.csv": {column: told}, "r.ndjson": {column: told, "more": objects}}


def test_what_is_an_object_is_told_by_the_cells_of_all_files(tmp_path: Path) -> None:
    """Whatever a file of a few rows holds, and also where most rows have nothing."""
    rows: list[list[dict[str, object]]] = [
        [{"id": f"a{n}", "name": "Ann", "dept": {"id": n}, "team": "x"} for n in range(5)],
        [{"id": f"b{n}", "name": "Bob", "dept": "Sales"} for n in range(6)],
        [{"id": f"c{n}", "name": "Kim", "team": ["x"]} for n in range(6)],
    ]
    for number, people in enumerate(rows):
        lines(f"{number}.ndjson", *people)(tmp_path)
    left_out = {each.column: each.reason for each in look([str(tmp_path)], Run()).proposal.left_out}
    assert "objects" not in left_out.get("dept", "")
    assert left_out["team"].startswith("it holds objects or lists")


@pytest.mark.slow
def test_what_was_left_to_be_chosen_is_not_proposed_again(tmp_path: Path) -> None:
    """A config that maps other columns is there: whoever has not chosen a column for the name is sent to it."""
    (tmp_path / "r.csv").write_text("uid,dept\na1,x\nb2,y\n")
    assert provisioner("init", "r.csv", "--output", "c.toml", cwd=tmp_path).exit_code == 0
    said = (
        "r.csv: the roster has no name column; it has 'uid', 'dept'; name a column name, or map one under [columns]; "
    )
    for config, way in [
        ("c.toml", "c.toml was read, and maps others"),
        ("o.toml", "o.toml was read; `provisioner init"),
    ]:
        (tmp_path / "o.toml").write_text("[api]\nregion = 'eu'\n")
        refused = provisioner("validate", "r.csv", "--config", config, cwd=tmp_path)
        assert (refused.exit_code, said + way in refused.stderr) == (2, True), refused.stderr


def test_in_a_pipe_the_config_is_printed_and_written_with_o_only(tmp_path: Path) -> None:
    """Standard output is the file itself, the story is on standard error; nobody is asked."""
    name = HARD.write(tmp_path).name
    printed = provisioner("init", name, cwd=tmp_path)
    assert (printed.exit_code, [path.name for path in tmp_path.iterdir()]) == (0, [name])
    assert tomllib.loads(printed.stdout)["columns"] == {**HARD.columns, "leave_out": ["Abteilung", "Eintritt"]}
    assert "12 rows checked: 12 valid" in printed.stderr
    written = provisioner("init", name, "-o", "conf/hr.toml", cwd=tmp_path)
    assert (written.exit_code, written.stderr) == (0, "")
    assert (tmp_path / "conf/hr.toml").read_text(encoding="utf-8") == printed.stdout
    assert load({}, {}, tmp_path / "conf/hr.toml").columns.fields


@pytest.mark.slow
def test_a_roster_on_standard_input_is_looked_at(tmp_path: Path) -> None:
    """It is kept as long as that takes, and called what it is."""
    done = piped("Personalnummer;Vorname;Nachname\n1;Zoë;Müller\n".encode("cp1252"), "init", "-", cwd=tmp_path)
    assert (done.exit_code, tomllib.loads(done.stdout)) == (
        0,
        {"run": {"encoding": "cp1252"}, "columns": {"uid": "Personalnummer", "name": "{Vorname} {Nachname}"}},
    )
    assert done.stderr.startswith("standard input: 1 row, 3 columns")
    titled = piped(b"List;\n;\nuid;name\na1;Ann\n", "init", "-", cwd=tmp_path)
    assert "\nstandard input: line 3 is taken for the header; --header-row names another\n" in titled.stderr
    for given in (b'id,name\n1,"Ann\n', b"uid,name\n1,Lee, Ann\n"):
        broken = piped(given, "init", "-", cwd=tmp_path)
        assert (broken.exit_code, re.match(r"error: standard input\b", broken.stderr) is not None) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_of_standard_input_nothing_is_left_when_a_signal_ends_it(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    """It is a copy of all people, in a folder for what is temporary."""
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            [COMMAND, "init", "-"],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=environment(TMPDIR=str(tmp_path)),
        ) as process,
        deadline(process),
    ):
        assert process.stdin is not None
        process.stdin.write("uid,name\n" + "a,Ann\n" * 100_000)
        process.stdin.flush()
        wait_until(lambda: any(tmp_path.glob("*/stdin.csv")))
        process.send_signal(number)
        assert process.wait() == code
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("rows", "written", "found", "cell"),
    [
        ("0001;Marek;Mróz\n0002;Jan;Łoś\n", "cp1250", "cp1250", "Łoś"),
        ("0001;Marek;Mróz\n0002;Jan;Łoś\n", "iso8859_2", "iso8859_2", "Łoś"),
        ("0001;Ayşe;Yılmaz\n0002;Çağlar;Öztürk\n", "cp1254", "cp1254", "Ayşe"),  # noqa: RUF001
        ("0001;Jürgen;Müller\n", "cp850", "cp850", "Jürgen"),
        ("0001;Jürgen;Groß\n0002;Käthe;Schäfer\n", "mac_roman", "mac_roman", "Jürgen"),
        ("0001;Анна;Иванова\n", "koi8_r", "koi8_r", "Анна"),
    ],
)
def test_the_encoding_is_the_one_in_which_the_cells_read_best(
    tmp_path: Path, rows: str, written: str, found: str, cell: str
) -> None:
    """Where the header says nothing of it; a cell is shown that would read otherwise in the next one."""
    path = tmp_path / "r.csv"
    path.write_bytes(f"Personalnummer;Vorname;Name\n{rows}".encode(written))
    looked = look([str(path)], Run())
    assert looked.opened.tried == {"encoding": found}
    assert f"read with encoding {found}, which is right if this reads well: {cell}\n" in looked.shown(200)


def test_an_encoding_that_nobody_can_tell_is_asked_for(tmp_path: Path) -> None:
    """With a cell as it reads in each that may be right; the one that is named is taken."""
    path = tmp_path / "r.csv"
    path.write_bytes("id;first name;last name\n1;Pál;Erdős\n2;Ann;Roy\n".encode("cp1250"))
    with pytest.raises(RosterError) as error:
        look([str(path)], Run())
    assert str(error.value) == (
        f"{path}: the text is not UTF-8, and which of several encodings it is in cannot be told: it reads 'Erdõs' in "
        "cp1252, 'Erdős' in cp1250; name the one that reads right with --encoding"
    )
    assert look([str(path)], Run(encoding="cp1250")).proof is not None


def test_a_text_that_an_encoding_cannot_read_is_tried_once_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No header row and no delimiter makes the bytes others; each try would read the whole file, to count its lines."""
    tried = Counter[str | None]()

    def counting(inputs: Inputs, options: RosterOptions, folder: Path) -> Roster:
        tried[options.encoding] += 1
        return open_roster(inputs, options, folder)

    monkeypatch.setattr(opening, "open_roster", counting)
    (tmp_path / "a.csv").write_bytes(b"uid,name\na1,Zo\xeb Lef\xe8vre\na2,Andr\xe9\n")
    assert look([str(tmp_path / "a.csv")], Run()).opened.options.encoding == "cp1252"
    assert max(tried.values()) == 1


@pytest.mark.slow
def test_the_first_letter_beyond_ascii_may_be_far_behind(tmp_path: Path) -> None:
    """It says in which encoding the text is, and is shown, though it stands behind the rows that are looked at."""
    people = "".join(f"a{n},Ann Smith\n" for n in range(101_000)) + "z1,Łukasz Mróz\n"
    (tmp_path / "a.csv").write_bytes(f"uid,name\n{people}".encode("cp1250"))
    shown = look([str(tmp_path / "a.csv")], Run()).shown(300)
    assert "read with encoding cp1250, which is right if this reads well: Łukasz Mróz" in shown


def test_a_name_as_long_as_a_text_is_looked_at_in_bounded_time(tmp_path: Path) -> None:
    """What stands where names do may be a whole row, or a whole file."""
    (tmp_path / "a.csv").write_bytes(b"uid,name\na1," + b"Ann " * 300_000)
    assert look([str(tmp_path / "a.csv")], Run()).opened.columns == ("uid", "name")


def test_the_commonest_encoding_is_taken_where_another_is_as_likely(tmp_path: Path) -> None:
    """And a person sees how a cell reads in that one."""
    path = tmp_path / "r.csv"
    path.write_bytes("id;first name;last name\n1;Zoë;Lee\n2;Ann;Roy\n".encode("cp1252"))
    looked = look([str(path)], Run())
    assert looked.opened.tried == {"encoding": "cp1252"}
    said = "read with encoding cp1252, which is right if this reads well: Zoë; in cp1257 it would be Zoė\n"
    assert said in looked.shown(200)


def test_a_cell_is_shown_in_which_a_sign_stands_before_a_letter(tmp_path: Path) -> None:
    """It may tell that the encoding is a wrong one."""
    path = tmp_path / "r.csv"
    path.write_bytes("id;first name;last name\n1;Hélène;François\n2;\u00f7nn;Lefèvre\n".encode("cp1252"))
    assert ": \u00f7nn" in look([str(path)], Run()).shown(200)


@pytest.mark.parametrize("name", ["Ann\u00a0Lee", "Acme\u00ae", "Acme\u2122", "N\u00ba 5", "30\u00b0", "\u00a320"])
def test_signs_at_their_places_are_those_of_the_commonest_encoding(tmp_path: Path, name: str) -> None:
    """Where nothing else is beyond ASCII."""
    path = tmp_path / "r.csv"
    path.write_bytes(f"id;name\n1;{name}\n2;Bob Roy\n".encode("cp1252"))
    assert look([str(path)], Run()).opened.tried == {"encoding": "cp1252"}


def test_a_folder_that_takes_no_file_is_told(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence."""
    folder = nobody / "locked"
    folder.mkdir()
    (folder / "r.csv").write_text("id,name\n1,Ann\n")
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    monkeypatch.chdir(folder)
    with pytest.raises(OutputError) as error:
        init(["r.csv"], Run(), Path("hr.toml"))
    assert str(error.value) == "hr.toml: cannot be written (Permission denied); name another file with -o"


def test_a_disk_that_takes_no_more_leaves_no_half_of_a_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the next command would take what is there for a whole one, and the same one again would be refused."""
    monkeypatch.chdir(tmp_path)
    Path("r.csv").write_text("id,name\n1,Ann\n")
    text = look(["r.csv"], Run()).text
    with no_file_larger_than(len(text.encode()) - 1), pytest.raises(OutputError) as error:
        init(["r.csv"], Run(), Path("provisioner.toml"))
    assert str(error.value) == "provisioner.toml: cannot be written (File too large); name another file with -o"
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]
    assert init(["r.csv"], Run(), Path("provisioner.toml")) == 0
    assert Path("provisioner.toml").read_text() == text
    assert capsys.readouterr().out.count("wrote provisioner.toml") == 1


@pytest.mark.slow
def test_a_wide_roster_and_a_long_one_are_looked_at_in_bounded_time(tmp_path: Path) -> None:
    """500 columns; and more rows than are looked at, which is told."""
    wide = text("wide.csv", ["id", *(f"c{n}" for n in range(500))], *([str(r), *["x"] * 500] for r in range(30)))(
        tmp_path
    )
    assert len(look([str(wide)], Run()).proposal.left_out) == 500
    long = tmp_path / "long.csv"
    long.write_text("id,name\n" + "".join(f"{n},Ann {n}\n" for n in range(100_001)))
    found = look([str(long)], Run())
    assert found.proof is not None
    assert (found.proof.rows, "more than 100,000 rows" in found.shown(200)) == (100_000, True)


@pytest.mark.slow
def test_as_many_rows_as_are_looked_at_are_all_of_them_only_when_no_more_follow(tmp_path: Path) -> None:
    """Also where a file ends just there: one more and the first are checked, not millions."""
    for part in "ab":
        people = "".join(f"{part}{n},Ann {n}\n" for n in range(50_000))
        (tmp_path / f"{part}.csv").write_text(f"uid,name\n{people}")
    all_of_them = look([str(tmp_path / "*.csv")], Run()).opened.evidence
    assert (all_of_them.rows, all_of_them.whole) == (100_000, True)
    (tmp_path / "c.csv").write_text("uid,name\nc1,Cy\n")
    found = look([str(tmp_path / "*.csv")], Run())
    assert found.proof is not None
    assert (found.opened.evidence.rows, found.opened.evidence.whole, found.proof.rows) == (100_000, False, 100_000)


@pytest.mark.slow
def test_the_commands_that_are_printed_can_be_run_for_a_name_like_an_option(tmp_path: Path) -> None:
    """A name that begins with `-` is led to by its folder."""
    (tmp_path / "-a.csv").write_text("uid,name\nann,Ann\n")
    told = provisioner("init", "-o", "c.toml", "--", "-a.csv", cwd=tmp_path)
    rehearsal = "then, a rehearsal in which nobody is created: provisioner run ./-a.csv -c c.toml --emulator"
    assert f"next: provisioner validate ./-a.csv -c c.toml\n{rehearsal}\n" in told.stdout
    assert provisioner("validate", "./-a.csv", "-c", "c.toml", cwd=tmp_path).exit_code == 0

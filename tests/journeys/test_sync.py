"""Nights of the real command against a real emulator: what is promised to whoever sleeps meanwhile."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.rig.command import KEY, RunningEmulator, emulator, people, provisioner, rows, start, wait_until, write_roster
from tests.rig.company import Company, until_asked
from tests.rig.workbooks import table, texts, workbook

_numbers = itertools.count(1)


@pytest.fixture
def company(app: RunningEmulator, tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path, app, f"c{next(_numbers)}")
    company.news()
    before = strangers(company)
    yield company
    company.faults()
    assert strangers(company) == before


def strangers(company: Company) -> dict[str, Any]:
    """Everybody else's users, which no night may touch."""
    start = f"{company.prefix}-"
    return {uid: user for uid, user in company.app.users().items() if not uid.startswith(start)}


def fates(summary: dict[str, Any]) -> dict[str, int]:
    """The leavers of a summary, but for what is nought."""
    return {name: number for name, number in summary["leavers"].items() if number}


# --- first nights ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_first_night_on_an_app_without_our_users(company: Company) -> None:
    """Everybody is created, with a token that works; the next night costs nothing; strangers are never touched."""
    company.names("ann", "bob")
    first = company.sync("--adopt")
    assert first.exit_code == 0, first.stderr
    assert company.told() == {"ann": "created", "bob": "created"}
    assert company.did() == {"created": 2}
    assert all(company.app.accepts(company.uid(name), token) for name, token in company.tokens().items())
    company.news()
    second = company.sync()
    assert second.exit_code == 0, second.stderr
    assert company.news() == []
    assert company.told() == {"ann": "unchanged", "bob": "unchanged"}
    assert (second.summary["rows"], second.summary["unchanged"], second.summary["requests"]) == (2, 2, 0)


@pytest.mark.slow
def test_a_first_night_on_an_app_that_has_users(company: Company) -> None:
    """Who is as the roster has it costs nothing; who is not is brought up to date; a stranger stays one."""
    company.seed(
        {"uid": "same", "name": "SAME", "role": "nurse", "tags": ["b", "a"], "metadata": {"k": 1.5}},
        {"uid": "other", "name": "Old", "avatar": "https://x.test/a", "status_message": "mine"},
        {"uid": "away", "name": "AWAY", "deactivated_at": 1_700_000_000},
        {"uid": "stranger", "name": "Stranger"},
        {"uid": "gone-stranger", "name": "Stranger", "deactivated_at": 1_700_000_000},
    )
    company.write(
        "uid,name,avatar,role,tags,metadata\n"
        f'{company.uid("same")},SAME,,nurse,a;b,"{{""k"":1.50}}"\n'
        f"{company.uid('other')},OTHER,,,,\n{company.uid('away')},AWAY,,,,\n{company.uid('new')},NEW,,,,\n"
    )
    ended = company.sync("--adopt")
    assert ended.exit_code == 0, ended.stderr
    assert company.did() == {"created": 1, "updated": 1, "reactivated": 1}
    expected = {"same": "unchanged", "other": "updated", "away": "reactivated", "new": "created"}
    assert (company.told(), ended.summary["adopted"]) == (expected, 1)
    users = company.users()
    other = [users["other"][name] for name in ("name", "avatar", "status_message")]
    assert other == ["OTHER", None, "mine"]
    assert (users["stranger"]["name"], users["gone-stranger"]["deactivated_at"]) == ("Stranger", 1_700_000_000)
    company.names("new", "same", "away", "other")
    again = company.sync("--deactivate-leavers", "--refresh")
    assert (again.exit_code, company.did(), again.summary["leavers"]["found"]) == (0, {}, 0)


@pytest.mark.slow
def test_a_first_night_gives_everybody_a_token_when_that_is_wanted(company: Company) -> None:
    """Those who are there as wanted, or not as wanted, or deactivated; a plan counts them, and it is done once."""
    company.seed({"uid": "ann", "name": "ANN"}, {"uid": "bob", "name": "Bob"}, {"uid": "cy", "name": "CY"})
    company.deactivate("cy")
    company.names("ann", "bob", "cy", "dan")
    (company.folder / "all.toml").write_text('[run]\nauth_tokens = "all"\n')
    wanted = ("--adopt", "--config", "all.toml")
    looked = company.plan(*wanted)
    assert looked.exit_code == 0, looked.stderr
    planned = looked.summary
    assert (planned["tokens"], planned["update"], planned["requests"]) == (4, 2, {"core": 4, "standard": 4})
    company.did()
    ended = company.sync(*wanted)
    assert ended.exit_code == 0, ended.stderr
    assert company.told() == {"ann": "updated", "bob": "updated", "cy": "reactivated", "dan": "created"}
    tokens = company.tokens()
    assert all(company.app.accepts(company.uid(name), token) for name, token in tokens.items())
    company.did()
    for more in (wanted, ("--refresh", "--auth-tokens", "all"), ("--auth-tokens", "all")):
        assert (company.sync(*more).exit_code, company.did(), company.tokens()) == (0, {}, tokens)


@pytest.mark.slow
def test_without_a_look_at_the_app_a_deactivated_user_gets_a_token_too(company: Company) -> None:
    """Whom a create meets, when everybody is to have one."""
    company.names("ann")
    assert company.sync("--adopt").exit_code == 0
    company.seed({"uid": "bob", "name": "Bob"})
    company.deactivate("bob")
    company.names("ann", "bob")
    assert company.sync("--auth-tokens", "all").exit_code == 0
    assert company.told() == {"ann": "unchanged", "bob": "reactivated"}
    assert company.app.accepts(company.uid("bob"), company.tokens()["bob"])


@pytest.mark.slow
def test_a_user_of_a_killed_first_night_is_no_user_that_was_there(company: Company) -> None:
    """Killed with its create on the wire, adopted never: it is ours, and its token is minted."""
    company.names("ann", "bob")
    company.faults({"fault": "hang-after-commit", "route": "POST /users", "uid": company.uid("ann")})
    night = company.start("--adopt")
    until_created(company, "ann", "bob")
    night.kill()
    ended = company.sync("--adopt")
    assert ended.exit_code == 0, ended.stderr
    assert company.told() == {"ann": "created", "bob": "created"}
    assert all(company.app.accepts(company.uid(name), token) for name, token in company.tokens().items())
    assert sorted(company.app.created())[-2:] == sorted(set(company.app.created()))[-2:]


def until_created(company: Company, *names: str) -> None:
    wait_until(lambda: set(names) <= set(company.users()))


# --- changes -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_update_says_only_what_has_changed(company: Company) -> None:
    """What another hand did to other fields stays; what became empty is taken away; a dropped column is no change."""
    columns = ("name", "avatar", "link", "role", "tags")
    ann = {"name": "Ann", "avatar": "https://x.test/a", "link": "https://x.test/l", "role": "nurse", "tags": "a;b"}
    company.roster({"ann": ann, "bob": ann}, columns)
    assert company.sync("--adopt").exit_code == 0
    company.did()
    company.another_hand("PUT", f"/users/{company.uid('ann')}", {"link": "https://other.test/hand"})
    company.did()
    company.roster({"ann": {**ann, "name": "Anna", "tags": "b;a"}, "bob": {"name": "Ann"}}, columns)
    ended = company.sync()
    assert (ended.exit_code, company.did()) == (0, {"updated": 2})
    assert ended.summary["updated_fields"] == {"avatar": 1, "link": 1, "name": 1, "role": 1, "tags": 1}
    users = company.users()
    assert (users["ann"]["name"], users["ann"]["link"]) == ("Anna", "https://other.test/hand")
    bob = users["bob"]
    assert (bob["avatar"], bob["link"], bob["role"], bob["tags"]) == (None, None, "default", [])
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "Ann"}})
    assert (company.sync().exit_code, company.news()) == (0, [])
    assert company.told() == {"ann": "unchanged", "bob": "unchanged"}


@pytest.mark.slow
def test_leavers_are_reported_then_in_grace_then_deactivated_and_come_back(company: Company) -> None:
    """Never deleted, never without the flag, never before their time; a returner is reactivated, then updated."""
    company.names("ann", "bob", "cy")
    assert company.sync("--adopt").exit_code == 0
    tokens = company.tokens()
    company.did()
    company.names("ann", "bob")
    reported = company.sync()
    assert (reported.exit_code, fates(reported.summary)) == (0, {"found": 1, "reported": 1})
    listed = (company.folder / "hr.results.leavers.csv").read_text()
    assert re.fullmatch(
        rf"uid,name,nights_absent,last_seen,will_be\n{company.uid('cy')},CY,1,20[-0-9]+T[:0-9]+Z,kept: reported\n",
        listed,
    )
    grace = company.sync("--deactivate-leavers", "--grace-nights", 2)
    assert (grace.exit_code, fates(grace.summary)) == (0, {"found": 1, "in_grace": 1})
    assert company.did() == {}
    gone = company.sync("--deactivate-leavers", "--grace-nights", 2)
    assert (gone.exit_code, fates(gone.summary)) == (0, {"found": 1, "deactivated": 1})
    assert company.told() == {"ann": "unchanged", "bob": "unchanged", "cy": "deactivated"}
    assert rows(company.folder / "hr.results.csv")[-1]["row"] == ""
    assert (company.did(), company.active()) == ({"revoked": 1, "deactivated": 1}, {"ann": "ANN", "bob": "BOB"})
    quiet = company.sync("--deactivate-leavers")
    assert (quiet.exit_code, fates(quiet.summary), company.news()) == (0, {}, [])
    assert not (company.folder / "hr.results.leavers.csv").exists()
    company.roster({"ann": {"name": "ANN"}, "bob": {"name": "BOB"}, "cy": {"name": "Cy II"}})
    back = company.sync()
    assert (back.exit_code, company.told()["cy"]) == (0, "reactivated")
    assert (company.did(), company.active()["cy"]) == ({"reactivated": 1, "minted": 1, "updated": 1}, "Cy II")
    assert company.app.accepts(company.uid("cy"), company.tokens()["cy"])
    assert {name: company.tokens()[name] for name in ("ann", "bob")} == {name: tokens[name] for name in ("ann", "bob")}


@pytest.mark.slow
def test_rows_that_fail_come_back_by_themselves(company: Company) -> None:
    """Exit 1 as long as they fail; what the API took is not sent again."""
    company.roster({"ann": {"name": "Ann", "role": "nurse"}, "bob": {"name": "Bob", "role": "nurse"}}, ("name", "role"))
    assert company.sync("--adopt").exit_code == 0
    company.did()
    company.roster({"ann": {"name": "Ann", "role": "king"}, "bob": {"name": "Rob", "role": "nurse"}}, ("name", "role"))
    first = company.sync()
    assert (first.exit_code, company.told(), company.did()) == (1, {"ann": "failed", "bob": "updated"}, {"updated": 1})
    second = company.sync()
    assert (second.exit_code, company.told()) == (1, {"ann": "failed", "bob": "unchanged"})
    assert [record["method"] for record in company.news()] == ["GET", "PUT"]
    company.roster({"ann": {"name": "Ann", "role": "nurse"}, "bob": {"name": "Rob", "role": "nurse"}}, ("name", "role"))
    third = company.sync()
    assert (third.exit_code, company.told(), company.news()) == (0, {"ann": "unchanged", "bob": "unchanged"}, [])


@pytest.mark.slow
def test_rejected_rows_are_no_leavers(company: Company) -> None:
    """Whoever's row is broken keeps the account; a row without a usable uid holds all leavers back."""
    company.names("ann", "bob", "cy", "dan")
    assert company.sync("--adopt").exit_code == 0
    company.did()
    company.roster({"ann": {"name": "ANN"}, "bob": {"name": ""}, "cy": {"name": "CY"}})
    held = company.sync("--deactivate-leavers", "--max-rejected", "50%")
    assert (held.exit_code, company.told()["bob"], company.told()["dan"]) == (1, "rejected", "deactivated")
    for damaged in ("", f"{company.uid('cy')} (2)", "7.39E+10", "NULL", "n/a", "x" * 101):
        company.write(f"uid,name\n{company.uid('ann')},ANN\n{damaged},Cy\n{company.uid('bob')},BOB\n")
        held = company.sync("--deactivate-leavers", "--max-rejected", "50%")
        assert (held.exit_code, fates(held.summary)) == (1, {"found": 1, "reported": 1})
        assert set(company.active()) == {"ann", "bob", "cy"}


@pytest.mark.slow
def test_whom_a_row_is_about_cannot_be_told_of_a_uid_that_is_no_text(company: Company) -> None:
    """An object, a list or a boolean for a uid may be anybody, and so may a number that a sheet has rounded."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    there = {"uid": company.uid("ann"), "name": "ANN"}
    for nobody in ({"id": "bob"}, ["bob"], True):
        lines = (json.dumps(each) for each in (there, {"uid": nobody, "name": "BOB"}))
        (company.folder / "hr.ndjson").write_text("\n".join(lines))
        held = company.sync("--deactivate-leavers", "--max-rejected", "50%", roster="hr.ndjson")
        assert (held.exit_code, fates(held.summary)) == (1, {"found": 1, "reported": 1})
    sheet = table(["uid", "name"], [company.uid("ann"), "ANN"], [123456789012345678, "BOB"])
    workbook(company.folder, ("Staff", sheet), name="hr.xlsx")
    held = company.sync("--deactivate-leavers", "--max-rejected", "50%", roster="hr.xlsx")
    assert held.summary["rejected_by_code"] == {"uid.rounded": 1}
    assert (held.exit_code, fates(held.summary)) == (1, {"found": 1, "reported": 1})


@pytest.mark.slow
def test_people_on_a_sheet_that_is_not_read_are_no_leavers(company: Company) -> None:
    """The first sheet is the roster; who is missing there may be on the second, until somebody says which counts."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    teams = (["uid", "name"], [company.uid("ann"), "ANN"]), (["uid", "name"], [company.uid("bob"), "BOB"])
    workbook(company.folder, ("Day", texts(*teams[0])), ("Night", texts(*teams[1])), name="hr.xlsx")
    held = company.sync("--deactivate-leavers", roster="hr.xlsx")
    assert (held.exit_code, fates(held.summary)) == (0, {"found": 1, "reported": 1})
    assert "sheet.others" in held.stderr
    gone = company.sync("--deactivate-leavers", "--sheet", "Day", roster="hr.xlsx")
    assert (gone.exit_code, fates(gone.summary), set(company.active())) == (0, {"found": 1, "deactivated": 1}, {"ann"})


@pytest.mark.slow
def test_whom_a_row_with_a_doubtful_uid_is_about_is_no_leaver(tmp_path: Path) -> None:
    """With --strict a uid that has lost its zeros is no usable one, and its row is rejected every night."""
    numbers = [f"{'0123' if n < 2 else '9876'}{n * 7919:06}" for n in range(40)]
    with emulator(tmp_path) as app:
        company = Company(tmp_path, app, "")
        company.write("uid,name\n" + "".join(f"{number},Ann\n" for number in numbers))
        assert company.sync("--adopt").exit_code == 0
        company.did()
        company.write("uid,name\n" + "".join(f"{int(number)},Ann\n" for number in numbers))
        held = company.sync("--deactivate-leavers", "--strict")
        assert held.summary["rejected_by_code"] == {"uid.zeros_lost": 2}
        assert (held.exit_code, fates(held.summary), company.did()) == (1, {"found": 2, "reported": 2}, {})


@pytest.mark.slow
def test_a_leaver_whom_a_run_has_met_comes_back_with_a_token(company: Company) -> None:
    """A run that goes on with the state finds the user deactivated; the night that brings it back owes it a token."""
    results = ("-o", "hr.csv.csv", "--yes", *company.app.flags())
    company.names("ann", "bob")
    run = partial(provisioner, "run", "hr.csv", *results, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert run().exit_code == 0
    nightly = ("--state", "hr.csv.journal.db")
    company.names("ann")
    assert fates(company.sync("--deactivate-leavers", *nightly).summary) == {"found": 1, "deactivated": 1}
    company.names("ann", "bob")
    assert run().exit_code == 1
    back = company.sync(*nightly)
    assert (back.exit_code, company.told()) == (0, {"ann": "unchanged", "bob": "reactivated"})
    assert company.lets_in(company.tokens()["bob"]) == company.uid("bob")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ('uid,name,x\n{0}1,"Ann,\n{0}2,Bob,\n{0}3,Cy",\n', (), 0),
        ('uid,name,x\n{0}1,"Ann,\n{0}2,Bob,\n{0}3,Cy",\n', ("--strict", "--max-rejected", "50%"), 1),
        ('uid,name,x\n{0}1,"' + "Ann" * 40 + ',\n{0}2,Bob,\n{0}3,Cy",\n', ("--max-rejected", "50%"), 1),
        ('uid,name,"x\n{0}2,Bob,\n{0}3,Cy,"\n{0}1,Ann,\n', (), 0),
        ('uid,name,x\n{0}1,Ann,\n"{0}2,Bob,y"\n', ("-c", "encoded.toml", "--max-rejected", "50%"), 1),
    ],
)
def test_people_whom_stray_quotes_have_swallowed_are_no_leavers(
    company: Company, text: str, options: tuple[str, ...], code: int
) -> None:
    """In a cell, in a row that is rejected for that or for something else, in the header, in one cell as a whole."""
    (company.folder / "encoded.toml").write_text('[columns]\nuid = { column = "uid", encode = "cometchat" }\n')
    config = options[:2] if "-c" in options else ()
    company.names("1", "2", "3")
    assert company.sync("--adopt", *config).exit_code == 0
    company.did()
    company.write(text.format(company.uid("")))
    held = company.sync("--deactivate-leavers", "--max-deactivations", "2", *options)
    assert (held.exit_code, set(fates(held.summary)), company.did().get("deactivated")) == (
        code,
        {"found", "reported"},
        None,
    )


@pytest.mark.slow
def test_people_on_a_page_that_is_missing_are_no_leavers(company: Company) -> None:
    """A page that says that there are others is not the roster, until they are beside it."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    pages = company.folder / "pages"
    pages.mkdir()
    for page, who in enumerate(("ann", "bob"), 1):
        person = {"uid": company.uid(who), "name": who.upper()}
        (pages / f"{page}.json").write_text(json.dumps({"page": page, "total": 2, "users": [person]}))
    held = company.sync("--deactivate-leavers", roster="pages/1.json")
    assert (held.exit_code, fates(held.summary)) == (0, {"found": 1, "reported": 1})
    assert len(held.events("roster.partial")) == 1
    whole = company.sync("--deactivate-leavers", roster="pages")
    assert (whole.exit_code, fates(whole.summary), set(company.active())) == (0, {}, {"ann", "bob"})
    (pages / "2.json").write_text((pages / "1.json").read_text())
    twice = company.sync("--deactivate-leavers", roster="pages")
    assert (twice.exit_code, fates(twice.summary)) == (0, {"found": 1, "reported": 1})


@pytest.mark.slow
def test_people_on_a_sheet_without_a_column_that_is_mapped_besides_are_no_leavers(company: Company) -> None:
    """Whoever was moved to a sheet without pictures is there; the cure that is named makes that sheet readable."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    (company.folder / "c.toml").write_text('[columns]\nuid = "Nr"\nname = "Name"\navatar = "Bild"\n')
    staff, ext = (["Nr", "Name", "Bild"], [company.uid("ann"), "ANN"]), (["Nr", "Name"], [company.uid("bob"), "BOB"])
    workbook(company.folder, ("Staff", texts(*staff)), ("Ext", texts(*ext)), name="hr.xlsx")
    held = company.sync("-c", "c.toml", "--deactivate-leavers", roster="hr.xlsx")
    assert (held.exit_code, fates(held.summary)) == (0, {"found": 1, "reported": 1})
    assert "'Ext' has people too, but not all columns that [columns] names" in held.stderr
    assert set(company.active()) == {"ann", "bob"}
    ext[0].append("Bild")
    workbook(company.folder, ("Staff", texts(*staff)), ("Ext", texts(*ext)), name="hr.xlsx")
    checked = provisioner("validate", "hr.xlsx", "-c", "c.toml", "--sheet", "Ext", cwd=company.folder)
    assert checked.exit_code == 0


@pytest.mark.slow
def test_what_the_directory_shows_is_remembered(company: Company) -> None:
    """An old copy of the state, brought up to date by --refresh: the night after has nothing to do."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    state = company.folder / "hr.db"
    copy = state.read_bytes()
    company.roster({"ann": {"name": "Ann II"}, "bob": {"name": "BOB"}})
    assert company.sync().exit_code == 0
    state.write_bytes(copy)
    company.did()
    assert (company.sync("--refresh").exit_code, company.did()) == (0, {})
    company.news()
    assert (company.sync().exit_code, company.news()) == (0, [])


# --- guards --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_wrong_export_changes_nothing(company: Company) -> None:
    """Exit 3 for each guard, nothing changed, the results of the night before left; --yes overrides none of them."""
    everybody = [f"p{n}" for n in range(20)]
    company.names(*everybody)
    assert company.sync("--adopt").exit_code == 0
    company.did()
    before = (company.folder / "hr.results.csv").read_bytes()

    def refused(*options: object) -> list[str]:
        ended = company.sync("--yes", "--deactivate-leavers", *options)
        assert (ended.exit_code, company.news()) == (3, [])
        assert (company.folder / "hr.results.csv").read_bytes() == before
        assert ended.summary["stopped_by"] == ended.summary["refused"][0]["reason"]
        return [each["reason"] for each in ended.summary["refused"]]

    company.write("uid,name\n")
    assert refused("--max-deactivations", "100%") == ["empty_roster"]
    company.names(*everybody[:15])
    assert refused("--max-deactivations", 5) == ["shrunken_roster"]
    company.names(*everybody[:18], "new")
    assert refused("--max-deactivations", 1) == ["too_many_leavers"]
    assert len(rows(company.folder / "hr.results.leavers.csv")) == 2
    company.roster({name: {"name": "" if name in everybody[:4] else name.upper()} for name in everybody})
    assert refused() == ["too_many_rejected"]
    planned = company.plan("--deactivate-leavers")
    assert (planned.exit_code, [each["reason"] for each in planned.summary["refused"]]) == (3, ["too_many_rejected"])
    company.names(*everybody)
    assert (company.sync().exit_code, company.news()) == (0, [])
    nights = told_nights(company)
    assert [night["stopped_by"] for night in nights] == [
        None, "too_many_rejected", "too_many_leavers", "shrunken_roster", "empty_roster", None,
    ]  # fmt: skip
    assert [night["good"] for night in nights] == [True, False, False, False, False, True]


def told_nights(company: Company) -> list[dict[str, Any]]:
    """What `history` tells, the last night first."""
    ended = start("history", "--state", "hr.db", "--json", cwd=company.folder).end()
    assert ended.exit_code == 0, ended.stderr
    nights: list[dict[str, Any]] = ended.summary["nights"]
    return nights


@pytest.mark.slow
def test_just_the_approved_leavers_go(company: Company) -> None:
    """Whatever the threshold; strangers on the list are refused; the list itself stays as it was approved."""
    company.names(*(f"p{n}" for n in range(13)))
    assert company.sync("--adopt").exit_code == 0
    company.names(*(f"p{n}" for n in range(10)))
    assert company.sync("--deactivate-leavers", "--max-deactivations", 0).exit_code == 3
    company.did()
    approved = company.folder / "hr.results.leavers.csv"
    listed = approved.read_text().splitlines()
    assert len(listed) == 4
    for stranger in ("nobody", "p0"):
        approved.write_text("\n".join([*listed[:2], f"{company.uid(stranger)},,1,,deactivated"]) + "\n")
        refused = company.sync("--approve", approved)
        said = f"1 of its uids is no leaver of tonight ({company.uid(stranger)})"
        assert (refused.exit_code, said in refused.stderr, company.news()) == (2, True, [])
    approved.write_text("\n".join(listed[:3]) + "\n")
    company.faults({"fault": "hang-before-commit", "route": "DELETE /users", "nth": 2})
    night = company.start("--approve", "hr.results.leavers.csv", "--max-deactivations", 0, "--max-in-flight", 1)
    wait_until(lambda: len(company.active()) == 12)
    night.kill()
    company.faults()
    assert approved.read_text().splitlines() == listed[:3]
    ended = company.sync("--approve", "hr.results.leavers.csv", "--max-deactivations", 0)
    assert (ended.exit_code, fates(ended.summary)) == (0, {"found": 3, "deactivated": 2, "reported": 1})
    assert set(company.active()) == {*(f"p{n}" for n in range(10)), "p12"}


@pytest.mark.slow
def test_a_list_of_leavers_that_somebody_has_begun_to_shorten_is_kept(company: Company) -> None:
    """Set aside with a warning before the next night's is written, or removed; one as it was written is not."""
    everybody = ("ann", "bob", "cy", "di")
    company.names(*everybody)
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "bob")
    listed = company.folder / "hr.results.leavers.csv"
    assert [company.sync().events("file.set_aside") for _ in range(2)] == [[], []]
    for names in (("ann", "bob"), everybody):
        shortened = "\n".join(listed.read_text().splitlines()[:2]) + "\n"
        listed.write_text(shortened)
        company.names(*names)
        (told,) = company.sync().events("file.set_aside")
        assert (told["file"], Path(told["kept_as"]).parent) == ("hr.results.leavers.csv", Path())
        assert (company.folder / told["kept_as"]).read_text() == shortened
        assert listed.exists() == (names != everybody)
    assert company.sync().events("file.set_aside") == []


# --- what bad input gets --------------------------------------------------------------------------------------------


def test_two_equal_rows_for_one_person_are_one(company: Company) -> None:
    """With a warning; rows that differ are among the cases of nights."""
    company.names("ann", "bob", "ANN")
    ended = company.sync("--adopt", "--json")
    assert (ended.exit_code, company.did()) == (0, {"created": 2})
    assert ended.summary["warnings"]["row.repeated"]["rows"] == 1


def test_a_first_night_that_is_refused_leaves_no_state(company: Company) -> None:
    """So that the next one has to say --adopt as well; nobody was taken over, and nobody is said to have been."""
    company.seed({"uid": "ann", "name": "ANN"})
    company.write(f"uid,name\n{company.uid('ann')},ANN\n" + "".join(f"b {n},B\n" for n in range(4)))
    refused = company.sync("--adopt")
    assert (refused.exit_code, refused.summary["stopped_by"]) == (3, "too_many_rejected")
    assert (refused.summary["adopted"], refused.summary["outputs"]["journal"]) == (0, None)
    assert not list(company.folder.glob("hr.db*"))
    assert company.sync().exit_code == 2


@pytest.mark.slow
def test_a_first_night_sets_aside_results_that_hold_the_tokens_of_a_run(company: Company) -> None:
    """They are of no night of this state; those of the nights before are written anew as ever."""
    company.names("ann", "bob")
    options = ("-o", "hr.results.csv", *company.app.flags())
    ran = provisioner("run", "hr.csv", *options, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert ran.exit_code == 0
    tokens = company.tokens()
    first = company.sync("--adopt")
    (told,) = first.events("results.set_aside")
    assert {line["auth_token"] for line in rows(company.folder / told["kept_as"])} == set(tokens.values())
    assert company.told() == {"ann": "unchanged", "bob": "unchanged"}
    assert company.sync().events("results.set_aside") == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("look", "ends_with"),
    [
        (("plan",), 0),
        (("sync", "--approve", "no-such-list.csv"), 2),
        (("sync", "--max-creates", "0", "--max-updates", "0", "--yes"), 3),
    ],
    ids=["a plan", "a usage error", "a guard"],
)
def test_a_look_at_the_journal_of_a_run_leaves_it_one(company: Company, look: tuple[str, ...], ends_with: int) -> None:
    """No night has begun, so the run can be undone, and goes on as before."""
    company.names("ann", "bob")
    ran = provisioner("run", "hr.csv", "-o", "r.csv", *company.app.flags(), cwd=company.folder, COMETCHAT_API_KEY=KEY)
    company.write("uid,name\n" + "".join(f"{company.uid(name)},Other {name}\n" for name in ("ann", "bob")))
    options = ("hr.csv", *look[1:], "--state", "r.journal.db", *company.app.flags())
    looked = provisioner(look[0], *options, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    undo = ("undo", "r.csv", "--yes", *company.app.flags())
    undone = provisioner(*undo, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert (ran.exit_code, looked.exit_code, undone.exit_code) == (0, ends_with, 0), (looked.stderr, undone.stderr)
    assert company.did()["deactivated"] == 2


@pytest.mark.slow
def test_users_whom_a_run_found_are_read_before_they_are_changed(company: Company) -> None:
    """Its journal as the state knows no profile of them; the refusal says what to do, and that is enough."""
    names = ("ann", "bob", "cy", "dan", "eve", "fay")
    for name in names:
        company.seed({"uid": name, "name": name.upper()})
    company.names(*names)
    options = ("hr.csv", "-o", "r.csv", *company.app.flags())
    assert provisioner("run", *options, cwd=company.folder, COMETCHAT_API_KEY=KEY).exit_code == 0
    night = ("sync", "hr.csv", "--state", "r.journal.db", "-o", "night.csv", *company.app.flags())
    refused = provisioner(*night, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert (refused.exit_code, company.did()) == (3, {})
    assert "the state knows no profile of them yet: --refresh reads what they have; for example" in refused.stderr
    assert provisioner(*night, "--refresh", cwd=company.folder, COMETCHAT_API_KEY=KEY).exit_code == 0
    assert company.did() == {}


@pytest.mark.slow
def test_what_updates_of_a_run_have_left_is_emptied_by_the_first_night(company: Company) -> None:
    """Its journal as the state knows of whom there may be more than the row: only of these is anything sent."""
    avatar = "https://x.test/a.png"
    for name in ("ann", "bob"):
        company.seed({"uid": name, "name": name.upper(), "avatar": avatar})

    people = {name: {"name": name.title(), "avatar": avatar} for name in ("ann", "bob", "cy")}
    people["ann"] = people["cy"] = {"name": "New"}
    company.roster(people, ("name", "avatar"))
    command = ("run", "hr.csv", "-o", "r.csv", "--on-existing", "update", *company.app.flags())
    assert provisioner(*command, cwd=company.folder, COMETCHAT_API_KEY=KEY).exit_code == 0
    company.did()
    night = ("sync", "hr.csv", "--state", "r.journal.db", "-o", "night.csv", *company.app.flags())
    ended = provisioner(*night, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert (ended.exit_code, company.did()) == (0, {"updated": 1}), ended.stderr
    avatars = {name: user["avatar"] for name, user in company.users().items()}
    assert avatars == {name: person.get("avatar") for name, person in people.items()}


def test_a_sync_of_a_config_that_only_tries_is_refused(company: Company) -> None:
    """`dry_run` under [run] is no word for a sync: `plan` is, and takes the same config."""
    company.names("ann")
    (company.folder / "dry.toml").write_text("[run]\ndry_run = true\n")
    refused = company.sync("--adopt", "-c", "dry.toml")
    assert (refused.exit_code, company.news()) == (2, [])
    assert "run.dry_run: a sync sends; use plan to see what it would do, or take dry_run out" in refused.stderr
    assert company.plan("--adopt", "-c", "dry.toml").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [("--grace-nights", "two"), ("--nonsense",)], ids=["value", "option"])
def test_a_command_that_makes_no_sense_leaves_its_summary_too(company: Company, wrong: tuple[str, ...]) -> None:
    """So that no alert reads that of the night before; where it belongs may be said by the config file alone."""
    company.names("ann")
    assert company.sync("--adopt").exit_code == 0
    summary = company.folder / "hr.results.summary.json"
    assert company.sync(*wrong).exit_code == 2
    told = json.loads(summary.read_bytes())
    assert (told["exit_code"], told["stopped_by"], told["roster"]) == (2, "usage", [str(company.folder / "hr.csv")])
    assert company.sync().exit_code == 0
    # Where neither says where, the roster does.
    ended = provisioner("sync", "--yes", "hr.csv", *wrong, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert (ended.exit_code, json.loads(summary.read_bytes())["exit_code"]) == (2, 2)
    assert company.sync().exit_code == 0
    (company.folder / "night.toml").write_text('[output]\nfile = "hr.results.csv"\n')
    ended = provisioner("sync", "hr.csv", "-c", "night.toml", *wrong, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert (ended.exit_code, json.loads(summary.read_bytes())["exit_code"]) == (2, 2)


@pytest.mark.slow
def test_a_roster_of_json_is_no_plan(company: Company) -> None:
    """Both are called so; what a plan begins with tells them apart. A plan is carried out by `sync` alone."""
    (company.folder / "hr.json").write_text(json.dumps([{"uid": company.uid("ann"), "name": "ANN"}]))
    assert company.start("--adopt", command="plan", roster="hr.json").end().exit_code == 0
    assert company.sync("--adopt", roster="hr.json").exit_code == 0
    assert company.told() == {"ann": "created"}
    company.names("ann", "bob")
    assert company.plan("-o", "plan.json").exit_code == 0
    again = company.start(command="plan", roster="plan.json").end()
    assert (again.exit_code, "is a kept plan; carry it out with sync" in again.stderr) == (2, True)
    assert company.sync(roster="plan.json").exit_code == 0
    assert company.told() == {"ann": "unchanged", "bob": "created"}
    planned = company.start(command="plan", roster="no.json").end()
    assert (planned.exit_code, "a plan is made with" in planned.stderr, "no.json" in planned.stderr) == (2, False, True)
    for missing, said in (("no.json", "no such file; a plan is made with"), ("no*.json", "no*.json")):
        refused = company.sync(roster=missing)
        assert (refused.exit_code, said in refused.stderr) == (2, True)


def test_a_state_that_is_not_there_is_not_made(company: Company) -> None:
    """One sentence, exit 2: a mistyped path must not begin a new history."""
    company.names("ann")
    ended = company.sync()
    assert (ended.exit_code, company.news()) == (2, [])
    assert "hr.db: no such state file; check --state, or begin with --adopt" in ended.stderr
    assert not (company.folder / "hr.db").exists()
    assert company.plan().exit_code == 2


@pytest.mark.slow
def test_a_file_that_is_no_state_is_refused_and_kept(company: Company) -> None:
    """A roster by mistake, a damaged state, another app's: each one sentence, exit 2, the bytes as they were."""
    company.names(*(f"p{n}" for n in range(200)))
    assert company.sync("--adopt").exit_code == 0
    state = company.folder / "hr.db"
    whole = state.read_bytes()
    company.did()
    for content, said in [
        (b"uid,name\nann,Ann\n" * 50, "hr.db: the state is damaged, or no state (file is not a database)"),
        (whole[:9000], "hr.db: the state is damaged, or no state"),
        (whole[:4096] + bytes(4096) + whole[8192:], "hr.db: the state is damaged, or no state"),
    ]:
        state.write_bytes(content)
        ended = company.sync()
        assert (ended.exit_code, company.news()) == (2, [])
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
        assert state.read_bytes() == content
    assert "--adopt, by hand, which takes over users of the roster that exist" in ended.stderr


def test_names_that_would_overwrite_something_are_refused(company: Company) -> None:
    """The state by the results, the roster by the leavers: exit 2 before anything is opened."""
    company.names("ann")
    roster = (company.folder / "hr.csv").read_bytes()
    for options, said in [
        (("--state", "hr.results.csv"), "hr.results.csv: would overwrite the state"),
        (("--state", "hr.results.summary.json"), "would overwrite the state"),
        (("--state", "hr.csv"), "hr.csv: is the roster; check --state"),
        (("--state", "hr.prom", "--metrics-file", "hr.prom"), "hr.prom: the metrics would overwrite the state"),
    ]:
        ended = company.sync("--adopt", *options)
        assert (ended.exit_code, said in ended.stderr) == (2, True), ended.stderr
    assert (company.folder / "hr.csv").read_bytes() == roster
    assert company.news() == []


# --- unattended ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_nights_do_not_overlap(company: Company) -> None:
    """The second exits 2 and names the first, which goes on."""
    company.names("ann")
    company.faults({"fault": "slow", "route": "POST /users", "seconds": 1.5})
    first = company.start("--adopt")
    until_created(company, "ann")
    second = company.sync("--adopt")
    assert (second.exit_code, f"in use by process {first.process.pid}" in second.stderr) == (2, True)
    assert told_nights(company)[0]["stopped_by"] == "running"
    assert (first.end().exit_code, company.told()) == (0, {"ann": "created"})


@pytest.mark.slow
def test_a_night_that_takes_too_long_stops_and_goes_on(company: Company) -> None:
    """Exit 5; the same command carries out the rest, and the results tell of both halves."""
    company.names("ann", "bob", "cy", "dan")
    company.faults({"fault": "slow", "route": "POST /users", "nth": 2, "times": 3, "seconds": 1.5})
    stopped = company.sync("--adopt", "--max-in-flight", 1, "--max-duration", "1s")
    assert (stopped.exit_code, stopped.summary["stopped_by"]) == (5, "max_duration")
    assert 0 < stopped.summary["pending"] == 4 - stopped.summary["created"]
    company.faults()
    ended = company.sync("--adopt")
    assert (ended.exit_code, set(company.told().values())) == (0, {"created"})
    assert (ended.summary["created"], company.did()) == (4, {"created": 4})
    assert [night["stopped_by"] for night in told_nights(company)] == [None, "max_duration"]


def test_metrics_and_history_tell_how_it_went(company: Company) -> None:
    """After a good night, after one that failed rows, and after one that could not begin."""
    company.names("ann", "bob")
    assert company.sync("--adopt", "--metrics-file", "m/sync.prom").exit_code == 0
    told = (company.folder / "m" / "sync.prom").read_text()
    state = f'state="{company.folder}/hr.db"'
    assert f"provisioner_sync_success{{{state}}} 1\n" in told
    assert f'provisioner_sync_users{{{state},outcome="created"}} 2\n' in told
    for line in told.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ", "provisioner_sync_"))
    company.write("name\nx\n")
    assert company.sync("--metrics-file", "m/sync.prom").exit_code == 2
    told = (company.folder / "m" / "sync.prom").read_text()
    assert f"provisioner_sync_exit_code{{{state}}} 2\n" in told
    assert f"provisioner_sync_success{{{state}}} 0\n" in told
    assert "outcome" not in told
    [night] = told_nights(company)
    keys = ("night", "rows", "created", "unchanged", "requests", "stopped_by", "good", "exit_code")
    assert {key: night[key] for key in keys} == {
        "night": 1, "rows": 2, "created": 2, "unchanged": 0, "requests": 4, "stopped_by": None, "good": True,
        "exit_code": 0,
    }  # fmt: skip


def test_a_refusal_before_the_night_begins_is_measured_too(company: Company) -> None:
    """What the command line itself contradicts: an alert sees that, and not only that the file grows old."""
    company.names("ann")
    assert company.plan("--adopt", "-o", "plan.json").exit_code == 0
    for roster, options in [
        ("hr.csv", ("--sheet", "People")),
        ("hr.csv", ("--query", "SELECT 1", "--database", "postgresql://hr@localhost/hr")),
        ("hr.csv", ("--log-file", "hr.csv")),
        ("plan.json", ("--refresh",)),
    ]:
        (company.folder / "m.prom").unlink(missing_ok=True)
        assert company.sync("--metrics-file", "m.prom", *options, roster=roster).exit_code == 2
        told = (company.folder / "m.prom").read_text().splitlines()
        assert f'provisioner_sync_exit_code{{state="{company.folder}/hr.db"}} 2' in told, options


def test_no_secret_is_told_and_tokens_are_private(company: Company) -> None:
    """The key is in no file and no stream; what holds tokens is for its owner alone."""
    company.names("ann")
    ended = company.sync("--adopt", "-v", "--metrics-file", "m.prom", "--log-file", "sync.log")
    token = company.tokens()["ann"]
    company.names("ann", "bob")
    planned = company.plan("-o", "plan.json", "-v")
    private, shared = {"hr.db", "hr.results.csv"}, []
    for path in company.folder.iterdir():
        content = path.read_bytes()
        assert KEY.encode() not in content or path.name == "emulator.key", path
        if token.encode() in content:
            assert path.name in private, path
        elif path.name not in private:
            shared.append(path.name)
    assert {stat.S_IMODE((company.folder / name).stat().st_mode) for name in private} == {0o600}
    assert {"hr.results.summary.json", "m.prom", "plan.json", "sync.log"} <= set(shared)
    assert (ended.exit_code, planned.exit_code) == (0, 0)


# --- plans -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_plan_asks_nobody_and_changes_nothing(company: Company) -> None:
    """Its numbers are those of the sync that follows; the state stays as it was."""
    company.names("ann", "bob", "cy")
    assert company.sync("--adopt").exit_code == 0
    company.news()
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "BOB"}, "dan": {"name": "DAN"}})
    state = (company.folder / "hr.db").read_bytes()
    files = {path.name for path in company.folder.iterdir() if not path.name.startswith(".")}
    planned = company.plan("--deactivate-leavers")
    assert (planned.exit_code, company.news()) == (0, [])
    assert (company.folder / "hr.db").read_bytes() == state
    assert {path.name for path in company.folder.iterdir() if not path.name.startswith(".")} == files
    numbers = {name: planned.summary[name] for name in ("create", "update", "deactivate", "reactivate", "unchanged")}
    assert numbers == {"create": 1, "update": 1, "deactivate": 1, "reactivate": 0, "unchanged": 1}
    assert (planned.summary["tokens"], planned.summary["updated_fields"]) == (1, {"name": 1})
    assert planned.summary["requests"] == {"core": 2, "standard": 2}
    ended = company.sync("--deactivate-leavers")
    assert (ended.exit_code, ended.summary["requests"]) == (0, 5)
    assert company.did() == {"created": 1, "updated": 1, "revoked": 1, "deactivated": 1}


@pytest.mark.slow
def test_a_plan_keeps_numbers_as_they_are_sent(company: Company) -> None:
    """To the digit, also those that no integer of 64 bits and no float holds; and it is carried out."""
    roster, number = company.folder / "hr.ndjson", "98765432109876543210987"
    row = f'{{"uid": "{company.uid("ann")}", "name": "ANN", "metadata": %s}}'
    roster.write_text(row % '{"n": 1}')
    assert company.sync("--adopt", roster=roster.name).exit_code == 0
    roster.write_text(row % f'{{"n": {number}, "m": 0.{number}}}')
    planned = company.start("-o", "plan.json", "--show", 1, command="plan", roster=roster.name).end()
    assert planned.exit_code == 0, planned.stderr
    told = f'"new": {{"n": {number}, "m": 0.{number}}}'
    assert (told in planned.stdout, told in (company.folder / "plan.json").read_text()) == (True, True)
    assert company.sync(roster="plan.json").exit_code == 0
    assert company.told() == {"ann": "updated"}


@pytest.mark.slow
def test_a_kept_plan_is_carried_out_or_nothing_is(company: Company) -> None:
    """It refuses when the roster or the state has moved; once done it is done."""
    company.names("ann", "bob")
    assert company.plan("--adopt", "-o", "first.json").exit_code == 0
    assert not (company.folder / "hr.db").exists()
    first = company.sync(roster="first.json")
    assert first.exit_code == 0, first.stderr
    assert company.did() == {"created": 2}
    company.names("ann", "cy")
    assert company.plan("--deactivate-leavers", "-o", "plan.json").exit_code == 0
    kept = json.loads((company.folder / "plan.json").read_text())
    assert [(each["row"], each["uid"], each["action"]) for each in kept["changes"]] == [
        (2, company.uid("cy"), "create"),
        (None, company.uid("bob"), "deactivate"),
    ]
    company.names("ann", "cy", "dan")
    moved = company.sync(roster="plan.json")
    assert (moved.exit_code, company.news()) == (2, [])
    assert "the roster, or how it is read, has changed since" in moved.stderr
    company.names("cy", "ann")
    company.names("ann", "cy")
    state = (company.folder / "hr.db").rename(company.folder / "moved.db")
    lost = company.sync(roster="plan.json")
    assert (lost.exit_code, "no such state file; put it back as it was, or make a new plan" in lost.stderr) == (2, True)
    state.rename(company.folder / "hr.db")
    assert company.sync(roster="plan.json").exit_code == 0
    assert company.did() == {"created": 1, "revoked": 1, "deactivated": 1}
    again = company.sync(roster="plan.json")
    assert (again.exit_code, "the state has moved since" in again.stderr, company.news()) == (2, True, [])


@pytest.mark.slow
def test_a_kept_plan_that_was_killed_goes_on(company: Company) -> None:
    """The state moved by its own doing only."""
    company.names("ann", "bob", "cy")
    assert company.plan("--adopt", "-o", "plan.json").exit_code == 0
    company.faults({"fault": "hang-after-commit", "route": "POST /users", "uid": company.uid("bob")})
    night = company.start(roster="plan.json")
    until_created(company, "ann", "bob", "cy")
    night.kill()
    ended = company.sync(roster="plan.json")
    assert (ended.exit_code, set(company.told().values())) == (0, {"created"}), ended.stderr
    assert all(company.app.accepts(company.uid(name), token) for name, token in company.tokens().items())


@pytest.mark.slow
def test_nothing_is_added_to_a_kept_plan_that_was_cut_short(company: Company) -> None:
    """More names in the approved list: refused; with the list as it was, the plan is carried out."""
    company.names("ann", "bob", "cy")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann")
    (company.folder / "ok.csv").write_text(f"uid\n{company.uid('bob')}\n")
    wanted = ("--deactivate-leavers", "--max-deactivations", "9", "--approve", "ok.csv")
    assert company.plan(*wanted, "-o", "plan.json").exit_code == 0
    company.did()
    company.faults({"fault": "revoke-key", "route": "DELETE /users/{uid}/auth_tokens"})
    assert company.sync("--max-deactivations", "9", roster="plan.json").exit_code == 4
    company.faults()
    (company.folder / "ok.csv").write_text(f"uid\n{company.uid('bob')}\n{company.uid('cy')}\n")
    more = company.sync("--max-deactivations", "9", roster="plan.json")
    assert (more.exit_code, "something else would be done now" in more.stderr, company.did()) == (2, True, {})
    (company.folder / "ok.csv").write_text(f"uid\n{company.uid('bob')}\n")
    assert company.sync("--max-deactivations", "9", roster="plan.json").exit_code == 0
    assert company.did() == {"revoked": 1, "deactivated": 1}


@pytest.mark.slow
@pytest.mark.parametrize("older", [False, True])
def test_an_emptied_cell_is_carried_out_though_its_column_was_absent(company: Company, older: bool) -> None:
    """In between, or until now: whoever was taken over with an avatar loses it once the roster has an empty cell.

    An older version did not write down what users have besides: --refresh sees it.
    """
    avatar = "https://x.test/a.png"
    company.seed({"uid": "eve", "name": "EVE", "avatar": avatar})
    there = {name: {"name": name.upper(), "avatar": avatar} for name in ("ann", "bob", "cy", "dan")}
    company.roster(there, ("name", "avatar"))
    assert company.sync("--adopt").exit_code == 0
    there |= {
        "ann": {"name": "Anna", "avatar": avatar},
        "bob": {"name": "Rob", "avatar": avatar},
        "eve": {"name": "EVE"},
    }
    company.roster(there)
    assert company.sync("--adopt").exit_code == 0
    company.did()
    assert (company.sync().exit_code, company.did()) == (0, {})
    emptied = {name: {"name": there[name]["name"]} for name in ("ann", "cy", "eve")}
    company.roster({**there, **emptied}, ("name", "avatar"))
    if older:
        with closing(sqlite3.connect(company.folder / "hr.db")) as database, database:
            database.execute("UPDATE users SET live_hash = substr(live_hash, 1, 16)")
    ended = company.sync(*(["--refresh"] if older else []))
    assert (ended.exit_code, company.did()) == (0, {"updated": 3}), ended.stderr
    assert company.told() == {**dict.fromkeys(emptied, "updated"), "bob": "unchanged", "dan": "unchanged"}
    users = company.users()
    assert {name: user["avatar"] for name, user in users.items()} == {
        **dict.fromkeys(emptied),
        "bob": avatar,
        "dan": avatar,
    }
    assert (company.sync("--refresh").exit_code, company.did()) == (0, {})


AVATAR = "https://x.test/a.png"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "given up", "told by the app"])
def test_an_emptied_cell_is_carried_out_though_its_column_was_absent_in_doubt(company: Company, how: str) -> None:
    """What the user had before, or may have got, is still there."""
    there = {"ann": {"name": "A", "avatar": AVATAR, "tags": "t"}, "bob": {"name": "B"}}
    company.roster(there, ("name", "avatar", "tags"))
    assert company.sync("--adopt").exit_code == 0
    put = {"route": "PUT /users/{uid}", "times": 100}
    there["bob"]["avatar"] = AVATAR
    company.roster(there, ("name", "avatar"))
    company.faults({"fault": "lost-reply", **put})
    assert company.sync("--max-failures", "100%").exit_code == 1
    company.roster({"ann": {"name": "Anne"}, "bob": {"name": "B"}})
    if how == "killed":
        company.faults({"fault": "hang-before-commit", **put})
        night = company.start()
        until_asked(company, len(company.app.lines("audit")) + 2)
        night.kill()
    else:
        company.faults({"fault": "error-before-commit", **put})
        assert company.sync("--max-failures", "100%").exit_code == 1
    company.faults()
    assert company.sync(*(["--refresh"] if how == "told by the app" else [])).exit_code == 0
    company.roster({"ann": {"name": "Anne"}, "bob": {"name": "B"}}, ("name", "avatar", "tags"))
    ended = company.sync("--max-updates", "100%")
    assert (ended.exit_code, company.told()) == (0, {"ann": "updated", "bob": "updated"}), ended.stderr
    left = {who: (user["avatar"], user["tags"] or None) for who, user in company.users().items()}
    assert left == {"ann": (None, None), "bob": (None, None)}


@pytest.mark.slow
def test_an_emptied_cell_is_carried_out_for_whom_the_state_did_not_know(company: Company) -> None:
    """Met by a create, renamed by the first night after a run, or left and back while in doubt: without the column."""
    there = {who: {"name": who.upper(), "avatar": AVATAR} for who in ("ran", "doubt", "same")}
    company.roster(there, ("name", "avatar"))
    run = ("run", "hr.csv", "-o", "r.csv", *company.app.flags())
    assert provisioner(*run, cwd=company.folder, COMETCHAT_API_KEY=KEY).exit_code == 0
    (company.folder / "r.journal.db").rename(company.folder / "hr.db")
    company.seed({"uid": "met", "name": "Met", "avatar": AVATAR}, {"uid": "away", "name": "Away", "avatar": AVATAR})
    company.deactivate("away")
    names = {"ran": {"name": "New"}, "met": {"name": "MET"}, "away": {"name": "AWAY"}, "same": {"name": "SAME"}}
    company.roster({**names, "doubt": {"name": "New"}})
    company.faults(
        {"fault": "error-before-commit", "route": "PUT /users/{uid}", "uid": company.uid("doubt"), "times": 9}
    )
    assert company.sync("--max-updates", "9", "--max-creates", "9", "--max-failures", "9").exit_code == 1
    company.faults()
    company.roster(names)
    assert company.sync("--deactivate-leavers", "--max-deactivations", "9").exit_code == 0
    names["doubt"] = {"name": "DOUBT"}
    company.roster(names)
    assert (company.sync().exit_code, company.told()["doubt"]) == (0, "reactivated")
    company.roster(names, ("name", "avatar"))
    ended = company.sync("--max-updates", "9")
    assert ended.exit_code == 0, ended.stderr
    assert {who: user["avatar"] for who, user in company.users().items()} == dict.fromkeys(names)
    assert (company.sync("--refresh").exit_code, company.told()) == (0, dict.fromkeys(names, "unchanged"))


@pytest.mark.slow
def test_who_is_created_anew_has_nothing_of_the_one_before(company: Company) -> None:
    """A field without a column went with the user that was deleted: once it has one again, it is set again."""
    both = {"ann": {"name": "ANN", "avatar": AVATAR}, "bob": {"name": "BOB"}}
    company.roster(both, ("name", "avatar"))
    assert company.sync("--adopt").exit_code == 0
    company.delete("ann")
    company.roster({"ann": {"name": "Anne"}, "bob": {"name": "BOB"}})
    assert (company.sync().exit_code, company.told()["ann"]) == (0, "created")
    both["ann"]["name"] = "Anne"
    company.roster(both, ("name", "avatar"))
    assert (company.sync().exit_code, company.told()["ann"]) == (0, "updated")
    assert company.users()["ann"]["avatar"] == AVATAR


# --- another hand, lost answers, kills -----------------------------------------------------------------------------


@pytest.mark.slow
def test_what_another_hand_did_is_seen_and_put_right(company: Company) -> None:
    """Deleted, deactivated, changed: plan --refresh counts them, sync --refresh mends them."""
    company.names("ann", "bob", "cy", "dan")
    assert company.sync("--adopt").exit_code == 0
    old = company.tokens()
    company.delete("ann")
    company.deactivate("bob")
    company.another_hand("PUT", f"/users/{company.uid('cy')}", {"name": "Not Cy"})
    company.did()
    assert company.sync().exit_code == 0
    assert company.news() == []
    planned = company.plan("--refresh")
    assert (planned.exit_code, company.did()) == (0, {})
    seen = planned.summary["directory"]
    assert (seen["deleted"], seen["deactivated"], seen["changed"]) == (1, 1, 1)
    company.faults({"fault": "lost-reply", "route": "POST /users", "uid": company.uid("ann")})
    ended = company.sync("--refresh")
    assert ended.exit_code == 0, ended.stderr
    assert company.told() == {"ann": "created", "bob": "reactivated", "cy": "updated", "dan": "unchanged"}
    assert company.active() == {"ann": "ANN", "bob": "BOB", "cy": "CY", "dan": "DAN"}
    tokens = company.tokens()
    assert (tokens["bob"], tokens["ann"] != old["ann"]) == (old["bob"], True)
    assert all(company.app.accepts(company.uid(name), token) for name, token in tokens.items())


def _cut_short(company: Company, how: str) -> None:
    """Carry out a night with --refresh of which nothing comes but one new user at most."""
    if how == "key revoked":
        company.faults({"fault": "revoke-key", "route": "POST /users"})
        assert company.sync("--refresh", "--max-in-flight", 1).exit_code == 4
        return
    company.faults({"fault": "slow", "route": "POST /users", "seconds": 3.0})
    if how == "stopped":
        assert company.sync("--refresh", "--max-in-flight", 1, "--max-duration", "1s").exit_code == 5
        return
    running, asked = company.start("--refresh", "--max-in-flight", 1), len(company.app.lines("audit"))
    until_asked(company, asked + 6)  # two lists, three questions for whom they lack, and the create
    running.kill()


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["key revoked", "stopped", "killed"])
def test_what_another_hand_did_stays_known_until_it_is_put_right(company: Company, how: str) -> None:
    """However a night ends that has seen it, the next mends it without looking; so it does a token that is owed."""
    company.names("ann", "bob", "cy", "dan", "eve")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "bob", "cy", "dan")
    assert company.sync("--deactivate-leavers").exit_code == 0
    old = company.tokens()
    company.delete("ann")
    company.deactivate("bob")
    company.another_hand("PUT", f"/users/{company.uid('cy')}", {"name": "Not Cy"})
    company.another_hand("PUT", "/users", {"uidsToActivate": [company.uid("eve")]})
    company.names("aaa", "ann", "bob", "cy", "dan", "eve")
    company.did()
    _cut_short(company, how)
    company.faults()
    ended = company.sync()
    assert ended.exit_code == 0, ended.stderr
    told = {"aaa": company.told()["aaa"], "ann": "created", "bob": "reactivated", "cy": "updated"}
    assert company.told() == {**told, "dan": "unchanged", "eve": "reactivated"}
    assert company.active() == {name: name.upper() for name in ("aaa", "ann", "bob", "cy", "dan", "eve")}
    tokens = company.tokens()
    assert [tokens[name] == old[name] for name in ("ann", "bob", "cy", "dan")] == [False, True, True, True]
    assert all(company.app.accepts(company.uid(name), token) for name, token in tokens.items())


@pytest.mark.slow
@pytest.mark.parametrize("away", ["absent", "rejected", "in grace"])
def test_what_another_hand_did_to_users_without_a_row_stays_known(company: Company, away: str) -> None:
    """Whoever is back is put right without another look; a token of somebody else's time is worth nothing."""
    there = {name: {"name": name.upper()} for name in (*(f"stay{n}" for n in range(20)), "ann", "bob", "cy", "dan")}
    company.roster(there)
    assert company.sync("--adopt").exit_code == 0
    old = company.tokens()
    company.delete("ann")
    company.deactivate("bob")
    company.another_hand("PUT", f"/users/{company.uid('cy')}", {"name": "Not Cy"})
    company.delete("dan")
    company.seed({"uid": "dan", "name": "DAN", "created_at": 1_700_000_000})
    rows_of = {name: {"name": ""} for name in ("ann", "bob", "cy", "dan")} if away == "rejected" else {}
    company.roster({name: each for name, each in there.items() if name.startswith("stay")} | rows_of)
    grace = ("--deactivate-leavers", "--grace-nights", "3") if away == "in grace" else ()
    company.did()
    looked = company.sync("--refresh", "--max-rejected", "50%", "--max-deactivations", "50%", *grace)
    assert (looked.exit_code, company.did()) == (int(away == "rejected"), {}), looked.stderr
    seen = looked.summary["directory"]
    assert {name: seen[name] for name in seen if name != "strangers"} == {
        "deleted": 1, "deactivated": 1, "reactivated": 0, "replaced": 1, "changed": 1,
    }  # fmt: skip
    assert looked.summary["leavers"]["found"] == (0 if away == "rejected" else 2)
    company.roster(there)
    ended = company.sync()
    assert ended.exit_code == 0, ended.stderr
    told = company.told()
    done = {"ann": "created", "bob": "reactivated", "cy": "updated"}
    assert {name: told[name] for name in done} == done
    assert company.active() == {name: name.upper() for name in there}
    tokens = company.tokens()
    assert [tokens[name] == old[name] for name in ("ann", "bob", "cy")] == [False, True, True]
    # Somebody else whom no row named is none of ours until one does.
    assert (told["dan"], tokens["dan"]) == ("unchanged" if away == "rejected" else "updated", "")
    assert company.app.accepts(company.uid("ann"), tokens["ann"])
    company.news()
    assert (company.sync().exit_code, company.news()) == (0, [])


@pytest.mark.slow
def test_what_another_hand_did_to_most_is_not_blamed_on_the_export(company: Company) -> None:
    """The refusal says who has changed it, and the option that it names is the cure."""
    names = ("ann", "bob", "cy", "dan", "eve")
    company.names(*names)
    assert company.sync("--adopt").exit_code == 0
    for name in names[:4]:
        company.another_hand("PUT", f"/users/{company.uid(name)}", {"name": "Other"})
    refused = company.sync("--refresh")
    [told] = refused.summary["refused"]
    assert (refused.exit_code, "another hand has changed it in the app" in told["message"]) == (3, True)
    assert f"--max-updates 80%; for example {company.uid('ann')}: name (not known) → 'ANN'" in told["message"]
    assert company.sync("--refresh", "--max-updates", "80%").exit_code == 0
    assert company.active() == {name: name.upper() for name in names}


@pytest.mark.slow
def test_a_field_that_was_never_known_is_none_that_another_hand_has_changed(company: Company) -> None:
    """Of users met by a create it is not known what they have besides: the list tells it; the export is to blame."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    met = [f"met{n}" for n in range(5)]
    company.seed(*({"uid": name, "name": name.upper()} for name in met))
    company.names("ann", "bob", *met)
    assert company.sync().exit_code == 0
    assert company.told() == {**dict.fromkeys(("ann", "bob"), "unchanged"), **dict.fromkeys(met, "updated")}
    assert company.plan("--refresh").summary["directory"]["changed"] == 0
    tagged = {name: {"name": name.upper(), "tags": f"of-{name}"} for name in met}
    company.roster({"ann": {"name": "ANN"}, "bob": {"name": "BOB"}} | tagged, ("name", "tags"))
    refused = company.sync("--refresh")
    assert (refused.exit_code, "look at the export" in refused.stderr) == (3, True)
    assert "another hand" not in refused.stderr
    company.names("ann", "bob", *met)
    night = company.sync("--refresh")
    assert (night.exit_code, night.summary["directory"]["changed"]) == (0, 0)


@pytest.mark.slow
def test_a_kept_plan_is_carried_out_with_the_tokens_it_was_made_for(company: Company) -> None:
    """No option is to be given twice: who gets a token stands in the plan."""
    company.names("ann")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "bob")
    path = company.folder / "plan.json"
    planned = company.plan("--auth-tokens", "none", "-o", path)
    assert planned.exit_code == 0, planned.stderr
    carried_out = ("sync", path, *company.app.flags(), "-o", "night.csv")
    ended = provisioner(*carried_out, cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert ended.exit_code == 0, ended.stderr
    assert [bool(row["auth_token"]) for row in rows(company.folder / "night.csv")] == [True, False]
    assert company.active() == {"ann": "ANN", "bob": "BOB"}


@pytest.mark.slow
def test_somebody_else_in_the_place_of_a_leaver_is_left_alone(company: Company) -> None:
    """Deleted and created anew by another hand, also after it had left: nobody's business, that night and later."""
    everybody = [*(f"stay{n}" for n in range(20)), "left", "leaves", "asleep"]
    company.names(*everybody)
    assert company.sync("--adopt").exit_code == 0
    company.names(*everybody[:-3], "leaves", "asleep")
    assert company.sync("--deactivate-leavers").exit_code == 0
    for name in everybody[-3:]:
        company.delete(name)
        company.seed({"uid": name, "name": "Somebody else", "created_at": 1_700_000_000})
    company.deactivate("asleep")
    company.names(*everybody[:-3])
    strange = {name: company.users()[name] for name in everybody[-3:]}
    company.did()
    for look in (["--refresh"], [], ["--refresh"]):
        night = company.sync("--deactivate-leavers", *look)
        assert (night.exit_code, company.did(), night.summary["leavers"]["found"]) == (0, {}, 0), night.stderr
        if look:
            seen = night.summary["directory"]
            assert [seen[name] for name in ("deleted", "deactivated", "reactivated", "changed")] == [0] * 4
    assert {name: company.users()[name] for name in strange} == strange
    story = provisioner("show", company.uid("leaves"), "hr.db", cwd=company.folder)
    assert "another hand has deleted the user, and created somebody else in its place" in " ".join(story.stdout.split())
    company.names(*everybody)
    assert company.sync("--deactivate-leavers").exit_code == 0
    assert company.active() == {name: name.upper() for name in everybody}


@pytest.mark.slow
@pytest.mark.parametrize("named", [True, False])
def test_who_was_deleted_is_no_leaver_once_it_is_seen(company: Company, named: bool) -> None:
    """Nothing is sent for one who is not there; whoever is there as well goes as ever."""
    everybody = (*(f"stay{n}" for n in range(20)), "ann", "bob")
    company.roster({name: {"name": name.upper()} for name in everybody}, ("name", "off"))
    (company.folder / "off.toml").write_text('[columns]\ndeactivated = "off"\n')
    assert company.sync("--adopt", "--config", "off.toml").exit_code == 0
    company.delete("ann")
    left = {"ann": {"name": "ANN", "off": "yes"}, "bob": {"name": "BOB", "off": "yes"}} if named else {}
    company.roster({name: {"name": name.upper()} for name in everybody[:20]} | left, ("name", "off"))
    company.did()
    wanted = ("--deactivate-leavers", "--max-deactivations", "50%", "--config", "off.toml")
    ended = company.sync("--refresh", *wanted)
    assert (ended.exit_code, company.did()) == (0, {"revoked": 1, "deactivated": 1}), ended.stderr
    assert fates(ended.summary) == {"found": 1, "deactivated": 1}
    assert company.told()["bob"] == ("updated" if named else "deactivated")
    assert company.told().get("ann") == ("unchanged" if named else None)
    assert (company.sync(*wanted).exit_code, company.did()) == (0, {})


@pytest.mark.slow
def test_who_turns_out_to_be_gone_is_brought_back(company: Company) -> None:
    """Without reading the directory: an update that meets nobody reactivates, or creates anew."""
    company.names("ann", "bob", "cy")
    assert company.sync("--adopt").exit_code == 0
    company.delete("ann")
    company.deactivate("bob")
    company.delete("cy")
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "Rob"}})
    ended = company.sync("--deactivate-leavers")
    assert ended.exit_code == 0, ended.stderr
    assert company.told() == {"ann": "created", "bob": "reactivated", "cy": "deactivated"}
    assert company.active() == {"ann": "Anna", "bob": "Rob"}
    assert company.app.accepts(company.uid("ann"), company.tokens()["ann"])


LOST = ("lost-reply", "reset-before-commit", "error-after-commit", "html-502-before-commit", "truncated-json")


@pytest.mark.slow
def test_answers_that_are_lost_do_no_harm(company: Company) -> None:
    """For an update, a deactivation, a reactivation and a create, each way an answer can be lost."""
    kinds = {"PUT /users/{uid}": "up", "POST /users": "new", "DELETE /users/{uid}/auth_tokens": "left"}
    ups, leaves, backs, news = ([f"{kind}{n}" for n in range(len(LOST))] for kind in ("up", "left", "back", "new"))
    stays = [f"stay{n}" for n in range(40)]
    company.names(*ups, *leaves, *backs, *stays)
    assert company.sync("--adopt").exit_code == 0
    company.names(*ups, *leaves, *stays)
    assert company.sync("--deactivate-leavers").exit_code == 0
    company.did()
    changed = {**dict.fromkeys((*ups, *news), "New"), **dict.fromkeys(backs, "Back")}
    everybody = {**changed, **{name: name.upper() for name in stays}}
    company.roster({name: {"name": text} for name, text in everybody.items()})
    named = [
        {"fault": fault, "route": route, "uid": company.uid(f"{kind}{n}")}
        for n, fault in enumerate(LOST)
        for route, kind in kinds.items()
    ]
    nameless = [
        {"fault": fault, "route": route, "nth": 1 + 2 * n}
        for n, fault in enumerate(LOST)
        for route in ("PUT /users", "DELETE /users")
    ]
    company.faults(*named, *nameless)
    ended = company.sync("--deactivate-leavers", "--max-failures", "100%")
    assert ended.exit_code == 0, ended.stderr
    assert company.told() == {
        **dict.fromkeys(ups, "updated"),
        **dict.fromkeys(news, "created"),
        **dict.fromkeys(backs, "reactivated"),
        **dict.fromkeys(leaves, "deactivated"),
        **dict.fromkeys(stays, "unchanged"),
    }
    assert company.active() == everybody
    assert all(company.app.accepts(company.uid(name), company.tokens()[name]) for name in (*ups, *news, *backs))
    company.news()
    assert (company.sync("--deactivate-leavers").exit_code, company.news()) == (0, [])


@pytest.mark.slow
def test_a_leaver_is_logged_out_and_nobody_else_is(company: Company) -> None:
    """Those tokens included that the app's back-end has minted; who comes back has aaa; a plan tells it all."""
    stays = [f"stay{n}" for n in range(20)]
    company.names("left", "back", *stays)
    assert company.sync("--adopt").exit_code == 0
    tokens = company.tokens()
    company.another_hand("POST", f"/users/{company.uid('left')}/auth_tokens", {})
    there = {name: user["tokens"] for name, user in company.users().items()}
    assert [company.lets_in(token) for token in there["left"]] == [company.uid("left")] * 2
    company.names(*stays)
    plan = company.plan("--deactivate-leavers", "--max-deactivations", "2").summary
    assert (plan["deactivate"], plan["flush"], plan["requests"]) == (2, 2, {"core": 2, "standard": 2})
    company.did()
    ended = company.sync("--deactivate-leavers", "--max-deactivations", "2")
    assert (ended.exit_code, ended.summary["deactivated"], ended.summary["sessions_flushed"]) == (0, 2, 2)
    assert company.did() == {"revoked": 2, "deactivated": 2}
    assert [company.lets_in(token) for token in (*there["left"], *there["back"])] == [None] * 3
    assert {name: user["tokens"] for name, user in company.users().items()} == {**there, "left": [], "back": []}
    assert all(company.lets_in(tokens[name]) == company.uid(name) for name in stays)
    assert {name: token for name, token in company.tokens().items() if name not in stays} == {"left": "", "back": ""}
    company.names("back", *stays)
    assert company.sync("--deactivate-leavers").exit_code == 0
    assert company.lets_in(company.tokens()["back"]) == company.uid("back")
    assert company.tokens()["back"] != tokens["back"]
    ended_by = {each["ended_by"] for each in company.token_lives() if each["token"] in (*there["left"], *there["back"])}
    assert ended_by == {"flushed"}


@pytest.mark.slow
def test_a_leaver_whom_another_hand_woke_is_logged_out_again(company: Company) -> None:
    """Seen with --refresh, and counted as one of whom no token is left; back in the roster, there is aaa."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann")
    for more in ((), ("--refresh",)):
        ended = company.sync("--deactivate-leavers", *more)
        assert (ended.exit_code, ended.summary["deactivated"], ended.summary["sessions_flushed"]) == (0, 1, 1)
        company.another_hand("PUT", "/users", {"uidsToActivate": [company.uid("bob")]})
    company.names("ann", "bob")
    assert company.sync("--refresh").exit_code == 0
    assert company.told() == {"ann": "unchanged", "bob": "reactivated"}
    assert company.app.accepts(company.uid("bob"), company.tokens()["bob"])


@pytest.mark.slow
def test_a_leaver_can_be_named(company: Company) -> None:
    """A column says who is deactivated: a leaver whom the roster names, at once; and back when it says so no more."""
    (company.folder / "named.toml").write_text('[columns]\ndeactivated = "left"\n')
    far, today = "2999-12-31", "2020-01-01"
    stays = {f"stay{n}": "" for n in range(20)}

    def night(*more: object, **left: str) -> tuple[int, dict[str, Any]]:
        cells = {**stays, **left}
        lines = (f"{company.uid(name)},{name.upper()},{cell}\n" for name, cell in cells.items())
        company.write("uid,name,left\n" + "".join(lines))
        ended = company.sync("-c", "named.toml", *more)
        assert ended.exit_code in {0, 3}, ended.stderr
        return ended.exit_code, ended.summary

    # Of those who are in the app, one is to be deactivated on the first night; nobody is created for it.
    company.seed({"uid": "old", "name": "OLD"}, *({"uid": name, "name": name.upper()} for name in stays))
    code, summary = night("--adopt", ann="no", bob=far, old="yes", never="yes")
    assert (code, summary["created"], summary["updated"], summary["unchanged"]) == (0, 2, 1, 21)
    assert (summary["deactivated"], summary["sessions_flushed"], fates(summary)) == (
        1,
        1,
        {"found": 1, "deactivated": 1},
    )
    assert set(company.active()) == {"ann", "bob", *stays}
    assert "never" not in company.users()
    lines = {line["uid"].removeprefix(f"{company.prefix}-"): line for line in rows(company.folder / "hr.results.csv")}
    assert [(lines[name]["outcome"], lines[name]["error_code"]) for name in ("old", "never", "ann", "bob")] == [
        ("updated", "deactivated"), ("unchanged", "deactivated"), ("created", ""), ("created", ""),
    ]  # fmt: skip
    assert [line for line in lines.values() if not line["row"]] == []
    company.did()
    # Nothing to do for it again; a leaving date that has come, and no --deactivate-leavers; the list names it.
    code, summary = night(ann="no", bob=today, old="yes", never="yes")
    assert (code, company.did(), summary["updated"]) == (0, {"revoked": 1, "deactivated": 1}, 1)
    assert company.told()["bob"] == "updated"
    listed = rows(company.folder / "hr.results.leavers.csv")
    assert [(line["uid"], line["nights_absent"], line["will_be"]) for line in listed] == [
        (company.uid("bob"), "0", "deactivated")
    ]
    assert company.lets_in(company.tokens()["ann"]) == company.uid("ann")
    # Too many are a broken export, whether they are named or missing.
    code, summary = night(ann="yes", bob=today, old="yes", **dict.fromkeys(("stay1", "stay2", "stay3"), "yes"))
    assert (code, summary["stopped_by"], company.did()) == (3, "too_many_leavers", {})
    code, summary = night(ann="no", bob="no", old="")
    assert (code, company.told()["bob"], company.told()["old"]) == (0, "reactivated", "reactivated")
    # What the profile of the one was that was never more than deactivated is not known.
    assert company.did() == {"reactivated": 2, "minted": 1, "updated": 1}
    assert set(company.active()) == {"ann", "bob", "old", *stays}


@pytest.mark.slow
def test_an_emptied_column_of_leavers_wakes_nobody(company: Company) -> None:
    """Exit 3, with three of them; what the refusal names lets them all come back when they do."""
    names = [f"p{number:02}" for number in range(16)]
    (company.folder / "left.toml").write_text('[columns]\ndeactivated = "left_on"\n')
    company.roster({name: {"name": name.upper()} for name in names}, ("name", "left_on"))
    assert company.sync("--adopt", "--config", "left.toml").exit_code == 0
    left = {name: {"name": name.upper(), "left_on": "2020-01-01"} for name in names[8:]}
    company.roster({name: {"name": name.upper()} for name in names} | left, ("name", "left_on"))
    assert company.sync("--config", "left.toml", "--max-deactivations", 8).exit_code == 0
    company.roster({name: {"name": name.upper()} for name in names}, ("name", "left_on"))
    company.did()
    for looking in ((), ("--refresh",)):
        refused = company.sync("--config", "left.toml", *looking)
        assert (refused.exit_code, company.did()) == (3, {}), refused.stderr
        [told] = refused.summary["refused"]
        assert [told[name] for name in ("reason", "option", "field", "examples")] == [
            "too_many_reactivations",
            "--max-updates",
            "standing",
            [
                {"uid": company.uid(name), "field": "standing", "old": "deactivated", "new": "active"}
                for name in names[8:11]
            ],
        ]
        assert "allow as many with --max-updates 100%; for example" in told["message"]
    assert company.sync("--config", "left.toml", "--max-updates", "100%").exit_code == 0
    assert set(company.active()) == set(names)


@pytest.mark.slow
def test_sessions_can_be_kept(company: Company) -> None:
    """`--keep-sessions`: deactivated and no more; the token comes back with its user."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    token = company.tokens()["bob"]
    company.names("ann")
    company.did()
    ended = company.sync("--deactivate-leavers", "--keep-sessions")
    assert (ended.exit_code, ended.summary["deactivated"], ended.summary["sessions_flushed"]) == (0, 1, 0)
    assert company.did() == {"deactivated": 1}
    company.names("ann", "bob")
    assert company.sync("--deactivate-leavers").exit_code == 0
    assert (company.did(), company.tokens()["bob"]) == ({"reactivated": 1}, token)
    assert company.lets_in(token) == company.uid("bob")


@pytest.mark.slow
def test_a_leaver_whose_tokens_are_not_flushed_is_one_the_next_night(company: Company) -> None:
    """Failed and still active, whether it was refused or stayed in doubt; then both are known to be done."""
    company.names("left", "lost", *(f"stay{n}" for n in range(20)))
    assert company.sync("--adopt").exit_code == 0
    company.names(*(f"stay{n}" for n in range(20)))
    route = "DELETE /users/{uid}/auth_tokens"
    company.faults(
        {"fault": "error-before-commit", "route": route, "uid": company.uid("left"), "times": 100},
        {"fault": "lost-reply", "route": route, "uid": company.uid("lost"), "times": 100},
    )
    night = ("--deactivate-leavers", "--max-deactivations", "2", "--max-failures", "100%")
    failed = company.sync(*night)
    assert (failed.exit_code, fates(failed.summary)) == (1, {"found": 2, "failed": 2})
    assert {"left", "lost"} < set(company.active())
    assert company.lets_in(company.users()["left"]["tokens"][0]) == company.uid("left")
    company.faults()
    ended = company.sync(*night)
    assert (ended.exit_code, ended.summary["sessions_flushed"]) == (0, 2)
    assert {company.users()[name]["deactivated_at"] is None for name in ("left", "lost")} == {False}
    assert [company.users()[name]["tokens"] for name in ("left", "lost")] == [[], []]


@pytest.mark.slow
def test_what_stays_in_doubt_is_done_again_the_next_night(company: Company) -> None:
    """Given up after the last attempt, carried out or not: exit 1, and the next night nothing is open."""
    company.names("up", "left", "back")
    assert company.sync("--adopt").exit_code == 0
    company.names("up", "left")
    assert company.sync("--deactivate-leavers").exit_code == 0
    company.roster({"up": {"name": "Up II"}, "back": {"name": "Back II"}, "new": {"name": "New"}})
    company.did()
    # All but what is asked for the time, without which nothing would be sent.
    routes = ("POST /users", "PUT /users", "DELETE /users", "GET /users/{uid}", "PUT /users/{uid}")
    company.faults(*({"fault": "lost-reply", "route": route, "times": 100} for route in routes))
    lost = company.sync("--deactivate-leavers", "--max-failures", "100%")
    assert (lost.exit_code, company.told()) == (1, dict.fromkeys(("up", "back", "new", "left"), "failed"))
    assert company.active() == {"up": "Up II", "back": "BACK", "new": "New"}
    company.faults()
    ended = company.sync("--deactivate-leavers")
    expected = {"up": "updated", "back": "reactivated", "new": "created", "left": "deactivated"}
    assert (ended.exit_code, company.told()) == (0, expected)
    assert company.active() == {"up": "Up II", "back": "Back II", "new": "New"}
    assert all(company.app.accepts(company.uid(name), company.tokens()[name]) for name in ("up", "back", "new"))


@pytest.mark.sampled
@pytest.mark.parametrize("more", [[], ["--refresh"]], ids=["by the state", "by the directory"])
def test_a_night_that_is_killed_ends_as_if_it_had_not_been(company: Company, more: list[str]) -> None:
    """At many instants, with all kinds of changes: the directory is the roster, the results those of the twin."""
    kinds = {kind: [f"{kind}{n}" for n in range(8)] for kind in ("up", "left", "back", "same", "new", "also")}
    kinds["same"] += [f"still{n}" for n in range(20)]
    company.names(*kinds["up"], *kinds["left"], *kinds["back"], *kinds["same"], *kinds["also"])
    assert company.sync("--adopt").exit_code == 0
    company.names(*kinds["up"], *kinds["left"], *kinds["same"], *kinds["also"])
    assert company.sync("--deactivate-leavers", "--max-deactivations", "100%").exit_code == 0
    created = len(company.app.created())
    company.roster(
        {
            **{name: {"name": "New"} for name in (*kinds["up"], *kinds["new"], *kinds["back"])},
            **{name: {"name": name.upper()} for name in (*kinds["same"], *kinds["also"])},
        }
    )
    lost = [{"fault": fault, "nth": 5 + 3 * n} for n, fault in enumerate(LOST)]
    company.faults(*lost, {"fault": "slow", "times": 100_000, "seconds": 0.02})
    night = ("--deactivate-leavers", "--max-deactivations", "100%", "--max-in-flight", 3, *more)
    for kill in range(4):
        running = company.start(*night)
        asked = len(company.app.lines("audit"))
        until_asked(company, asked + 3 + 3 * kill)
        running.kill()
    company.faults()
    ended = company.sync(*night)
    assert ended.exit_code == 0, ended.stderr
    assert company.told() == {
        **dict.fromkeys(kinds["up"], "updated"),
        **dict.fromkeys(kinds["new"], "created"),
        **dict.fromkeys(kinds["back"], "reactivated"),
        **dict.fromkeys((*kinds["same"], *kinds["also"]), "unchanged"),
        **dict.fromkeys(kinds["left"], "deactivated"),
    }
    changed = (*kinds["up"], *kinds["new"], *kinds["back"])
    same = {name: name.upper() for name in (*kinds["same"], *kinds["also"])}
    assert company.active() == {**dict.fromkeys(changed, "New"), **same}
    made = company.app.created()[created:]
    assert sorted(made) == sorted(map(company.uid, kinds["new"]))
    tokens = company.tokens()
    assert all(company.app.accepts(company.uid(name), tokens[name]) for name in (*changed, *same))
    ended_by = [night["stopped_by"] for night in told_nights(company)]
    assert (ended_by[0], set(ended_by[1:-2]), ended_by[-2:]) == (None, {"killed"}, [None, None])
    company.news()
    assert (company.sync("--deactivate-leavers").exit_code, company.news()) == (0, [])


@pytest.mark.slow
def test_the_command_itself(company: Company) -> None:
    """As a scheduler runs it: what a person reads on stdout, and nothing asked."""
    company.names("ann")
    options = ("--state", "hr.db", *company.app.flags(), "-q")
    ended = provisioner("sync", "hr.csv", *options, "--adopt", cwd=company.folder, COMETCHAT_API_KEY=KEY)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "1 created" in " ".join(ended.stdout.split())


@pytest.mark.sampled
@pytest.mark.parametrize("place", ["csv", "rejected.csv", "summary.json"])
def test_files_that_cannot_be_written_at_the_end_of_a_night_stop_it_and_the_same_command_ends_it(
    company: Company, place: str
) -> None:
    """The counts are told, with what to do; the night goes on as if it had been killed, and keeps its tokens."""
    company.names("ann", "bob", "cy")
    with (company.folder / "hr.csv").open("a") as roster:
        roster.write(",Nobody\n")
    company.faults({"fault": "slow", "route": "POST /users", "uid": company.uid("ann")})
    night = company.start("--adopt")
    until_created(company, "bob")
    (company.folder / f"hr.results.{place}").mkdir()
    ended = night.end()
    counts = {"rows": 4, "created": 3, "rejected": 1, "stopped_by": "storage", "exit_code": 3}
    assert {name: ended.summary[name] for name in counts} == counts, ended.stderr
    (stopped,) = ended.events("run.stopped")
    why = "cannot be written (Is a directory); make room or mend that, then run the same command again"
    assert (ended.exit_code, stopped["message"]) == (3, f"hr.results.{place}: {why}")
    (company.folder / f"hr.results.{place}").rmdir()
    company.did()
    again = company.sync()
    assert (again.exit_code, company.did(), again.events("file.set_aside")) == (1, {}, [])
    assert {name: told for name, told in company.told().items() if name} == dict.fromkeys(
        ("ann", "bob", "cy"), "created"
    )
    assert all(company.app.accepts(company.uid(name), token) for name, token in company.tokens().items() if name)


@pytest.mark.slow
@pytest.mark.parametrize("mended", [False, True])
def test_the_leavers_of_a_night_that_was_killed_are_known_for_ours_with_another_roster(
    company: Company, *, mended: bool
) -> None:
    """Nobody's work is in them, so nothing is set aside and nothing is left; what somebody has mended since is."""
    company.names("ann", "bob", "cy", "dan", "eve")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "bob", "cy", "dan", "new")
    company.faults({"fault": "hang-after-commit", "route": "POST /users", "uid": company.uid("new")})
    night = company.start("--deactivate-leavers")
    until_created(company, "new")
    night.kill()
    night.end()
    listed = company.folder / "hr.results.leavers.csv"
    assert [each["uid"] for each in rows(listed)] == [company.uid("eve")]
    if mended:
        listed.write_text("uid\n")
    company.names("ann", "bob", "cy", "new", "eve")
    ended = company.sync("--deactivate-leavers")
    assert ended.exit_code == 0, ended.stderr
    assert len(ended.events("file.set_aside")) == mended
    assert len(list(company.folder.glob("hr.results.leavers*"))) == 1 + mended
    assert list(company.folder.glob(".hr*")) == []


@pytest.mark.slow
def test_a_night_whose_end_cannot_be_recorded_tells_its_numbers_and_goes_on(tmp_path: Path) -> None:
    """A disk that takes no more: exit 3 with all counts and the command that resumes, which ends the night exactly."""
    with emulator(tmp_path) as api:
        command = ("sync", "r.csv", *api.flags(), "--state", "s.db", "-o", "n.csv", "--json")
        write_roster(tmp_path / "r.csv", people(3))
        assert provisioner(*command, "--adopt", cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as state:
            full = "SELECT RAISE(FAIL, 'database or disk is full')"
            state.execute(f"CREATE TRIGGER full BEFORE UPDATE OF finished_at ON nights BEGIN {full}; END")
        write_roster(tmp_path / "r.csv", people(5))
        first = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as state:
            state.execute("DROP TRIGGER full")
        second = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    told = {"rows": 5, "created": 2, "unchanged": 3, "stopped_by": "storage", "exit_code": 3}
    assert {name: first.summary[name] for name in told} == told, first.stderr
    assert first.summary["message"].startswith("s.db: cannot be written any more (database or disk is full)")
    assert first.exit_code == 3
    (stopped,) = first.events("run.stopped")
    assert stopped["resume"] == f"provisioner {' '.join(command)}"
    assert (second.exit_code, second.summary["created"], second.summary["stopped_by"]) == (0, 2, None)


@pytest.mark.slow
def test_what_the_api_stores_in_its_own_form_is_no_change(company: Company) -> None:
    """Digits beyond a double, numbers beyond 64 bits: neither the next night, nor its plan, nor an adoption."""
    odd = ['{"lat":51.520006599999998}', '{"n":18446744073709551617}', '{"n":123456789012345678901234567890}']
    lines = [
        f'{{"uid":"{company.uid(f"a{at}")}","name":"A","metadata":{text},"tags":["x","x"]}}\n'
        for at, text in enumerate(odd)
    ]
    (company.folder / "hr.ndjson").write_text("".join(lines))
    assert company.sync("--adopt", roster="hr.ndjson").exit_code == 0
    assert company.did() == {"created": 3}
    again = company.sync("--refresh", roster="hr.ndjson")
    assert (again.exit_code, company.did()) == (0, {}), again.stderr
    assert json.loads(again.stdout)["directory"]["changed"] == 0
    (company.folder / "hr.db").unlink()
    adopted = company.sync("--adopt", roster="hr.ndjson")
    assert (adopted.exit_code, company.did()) == (0, {}), adopted.stderr
    assert company.told() == {"a0": "unchanged", "a1": "unchanged", "a2": "unchanged"}

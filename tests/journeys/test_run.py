"""The main job, end to end: the real command, real files, real HTTP."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import polars as pl
import pytest

from tests.rig.command import KEY, SAMPLES, emulator, people, provisioner, rows, write_roster

RESULT_COLUMNS = [
    "row", "uid", "uid_input", "outcome", "http_status", "attempts", "error_code", "error_message", "auth_token",
    "created_at", "settled_at", "name",
]  # fmt: skip

SUMMARY_KEYS = [
    "rows", "rejected", "created", "existing", "updated", "failed", "pending", "deactivated", "edited", "requests",
    "retries", "rate_limited", "tokens", "rejected_by_code", "failed_by_code", "started_at", "finished_at",
    "elapsed_seconds", "requests_per_minute", "stopped_by", "message", "exit_code", "outputs", "roster", "digests",
    "defects", "warnings", "base_url",
]  # fmt: skip


def test_the_sample_from_csv_and_from_parquet(tmp_path: Path) -> None:
    """Both give the same outcomes row for row, and everything about them is as documented.

    Rows run from 1 without a gap; every created row that wants a token has one that the API accepts for that uid;
    numbers add up; files have their names, columns and modes.
    """
    outcomes = []
    for kind in ("csv", "parquet"):
        with emulator(tmp_path) as api:
            ended = provisioner(
                "run", SAMPLES / f"users.{kind}", *api.flags(), "-o", f"out/{kind}.csv", "--json",
                cwd=tmp_path, COMETCHAT_API_KEY=KEY,
            )  # fmt: skip
            lines = rows(tmp_path / f"out/{kind}.csv")
            created = [line for line in lines if line["outcome"] == "created"]
            assert ended.exit_code == 1, ended.stderr
            assert sorted(api.created()) == sorted(line["uid"] for line in created)
            assert all(api.accepts(line["uid"], line["auth_token"]) for line in created if line["auth_token"])
        assert list(lines[0]) == RESULT_COLUMNS
        assert [line["row"] for line in lines] == [str(n) for n in range(1, 201)]
        outcomes.append([(line["row"], line["uid"], line["outcome"], line["error_code"]) for line in lines])
        summary = ended.summary
        assert list(summary) == SUMMARY_KEYS
        assert summary == json.loads((tmp_path / f"out/{kind}.summary.json").read_text())
        assert (summary["rows"], summary["rejected"], summary["created"], summary["requests"]) == (200, 15, 185, 186)
        assert summary["tokens"] == sum(1 for line in lines if line["auth_token"])
        for name, mode in ((f"{kind}.csv", 0o600), (f"{kind}.journal.db", 0o600)):
            assert stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) == mode
        assert sorted(path.name for path in (tmp_path / "out").glob(f"{kind}.*")) == sorted(
            [f"{kind}.csv", f"{kind}.journal.db", f"{kind}.rejected.{kind}", f"{kind}.summary.json"]
        )
    assert outcomes[0] == outcomes[1]


def test_the_same_command_again_sends_nothing(tmp_path: Path) -> None:
    """A settled row costs no request; results are the same to the byte; the command says that nothing was sent."""
    command = ("run", SAMPLES / "users.csv", "--emulator", "-o", "r.csv")
    first = provisioner(*command, cwd=tmp_path)
    results = (tmp_path / "r.csv").read_bytes()
    second = provisioner(*command, cwd=tmp_path)
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert (tmp_path / "r.csv").read_bytes() == results
    assert json.loads((tmp_path / "r.summary.json").read_text())["requests"] == 0
    assert "no request was sent" in second.stdout


@pytest.mark.slow
def test_rejected_rows_are_mended_and_fed_in(tmp_path: Path) -> None:
    """The rejected file holds the roster's own columns and values and every defect; mended, it creates the rest.

    Feeding it in with an output that would overwrite it is refused.
    """
    roster = write_roster(
        tmp_path / "staff.csv",
        [
            {"uid": "a", "Full Name": "x", "name": "Ann"},
            {"uid": "b b", "Full Name": "x", "name": ""},
            {"uid": " A ", "Full Name": " x ", "name": "Again"},
        ],
    )
    with emulator(tmp_path) as api:
        first = provisioner("run", roster, *api.flags(), "-o", "one.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        rejected = rows(tmp_path / "one.rejected.csv")
        assert first.exit_code == 1
        assert [list(line)[:-1] for line in rejected] == [["uid", "Full Name", "name", "_row"]] * 2
        assert [(line["uid"], line["Full Name"], line["_row"]) for line in rejected] == [
            ("b b", "x", "2"),
            (" A ", " x ", "3"),
        ]
        assert [[said.split(":")[0] for said in line["_errors"].split("; ")] for line in rejected] == [
            ["name.missing", "uid.charset"],
            ["uid.duplicate"],
        ]
        refused = provisioner(
            "run", "one.rejected.csv", *api.flags(), "-o", "one.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY
        )
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "would overwrite the roster" in refused.stderr
        mended = [
            {**rejected[0], "uid": "b-b", "name": "Bo"},
            {**rejected[1], "uid": "c", "name": "Cy"},
        ]
        write_roster(tmp_path / "one.rejected.csv", mended)
        second = provisioner(
            "run", "one.rejected.csv", *api.flags(), "-o", "two.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY
        )
        assert second.exit_code == 0
        assert sorted(api.created()) == ["a", "b-b", "c"]
    assert not (tmp_path / "two.rejected.csv").exists()


@pytest.mark.parametrize("suffix", ["parquet", "ndjson"])
def test_results_in_other_formats_hold_the_same(tmp_path: Path, suffix: str) -> None:
    """The suffix of the output decides the format; columns and values are those of the CSV."""
    roster = write_roster(tmp_path / "staff.csv", [*people(3), {"uid": "no good", "name": "N"}])
    ended = provisioner("run", roster, "--emulator", "-o", f"r.{suffix}", cwd=tmp_path)
    path = tmp_path / f"r.{suffix}"
    frame = pl.read_parquet(path) if suffix == "parquet" else pl.read_ndjson(path)
    assert ended.exit_code == 1
    assert frame.columns == RESULT_COLUMNS
    assert frame["outcome"].to_list() == ["created", "created", "created", "rejected"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.slow
def test_existing_users_are_skipped_updated_or_failed(tmp_path: Path) -> None:
    """A uid that was there before is never reported as created; --on-existing decides what becomes of it."""
    roster = write_roster(tmp_path / "staff.csv", people(2))
    seen = {}
    with emulator(tmp_path) as api:
        provisioner("run", roster, *api.flags(), "--limit", 1, "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        renamed = write_roster(tmp_path / "renamed.csv", [{**each, "name": "Renamed"} for each in people(2)])
        for choice in ("fail", "skip", "update"):
            options = ("--on-existing", choice, "--max-failures", 10, "-o", f"{choice}.csv")
            ended = provisioner("run", renamed, *api.flags(), *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            seen[choice] = (ended.exit_code, rows(tmp_path / f"{choice}.csv")[0]["outcome"])
        assert api.users()["person-00001"]["name"] == "Renamed"
    assert seen == {"fail": (1, "failed"), "skip": (0, "existing"), "update": (0, "updated")}


@pytest.mark.slow
def test_tokens_for_all_for_none_and_by_the_rows_own_word(tmp_path: Path) -> None:
    """`none` is absolute, a row's own word wins over the others, `all` mints for those who were there.

    A recorded token is never minted again.
    """
    told = [{**each, "withAuthToken": word} for each, word in zip(people(3), ("", "no", "yes"), strict=True)]
    roster = write_roster(tmp_path / "staff.csv", told)

    def run(tokens: str, output: str) -> list[bool]:
        flags = ("--auth-tokens", tokens, "-o", output)
        provisioner("run", roster, *api.flags(), *flags, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        return [bool(line["auth_token"]) for line in rows(tmp_path / output)]

    with emulator(tmp_path) as api:
        assert run("none", "none.csv") == [False, False, False]
        assert run("created", "created.csv") == [False, False, False]
        assert run("all", "all.csv") == [True, False, True]
        assert run("all", "all.csv") == [True, False, True]
        assert [record["did"] for record in api.lines("audit")].count("minted") == 2
    with emulator(tmp_path) as api:
        assert run("created", "fresh.csv") == [True, False, True]


def test_a_dry_run_sends_nothing_and_says_what_it_would_take(tmp_path: Path) -> None:
    """No network, no journal, no results: the rejected file, the summary and an estimate."""
    ended = provisioner(
        "run", SAMPLES / "users.csv", "--base-url", "http://127.0.0.1:9/v3", "--dry-run", "-o", "r.csv", "--json",
        "--requests-per-minute", 100, "--share", "50%", cwd=tmp_path, COMETCHAT_API_KEY=KEY,
    )  # fmt: skip
    assert ended.exit_code == 1
    assert (ended.summary["pending"], ended.summary["rejected"], ended.summary["requests"]) == (185, 15, 0)
    assert ended.summary["estimate"] == {"requests": 185, "seconds": 222.0}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.check.rejected.csv", "r.check.summary.json"]


@pytest.mark.slow
def test_validate_gives_the_same_rejected_file_as_a_run(tmp_path: Path) -> None:
    """The offline half says the same, to the byte, and needs no key."""
    provisioner("run", SAMPLES / "users.csv", "--emulator", "-o", "run.csv", cwd=tmp_path)
    ended = provisioner("validate", SAMPLES / "users.csv", "-o", "check.csv", "--json", cwd=tmp_path)
    assert ended.exit_code == 1
    assert (tmp_path / "check.check.rejected.csv").read_bytes() == (tmp_path / "run.rejected.csv").read_bytes()
    assert (ended.summary["pending"], ended.summary["stopped_by"]) == (185, None)


@pytest.mark.slow
def test_the_mapped_hr_export(tmp_path: Path) -> None:
    """The HR sample with its config: columns, template and constant reach the API as they should."""
    with emulator(tmp_path) as api:
        ended = provisioner(
            "run", SAMPLES / "hr_export.csv", "-c", SAMPLES / "hr_export.toml", *api.flags(), "-o", "hr.csv",
            cwd=tmp_path, COMETCHAT_API_KEY=KEY,
        )  # fmt: skip
        users = api.users()
    assert ended.exit_code == 0, ended.stderr
    assert len(users) == 60
    assert {user["role"] for user in users.values()} == {"default"}
    assert all(user["metadata"]["department"] and "email" in user["metadata"]["@private"] for user in users.values())


def test_a_roster_without_rows_is_no_error(tmp_path: Path) -> None:
    """A header alone: exit 0, a warning, results with a header alone."""
    (tmp_path / "empty.csv").write_text("uid,name\n")
    ended = provisioner("run", "empty.csv", "--emulator", "-o", "r.csv", cwd=tmp_path)
    assert ended.exit_code == 0, ended.stderr
    assert len(ended.events("roster.no_rows")) == 1
    assert (tmp_path / "r.csv").read_text() == ",".join(RESULT_COLUMNS) + "\n"


def test_unknown_columns_are_named_once(tmp_path: Path) -> None:
    """One warning for all of them; columns that begin with an underscore are not worth one."""
    roster = write_roster(tmp_path / "r.csv", [{**each, "shoe": "42", "hat": "7", "_row": "1"} for each in people(2)])
    ended = provisioner("validate", roster, cwd=tmp_path)
    assert [event["columns"] for event in ended.events("roster.unknown_columns")] == [["shoe", "hat"]]
    assert (tmp_path / "r.results.check.summary.json").exists()


def test_of_many_unknown_columns_ten_are_named(tmp_path: Path) -> None:
    """And it is said how many more there are: a warning is to be read."""
    wide = {**people(1)[0], **{f"x{number}": "1" for number in range(14)}}
    ended = provisioner("validate", write_roster(tmp_path / "r.csv", [wide]), cwd=tmp_path)
    (event,) = ended.events("roster.unknown_columns")
    assert (event["columns"], event["more"]) == ([f"x{number}" for number in range(10)], 4)


def test_uids_made_as_cometchat_makes_them_are_sent_with_their_underscores(tmp_path: Path) -> None:
    """Nothing else has to be set; that `_` is allowed is said once, and so is what others can read out of a uid."""
    (tmp_path / "r.csv").write_text("mail,name\nann@example.org,Ann\nbob,Bob\n")
    config = tmp_path / "provisioner.toml"
    config.write_text('[columns]\nuid = { column = "mail", encode = "cometchat" }\n')
    ended = provisioner("run", "r.csv", "--emulator", "-o", "x.csv", "--json", cwd=tmp_path)
    assert (ended.exit_code, ended.summary["created"]) == (0, 2), ended.stderr
    assert [row["uid"] for row in rows(tmp_path / "x.csv")] == ["ann_example_org_3ylxtt", "bob"]
    assert (len(ended.events("uid.underscore_allowed")), ended.events("uid.reveals_email")) == (1, [])
    config.write_text('[columns]\nuid = { column = "mail", encode = "base32" }\n')
    ended = provisioner("validate", "r.csv", cwd=tmp_path)
    assert [event["encoding"] for event in ended.events("uid.reveals_email")] == ["base32"]
    assert ended.events("uid.underscore_allowed") == []


def test_limit_takes_the_first_rows_only(tmp_path: Path) -> None:
    """With --limit N the roster has N rows, as far as the results go."""
    roster = write_roster(tmp_path / "r.csv", people(10))
    ended = provisioner("run", roster, "--emulator", "--limit", 4, "-o", "x.csv", "--json", cwd=tmp_path)
    assert (ended.summary["rows"], ended.summary["created"], len(rows(tmp_path / "x.csv"))) == (4, 4, 4)


@pytest.mark.slow
def test_restart_sets_the_earlier_run_aside_and_loses_nothing(tmp_path: Path) -> None:
    """The journal and the results of an earlier run are renamed, never deleted: they may hold the only tokens."""
    roster = write_roster(tmp_path / "r.csv", people(2))
    with emulator(tmp_path) as api:
        command = ("run", roster, *api.flags(), "-o", "out/x.csv")
        provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        tokens = [line["auth_token"] for line in rows(tmp_path / "out/x.csv")]
        provisioner(*command, "--restart", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    aside = next(path for path in (tmp_path / "out").glob("x.2*.csv"))
    assert [line["auth_token"] for line in rows(aside)] == tokens
    assert [line["outcome"] for line in rows(tmp_path / "out/x.csv")] == ["existing", "existing"]
    assert len(list((tmp_path / "out").glob("x.journal.2*.db"))) == 1


@pytest.mark.slow
def test_a_real_run_follows_a_rehearsal_without_a_word_about_it(tmp_path: Path) -> None:
    """What was sent to the built-in emulator is set aside; a rehearsal never takes the place of a real run."""
    roster = write_roster(tmp_path / "r.csv", people(2))
    assert provisioner("run", roster, "--emulator", "-o", "x.csv", cwd=tmp_path).exit_code == 0
    with emulator(tmp_path) as api:
        real = provisioner("run", roster, *api.flags(), "-o", "x.csv", "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (real.exit_code, real.summary["created"]) == (0, 2)
        assert len(list(tmp_path.glob("x.journal.2*.db"))) == len(list(tmp_path.glob("x.2*.csv"))) == 1
    again = provisioner("run", roster, "--emulator", "-o", "x.csv", cwd=tmp_path)
    assert (again.exit_code, "made for app" in again.stderr) == (2, True)


@pytest.mark.slow
def test_a_rule_that_is_out_of_date_is_told(tmp_path: Path) -> None:
    """A row our rules let pass and the API refuses is failed with its words; the summary says for which field."""
    roster = write_roster(tmp_path / "r.csv", [*people(1), {"uid": "under_score", "name": "U"}])
    (tmp_path / "c.toml").write_text("[constraints]\nuid_allow_underscore = true\n")
    with emulator(tmp_path, "--strict-uids") as api:
        command = ("run", roster, *api.flags(), "-c", "c.toml", "-o", "x.csv")
        ended = provisioner(*command, "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        told = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    failed = rows(tmp_path / "x.csv")[1]
    assert (ended.exit_code, ended.summary["drift"]) == (1, {"uid": 1})
    assert (failed["outcome"], failed["error_code"], "uid: " in failed["error_message"]) == (
        "failed", "ERR_BAD_REQUEST", True,
    )  # fmt: skip
    assert "a rule seems out of date" in told.stdout
    assert len(told.events("rules.drift")) == 1


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["empty-refusal", "cut-refusal", "html-refusal"])
def test_a_refusal_that_proves_nothing_is_not_believed(tmp_path: Path, fault: str) -> None:
    """The create went through, its answer was lost, the second one is a 400 without a word: ours, with its token."""
    roster = write_roster(tmp_path / "people.csv", people(3))
    script = [
        {"fault": "lost-reply", "uid": "person-00002", "route": "POST /users"},
        {"fault": fault, "uid": "person-00002", "route": "POST /users", "nth": 2, "times": 2},
    ]
    (tmp_path / "faults.json").write_text(json.dumps({"script": script}))
    with emulator(tmp_path, "--fault-script", tmp_path / "faults.json") as api:
        done = provisioner("run", roster, *api.flags(), "-o", "out.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert done.exit_code == 0, done.stderr
        results = rows(tmp_path / "out.csv")
        assert [row["outcome"] for row in results] == ["created"] * 3
        assert all(api.accepts(row["uid"], row["auth_token"]) for row in results)
        assert sorted(api.created()) == ["person-00001", "person-00002", "person-00003"]
        assert [record["fault"] for record in api.lines("audit") if record["fault"]] == ["lost-reply", fault, fault]

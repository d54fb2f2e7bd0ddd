"""A roster carried out shard by shard: together the shards do what one run does."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from provisioner.files.looking import digest_of
from tests.rig.command import KEY, emulator, people, provisioner, rows, start, wait_until, write_roster

SEVERAL = [
    *people(300),
    {"uid": "Person-00007", "name": "Person Seven"},
    {"uid": "", "name": "Nobody"},
    {"uid": "a b", "name": "Blank"},
    {"uid": "nameless", "name": ""},
]
UNLIKE = {"auth_token", "created_at", "settled_at"}


def alike(row: dict[str, str]) -> dict[str, str]:
    """A line of the results without what every run gets anew."""
    return {name: cell for name, cell in row.items() if name not in UNLIKE}


def summary(folder: Path, number: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / f"shard-{number}-of-3.results.summary.json").read_bytes())
    return document


@pytest.mark.slow
def test_shards_together_do_what_one_run_does(tmp_path: Path) -> None:
    """Three shards at once create every user once; their lines are those of one run, and each says what it is of."""
    write_roster(tmp_path / "users.csv", SEVERAL)
    variables: dict[str, Any] = {"COMETCHAT_API_KEY": KEY}
    with emulator(tmp_path) as api:
        flags = ("run", "users.csv", *api.flags(), "--requests-per-minute", 100_000)
        running = [start(*flags, "--shard", f"{n}/3", cwd=tmp_path, **variables) for n in (1, 2, 3)]
        assert [each.end().exit_code for each in running] == [1, 1, 1]
        assert sorted(api.created()) == sorted(each["uid"] for each in people(300))
        shards = tmp_path / "users.shards"
        found = [rows(shards / f"shard-{n}-of-3.results.csv") for n in (1, 2, 3)]
        refused = provisioner(*flags, "--shard", "2/4", "-o", shards / "x.csv", cwd=tmp_path, **variables)
        another = provisioner(
            *flags, "--shard", "1/3", "-o", shards / "shard-2-of-3.results.csv", cwd=tmp_path, **variables
        )
        again = provisioner(*flags, "--shard", "2/3", "--json", cwd=tmp_path, **variables).summary
        merged = provisioner("merge", "users.shards", "-o", "all.csv", "--json", cwd=tmp_path)
        sent, address = sum(summary(shards, n)["requests"] for n in (1, 2, 3)), api.url
        apart_flags = (*flags, "--tokens-to", "secret/t.csv", "--shard")
        for n in (1, 2, 3):
            provisioner(*apart_flags, f"{n}/3", cwd=tmp_path, **variables)
    with emulator(tmp_path) as api:
        flags = ("run", "users.csv", *api.flags(), "--requests-per-minute", 100_000)
        whole = provisioner(*flags, "-o", "whole.csv", "--json", cwd=tmp_path, **variables).summary
    lines = sorted((row for each in found for row in each), key=lambda row: int(row["row"]))
    assert merged.exit_code == 1
    assert rows(tmp_path / "all.csv") == lines
    assert stat.S_IMODE((tmp_path / "all.csv").stat().st_mode) == 0o600
    assert (tmp_path / "all.rejected.csv").read_bytes() == (tmp_path / "whole.rejected.csv").read_bytes()
    for document, stem in ((merged.summary, "all"), (whole, "whole")):  # each its own: times and tokens are in them
        assert document["digests"] == {
            "results": digest_of(tmp_path / f"{stem}.csv"),
            "rejected": digest_of(tmp_path / "whole.rejected.csv"),
        }
    apart = {"requests", "started_at", "finished_at", "elapsed_seconds", "requests_per_minute", "outputs", "merged"}
    apart |= {"digests", "base_url"}  # of two emulators
    assert {each["base_url"] for each in (merged.summary, again)} == {address}
    assert {name: each for name, each in merged.summary.items() if name not in apart} == {
        name: each for name, each in whole.items() if name not in apart
    }
    assert merged.summary["requests"] == sent
    assert list(map(alike, lines)) == list(map(alike, rows(tmp_path / "whole.csv")))
    assert all(row["auth_token"] for row in lines if row["outcome"] == "created")
    counted = [summary(shards, n) for n in (1, 3)] + [again]
    for name in ("rows", "created", "rejected", "tokens"):
        assert sum(each[name] for each in counted) == whole[name]
    assert (again["requests"], again["rows"]) == (0, len(found[1]))
    assert again["shard"] == {**counted[0]["shard"], "number": 2}
    assert (again["shard"]["of"], again["shard"]["roster_rows"]) == (3, 304)
    refused_merge = provisioner("merge", "users.shards", "-o", "two.csv", cwd=tmp_path)
    assert (refused_merge.exit_code, "holds auth tokens apart" in refused_merge.stderr) == (2, True)
    provisioner("merge", "users.shards", "-o", "two.csv", "--tokens-to", "two.tokens.csv", cwd=tmp_path)
    assert rows(tmp_path / "two.csv") == [{**row, "auth_token": ""} for row in lines]
    assert rows(tmp_path / "two.tokens.csv") == [
        {name: row[name] for name in ("row", "uid", "auth_token")} for row in lines if row["auth_token"]
    ]
    assert stat.S_IMODE((tmp_path / "two.tokens.csv").stat().st_mode) == 0o600
    assert refused.exit_code == another.exit_code == 2
    assert "holds shards of 3, so shard 2/4 has no place there" in refused.stderr
    assert "made for shard 2/3, not for shard 1/3" in another.stderr


@pytest.mark.slow
def test_a_repeat_in_merged_rejected_rows_overwrites_nobody(tmp_path: Path) -> None:
    """Fed in again untouched it is rejected again, in one run or in shards, and under whatever name."""
    again = [{"uid": "person-00001", "name": "Another"}]
    write_roster(tmp_path / "users.csv", [*people(4), *again])
    variables: dict[str, Any] = {"COMETCHAT_API_KEY": KEY}
    with emulator(tmp_path) as api:

        def carried_out(roster: str, *options: object) -> list[dict[str, str]]:
            flags = ("run", roster, *api.flags(), "--on-existing", "update", *options)
            ended = provisioner(*flags, "-o", "out.csv", "--restart", cwd=tmp_path, **variables)
            assert ended.exit_code == 1, ended.stderr
            return [
                {name: row[name] for name in ("uid", "outcome", "error_code")} for row in rows(tmp_path / "out.csv")
            ]

        for number in (1, 2):
            provisioner("run", "users.csv", *api.flags(), "--shard", f"{number}/2", cwd=tmp_path, **variables)
        merged = provisioner("merge", "users.shards", "--json", cwd=tmp_path).summary
        (tmp_path / "mine.csv").write_bytes((tmp_path / "users.results.rejected.csv").read_bytes())
        rejected = [{"uid": "person-00001", "outcome": "rejected", "error_code": "uid.duplicate"}]
        assert (merged["created"], merged["rejected_by_code"]) == (4, {"uid.duplicate": 1})
        assert carried_out("users.results.rejected.csv") == rejected
        assert carried_out("users.results.rejected.csv", "--rejected-format", "xlsx") == rejected
        assert carried_out("mine.csv") == rejected
        assert {each["uid"]: each["name"] for each in api.lines("users")} == {
            each["uid"]: each["name"] for each in people(4)
        }


def test_what_needs_the_whole_roster_takes_no_shard(tmp_path: Path) -> None:
    """A sync would take everybody else for gone."""
    write_roster(tmp_path / "users.csv", people(3))
    (tmp_path / "provisioner.toml").write_text('[run]\nshard = "1/3"\n[api]\nbase_url = "http://127.0.0.1:9/v3"\n')
    for command in (("sync", "--state", "hr.state"), ("verify",)):
        ended = provisioner(command[0], "users.csv", *command[1:], cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert ended.exit_code == 2
        assert "run.shard: " in ended.stderr


@pytest.mark.slow
def test_shards_with_their_tokens_apart_are_merged_from_anywhere_and_as_they_were_written(tmp_path: Path) -> None:
    """What a shard wrote is found from another folder, too; what was edited, or is gone, is written anew by its run."""
    work, other, variables = tmp_path / "work", tmp_path / "other", {"COMETCHAT_API_KEY": KEY}
    for folder in (work, other):
        folder.mkdir()
    write_roster(work / "u.csv", people(9))
    merge = ("merge", "../work/u.shards", "-o", "m.csv", "--tokens-to", "t.csv")
    with emulator(tmp_path) as api:
        flags = ("run", "u.csv", *api.flags(), "--tokens-to", "safe/t.csv", "--shard")
        assert [provisioner(*flags, f"{n}/3", cwd=work, **variables).exit_code for n in (1, 2, 3)] == [0, 0, 0]
        over = provisioner("merge", "u.shards", "-o", "m.csv", "--tokens-to", "u.csv", cwd=work)
        merged = provisioner(*merge, cwd=other)
        tokens = rows(other / "t.csv")
        results, apart = work / "u.shards" / "shard-2-of-3.results.csv", work / "safe" / "t.shard-2-of-3.csv"
        results.write_text(results.read_text().replace(",created,", ",existing,", 1))
        edited = provisioner(*merge, cwd=other)
        apart.unlink()
        again = provisioner(*flags, "2/3", cwd=work, **variables)
        results.with_name("shard-3-of-3.results.csv").touch()
        (work / "safe" / "t.shard-3-of-3.csv").unlink()
        gone = provisioner(*merge, cwd=other)
        provisioner(*flags, "3/3", cwd=work, **variables)
        at_last = provisioner(*merge, cwd=other)
    assert (merged.exit_code, len(tokens)) == (0, 9)
    assert (edited.exit_code, gone.exit_code, over.exit_code) == (2, 2, 2)
    assert "u.csv: would overwrite what is merged" in over.stderr
    assert "shard-2-of-3.results.csv: is not what was written there; run shard 2/3 again, which writes" in edited.stderr
    assert "t.shard-3-of-3.csv: is not there; put it back, or run shard 3/3 again, which writes it anew" in gone.stderr
    assert (again.exit_code, at_last.exit_code, rows(other / "t.csv")) == (0, 0, tokens)


@pytest.mark.slow
def test_a_row_of_a_shard_is_mended_and_gets_into_one_set_with_all_others(tmp_path: Path) -> None:
    """As the shard's summary says; and as the refusal and the page say when it was mended, and fed in, by itself."""
    write_roster(tmp_path / "u.csv", [*people(3), {"uid": "k 4", "name": "Dan"}])
    variables: dict[str, Any] = {"COMETCHAT_API_KEY": KEY}
    merged_rejected, lines = tmp_path / "u.results.rejected.csv", []
    with emulator(tmp_path) as api:

        def run(roster: object, *options: object, code: int) -> str:
            ended = provisioner("run", roster, *api.flags(), *options, cwd=tmp_path, **variables)
            assert ended.exit_code == code, ended.stderr
            return " ".join(ended.stdout.split())

        def mend(rejected: Path) -> None:
            rejected.write_text(rejected.read_text().replace("k 4,", "k4,", 1))

        shards = [run("u.csv", "--shard", f"{n}/2", code=code) for n, code in ((1, 0), (2, 1))]
        rejected = tmp_path / "u.shards" / "shard-2-of-2.results.rejected.csv"
        mend(rejected)
        run(rejected, code=0)
        refused = provisioner("merge", "u.shards", cwd=tmp_path)
        run("u.csv", "--shard", "2/2", code=1)
        for output in ("shard-2-of-2.round2.results.csv", "u.round2.results.csv"):
            assert provisioner("merge", "u.shards", cwd=tmp_path).exit_code == 1
            mend(merged_rejected)
            run(merged_rejected.name, "-o", output, code=0)
            all_of_them = provisioner("merge", "u.results.csv", output, "-o", "all.csv", cwd=tmp_path)
            assert all_of_them.exit_code == 0, all_of_them.stderr
            lines.append([(row["uid"], row["outcome"], bool(row["auth_token"])) for row in rows(tmp_path / "all.csv")])
    cure = "run shard 2/2 again, which writes it anew, then merge and mend the rejected rows of that"
    assert "once all shards have run, merge u.shards and mend the rejected rows of that" in shards[1]
    assert (refused.exit_code, f"is not what was written there; {cure}\n" in refused.stderr) == (2, True)
    created = [(each["uid"], "created", True) for each in people(3)]
    assert lines == [[*created, ("k4", "created", True)], [*created, ("k4", "existing", False)]]


@pytest.mark.slow
def test_shards_of_a_rehearsal_or_of_another_app_are_merged_when_they_were_run_again(tmp_path: Path) -> None:
    """As the refusal says: then all people are in the app, and none of them is told of who is not."""
    write_roster(tmp_path / "u.csv", people(12))
    variables, said = {"COMETCHAT_API_KEY": KEY}, []
    shards = [Path("u.shards", f"shard-{n}-of-2.results.csv") for n in (1, 2)]
    (tmp_path / "other").mkdir()
    with emulator(tmp_path) as api, emulator(tmp_path / "other") as other:
        flags = ("run", "u.csv", "--yes", "--shard")
        for shard, where in (("1/2", ["--emulator"]), ("2/2", api.flags()), ("1/2", other.flags())):
            assert provisioner(*flags, shard, *where, cwd=tmp_path, **variables).exit_code == 0
            merged = provisioner("merge", "u.shards", cwd=tmp_path)
            said.append((merged.exit_code, merged.stderr))
        assert provisioner(*flags, "1/2", *api.flags(), "--restart", cwd=tmp_path, **variables).exit_code == 0
        merged = provisioner("merge", "u.shards", "--json", cwd=tmp_path)
        assert sorted(api.users()) == [each["uid"] for each in people(12)]
    rehearsed = f"{shards[0]}: is of a rehearsal with the built-in emulator, and {shards[1]} is not"
    apart = f"{shards[0]}: was sent to app (none) at {other.url}, and {shards[1]} to app (none) at {api.url}"
    assert said[1] == (2, f"error: {rehearsed}; run the former again without the emulator, then merge\n")
    assert said[2] == (2, f"error: {apart}; run again, with --restart, what went to the wrong one, then merge\n")
    assert (merged.exit_code, merged.summary["created"], "emulator" in merged.summary) == (0, 12, False)


@pytest.mark.slow
def test_a_shard_whose_last_run_was_killed_is_merged_when_that_was_run_again(tmp_path: Path) -> None:
    """Until then its results are those of the run before, which had other names; so are those of the finished job."""
    write_roster(tmp_path / "u.csv", people(60))
    variables: dict[str, Any] = {"COMETCHAT_API_KEY": KEY}
    with emulator(tmp_path) as api:
        flags = ("run", "u.csv", *api.flags(), "--auth-tokens", "none", "--shard")
        assert [provisioner(*flags, f"{n}/2", cwd=tmp_path, **variables).exit_code for n in (1, 2)] == [0, 0]
        write_roster(tmp_path / "u.csv", [{**each, "name": "New"} for each in people(60)])
        assert provisioner(*flags, "1/2", cwd=tmp_path, **variables).exit_code == 0
        edited = sum(user["name"] == "New" for user in api.users().values())
        victim = start(*flags, "2/2", "--requests-per-minute", 60, cwd=tmp_path, **variables)
        wait_until(lambda: sum(user["name"] == "New" for user in api.users().values()) > edited)
        victim.process.kill()
        victim.end()
        refused = provisioner("merge", "u.shards", cwd=tmp_path)
        left = sorted(path.name for path in tmp_path.glob("u.results*"))
        assert provisioner(*flags, "2/2", cwd=tmp_path, **variables).exit_code == 0
        merged = provisioner("merge", "u.shards", "--json", cwd=tmp_path)
        assert provisioner(*flags, "2/2", "--json", cwd=tmp_path, **variables).summary["requests"] == 0
        unchanged = provisioner("merge", "u.shards", "--json", cwd=tmp_path)
    said = "the last run did not come to its end, so these are of one before it; run shard 2/2 again, then merge"
    assert (refused.exit_code, refused.stderr) == (2, f"error: u.shards/shard-2-of-2.results.csv: {said}\n")
    assert left == []
    assert (merged.exit_code, merged.summary["created"], unchanged.exit_code) == (0, 60, 0)
    assert {row["name"] for row in rows(tmp_path / "u.results.csv")} == {"New"}


@pytest.mark.slow
def test_a_pipe_among_the_files_of_shards_is_not_waited_for(tmp_path: Path) -> None:
    """It is no summary, no results, and says nothing of how many shards there are; those that there are are merged."""
    write_roster(tmp_path / "u.csv", people(4))
    shards = tmp_path / "u.shards"
    for number in (1, 2):
        provisioner("run", "u.csv", "--emulator", "--shard", f"{number}/2", cwd=tmp_path)
    for name in ("zz.summary.json", "shard-1-of-2.results.parquet"):
        os.mkfifo(shards / name)
    merged = provisioner("merge", "u.shards", "--json", cwd=tmp_path)
    (shards / "shards.json").unlink()
    os.mkfifo(shards / "shards.json")
    run = provisioner("run", "u.csv", "--emulator", "--shard", "1/2", cwd=tmp_path)
    (shards / "shard-1-of-2.results.summary.json").unlink()
    os.mkfifo(shards / "shard-1-of-2.results.summary.json")
    missing = provisioner("merge", "u.shards", cwd=tmp_path)
    status = provisioner("status", "u.shards/shard-1-of-2.results.csv", cwd=tmp_path)
    report = provisioner("report", "u.shards/shard-1-of-2.results.csv", cwd=tmp_path)
    assert (merged.exit_code, merged.summary["created"]) == (0, 4)
    assert (run.exit_code, "u.shards: has a shards.json that cannot be read" in run.stderr) == (2, True)
    assert missing.stderr == (
        "error: u.shards: 1 of 2 shards has no finished results: shard 1; run it, then merge again\n"
    )
    assert (missing.exit_code, status.exit_code, report.exit_code) == (2, 0, 0)


@pytest.mark.slow
def test_a_run_that_was_refused_leaves_a_finished_shard_what_it_was(tmp_path: Path) -> None:
    """Nothing was sent and its results are the same: the refusal's summary keeps that of the run, however often."""
    write_roster(tmp_path / "u.csv", [*people(9), {"uid": "a b", "name": "Blank"}])
    variables = {"COMETCHAT_API_KEY": KEY}
    shards, merge = tmp_path / "u.shards", ("merge", "u.shards", "--json")
    file = shards / "shard-1-of-2.results.summary.json"
    with emulator(tmp_path) as api:
        flags = ("run", "u.csv", "--shard")
        ends = [provisioner(*flags, f"{n}/2", *api.flags(), cwd=tmp_path, **variables).exit_code for n in (1, 2)]
        finished, whole = json.loads(file.read_bytes()), provisioner(*merge, cwd=tmp_path)
        told = []
        for _ in range(2):
            refused = provisioner(*flags, "1/2", "--base-url", "http://localhost:9/v3", cwd=tmp_path, **variables)
            told.append((refused.exit_code, json.loads(file.read_bytes())))
        merged = provisioner(*merge, cwd=tmp_path)
        provisioner(*flags, "1/2", *api.flags(), cwd=tmp_path, **variables)
    assert (sorted(ends), whole.exit_code, merged.exit_code) == ([0, 1], 1, 1)
    assert [(code, each["exit_code"], each["last_run"], "rows" in each) for code, each in told] == [
        (2, 2, finished, False)
    ] * 2
    assert {**merged.summary, "digests": {}} == {**whole.summary, "digests": {}}
    assert "last_run" not in json.loads(file.read_bytes())


@pytest.mark.slow
def test_what_an_undo_took_back_is_not_merged_as_created(tmp_path: Path) -> None:
    """Neither of a shard nor of a round, or of what was merged of it: what runs it again helps, and is told."""
    write_roster(tmp_path / "u.csv", [*people(8), {"uid": "a b", "name": "Blank"}])
    variables = {"COMETCHAT_API_KEY": KEY}
    with emulator(tmp_path) as api:
        first = ("run", "u.csv", *api.flags(), "-q", "--shard", "1/2")
        second = ("run", "u.csv", *api.flags(), "-q", "--shard", "2/2")
        mended = ("run", "u.results.rejected.csv", *api.flags(), "-q", "-o", "u.round2.results.csv")
        undo, shards = ("undo", *api.flags(), "--yes"), ("merge", "u.shards")
        rounds = ("merge", "u.results.csv", "u.round2.results.csv", "-o", "all.csv")

        def ended(*commands: tuple[object, ...]) -> list[tuple[int, str]]:
            done = [provisioner(*each, cwd=tmp_path, **variables) for each in commands]
            return [(each.exit_code, each.stderr) for each in done]

        assert [code for code, _ in ended(first, second, shards)] in ([0, 1, 1], [1, 0, 1])
        rejected = tmp_path / "u.results.rejected.csv"
        rejected.write_text(mended_rows := rejected.read_text().replace("a b", "a-b"))
        assert [code for code, _ in ended(mended, rounds)] == [0, 0]
        refused = []
        for part, again in (("u.shards/shard-1-of-2.results.csv", first), ("u.round2.results.csv", mended)):
            undone, of_shards, of_rounds = ended((*undo, part), shards, rounds)
            assert undone[0] == 0
            refused += [of_shards, of_rounds]
            rejected.write_text(mended_rows)  # a merge of shards sets aside what somebody has mended
            ended(again)
        whole = ended(rounds)
        created = {row["uid"] for row in rows(tmp_path / "all.csv") if row["outcome"] == "created"}
        active = {uid for uid, user in api.users().items() if user["deactivated_at"] is None}
    said, anew = "an undo has taken users of it back since", "run that again, and merge u.results.csv anew"
    assert refused.pop(2)[0] == 1
    assert refused == [
        (2, f"error: u.shards/shard-1-of-2.results.csv: {said}; run shard 1/2 again, then merge\n"),
        (2, f"error: {tmp_path}/u.shards/shard-1-of-2.results.csv: {said}; {anew}\n"),
        (2, f"error: u.round2.results.csv: {said}; run that round again, then merge\n"),
    ]
    assert (whole[0], created) == ((0, ""), active)


@pytest.mark.slow
def test_a_new_shard_of_another_roster_sends_nothing(tmp_path: Path) -> None:
    """Refused before the first request; each cure that is told works, and who ran before goes on when it is edited."""
    write_roster(tmp_path / "u.csv", people(9))
    write_roster(tmp_path / "v.csv", people(12))
    variables, shards = {"COMETCHAT_API_KEY": KEY}, tmp_path / "u.shards"
    with emulator(tmp_path) as api:

        def run(roster: str, number: int, *more: object, folder: Path = shards) -> tuple[int, str]:
            given = ("run", roster, "--shard", f"{number}/3", "-o", folder / f"{number}.csv", *api.flags(), *more)
            done = provisioner(*given, cwd=tmp_path, **variables)
            return done.exit_code, done.stderr

        checked = [run("v.csv", 2, "--dry-run")[0], shards.exists() and sorted(each.name for each in shards.iterdir())]
        assert run("u.csv", 1)[0] == 0
        sent = len(api.lines("audit"))
        refused = [run("v.csv", 2, *more) for more in ((), ("--restart",), ())]
        assert len(api.lines("audit")) == sent
        codes = [run("v.csv", 2, folder=tmp_path / "v")[0], run("u.csv", 2)[0], run("u.csv", 3)[0]]
        codes += [run("v.csv", number, "--restart")[0] for number in (1, 2, 3)]
        merged = provisioner("merge", shards, "-o", "all.csv", "--json", cwd=tmp_path)
        # The beginning of a roster tells nothing of the rest.
        codes += [
            run("u.csv", number, *more, folder=tmp_path / "w")[0] for number, more in ((1, ("--limit", "3")), (2, ()))
        ]
    assert checked == [0, ["2.check.summary.json"]]
    assert {code for code, _ in refused} == {2}
    assert all("u.shards: holds shards of a roster with other uids, so shard 2/3" in said for _, said in refused)
    assert codes == [0] * 8
    assert (merged.exit_code, merged.summary["rows"]) == (0, 12)

"""Promises 2 and 5, end to end: killed, interrupted, refused or cut off, the same command goes on where it stopped."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import socketserver
import threading
import time
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest

from tests.rig.between import Between, standing_between
from tests.rig.command import (
    KEY,
    PATIENCE,
    Finished,
    RunningEmulator,
    emulator,
    interrupt,
    people,
    provisioner,
    rows,
    start,
    started,
    wait_until,
    write_roster,
)  # fmt: skip

FAST = ("--requests-per-minute", 100_000_000, "--share", "100%")


def outcomes(path: Path) -> Counter[str]:
    return Counter(line["outcome"] for line in rows(path))


def assert_exact(api: RunningEmulator, results: Path, number: int) -> None:
    """Every row created, each user once, each with a token that is the API's for that user."""
    lines = rows(results)
    assert [line["row"] for line in lines] == [str(n) for n in range(1, number + 1)]
    assert Counter(line["outcome"] for line in lines) == {"created": number}
    assert sorted(api.created()) == sorted(line["uid"] for line in lines)
    users = api.users()
    assert all(line["auth_token"] in users[line["uid"]]["tokens"] for line in lines)


def test_killed_in_the_middle_of_2000_rows(tmp_path: Path) -> None:
    """SIGKILL with requests on the wire, then the same command: each user created once, each with its token."""
    roster = write_roster(tmp_path / "r.csv", people(2000))
    with emulator(tmp_path, "--latency", "20ms", "--core-limit", 100_000_000) as api:
        command = ("run", roster, *api.flags(), *FAST, "-o", "x.csv")
        kills = 0
        for enough in (400, 1000):
            with started(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
                while len(api.users()) < enough and process.poll() is None:
                    time.sleep(0.02)
                kills += process.poll() is None
                process.send_signal(signal.SIGKILL)
        ended = provisioner(*command, "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert kills == 2
        assert ended.exit_code == 0, ended.stderr
        assert ended.summary["created"] == 2000
        assert_exact(api, tmp_path / "x.csv", 2000)
        sent = Counter(
            record["uid"] for record in api.lines("audit") if record["method"] == "POST" and record["path"] == "/users"
        )
        settled_twice = [uid for uid, times in sent.items() if times > 1 + kills]
        assert settled_twice == []


@pytest.mark.sampled
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Requests on the wire finish, files are written, the command to resume is told; it then ends the job."""
    roster = write_roster(tmp_path / "r.csv", [*people(400), {"uid": "no good", "name": "N"}])
    with emulator(tmp_path, "--latency", "50ms") as api:
        command = ("run", roster, *api.flags(), "-o", "x.csv", "--json")
        with started(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(api.users()) > 30)
            ended = interrupt(process, number)
        assert ended.exit_code == code
        summary = ended.summary
        counted = outcomes(tmp_path / "x.csv")
        assert counted == {"created": summary["created"], "pending": summary["pending"], "rejected": 1}
        assert summary["created"] == len(api.users()) > 0
        assert summary["stopped_by"] == number.name.lower()
        (stop,) = ended.events("run.stopped")
        assert stop["resume"].startswith("provisioner run ")
        assert provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 1
        assert Counter(api.created()).most_common(1)[0][1] == 1
        assert outcomes(tmp_path / "x.csv") == {"created": 400, "rejected": 1}


@pytest.mark.slow
def test_a_second_interrupt_ends_at_once_and_loses_nothing(tmp_path: Path) -> None:
    """With requests that hang, the second SIGINT does not wait for them; resumed, the job ends exactly."""
    roster = write_roster(tmp_path / "r.csv", people(40))
    with emulator(tmp_path, "--latency", "2.5s") as api:
        with started("run", roster, *api.flags(), "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(api.users()) > 10)
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            began = time.monotonic()
            ended = interrupt(process)
        assert (ended.exit_code, time.monotonic() - began < 2) == (130, True)
        ended = provisioner("run", roster, *api.flags(), "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert ended.exit_code == 0, ended.stderr
        assert_exact(api, tmp_path / "x.csv", 40)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("options", "key", "reason"),
    [((), "f" * 40, "key"), (("--scope", "authOnly"), KEY, "scope"), (("--quota", "0"), KEY, "plan")],
)
def test_a_refusal_that_holds_for_every_row_stops_the_run(
    tmp_path: Path, options: tuple[str, ...], key: str, reason: str
) -> None:
    """Exit 4 after no more requests than can be on the wire; the rest is pending; the key is never shown."""
    roster = write_roster(tmp_path / "r.csv", people(500))
    with emulator(tmp_path, *options) as api:
        command = ("run", roster, *api.flags(), "--max-in-flight", 8, "-o", "x.csv", "--json", "-v")
        ended = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=key)
        assert ended.exit_code == 4
        assert 1 <= ended.summary["requests"] == len(api.lines("audit")) <= 1 + 8
    assert (ended.summary["pending"], ended.summary["stopped_by"]) == (500, reason)
    assert key not in ended.stderr + ended.stdout
    assert re.search("check|use|raise", ended.events("run.stopped")[0]["message"])


@pytest.mark.slow
def test_a_wrong_key_is_told_with_the_place_that_it_came_from(tmp_path: Path) -> None:
    """The file that the config names, or the variable, which wins over it."""
    roster = write_roster(tmp_path / "users.csv", people(1))
    (tmp_path / "acme.key").write_text("0" * 40)
    (tmp_path / "c.toml").write_text('[api]\napi_key_file = "acme.key"\n')
    with emulator(tmp_path) as api:
        for origin, variables in (("acme.key", {}), ("COMETCHAT_API_KEY", {"COMETCHAT_API_KEY": "1" * 40})):
            ended = provisioner("run", roster, *api.flags(), "-c", "c.toml", "--json", cwd=tmp_path, **variables)
            said = f"check the API key in {origin} and that it belongs to this app"
            assert (ended.exit_code, said in ended.stderr) == (4, True), ended.stderr


def test_a_wrong_endpoint_stops_the_run(tmp_path: Path) -> None:
    """A base URL that is no API root: exit 4, reason and what to do."""
    roster = write_roster(tmp_path / "r.csv", people(50))
    with emulator(tmp_path) as api:
        ended = provisioner(
            "run",
            roster,
            "--base-url",
            api.url + "/wrong/",
            "-o",
            "x.csv",
            "--json",
            cwd=tmp_path,
            COMETCHAT_API_KEY=KEY,
        )
    assert (ended.exit_code, ended.summary["stopped_by"], ended.summary["pending"]) == (4, "endpoint", 50)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["http://127.0.0.1:9/v3", "{api}/wrong"], ids=["nobody there", "no such endpoint"])
def test_after_a_wrong_address_the_same_command_with_the_right_one_goes_on(tmp_path: Path, wrong: str) -> None:
    """As the message says; nobody was sent to the wrong one, so status has no time at which that was."""
    (tmp_path / "quick.toml").write_text("[retry]\nunreachable_after = 0.5\nbackoff_base = 0.05\n")
    roster = write_roster(tmp_path / "r.csv", people(2))
    given = ("run", roster, "-c", "quick.toml", "-o", "x.csv", "--json")
    with emulator(tmp_path) as api:
        lost = provisioner(
            *given, "--base-url", wrong.format(api=api.url), cwd=tmp_path, COMETCHAT_API_KEY=KEY, NO_PROXY="*"
        )
        status = json.loads(provisioner("status", "x.csv", "--json", cwd=tmp_path).stdout)
        known = {name: status[name] for name in ("users", "first_sent_at", "next_run")}
        tried = provisioner(*given, *api.flags(), "--dry-run", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        found = provisioner(*given, *api.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (lost.exit_code, lost.summary["pending"]) == (4, 2)
    assert known == {"users": 0, "first_sent_at": None, "next_run": {"in_doubt": 0, "not_reached": 2}}
    assert (tried.exit_code, found.exit_code, found.summary["created"]) == (0, 0, 2), found.stderr


@pytest.mark.slow
def test_nobody_listening_stops_the_run_after_a_while(tmp_path: Path) -> None:
    """Unreachable: tried again, then exit 4; every row is pending and none in doubt."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "quick.toml").write_text("[retry]\nunreachable_after = 1\nbackoff_base = 0.05\n")
    roster = write_roster(tmp_path / "r.csv", people(50))
    ended = provisioner(
        "run", roster, "--base-url", f"http://127.0.0.1:{port}/v3", "-c", "quick.toml", "-o", "x.csv", "--json",
        cwd=tmp_path, COMETCHAT_API_KEY=KEY,
    )  # fmt: skip
    assert (ended.exit_code, ended.summary["stopped_by"], ended.summary["pending"]) == (4, "unreachable", 50)
    assert {line["attempts"] for line in rows(tmp_path / "x.csv")} == {"0"}


def behind(proxy: str, folder: Path) -> Finished:
    """A run whose only way to the API is this proxy."""
    (folder / "quick.toml").write_text("[retry]\nunreachable_after = 0.5\nbackoff_base = 0.05\n")
    roster = write_roster(folder / "r.csv", people(5))
    named = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
    flags = ("--base-url", "https://app.invalid/v3", "-c", "quick.toml", "-o", "x.csv", "--json")
    return provisioner("run", roster, *flags, cwd=folder, COMETCHAT_API_KEY=KEY, **named)


@pytest.mark.slow
def test_a_dead_proxy_is_named_as_what_stops_the_run(tmp_path: Path) -> None:
    """Not the API; tried again like any outage, then exit 4, and its password is nowhere."""
    ended = behind("http://ann:s3cret@127.0.0.1:9", tmp_path)
    assert (ended.exit_code, ended.summary["stopped_by"], ended.summary["pending"]) == (4, "unreachable", 5)
    said = ended.summary["message"]
    assert said.startswith("the proxy http://***@127.0.0.1:9 cannot be reached ("), said
    assert "); check HTTPS_PROXY in the environment, then resume" in said
    assert said in ended.stderr
    assert "s3cret" not in ended.stdout + ended.stderr


def test_a_proxy_that_wants_a_log_in_stops_the_run_at_once(tmp_path: Path) -> None:
    """No second try: it is named, and where its user and password go; nothing has left."""
    asked: list[bytes] = []

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline())
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            ended = behind(proxy := f"http://127.0.0.1:{server.server_address[1]}", tmp_path)
        finally:
            server.shutdown()
    found = [ended.summary[name] for name in ("stopped_by", "pending", "requests")]
    assert (ended.exit_code, *found) == (4, "proxy", 5, 0)
    todo = "put it into HTTPS_PROXY, as http://user:password@host:port; then resume"
    said = f"the proxy {proxy} wants a log-in (407 Proxy Authentication Required); {todo}"
    assert ended.summary["message"] == said
    assert asked == [b"CONNECT app.invalid:443 HTTP/1.1\r\n"]


class Paging(Between):
    """Answers the first creates of `odd` users with a page: uid → status."""

    odd: ClassVar[dict[str, int]] = {}

    def handed_back(self, body: bytes, status: int, answer: bytes) -> tuple[int, bytes]:
        """Let the API have what it answers with a page."""
        uid = json.loads(body).get("uid", "") if self.command == "POST" else ""
        instead = self.odd.pop(uid, None)
        return (status, answer) if instead is None else (instead, b"<html>")


@pytest.mark.slow
@pytest.mark.parametrize("status", [302, 403])
def test_a_page_of_what_stands_between_proves_nothing(
    tmp_path: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the run after the API has created the user: the same command finds that this user is of this job."""
    roster = write_roster(tmp_path / "r.csv", people(3))
    with emulator(tmp_path) as api:
        monkeypatch.setattr(Paging, "odd", {"person-00002": status})
        with standing_between(Paging, api) as url:
            command = ("run", roster, "--base-url", url, "--max-in-flight", 1, "-o", "x.csv", "--json")
            ended = [provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) for _ in range(2)]
        assert [(each.exit_code, each.summary["created"]) for each in ended] == [(4, 1), (0, 3)]
        assert_exact(api, tmp_path / "x.csv", 3)


def test_a_proxy_without_a_scheme_is_refused_before_anything(tmp_path: Path) -> None:
    """A wrong setting, like any other: exit 2, no journal, and what to write instead."""
    ended = behind("proxy.corp:3128", tmp_path)
    said = "HTTPS_PROXY: the proxy proxy.corp:3128 has no scheme; give it as http://proxy.corp:3128"
    assert (ended.exit_code, ended.summary["stopped_by"], ended.summary["message"]) == (2, "configuration", said)
    assert f"error: {said}" in ended.stderr
    assert not (tmp_path / "x.journal.db").exists()


def test_the_error_budget_stops_the_run(tmp_path: Path) -> None:
    """More failed rows than allowed: exit 3, the rest pending; failed rows are tried again by the same command."""
    roster = write_roster(tmp_path / "r.csv", [{**each, "role": "nobody"} for each in people(300)])
    with emulator(tmp_path) as api:
        options = ("--no-check-roles", "--max-in-flight", 4, "--max-failures", 20, "-o", "x.csv", "--json")
        first = provisioner("run", roster, *api.flags(), *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (first.exit_code, first.summary["stopped_by"]) == (3, "error_budget")
    assert 20 < first.summary["failed"] <= 24
    assert first.summary["failed_by_code"] == {"ERR_BAD_REQUEST": first.summary["failed"]}
    failed = next(line for line in rows(tmp_path / "x.csv") if line["outcome"] == "failed")
    assert "role" in failed["error_message"]


@pytest.mark.slow
def test_a_run_whose_folder_is_deleted_stops_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """Exit 3 at once: what was created is in results and journal again, with its tokens, and is not sent again."""
    roster, out = write_roster(tmp_path / "r.csv", people(300)), tmp_path / "out"
    with emulator(tmp_path, "--latency", "50ms") as api:
        command = ("run", roster, *api.flags(), "--max-in-flight", 2, "-o", "out/x.csv", "--json")
        with started(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(api.users()) > 3)
            shutil.rmtree(out)
            stdout, stderr = process.communicate(PATIENCE)
            first = Finished(process.wait(PATIENCE), stdout, stderr)
        created = len(api.users())
        second = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (first.exit_code, first.summary["stopped_by"], first.summary["created"]) == (3, "storage", created)
    assert created < 300
    assert "x.journal.db: was deleted or moved away while it was in use" in first.stderr
    assert (second.exit_code, second.summary["created"], second.summary["existing"]) == (0, 300, 0)
    assert all(line["auth_token"] for line in rows(out / "x.csv"))


@pytest.mark.slow
def test_a_run_that_took_the_place_of_a_deleted_journal_keeps_its_results(tmp_path: Path) -> None:
    """They are set aside, and with the copy in its place everybody is ours again, each with a token that works."""
    roster, out = write_roster(tmp_path / "r.csv", people(6)), tmp_path / "out"
    hang = {"script": [{"fault": "hang-after-commit", "uid": "person-00003", "route": "POST /users"}]}
    (tmp_path / "hang.json").write_text(json.dumps(hang))
    with emulator(tmp_path, "--fault-script", tmp_path / "hang.json") as api:
        command = ("run", roster, *api.flags(), "--max-in-flight", 1, "-o", "out/x.csv", "--json")
        with started(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(api.users()) == 3)
            time.sleep(0.5)  # until what has been answered is recorded
            for each in out.iterdir():
                each.unlink()
            second = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(PATIENCE)
        journal = out / "x.journal.db"
        (kept,) = out.glob("x.2*.csv")
        (copy,) = out.glob("x.journal.2*.db")
        journal.rename(out / "other.db")
        copy.rename(journal)
        last = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        tokens = {line["uid"]: line["auth_token"] for line in rows(out / "x.csv")}
    assert (second.exit_code, second.summary["created"], second.summary["existing"]) == (0, 3, 3)
    assert "marked as a copy" in stderr
    assert [line["outcome"] for line in rows(kept)] == ["existing"] * 3 + ["created"] * 3
    assert (last.exit_code, last.summary["created"], last.summary["existing"]) == (0, 6, 0)
    assert all(tokens.values())


@pytest.mark.slow
def test_two_runs_cannot_share_a_journal(tmp_path: Path) -> None:
    """The second one exits 2 and says who holds it; the lock ends with the process, however that ends."""
    roster = write_roster(tmp_path / "r.csv", people(6))
    with emulator(tmp_path, "--latency", "4s") as api:
        command = ("run", roster, *api.flags(), "--max-in-flight", 1, "-o", "x.csv")
        with started(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: len(api.users()) > 0)
            second = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            assert process.poll() is None
    with emulator(tmp_path) as other:
        third = provisioner("run", roster, *other.flags(), "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (second.exit_code, second.stdout) == (2, "")
    assert (third.exit_code, "in use" in third.stderr) == (2, False)
    assert f"in use by process {process.pid} on {socket.gethostname()}" in second.stderr


@pytest.mark.slow
def test_a_journal_of_another_app_is_refused(tmp_path: Path) -> None:
    """The journal knows the address it was made for: exit 2, nothing sent."""
    roster = write_roster(tmp_path / "r.csv", people(2))
    with emulator(tmp_path) as one, emulator(tmp_path) as other:
        provisioner("run", roster, *one.flags(), "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        ended = provisioner("run", roster, *other.flags(), "-o", "x.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert other.lines("audit") == []
    assert ended.exit_code == 2
    assert f"made for app (none) at {one.url}" in ended.stderr


def test_the_rate_is_used_and_never_exceeded(tmp_path: Path) -> None:
    """At 3,000 a minute: no second over its share, and 98 % of what is allowed after the first second."""
    roster = write_roster(tmp_path / "r.csv", people(400))
    with emulator(tmp_path, "--latency", "5ms") as api:
        options = ("--requests-per-minute", 3000, "--share", "100%", "-o", "x.csv")
        assert provisioner("run", roster, *api.flags(), *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        times = sorted(record["monotonic"] for record in api.lines("audit"))
    per_second = 3000 / 60
    for window in (1.0, 2.0, 5.0):
        fullest = max(bisect_left(times, begin + window) - i for i, begin in enumerate(times))
        assert fullest <= per_second * window + 10 + 5
    steady = [t for t in times if t >= times[0] + 1]
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 0.98 * per_second


@pytest.mark.slow
def test_a_429_holds_everyone(tmp_path: Path) -> None:
    """After a 429 with Retry-After nothing arrives but what was on the wire; every row is created all the same."""
    roster = write_roster(tmp_path / "r.csv", people(120))
    storm = tmp_path / "storm.json"
    storm.write_text('{"script": [{"fault": "storm", "nth": 50, "seconds": 1.0}]}')
    with emulator(tmp_path, "--fault-script", storm, "--latency", "5ms") as api:
        command = ("run", roster, *api.flags(), "--max-in-flight", 8, "-o", "x.csv", "--json")
        ended = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        audit = api.lines("audit")
    assert (ended.exit_code, ended.summary["created"]) == (0, 120)
    assert 1 <= ended.summary["rate_limited"] <= 8
    first = next(record["monotonic"] for record in audit if record["status"] == 429)
    assert [record["uid"] for record in audit if first + 0.2 < record["monotonic"] < first + 0.9] == []
    assert len(ended.events("rate.paused")) == 1


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_what_stops_a_night_before_its_first_change_is_said(tmp_path: Path, command: str) -> None:
    """What is wrong and what to do, in the words of the summary, and the command that goes on; not only that."""
    roster = write_roster(tmp_path / "r.csv", people(2))
    with emulator(tmp_path) as api:
        asked = (command, roster, "--state", "s.db", "--adopt", *api.flags(), "--log-format")
        ended = provisioner(*asked, "console", cwd=tmp_path, COMETCHAT_API_KEY="wrong")
        told = provisioner(*asked, "json", "--json", cwd=tmp_path, COMETCHAT_API_KEY="wrong")
    (stopped,) = told.events("run.stopped")
    message, again = stopped["message"], "stopped before anything was sent; again with: provisioner "
    assert (ended.exit_code, told.exit_code, stopped["reason"]) == (4, 4, "key")
    assert message.startswith("the API key is not accepted; check the API key in COMETCHAT_API_KEY")
    assert f"{message}\n{again}{command} " in ended.stderr
    assert (stopped["resume"].split()[:2], told.summary["message"]) == (["provisioner", command], message)


@pytest.mark.sampled
@pytest.mark.parametrize("places", [("out.csv",), ("out.rejected.csv", "out.summary.json"), ("tokens.csv",)])
def test_files_that_cannot_be_written_at_the_end_stop_a_run_that_the_same_command_ends(
    tmp_path: Path, places: tuple[str, ...]
) -> None:
    """The counts are told, the cure names no other output, and whom it created stays created, with a token."""
    write_roster(tmp_path / "people.csv", [*people(60), {"uid": "", "name": "Nobody"}])
    with emulator(tmp_path, "--latency", "20ms") as api:
        command = ("run", "people.csv", *api.flags(), "-o", "out.csv", "--tokens-to", "tokens.csv", "--json")
        running = start(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: bool(api.created()))
        for place in places:  # as a disk that takes no more
            (tmp_path / place).mkdir()
        ended = running.end()
        counts = {"rows": 61, "created": 60, "rejected": 1, "pending": 0, "stopped_by": "storage", "exit_code": 3}
        assert {name: ended.summary[name] for name in counts} == counts, ended.stderr
        assert (ended.exit_code, ended.events("run.refused")) == (3, [])
        (stopped,) = ended.events("run.stopped")
        why = (
            f"{places[0]}: cannot be written (Is a directory); make room or mend that, then run the same command again"
        )
        assert (stopped["message"], ended.summary["message"]) == (why, why)
        assert stopped["resume"] == f"provisioner {' '.join(command)}"
        if "out.summary.json" not in places:
            assert json.loads((tmp_path / "out.summary.json").read_text()) == ended.summary
        for place in places:
            (tmp_path / place).rmdir()
        again = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (again.exit_code, again.summary["requests"], again.summary["created"]) == (1, 0, 60)
        assert again.events("file.set_aside") == again.events("results.set_aside") == []
        assert len(rows(tmp_path / "tokens.csv")) == 60

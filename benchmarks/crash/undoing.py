"""Exact when a run is taken back? `python -m benchmarks.crash.undoing --users 300 --kills 100 --seed 1`.

Runs a roster against an emulator in which users are there before, kills that run a few times, has another hand touch
some users, and takes the run back with the real `undo`, which is killed at random instants while a part of all requests
goes wrong. What the emulator then holds is compared with what it held before the run. Exit code 1 unless every check
comes out at zero.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.crash.campaign import CONFIG
from benchmarks.crash.report import Report, tell_offenders
from benchmarks.crash.scenario import ROLE, hostility
from benchmarks.rig.backstage import Api, emulator
from benchmarks.rig.copies import a_copy_of
from benchmarks.rig.harness import BenchmarkError, lines_of
from benchmarks.rig.victim import Victim
from provisioner.emulator.app.faults import Fault

Users = Mapping[str, Mapping[str, Any]]

HEAD: Final = ("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags", "left")
_MAPPED: Final = '[columns]\ndeactivated = "left"\n'
_SKEW: Final = 180.0
_PER_MINUTE: Final = 5000
_AMBUSHES: Final = 2
# Requests that a user takes, about.
_REQUESTS: Final = 2.5
# What no undo can bring back, and no comparison looks at.
_TIMES: Final = ("created_at", "updated_at", "deactivated_at", "last_active_at", "tokens")


@dataclass(frozen=True, slots=True)
class Options:
    """One campaign.

    users      rows of the roster: a third is there before
    run_kills  how often the run is killed before it is taken back; the last kill may leave it partly finished
    rate       share of the requests that a fault strikes
    disabled   share of the rows that say that their user is deactivated
    """

    users: int = 300
    kills: int = 100
    run_kills: int = 3
    seed: int = 1
    rate: float = 0.1
    permanent: bool = False
    finished: bool = True
    disabled: float = 0.2


@dataclass(slots=True)
class Evidence:
    """What the emulator held and saw, and what the command claims.

    before, left, after  users before the run, when the undo began (others' changes included), and when it had ended
    ours       uids that the run created
    touched    uids that another hand has changed in between
    audit      of the undo alone
    reversed_  uid → monotonic seconds from which on the journal said so
    anew       users after one more run
    disabled   uids whose rows say that they are deactivated
    differing  uid → fields that differ by the proof of that run
    """

    before: Users
    left: Users
    after: Users
    anew: Users
    ours: frozenset[str]
    touched: frozenset[str]
    strangers: frozenset[str]
    audit: Sequence[Mapping[str, Any]]
    ends: Sequence[tuple[int, str, Mapping[str, Any] | None]]
    lines: Sequence[Mapping[str, str]]
    results: Sequence[Mapping[str, str]]
    reversed_: Mapping[str, float]
    damaged: Sequence[str]
    permanent: bool
    disabled: frozenset[str] = frozenset()
    differing: Mapping[str, Sequence[str]] = field(default_factory=dict)


def profile(user: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give what is compared of a user: what is empty is not there."""
    if user is None:
        return None
    kept = {name: value for name, value in user.items() if name not in _TIMES and value not in (None, [], {})}
    return kept | {"active": user["deactivated_at"] is None}


def not_as_before(evidence: Evidence) -> Iterator[str]:
    """Who was there before, and whom nobody else touched, is as it was; but for status messages, which stay."""
    for uid, user in evidence.before.items():
        was, now = profile(user), profile(evidence.after.get(uid))
        if uid not in evidence.touched and was and now and "status_message" not in was:
            now.pop("status_message", None)
        if uid not in evidence.touched and was != now:
            yield f"{uid}: {was} before, {now} now"


def not_taken_back(evidence: Evidence) -> Iterator[str]:
    """Whom the run created is gone, or deactivated, unless another hand has touched it."""
    for uid in evidence.ours - evidence.touched:
        user = evidence.after.get(uid)
        if (user is not None) if evidence.permanent else (user is None or user["deactivated_at"] is None):
            yield f"{uid}: {profile(user)}"


def touched_changed(evidence: Evidence) -> Iterator[str]:
    """Whom another hand has touched is as that left it."""
    for uid in evidence.touched:
        if evidence.left[uid] != evidence.after.get(uid):
            yield f"{uid}: {evidence.left[uid]} left, {evidence.after.get(uid)} now"


def strangers_asked_about(evidence: Evidence) -> Iterator[str]:
    """No request is about anybody whom the roster does not name."""
    yield from (f"{each['uid']}: {each['did']}" for each in evidence.audit if each["uid"] in evidence.strangers)


def undone_twice(evidence: Evidence) -> Iterator[str]:
    """Nobody is deactivated or deleted twice; nothing is asked about whom the journal knows as reversed."""
    for did in ("deactivated", "deleted"):
        times = Counter(each["uid"] for each in evidence.audit if each["did"] == did)
        yield from (f"{uid}: {did} {number} times" for uid, number in times.items() if number > 1)
    for each in evidence.audit:
        if each["monotonic"] >= evidence.reversed_.get(each["uid"], float("inf")):
            yield f"{each['uid']}: {each['method']} {each['path']} after it was reversed"


def list_wrong(evidence: Evidence) -> Iterator[str]:
    """One line for each user of the run, with what became of it, and a summary that adds up to them."""
    verdicts = Counter(line["verdict"] for line in evidence.lines)
    for uid, number in Counter(line["uid"] for line in evidence.lines).items():
        if number > 1:
            yield f"{uid}: {number} lines"
    for line in evidence.lines:
        uid, stuck = line["uid"], line["reason"] == "not_clearable"
        expected = "kept" if uid in evidence.touched or stuck else "reversed"
        if line["verdict"] != expected:
            yield f"{uid}: {line['verdict']} {line['reason']} {line['message']}, not {expected}"
    if missing := evidence.ours - {line["uid"] for line in evidence.lines}:
        yield f"not listed: {sorted(missing)}"
    summary = evidence.ends[-1][2] or {}
    told = {name: summary.get(name) for name in ("users", "reversed", "kept", "failed", "pending")}
    if told != {"users": verdicts.total(), **{name: verdicts[name] for name in list(told)[1:]}}:
        yield f"the summary says {told}, the list {dict(verdicts)}"


def ended_wrong(evidence: Evidence) -> Iterator[str]:
    """Every undo ends by a kill, a signal, the fault in wait, or by itself; the journal is whole."""
    yield from evidence.damaged
    for code, said, summary in evidence.ends:
        stopped = code == 4 and summary is not None and summary["stopped_by"] == "key"
        # Interrupted while the interpreter itself began: nothing of ours was there yet.
        if code == 1 and said.rstrip().endswith("KeyboardInterrupt") and "provisioner" not in said:
            continue
        if "Traceback" in said or (code not in {0, 1, 130, 143, -2, -9, -15} and not stopped):
            yield f"exit code {code}: {said[-400:]}"


def not_created_again(evidence: Evidence) -> Iterator[str]:
    """One more run creates all that was taken back, with tokens that the API knows; the disabled have none."""
    for line in evidence.results:
        uid = line["uid"]
        new = uid not in evidence.before and uid not in evidence.touched
        user = evidence.anew.get(uid) or {"tokens": (), "deactivated_at": None}
        known, away = line["auth_token"] in user["tokens"], user["deactivated_at"] is not None
        disabled = uid in evidence.disabled
        if new and (line["outcome"] != "created" or known is disabled or away is not disabled):
            yield f"{uid}: {line['outcome']} {line['error_code']} {line['error_message']}, token known: {known}"


def proved_wrong(evidence: Evidence) -> Iterator[str]:
    """Ask what the proof of that run says: whom the run created is as the roster has it, and each standing is told."""
    for uid in {line["uid"] for line in evidence.results} - evidence.touched:
        user, fields = evidence.anew.get(uid), evidence.differing.get(uid, ())
        wrong = user is None or (user["deactivated_at"] is not None) is not (uid in evidence.disabled)
        if ("standing" in fields) is not wrong or (fields and uid not in evidence.before):
            yield f"{uid}: {', '.join(fields) or 'nothing'} differs, {profile(user)}"


CHECKS: Final = {
    "not as before": not_as_before,
    "not taken back": not_taken_back,
    "touched by others, and changed": touched_changed,
    "strangers asked about": strangers_asked_about,
    "undone twice": undone_twice,
    "list wrong": list_wrong,
    "undos ended wrong": ended_wrong,
    "not created again": not_created_again,
    "proved wrong": proved_wrong,
}


@dataclass(slots=True)
class Campaign:
    """One roster, one emulator, a run, and many undos of it."""

    options: Options
    folder: Path
    api: Api
    random: Random = field(init=False)
    reversed_: dict[str, float] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    ends: list[tuple[int, str, Mapping[str, Any] | None]] = field(default_factory=list)
    kills: int = 0
    expected: int = 0
    settled: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.options.seed)

    @property
    def _results(self) -> Path:
        return self.folder / "out.csv"

    def conduct(self) -> Evidence:
        """Run it, have others touch some of it, take it back, and run it once more."""
        (self.folder / "quick.toml").write_text(CONFIG + _MAPPED)
        before = {user["uid"]: user for user in self._there_before()}
        self.api.put("users", "\n".join(map(json.dumps, before.values())))
        before = self.api.users()
        disabled = self._write_roster(before)
        self._run()
        touched = self._touch(before)
        users = self.api.users()
        self.expected = sum(before.get(uid) != user for uid, user in users.items())
        left, place = self.api.users(), len(self.api.audit())
        created = frozenset(each["uid"] for each in self.api.audit() if each["did"] == "created")
        self._undo_until_done()
        after, audit = self.api.users(), self.api.audit()[place:]
        lines = lines_of(self.folder / "out.undo.csv")
        self.api.put("faults", "{}")
        self._once("run", None)
        results = lines_of(self._results)
        anew, ends = self.api.users(), self.ends[:-1]
        self._once("verify", None)
        late = frozenset(each["uid"] for each in audit if each["did"] == "created")
        return Evidence(
            before, left, after, anew, created | late, touched, frozenset(before) - self._named(before),
            audit, ends, lines, results, self.reversed_, self.damaged, self.options.permanent, disabled,
            self._differing(),
        )  # fmt: skip

    def _differing(self) -> Mapping[str, Sequence[str]]:
        code, said, proof = self.ends[-1]
        if code not in {0, 1} or proof is None:
            raise BenchmarkError(f"verify: exit {code}: {said[-400:]}")
        found: dict[str, list[str]] = {}
        for line in lines_of(self.folder / "out.differences.csv"):
            found.setdefault(line["uid"], []).append(line["field"])
        return found

    def _named(self, before: Users) -> frozenset[str]:
        return frozenset(uid for uid in before if not uid.startswith("stranger"))

    def _there_before(self) -> Iterator[dict[str, Any]]:
        now, random = int(time.time() + _SKEW), self.random
        for number in range(self.options.users // 3 + self.options.users // 10):
            uid = f"old-{number:05}" if number < self.options.users // 3 else f"stranger-{number:05}"
            user: dict[str, Any] = {
                "uid": uid,
                "name": f"As it was {number}",
                "created_at": now - random.randrange(10, 10**7),
            }
            maybe = {
                "avatar": f"https://a.example/{number}", "link": f"https://l.example/{number}", "role": ROLE,
                "status_message": f"was {number}", "metadata": {"n": number, "deep": {"list": [1, 2.5, None]}},
                "tags": ["as", "it", "was"], "updated_at": now - 9,
            }  # fmt: skip
            user |= {name: value for name, value in maybe.items() if random.random() < 0.5}
            yield user | ({"deactivated_at": now - 5} if random.random() < 0.1 else {})

    def _write_roster(self, before: Users) -> frozenset[str]:
        random, uids = self.random, sorted(self._named(before))
        uids += [f"new-{number:05}" for number in range(self.options.users - len(uids))]
        random.shuffle(uids)
        disabled = frozenset(uid for uid in uids if random.random() < self.options.disabled)
        with (self.folder / "roster.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD)
            for uid in uids:
                values = (
                    "https://new.example/a", "https://new.example/l", random.choice((ROLE, "default")), "new",
                    '{"new": 1}', "new;tag",
                )  # fmt: skip
                given = (each if random.random() < 0.6 else "" for each in values)
                writer.writerow((uid, f"New {uid}", *given, "yes" if uid in disabled else ""))
        return disabled

    def _run(self) -> None:
        """Carry out the run; the faults strike it as well."""
        self._strike()
        for _ in range(self.options.run_kills):
            self._once("run", self.random.uniform(0.2, 1.5))
        if self.options.finished:
            while self._once("run", None) not in {0, 1}:
                pass
        self.ends.clear()
        self.kills = 0

    def _touch(self, before: Users) -> frozenset[str]:
        """Have another hand touch a tenth of the users that the run has touched, certainly later."""
        self.api.put("faults", "{}")
        time.sleep(1.5)  # what comes late has come
        now, users = int(time.time() + _SKEW) + 60, self.api.users()
        ours = [uid for uid in users if not uid.startswith("stranger")]
        ours = [uid for uid in ours if uid not in before or users[uid]["updated_at"] != before[uid]["updated_at"]]
        chosen = sorted(self.random.sample(ours, len(ours) // 10))
        for uid in chosen:
            user = dict(users[uid])
            how = self.random.choice(("name", "link", "away"))
            if user["deactivated_at"] is not None:
                user |= {"deactivated_at": None, "updated_at": now}  # whom the run has deactivated comes back
            elif how == "away":
                user |= {"deactivated_at": now}
            else:
                user |= {how: "https://another.example/hand", "updated_at": now}
            self.api.put("users", json.dumps(user))
        return frozenset(chosen)

    def _undo_until_done(self) -> None:
        ambushes = _AMBUSHES if self.options.rate else 0
        self._strike(ambush=ambushes > 0)
        # Bounded: what does not come to an end is a finding, too.
        while len(self.ends) < 2 * self.options.kills + 20:
            killing = self.kills < self.options.kills
            code = self._once("undo", self.random.uniform(0, 2 * self._dwell()) if killing else None)
            self._take_reversed()
            if code == 4:
                ambushes -= 1
                self._strike(ambush=ambushes > 0)
            if code in {0, 1} and not killing:
                return

    def _dwell(self) -> float:
        """Seconds of sending for a kill, so that users and kills run out together."""
        left = max(1, self.options.kills - self.kills)
        return min(1.0, max(0.02, (self.expected - self.settled) * _REQUESTS * 60 / _PER_MINUTE / left))

    def _once(self, command: str, patience: float | None) -> int:
        """Start the command; kill it when it has lasted so many seconds. Its exit code."""
        options, random = self.options, self.random
        arguments = ["run", "roster.csv", "-o", "out.csv", "--on-existing", "update", "--max-failures", "50%"]
        if command == "undo":
            permanent = ["--permanent", self.api.url] if options.permanent else []
            arguments = ["undo", "out.csv", "--yes", *permanent]
        elif command == "verify":
            arguments = ["verify", "roster.csv", "-o", "out.csv"]
        rate = ["--requests-per-minute", str(_PER_MINUTE), "--share", "100%", "--max-in-flight", "16"]
        line = [sys.executable, "-m", "provisioner", *arguments]
        line += ["--base-url", self.api.url, "--json", "-c", "quick.toml", *rate]
        with Victim(line, self._results, self.api) as victim:
            if patience is not None and self._comes_to_the_instant(victim, patience):
                if random.random() < 0.1:
                    victim.interrupt(signal.SIGINT)
                    victim.passes(random.uniform(0, 0.2))
                victim.kill()
                self.kills += 1
            code = victim.end()
            said, told = victim.output()
        self.ends.append((code, told, json.loads(said) if said.endswith("}\n") else None))
        return code

    def _comes_to_the_instant(self, victim: Victim, patience: float) -> bool:
        """Nine in ten once it sends; the others at any instant of its start, or when there is nothing left to send."""
        if self.random.random() < 0.1 or 0 < self.expected <= self.settled:
            return victim.passes(self.random.uniform(0, 1.5))
        return victim.comes_to(victim.sending) and victim.passes(patience)

    def _strike(self, *, ambush: bool = False) -> None:
        """Put the faults in force; in ambush the key is revoked once."""
        plan = hostility("all" if self.options.rate else "none", self.options.rate, []).plan(None, 0)
        if ambush:
            nth, route = self.random.randrange(5, 60), "GET /users/{uid}"
            plan["script"] = [{"fault": Fault.REVOKE_KEY, "nth": nth, "route": route}, *plan["script"]]
        self.api.put("faults", json.dumps(plan))

    def _take_reversed(self) -> None:
        """Note who is reversed by the journal of an undo that has ended."""
        now = time.monotonic()
        try:
            with a_copy_of(self._results.with_suffix(".journal.db")) as database:
                settled = "SELECT count(*) FROM reversals WHERE state = 'settled'"
                self.settled = database.execute(settled).fetchone()[0]
                query = "SELECT uid FROM users JOIN reversals USING (id) WHERE verdict = 'reversed'"
                known = {uid for (uid,) in database.execute(query)}
        except sqlite3.Error as error:
            self.damaged.append(str(error))
            return
        self.damaged += [f"{uid}: reversed, and later not" for uid in self.reversed_ if uid not in known]
        for uid in known:
            self.reversed_.setdefault(uid, now)


def campaign(options: Options, folder: Path) -> Report[Options]:
    """Conduct and judge one campaign in an empty folder. Raises BenchmarkError."""
    began = time.monotonic()
    given = [
        *("--seed", str(options.seed), "--role", ROLE, f"--clock-skew={_SKEW}s", "--latency", "0.005s"),
        *("--latency-jitter", "0.05s", "--core-limit", str(_PER_MINUTE)),
    ]
    with emulator(folder / "audit.ndjson", *given) as api:
        conducted = Campaign(options, folder, api)
        evidence = conducted.conduct()
    offenders = {name: list(check(evidence)) for name, check in CHECKS.items()}
    figures = {
        "verdicts": dict(Counter(line["verdict"] for line in evidence.lines)),
        "kept": dict(Counter(line["reason"] for line in evidence.lines if line["verdict"] == "kept")),
        "undos": len(evidence.ends),
        "kills": conducted.kills,
        "requests": len(evidence.audit),
        "did": dict(Counter(each["did"] for each in evidence.audit)),
        "faults": sum(each["fault"] is not None for each in evidence.audit),
        "seconds": round(time.monotonic() - began, 1),
    }
    return Report(options, offenders, figures)


def main() -> None:
    """Read the arguments, conduct and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash.undoing", description="Exact when taken back?")
    usual = Options()
    for name in ("users", "kills", "run_kills", "seed"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(usual, name))
    for name in ("rate", "disabled"):
        parser.add_argument(f"--{name}", type=float, default=getattr(usual, name))
    parser.add_argument("--permanent", action="store_true")
    parser.add_argument("--unfinished", dest="finished", action="store_false", help="take back a run that was killed")
    options = Options(**vars(parser.parse_args()))
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = campaign(options, Path(folder))
    except BenchmarkError as error:
        sys.exit(f"benchmarks.crash.undoing: {error}")
    for name, lines in report.offenders.items():
        print(f"{len(lines):>8}  {name}")
    tell_offenders(report)
    print(json.dumps(report.document))
    sys.exit(0 if report.passed else 1)


if __name__ == "__main__":
    main()

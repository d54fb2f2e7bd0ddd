"""The verdict on one night: what the command claims and did, held against what the books say it had to come to.

Each check is a function that gives the offenders, one line each. Results, summaries and state are claims; the
emulator's audit and its users are the facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.nights.evidence import KILLED, Evidence, Session
from benchmarks.nights.schedule import GUARDS, Guard, Kind

ROW_OUTCOMES: Final = (
    "rejected", "created", "existing", "updated", "unchanged", "reactivated", "failed", "pending",
)  # fmt: skip
MAX_DURATION_EXIT: Final = 5
_EXAMPLES: Final = 3


def ended_wrong(evidence: Evidence) -> Iterator[str]:
    """Every run ends as it has to: by the kill, by its time limit, refusing, or with rows to mend, or well."""
    last = 3 if evidence.kind.refused else 1 if evidence.expected.counts["rejected"] else 0
    early = {
        Kind.KILLED: KILLED,
        Kind.KILLED_AMONG_FAULTS: KILLED,
        Kind.CUT_SHORT: MAX_DURATION_EXIT,
        Kind.PLANNED: last,
    }
    for number, session in enumerate(evidence.sessions, 1):
        final = number == len(evidence.sessions)
        wanted = last if final else early.get(evidence.kind, last)
        if session.exit_code != wanted or "Traceback" in session.told:
            yield f"run {number}: exit code {session.exit_code} instead of {wanted}: {session.told[-500:]}"
    guard = GUARDS.get(evidence.kind)
    reason = guard.reason if guard else None
    if evidence.document.get("stopped_by") != reason:
        yield f"stopped by {evidence.document.get('stopped_by')} instead of {reason}"
    if guard is not None:
        yield from _misnamed(evidence, guard)


def _misnamed(evidence: Evidence, guard: Guard) -> Iterator[str]:
    """Tell where the first reason is not the guard's, with its option and three examples, all in the sentence."""
    refusal: Mapping[str, Any] = next(iter(evidence.document.get("refused", ())), {})
    message, examples = str(evidence.document.get("message")), refusal.get("examples", ())
    if (refusal.get("reason"), refusal.get("option")) != (guard.reason, guard.option):
        yield f"refused by {refusal.get('reason')} ({refusal.get('option')}) instead of {guard.reason}"
    if guard.option is not None:
        if guard.option not in message:
            yield f"the message does not name {guard.option}: {message}"
        if len(examples) != _EXAMPLES or any(each["uid"] not in message for each in examples):
            yield f"{len(examples)} examples, and not each is in the message: {message}"


def directory_wrong(evidence: Evidence) -> Iterator[str]:
    """After a good night the app's users are those of the books, no more and no fewer, and each field is right."""
    if evidence.kind.refused:
        return
    for uid in sorted(set(evidence.known) | set(evidence.users)):
        known, user = evidence.known.get(uid), evidence.users.get(uid)
        if known is None or user is None:
            yield f"{uid} is {'there' if user else 'missing'}"
        elif (shown := as_shown(user)) != known.profile.shown():
            yield f"{uid} is {shown} and not {known.profile.shown()}"
        elif known.active == bool(user["deactivated_at"]):
            yield f"{uid} is {'deactivated' if known.active else 'active'}"


def as_shown(user: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a user has set, as `Profile.shown` does."""
    names = ("name", "avatar", "link", "role", "status_message", "metadata")
    fields = {name: user[name] for name in names}
    return {name: value for name, value in {**fields, "tags": sorted(user["tags"] or ())}.items() if value}


def others_touched(evidence: Evidence) -> Iterator[str]:
    """Nobody but those whom the night is about is any different: not the unchanged, not the strangers."""
    touched = frozenset() if evidence.kind.refused else evidence.expected.touched
    for uid, user in evidence.before.items():
        if uid not in touched and evidence.users.get(uid) != user:
            yield f"{uid} was {user} and is {evidence.users.get(uid)}"
    for record in evidence.changing:
        if evidence.kind.refused or (record["uid"] is not None and record["uid"] not in touched):
            yield f"{record['method']} {record['path']} for {record['uid']}"


def results_wrong(evidence: Evidence) -> Iterator[str]:
    """One line for each row, in roster order, then one for each leaver that was to go; on a bad night the old ones."""
    if evidence.kind.refused:
        if not evidence.results_kept:
            yield "the results of the night before have changed"
        return
    rows, outcomes = evidence.expected.rows, evidence.expected.outcomes
    wanted = [
        (str(number), row.cells["uid"], outcome)
        for number, (row, outcome) in enumerate(zip(rows, outcomes, strict=True), 1)
    ]
    found = [(line["row"], line["uid_input"], line["outcome"]) for line in evidence.results]
    yield from _differences(wanted, found[: len(wanted)])
    for row, line in zip(rows, evidence.results, strict=False):
        if row.left and not row.rejected and line["error_code"] != "deactivated":
            yield f"{row.uid} is named as deactivated, and its line says {line['error_code']}"
    gone = sorted(("", uid, "deactivated") for uid in evidence.expected.due - evidence.expected.named)
    more = evidence.results[len(wanted) :]
    yield from _differences(gone, sorted((line["row"], line["uid"], line["outcome"]) for line in more))


def _differences(wanted: Sequence[tuple[str, ...]], found: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if len(wanted) != len(found):
        yield f"{len(found)} lines instead of {len(wanted)}"
    for one, other in zip(wanted, found, strict=False):
        if one != other:
            yield f"{other} instead of {one}"


def summary_wrong(evidence: Evidence) -> Iterator[str]:
    """Numbers of the summary are those of the books and add up; the leavers file names the leavers."""
    told, expected = evidence.document, evidence.expected
    leavers = told.get("leavers", {})
    if told.get("rows") != sum(told.get(name, 0) for name in ROW_OUTCOMES):
        yield "the outcomes do not add up to the rows"
    if leavers.get("found") != sum(number for name, number in leavers.items() if name != "found"):
        yield "the fates of the leavers do not add up to the leavers"
    wanted = {"rows": len(expected.rows)}
    if not evidence.kind.refused:
        counts = expected.counts
        wanted |= {name: counts[name] for name in ROW_OUTCOMES} | {"deactivated": len(expected.due)}
        wanted |= {"sessions_flushed": len(expected.due)}
        wanted |= {"tokens": sum(bool(line["auth_token"]) for line in evidence.results)}
        if evidence.leavers != (expected.leavers if leavers.get("found") else frozenset()):
            yield "the leavers file names others than the leavers"
    wanted |= {"leavers": len(expected.leavers)}
    found = {name: leavers.get("found") if name == "leavers" else told.get(name) for name in wanted}
    if found != wanted:
        yield f"{_unequal(found, wanted)}"
    if evidence.kind.refused and evidence.leavers != expected.leavers:
        yield "the leavers file of the bad night names others than the leavers"
    if evidence.drift is not None and told.get("directory") != evidence.drift:
        yield f"by another hand: {told.get('directory')} instead of {evidence.drift}"
    if all(session.document for session in evidence.sessions):
        counted = sum(
            # One whose time was over before it had its plan counts nothing.
            session.document.get("requests", 0)
            for session in evidence.sessions
            if session.document and session.verb == "sync"
        )
        if counted != len(evidence.audit):
            yield f"{counted} requests were counted, {len(evidence.audit)} arrived"


def _unequal(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {found[name]} instead of {wanted[name]}" for name in wanted if found[name] != wanted[name]
    )


def plan_wrong(evidence: Evidence) -> Iterator[str]:
    """Plans send nothing, and tell just what is done afterwards."""
    for session, after in zip(evidence.sessions, evidence.sessions[1:], strict=False):
        if session.verb != "plan":
            continue
        if sent := [record for record in evidence.audit if session.begins <= record["seq"] < after.begins]:
            yield f"{len(sent)} requests were sent"
        expected = evidence.expected
        counts, gone = expected.counts, len(expected.due)
        wanted = {
            "rows": len(expected.rows),
            "rejected": counts["rejected"],
            "create": counts["created"],
            "update": counts["updated"] - len(expected.named),
            "reactivate": counts["reactivated"],
            "deactivate": gone,
            "unchanged": counts["unchanged"],
            "tokens": counts["created"] + expected.mints,
            "requests": {
                "core": counts["created"] + expected.mints + gone,
                "standard": counts["reactivated"] + expected.updates + gone,
            },
            "flush": gone,
        }
        found = {name: (session.document or {}).get(name) for name in wanted}
        if found != wanted:
            yield _unequal(found, wanted)


def too_many_requests(evidence: Evidence) -> Iterator[str]:
    """No more requests than the changes take, and what else is allowed."""
    if len(evidence.audit) > evidence.allowed:
        did = dict(Counter(record["did"] for record in evidence.audit))
        yield f"{len(evidence.audit)} requests for {evidence.needed} changes, {evidence.allowed} allowed: {did}"


def created_twice(evidence: Evidence) -> Iterator[str]:
    """Nobody is created again, unless another hand has deleted the user."""
    for uid, times in evidence.created.items():
        if times > 1 + evidence.deleted.get(uid, 0):
            yield f"{uid} was created {times} times"


def tokens_wrong(evidence: Evidence) -> Iterator[str]:
    """Whoever was created tonight has a token in results and state, and the server knows every token in the state."""
    if not evidence.kind.refused:
        outcomes, lines = evidence.expected.outcomes, evidence.results
        for row, outcome, line in zip(evidence.expected.rows, outcomes, lines, strict=False):
            if outcome == "created" and (not line["auth_token"] or line["auth_token"] != evidence.tokens.get(row.uid)):
                yield f"{row.uid} was created, but its token is not in results and state"
    for uid, token in evidence.tokens.items():
        if token not in evidence.users.get(uid, {}).get("tokens", ()):
            yield f"the server does not know the token of {uid}"


def sessions_wrong(evidence: Evidence) -> Iterator[str]:
    """Who was deactivated tonight has no auth token any more, nor a line with one; everybody else has all of theirs."""
    due = frozenset() if evidence.kind.refused else evidence.expected.due
    for uid, user in evidence.before.items():
        after = evidence.users.get(uid, {}).get("tokens", ())
        if uid in due and after:
            yield f"{uid} was deactivated, and {len(after)} auth tokens are left"
        elif uid not in due and (lost := set(user["tokens"]) - set(after)):
            yield f"{uid} is no leaver, and lost {len(lost)} auth tokens"
    if not evidence.kind.refused:
        for line in evidence.results:
            if line["uid"] in due and line["auth_token"]:
                yield f"the line of {line['uid']}, a leaver, holds an auth token"


def settled_sent_again(evidence: Evidence) -> Iterator[str]:
    """Whatever a run has settled tonight is not sent again by the next."""
    for number, session in enumerate(evidence.sessions, 1):
        for record in evidence.changing:
            if record["seq"] >= session.begins and record["uid"] in session.settled:
                yield f"run {number}: {record['method']} {record['path']} for {record['uid']}"


CHECKS: Final[Mapping[str, Callable[[Evidence], Iterator[str]]]] = {
    "ended wrong": ended_wrong,
    "directory wrong": directory_wrong,
    "others touched": others_touched,
    "results wrong": results_wrong,
    "summary wrong": summary_wrong,
    "plan wrong": plan_wrong,
    "too many requests": too_many_requests,
    "created twice": created_twice,
    "tokens wrong": tokens_wrong,
    "sessions wrong": sessions_wrong,
    "settled users sent again": settled_sent_again,
}


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """Give the offenders of every check; a night has passed when there are none."""
    return {name: list(check(evidence)) for name, check in CHECKS.items()}


def history_wrong(nights: Sequence[Mapping[str, Any]], sessions: Sequence[Session]) -> Iterator[str]:
    """Tell in what `history` (the earliest night first) differs from the runs there were.

    A run whose time was over before anything was to be sent is no night.
    """
    began = (session for session in sessions if session.document is not None or session.exit_code == KILLED)
    syncs = [session for session in began if session.verb == "sync"]
    if len(nights) != len(syncs):
        yield f"{len(nights)} nights instead of {len(syncs)}"
    for number, (night, session) in enumerate(zip(nights, syncs, strict=False), 1):
        if session.document is None:
            wanted: dict[str, Any] = {"stopped_by": "killed", "good": False, "rows": None, "requests": None}
        else:
            names = ("rows", *ROW_OUTCOMES, "deactivated", "requests", "stopped_by", "exit_code")
            wanted = {name: session.document[name] for name in names if name in night}
            wanted["good"] = session.document["stopped_by"] is None
        found = {name: night[name] for name in wanted}
        if night["night"] != number or found != wanted:
            yield f"run {number} stands there as night {night['night']}: {_unequal(found, wanted)}"

"""The promises of a sync, held after each of its lives against what the model saw."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.rig.harness import lines_of
from benchmarks.search.case import Act, Case, Op, Row
from benchmarks.search.judge import Claims, Line
from benchmarks.search.process import Ended
from benchmarks.search.users import User, profile_of, uid_of
from benchmarks.search.world import World

Results = Mapping[str, Mapping[str, str]]
"""uid → its line in the results."""

_TOLD_BY: Final = {"created": Op.CREATE, "updated": Op.UPDATE, "reactivated": Op.REACTIVATE}


def read_results(path: Path) -> Results:
    """Read the results; there are none before the first night that wrote some."""
    return {line["uid"]: line for line in lines_of(path)}


def count_good(path: Path) -> int:
    """Count the nights that a state says were good."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'nights'").fetchone()[0]:
            return 0
        return int(database.execute("SELECT count(*) FROM nights WHERE good").fetchone()[0])


class NightJudge:
    """Looks at one case after each of its lives.

    good  nights that were, as the state says: one can be killed after it was recorded
    """

    def __init__(self, case: Case, world: World) -> None:
        self._case, self._world, self._server = case, world, world.server
        self.good = 0
        self._epoch = 0
        self._looked = -1
        self._managed: set[str] = set()
        self._failed: set[str] = set()
        self._quiet: set[str] = set()

    def after(self, life: int, ended: Ended, claims: Claims, results: Results, good: int) -> list[str]:
        """Give the offences of one life."""
        offences = [*ended.wrong, *self._needless(life), *self._refused(life, ended)]
        offences += [each for line in claims.values() for each in self._token(line)]
        if good > self.good:
            if not self.good or life in self._case.refreshes:
                self._looked = life
            offences += self._night(life, claims, results)
            self.good, self._epoch = good, life + 1
        else:
            self._quiet = set()
            if not (ended.wrong or ended.killed or ended.stop):
                offences.append("ended well, and was no good night: ")
        return offences

    def _needless(self, life: int) -> Iterator[str]:
        """Tell requests for users who were as they should be, on a night after a good one."""
        if life in self._case.refreshes:
            return
        for request in self._world.requests:
            if request.life == life and request.uid in self._quiet and self._is_unedited(request.uid, life):
                yield f"needless request: {request.op} {request.uid}"

    def _is_unedited(self, uid: str, life: int) -> bool:
        who, case = int(uid[1:]), self._case
        return (case.version(who, life), case.left(who, life)) == (
            case.version(who, life - 1),
            case.left(who, life - 1),
        )

    def _refused(self, life: int, ended: Ended) -> Iterator[str]:
        if ended.stop is not None and (ended.stop.exit_code == 3 or ended.stop.reason == "directory"):
            yield from (f"changed by a night that was refused: {did}" for did in self._server.did if did[0] == life)

    def _token(self, line: Line) -> Iterator[str]:
        users = self._server.incarnations.get(line.uid, [])
        if not line.auth_token:
            return
        if not any(line.auth_token in user.tokens for user in users):
            yield f"a token of nobody: {line.uid}"
        elif (
            line.state == "settled" and line.outcome != "failed" and users[-1].ours and not self._flushed_late(line.uid)
        ):
            yield from self._of_the_last(line, users)

    def _of_the_last(self, line: Line, users: list[User]) -> Iterator[str]:
        if self._born_late(line.uid, users):
            return
        if line.auth_token not in (users[-1].tokens if users[-1].sleeps else users[-1].living):
            yield f"a dead token: {line.uid} is {line.outcome}"

    def _night(self, life: int, claims: Claims, results: Results) -> Iterator[str]:
        """Judge a good night."""
        self._quiet = set()
        for row in self._case.rows:
            uid, version = uid_of(row.who), self._case.version(row.who, life)
            line, told, left = claims.get(uid), results.get(uid), self._case.left(row.who, life)
            outcome = told["outcome"] if told else None
            if version >= 0 and outcome is None:
                yield f"row without a line: {uid}"
                continue
            if outcome == "failed":
                self._failed.add(uid)
                continue
            if version >= 0 and (not left or outcome == "updated"):
                self._managed.add(uid)
            if self._known(uid) and uid not in self._world.shaken:
                before = len(self._world.requests)
                yield from self._as_it_should_be(row, None if left else version, outcome, looked=self._looked == life)
                yield from self._named(uid, told) if told and left else self._truly_told(uid, outcome, line)
                if before and version >= 0:
                    self._quiet.add(uid)
            self._failed.discard(uid)

    def _known(self, uid: str) -> bool:
        """Whether no stranger has done anything that the sync could not know of."""
        return self._server.disturbed.get(uid, -1) < max(self._looked, 0)

    def _as_it_should_be(self, row: Row, version: int | None, outcome: str | None, *, looked: bool) -> Iterator[str]:
        """Judge a user; `version` is None for one that the roster names as deactivated."""
        uid = uid_of(row.who)
        user = self._server.users.get(uid)
        if version is None or version < 0:
            known = self._managed | self._ours() | ({uid} if looked and version is None else set())
            if uid in known and user is not None and not user.sleeps:
                yield f"leaver still active: {uid} ({outcome})"
            if uid in self._managed | self._ours() and user is not None and user.living and not user.unflushed:
                yield f"leaver with a living token: {uid} ({outcome})"
            return
        if user is not None and user.ours and user.tokens and not user.living:
            yield f"no token left, and in the roster: {uid} is {outcome}"
        if user is None:
            yield f"nobody there: {uid} is {outcome}"
        elif user.sleeps:
            yield f"deactivated, and in the roster: {uid} is {outcome}"
        elif user.profile != (wanted := profile_of(row.who, version)):
            yield f"not as the roster has it: {uid} is {outcome}, {user.profile}, not {wanted}"

    def _ours(self) -> set[str]:
        return {uid for uid, user in self._server.users.items() if user.ours}

    def _truly_told(self, uid: str, outcome: str | None, line: Line | None) -> Iterator[str]:
        did = {op for life, whose, op in self._server.did if whose == uid and life >= self._epoch}
        users = self._server.incarnations.get(uid, [])
        if uid in self._failed or outcome is None:
            return
        if outcome == "unchanged" and did:
            yield f"changed, and told as unchanged: {uid} ({', '.join(sorted(did))})"
        told_by = _TOLD_BY.get(outcome)
        if told_by is not None and told_by not in did and not self._is_claimable(uid, told_by):
            yield f"told as {outcome}, and was not: {uid} ({', '.join(sorted(did))})"
        ours = bool(users) and users[-1].ours and not self._hidden(uid, users)
        if Op.CREATE in did and outcome in {"updated", "unchanged", "reactivated"} and ours:
            yield f"ours became {outcome}: {uid}"
        if outcome == "created" or (
            outcome != "deactivated" and users and users[-1].ours and not self._hidden(uid, users)
        ):
            yield from self._with_token(users, line)

    def _named(self, uid: str, told: Mapping[str, str]) -> Iterator[str]:
        """Judge what is told of a row that names its user as deactivated."""
        did = {op: life for life, whose, op in self._server.did if whose == uid and life >= self._epoch}
        if told["outcome"] not in {"updated", "unchanged"} or not told["error_code"]:
            yield f"not told as deactivated: {uid} is {told['outcome']} {told['error_code']}"
        if told["outcome"] == "unchanged" and did and not self._unread(uid, self._server.incarnations.get(uid, [])):
            yield f"changed, and told as unchanged: {uid} ({', '.join(sorted(did))})"
        if Op.CREATE in did and self._case.left(int(uid[1:]), did[Op.CREATE]):
            yield f"created to be deactivated: {uid}"

    def _unread(self, uid: str, users: list[User]) -> bool:
        """Whether nobody can read what a night that was killed did to a user: it was hidden, or is of others."""
        return self._hidden(uid, users) or (self._claimable(uid) and not users[-1].ours)

    def _hidden(self, uid: str, users: list[User]) -> bool:
        """Whether another hand deactivated or deleted a user in doubt: nobody can read then whose it is."""
        return (users[-1].slept or users[-1].died) and self._claimable(uid) and uid in self._server.disturbed

    def _flushed_late(self, uid: str) -> bool:
        """Whether a flush may have arrived after it was given up: it strikes tokens that were minted since."""
        return uid in self._world.shaken and self._was_flushed(uid)

    def _born_late(self, uid: str, users: list[User]) -> bool:
        """Whether a create may have arrived after it was given up, and after another hand deleted whom it had made."""
        return uid in self._world.shaken and len(users) > 1 and users[-2].ours and users[-2].died

    def _was_flushed(self, uid: str) -> bool:
        return any(each.op is Op.FLUSH and each.uid == uid for each in self._world.requests)

    def _is_claimable(self, uid: str, told_by: Op) -> bool:
        """Whether a night may tell a change as its own that it did not make.

        Of who comes back that is so, too, when the user had been flushed to be deactivated, which a night may have
        ended before, and when another hand was quicker.
        """
        return self._claimable(uid) or (told_by is Op.REACTIVATE and (self._was_flushed(uid) or self._woken(uid)))

    def _woken(self, uid: str) -> bool:
        """Whether another hand reactivated a user in this night."""
        acts = (each for each in self._case.strangers if each.act is Act.REACTIVATE and each.life >= self._epoch)
        return any(uid_of(each.who) == uid for each in acts)

    def _claimable(self, uid: str) -> bool:
        return uid in self._world.doubted

    def _with_token(self, users: list[User], line: Line | None) -> Iterator[str]:
        if self._case.auth_tokens != "none" and line is not None:
            if line.auth_token is None:
                yield f"no token: {line.uid} is created"
            else:
                yield from self._of_the_last(line, users)

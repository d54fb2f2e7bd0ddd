"""The promises, held after each life against what the model saw. An offence is a line: its kind, a colon, the facts.

Nothing here believes the command: what the journal says are claims, the model's users and requests are the facts.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.search.case import Ask, Case, Op, Row, Trouble
from benchmarks.search.process import Ended
from benchmarks.search.users import User, body_of, profile_of, uid_of
from benchmarks.search.world import PATIENCE, World

FINAL: Final = frozenset({"created", "existing", "updated"})
_CORE: Final = frozenset({Op.CREATE, Op.MINT, Op.DEACTIVATE})


class Line(NamedTuple):
    """What the journal says of a row."""

    uid: str
    state: str
    outcome: str
    error_code: str | None
    error_message: str | None
    auth_token: str | None
    body_hash: str


Claims = Mapping[str, Line]
"""uid → what the journal says of it."""


def read_claims(path: Path) -> Claims:
    """Read a journal; there is none before the first life came so far."""
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'users'").fetchone()[0]:
            return {}
        found = database.execute(f"SELECT {', '.join(Line._fields)} FROM users")
        return {line.uid: line for line in map(Line._make, found)}


def enough(row: Row, line: Line, asked: Ask) -> bool:
    """Tell whether a row that was settled is as it is asked for now; of a deactivated user no more can be had."""
    there = line.outcome in {"existing", "updated"}
    if there and asked.on_existing == "fail":
        return False
    if line.outcome not in FINAL or line.error_code == "deactivated":
        return True
    if line.outcome == "existing" and asked.on_existing == "update":
        return False
    wanted = row.token and (asked.auth_tokens == "all" or (asked.auth_tokens == "created" and not there))
    return line.auth_token is not None or not wanted


class Judge:
    """Looks at one case after each of its lives."""

    def __init__(self, case: Case, world: World) -> None:
        self._case, self._world = case, world
        self._claims: Claims = {}
        self._asked: set[Ask] = set()
        slow = [each.seconds for each in case.faults if each.trouble is Trouble.SLOW]
        # How far back a stranger's user may be taken for ours: whole seconds, and answers that were on their way.
        self._slack = 1.5 + min(max(slow, default=0.0), PATIENCE / 2)

    def after(self, life: int, ended: Ended, claims: Claims) -> list[str]:
        """Give the offences of one life."""
        self._asked.add(self._case.asked(life))
        offences = [
            *ended.wrong,
            *self._unsettled(life, ended, claims),
            *self._sent_again(life),
            *self._too_fast(life),
            *self._tokens_lost(claims),
        ]
        for row in self._case.rows:
            line = claims.get(uid_of(row.who))
            if line is not None and line.state == "settled":
                offences += self._dishonest(row, line)
        self._claims = claims
        return offences

    def at_last(self, life: int, claims: Claims) -> Iterator[str]:
        """Give what is wrong when the job is finished."""
        for row in self._case.rows:
            uid, version = uid_of(row.who), self._case.version(row.who, life)
            line, user = claims.get(uid), self._world.server.users.get(uid)
            if line is not None and version >= 0 and not enough(row, line, self._case.asked(life)):
                yield f"not what is asked for now: {uid} is {line.outcome}"
            if line is None or user is None or not user.ours or user.touched or user.sleeps:
                continue
            if version < 0 or uid in self._world.shaken or line.outcome not in {"created", "updated"}:
                continue
            if user.profile | (wanted := profile_of(row.who, version)) != user.profile:
                yield f"not as the roster has it: {uid} is {line.outcome}, {user.profile}, not {wanted}"

    def _unsettled(self, life: int, ended: Ended, claims: Claims) -> Iterator[str]:
        if ended.killed or ended.stop is not None or ended.wrong:
            return
        for row in self._case.rows:
            line = claims.get(uid_of(row.who))
            if self._case.version(row.who, life) >= 0 and (line is None or line.state != "settled"):
                yield f"row without an outcome: {uid_of(row.who)} is {line.state if line else 'unknown'}"

    def _sent_again(self, life: int) -> Iterator[str]:
        for row in self._case.rows:
            line = self._claims.get(uid_of(row.who))
            if line is None or line.state != "settled" or line.outcome not in FINAL:
                continue
            if not enough(row, line, self._case.asked(life)):
                continue
            body = body_of(row.who, self._case.version(row.who, life))
            if line.body_hash == blake2b(body, digest_size=8).hexdigest():
                for request in self._world.requests:
                    if request.life == life and request.uid == line.uid:
                        yield f"settled row sent again: {request.op} {line.uid} ({line.outcome})"

    def _too_fast(self, life: int) -> Iterator[str]:
        for core in (True, False):
            times = [each.at for each in self._world.requests if each.life == life and (each.op in _CORE) is core]
            rate = self._case.rate
            for at in range(len(times) - rate):
                if times[at + rate] - times[at] < 60:
                    yield f"too fast: {rate + 1} requests in {times[at + rate] - times[at]:.3f} s"
                    break

    def _tokens_lost(self, claims: Claims) -> Iterator[str]:
        for uid, before in self._claims.items():
            now = claims.get(uid)
            if before.auth_token and (now is None or now.auth_token is None):
                yield f"token lost: {uid} had one, and has none"

    def _dishonest(self, row: Row, line: Line) -> Iterator[str]:
        users = self._world.server.incarnations.get(line.uid, [])
        match line.outcome:
            case "created":
                yield from self._created(line, users)
                yield from self._token(row, line, users)
            case "existing" if line.error_code == "deactivated":
                if not any(user.slept or user.died for user in users):
                    yield f"said to be deactivated: {line.uid} never was"
            case "existing" | "updated":
                if all(map(_readable, users)):
                    yield f"ours became {line.outcome}: {line.uid}"
                if all(each.auth_tokens == "all" for each in self._asked):
                    yield from self._token(row, line, users)
            case "failed":
                yield from self._failed(line, users)
            case _:
                yield f"no outcome of a run: {line.uid} is {line.outcome}"

    def _created(self, line: Line, users: list[User]) -> Iterator[str]:
        if any(user.ours for user in users):
            return
        since = self._world.doubted.get(line.uid, math.inf)
        if not users:
            yield f"created, and nobody is there: {line.uid}"
        elif all(user.created_at < since - 1 - self._slack for user in users):
            yield f"a stranger became created: {line.uid}, {since - users[-1].created_at:.1f} s older than our doubt"

    def _token(self, row: Row, line: Line, users: list[User]) -> Iterator[str]:
        if not row.token or any(each.auth_tokens == "none" for each in self._asked):
            return
        if line.auth_token is None:
            yield f"no token: {line.uid} is {line.outcome}"
        elif not any(line.auth_token in user.tokens for user in users):
            yield f"a token of nobody: {line.uid}"

    def _failed(self, line: Line, users: list[User]) -> Iterator[str]:
        if line.error_code in self._world.server.refused.get(line.uid, ()):
            return
        if (line.error_message or "").removeprefix(_MINTING).startswith("no believable answer"):
            return
        if line.error_code == "ERR_UID_ALREADY_EXISTS" and any(each.on_existing == "fail" for each in self._asked):
            if users and all(map(_readable, users)):
                yield f"ours failed as existing: {line.uid}"
            return
        if line.error_code in {"ERR_UID_NOT_FOUND", "gone", "deactivated"} and any(
            user.slept or user.died for user in users
        ):
            return
        whose = "ours" if any(user.ours for user in users) else "nobody's" if not users else "a stranger's"
        yield f"failed though nobody refused it: {line.uid} ({line.error_code}, {line.error_message}), it is {whose}"


def _readable(user: User) -> bool:
    """Whether a run could read that a user is ours: of one that is deactivated the API shows nothing."""
    return user.ours and not user.slept


_MINTING: Final = "the user is there, but no auth token could be minted: "

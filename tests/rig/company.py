"""Nights of a sync: a company, its roster and its state, and the app it is synced with."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rig.command import KEY, Finished, Running, RunningEmulator, rows, start, wait_until

CHANGING = {"created", "updated", "deactivated", "reactivated", "deleted", "minted", "revoked", "configured"}


@dataclass
class Company:
    """A folder with a roster and a state, and the app it is synced with; all its uids begin with `prefix`.

    The app is shared with other companies: their users are strangers, and nobody may touch a stranger.
    """

    folder: Path
    app: RunningEmulator
    prefix: str
    _seen: int = field(default=0)

    def uid(self, name: str) -> str:
        """Give the uid of somebody of this company."""
        return f"{self.prefix}-{name}"

    def roster(self, people: Mapping[str, Mapping[str, str]], columns: Sequence[str] = ("name",)) -> None:
        """Write the roster: name → fields."""
        lines = [",".join(("uid", *columns))]
        lines += [",".join((self.uid(who), *(each.get(name, "") for name in columns))) for who, each in people.items()]
        self.write("\n".join(lines) + "\n")

    def names(self, *names: str) -> None:
        """Write a roster of people of whom only the name is told, which is their uid's in capitals."""
        self.roster({name: {"name": name.upper()} for name in names})

    def write(self, text: str) -> None:
        """Write the roster as it stands."""
        (self.folder / "hr.csv").write_text(text, encoding="utf-8")

    def start(self, *arguments: object, command: str = "sync", roster: str = "hr.csv") -> Running:
        """Start a night."""
        retry = self.folder / "provisioner.toml"
        retry.write_text("[retry]\nbackoff_base = 0.05\nbackoff_max = 0.2\nmax_attempts = 6\n")
        options = ("--state", "hr.db", *self.app.flags(), "--json", *arguments)
        output = ("-o", "hr.results.csv") if command == "sync" else ()
        return start(command, roster, *options, *output, cwd=self.folder, COMETCHAT_API_KEY=KEY)

    def sync(self, *arguments: object, roster: str = "hr.csv") -> Finished:
        """Carry out a night."""
        return self.start(*arguments, roster=roster).end()

    def plan(self, *arguments: object) -> Finished:
        """Make a plan."""
        return self.start(*arguments, command="plan").end()

    def told(self) -> dict[str, str]:
        """Read the results: name → outcome, leavers included."""
        lines = rows(self.folder / "hr.results.csv")
        return {line["uid"].removeprefix(f"{self.prefix}-"): line["outcome"] for line in lines}

    def tokens(self) -> dict[str, str]:
        """Read the results: name → auth token."""
        lines = rows(self.folder / "hr.results.csv")
        return {line["uid"].removeprefix(f"{self.prefix}-"): line["auth_token"] for line in lines}

    def users(self) -> dict[str, dict[str, Any]]:
        """Everybody of this company in the app: name → user."""
        start = f"{self.prefix}-"
        return {uid.removeprefix(start): user for uid, user in self.app.users().items() if uid.startswith(start)}

    def active(self) -> dict[str, str]:
        """Who may log in: name → name of the profile."""
        return {name: user["name"] for name, user in self.users().items() if user["deactivated_at"] is None}

    def news(self) -> list[dict[str, Any]]:
        """What the app was asked since this was asked last."""
        audit = self.app.lines("audit")
        seen, self._seen = self._seen, len(audit)
        return audit[seen:]

    def did(self) -> dict[str, int]:
        """Count what was changed since `news` or this was asked last."""
        done: dict[str, int] = {}
        for record in self.news():
            if record["did"] in CHANGING:
                done[record["did"]] = done.get(record["did"], 0) + 1
        return done

    def faults(self, *script: Mapping[str, Any], **rates: float) -> None:
        """Have the app's next requests go wrong; without any, nothing does any more."""
        self.app.faults(*script, **rates)

    def seed(self, *users: Mapping[str, Any]) -> None:
        """Put users there as they are: `uid` is a name of this company."""
        self.app.seed(*({**user, "uid": self.uid(user["uid"])} for user in users))

    def another_hand(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Ask the API for something that this tool did not."""
        self.app.another_hand(method, path, body)

    def delete(self, name: str) -> None:
        """Have another hand delete somebody for good."""
        self.another_hand("DELETE", f"/users/{self.uid(name)}", {"permanent": True})

    def deactivate(self, name: str) -> None:
        """Have another hand deactivate somebody."""
        self.another_hand("DELETE", "/users", {"uidsToDeactivate": [self.uid(name)]})

    def lets_in(self, token: str) -> str | None:
        """Log in by an auth token, as the SDK does; the uid of whom it lets in."""
        try:
            answer = self.app.post("login", json.dumps({"authToken": token}))
        except urllib.error.HTTPError:
            return None
        uid: str = json.loads(answer)["data"]["uid"]
        return uid

    def token_lives(self) -> list[dict[str, Any]]:
        """Every auth token of the app, and what ended it."""
        return self.app.lines("tokens")


def until_asked(company: Company, number: int) -> None:
    """Wait until the app has been asked so often."""
    wait_until(lambda: len(company.app.lines("audit")) >= number)

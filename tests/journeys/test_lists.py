"""Lists of the app that lack users who are there: pages shift while others are deleted, and servers err."""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.rig.command import PATIENCE, RunningEmulator
from tests.rig.company import Company

_numbers = itertools.count(1)


class Proxy(BaseHTTPRequestHandler):
    """Hands on what it is asked; lists come without those whom `lacks` names, searches with everybody."""

    app = ""
    lacks: set[str]

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        headers = {name: value for name, value in self.headers.items() if name.lower() in {"apikey", "content-type"}}
        request = urllib.request.Request(self.app + self.path, body, headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                status, text, date = answer.status, answer.read(), answer.headers["Date"]
        except urllib.error.HTTPError as error:
            status, text, date = error.code, error.read(), error.headers["Date"]
        asked = urlsplit(self.path)
        if asked.path == "/v3/users" and self.command == "GET" and "searchKey" not in parse_qs(asked.query):
            text = self._without(text)
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), "Date": date}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def _without(self, text: bytes) -> bytes:
        answer = json.loads(text)
        answer["data"] = [user for user in answer["data"] if user["uid"] not in self.lacks]
        if not answer["data"]:
            answer["meta"]["pagination"]["total_pages"] = 1
        return json.dumps(answer).encode()

    do_GET = do_POST = do_PUT = do_DELETE = _hand_on  # noqa: N815 - as the library wants them

    def log_message(self, *_: Any) -> None:
        """Tell nothing."""


class Server(ThreadingHTTPServer):
    """Lets as many connections wait as a client opens at once."""

    request_queue_size = 64


@pytest.fixture
def lacks() -> set[str]:
    return set()


@pytest.fixture
def company(app: RunningEmulator, tmp_path: Path, lacks: set[str]) -> Iterator[Company]:
    handler = type("Lacking", (Proxy,), {"app": app.root, "lacks": lacks})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            company = Company(
                tmp_path, RunningEmulator(f"http://127.0.0.1:{server.server_port}/v3"), f"lists{next(_numbers)}"
            )
            company.news()
            yield company
        finally:
            server.shutdown()
            thread.join()


STAY = tuple(f"stay{number:02}" for number in range(30))


@pytest.mark.slow
def test_nobody_is_gone_by_a_list_that_shifted(company: Company, lacks: set[str]) -> None:
    """Whoever is on no page is asked for: who is there is a leaver, and as the roster has it, as ever."""
    company.names(*STAY, "ann", "bob", "cy")
    assert company.sync("--adopt").exit_code == 0
    company.names(*STAY, "ann", "bob")
    assert company.sync("--deactivate-leavers").exit_code == 0
    company.delete("bob")
    company.names(*STAY)
    lacks.update(map(company.uid, ("stay07", "ann", "cy")))
    company.news()
    planned = company.plan("--refresh", "--deactivate-leavers")
    assert (planned.exit_code, company.did()) == (0, {}), planned.stderr
    assert planned.summary["directory"]["deleted"] == 1
    ended = company.sync("--refresh", "--deactivate-leavers")
    assert (ended.exit_code, company.did()) == (0, {"revoked": 1, "deactivated": 1}), ended.stderr
    found = {name: number for name, number in ended.summary["leavers"].items() if number}
    assert (found, company.told()) == (
        {"found": 1, "deactivated": 1},
        dict.fromkeys(STAY, "unchanged") | {"ann": "deactivated"},
    )
    assert set(company.active()) == set(STAY)
    company.names(*STAY, "ann", "bob", "cy")
    assert company.sync().exit_code == 0
    assert company.told() == dict.fromkeys(STAY, "unchanged") | {
        "ann": "reactivated", "bob": "created", "cy": "reactivated",
    }  # fmt: skip


@pytest.mark.slow
def test_a_list_that_lacks_too_many_who_are_there_changes_nobody(company: Company, lacks: set[str]) -> None:
    """Exit 4, after a thousand were asked for; once the list is whole, the same command does all there is to do."""
    everybody = [f"u{number:04}" for number in range(1005)]
    company.names(*everybody)
    company.seed(*({"uid": name, "name": name.upper()} for name in everybody))
    assert company.sync("--adopt").exit_code == 0
    company.names(*everybody[:-1])
    lacks.update(map(company.uid, everybody))
    before = company.users()
    ended = company.sync("--refresh", "--deactivate-leavers")
    assert (ended.exit_code, company.users()) == (4, before)
    assert (
        "the app's users cannot be listed whole: the list lacks 1,005 users of the state, and 1,000 of the 1,000 who "
        "were asked for are there; nothing was changed, run again"
    ) in ended.stderr
    lacks.clear()
    assert company.sync("--refresh", "--deactivate-leavers").exit_code == 0
    assert set(company.active()) == set(everybody[:-1])


@pytest.mark.slow
def test_many_who_were_deleted_are_no_leavers_any_more(company: Company) -> None:
    """A thousand are seen to be gone; the others are leavers, under the guards, whom the API does not find."""
    everybody = [f"u{number:04}" for number in range(1005)]
    company.names(*STAY, *everybody)
    company.seed(*({"uid": name, "name": name.upper()} for name in (*STAY, *everybody)))
    assert company.sync("--adopt").exit_code == 0
    for name in everybody:
        company.delete(name)
    company.names(*STAY)
    wanted = ("--refresh", "--deactivate-leavers")
    refused = company.sync(*wanted, "--max-deactivations", 4)
    assert (refused.exit_code, refused.summary["stopped_by"]) == (3, "too_many_leavers")
    (company.folder / "approved.csv").write_bytes((company.folder / "hr.results.leavers.csv").read_bytes())
    company.news()
    ended = company.sync(*wanted, "--max-deactivations", 4, "--approve", "approved.csv")
    assert (ended.exit_code, company.did()) == (0, {}), ended.stderr
    assert (ended.summary["directory"]["deleted"], ended.summary["leavers"]["deactivated"]) == (1000, 5)
    assert set(company.told().values()) == {"unchanged", "deactivated"}
    assert (company.sync(*wanted).summary["leavers"]["found"], company.did()) == (0, {})

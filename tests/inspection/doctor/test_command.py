"""The doctor: what it sees, what it makes of it, and that it changes nothing and tells no secret."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

import pytest

from provisioner.inspection.doctor.command import LIBRARIES, diagnose, show
from provisioner.inspection.doctor.diagnosis import Check, Status
from provisioner.journal.schema import VERSION
from provisioner.settings.tables import load_with_origins
from tests.rig.command import KEY, ROOT, Finished, emulator, provisioner
from tests.rig.journals import a_journal
from tests.rig.server import Behaviour, answering, serving

pytestmark = pytest.mark.usefixtures("here")

USERS = b'{"data":[],"meta":{}}'


def by_name(ended: Finished) -> dict[str, dict[str, str]]:
    """The checks that `--json` printed; the exit code in it is the one of the command."""
    document = json.loads(ended.stdout)
    assert document["exit_code"] == ended.exit_code, ended.stderr
    assert KEY not in ended.stdout + ended.stderr
    return {each["name"]: each for each in document["checks"]}


def statuses(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Name → how it ended."""
    return {name: each["status"] for name, each in found.items()}


LISTED = "/v3/users?perPage=1000&page=1&withDeactivated=true"


def seen_of(behaviour: Behaviour, *, key: str = KEY) -> dict[str, Check]:
    """What the doctor finds at a server that behaves like this."""

    async def look() -> list[Check]:
        async with serving(behaviour) as wire:
            loaded = load_with_origins({"api": {"base_url": wire.url}}, {})
            environment = {"COMETCHAT_API_KEY": key} if key else {}
            found = await asyncio.to_thread(diagnose, loaded, environment, None)
            assert {(each.method, each.path) for each in wire.asked} <= {
                ("GET", "/v3/users?perPage=1"), ("GET", LISTED), ("GET", "/v3/roles"),
            }  # fmt: skip
            return found

    checks = asyncio.run(look())
    assert KEY not in show(checks, as_json=False) + show(checks, as_json=True)
    return {each.name: each for each in checks}


# --- the command, against the emulator ---


def test_all_is_well_with_the_emulator(here: Path) -> None:
    """Every check is told, in this order, with the three reads that its help speaks of, and the exit code is 0."""
    with emulator(here, "--role", "teacher") as running:
        ended = provisioner("doctor", "--json", *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY)
        found = by_name(ended)
        asked = [(each["method"], each["did"]) for each in running.lines("audit")]
    assert list(statuses(found).items()) == [
        ("software", "ok"), ("configuration", "ok"), ("api_key", "ok"), ("base_url", "ok"), ("dns", "ok"),
        ("network", "ok"), ("clock", "ok"), ("access", "ok"), ("rate_limit", "ok"), ("users", "ok"), ("roles", "ok"),
        ("output", "ok"),
    ]  # fmt: skip
    assert found["roles"]["seen"] == "the app has default, teacher"
    assert found["api_key"]["seen"] == "in COMETCHAT_API_KEY"
    assert found["base_url"]["seen"] == f"{running.url}, from --base-url"
    assert {set(each) == {"name", "status", "seen", "do"} for each in found.values()} == {True}
    assert len(asked) == 3
    assert {method for method, _ in asked} == {"GET"}


def test_the_built_in_emulator_needs_no_key(here: Path) -> None:
    """The table for people: one line per check, and nothing left behind in the folder."""
    ended = provisioner("doctor", "--emulator", cwd=here)
    assert (ended.exit_code, ended.stderr) == (0, "")
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("ok ", "warning ", "error "))]
    assert [line.split()[0] for line in lines] == ["ok"] * 11
    assert list(here.iterdir()) == []


def test_a_wrong_key_is_an_error_with_what_to_do(here: Path) -> None:
    """401: no more is asked after it, and neither key is shown, not even in part."""
    wrong = "f" * 5 + "0" * 30 + "e" * 5
    with emulator(here) as running:
        ended = provisioner("doctor", "--json", *running.flags(), cwd=here, COMETCHAT_API_KEY=wrong)
    found = by_name(ended)
    assert (ended.exit_code, "roles" in found) == (4, False)
    assert found["network"]["status"] == "ok"
    assert found["access"] == {
        "name": "access",
        "status": "error",
        "seen": "the key is not accepted (401 AUTH_ERR_APIKEY_NOT_FOUND)",
        "do": "copy the REST API Key of this app again; check that app id, region and key belong together",
    }
    assert "fffff" not in ended.stdout
    assert "00000" not in ended.stdout


def test_a_key_of_too_small_a_scope_is_an_error(here: Path) -> None:
    """403: a key that may not read users may not create them either."""
    with emulator(here, "--scope", "authOnly") as running:
        found = by_name(provisioner("doctor", "--json", *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY))
    assert (found["access"]["status"], found["access"]["do"]) == (
        "error", "use a key with the scope fullAccess (a REST API Key, not an Auth Key)",
    )  # fmt: skip


def test_no_key_is_an_error_and_the_network_is_looked_at_all_the_same(here: Path) -> None:
    """Two faults take one round to mend, not two."""
    with emulator(here) as running:
        found = by_name(provisioner("doctor", "--json", *running.flags(), cwd=here))
    assert statuses(found) == {
        "software": "ok", "configuration": "ok", "api_key": "error", "base_url": "ok", "dns": "ok", "network": "ok",
        "clock": "ok", "output": "ok",
    }  # fmt: skip
    assert found["api_key"]["seen"] == "no API key"
    assert found["api_key"]["do"].startswith("set COMETCHAT_API_KEY, or name a file")


def test_a_role_that_the_app_does_not_have_is_an_error(here: Path) -> None:
    """Every row would be rejected for it; the own limits of the config are named as well."""
    config = here / "c.toml"
    config.write_text('[columns]\nrole = { value = "Coach" }\n[constraints]\nuid_allow_underscore = true\n')
    with emulator(here, "--role", "teacher") as running:
        ended = provisioner("doctor", "--json", "-c", "c.toml", *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY)
    found = by_name(ended)
    assert ended.exit_code == 4
    assert found["roles"] == {
        "name": "roles",
        "status": "error",
        "seen": "[columns] names coach, but the app has default, teacher only",
        "do": "make the role in the CometChat dashboard, or name another",
    }
    assert found["configuration"]["seen"] == "c.toml; own limits: uid_allow_underscore = true"


def test_a_configured_rate_above_the_limit_told_is_a_warning(here: Path) -> None:
    """The free plan: 500 for everything. Warnings alone are exit 0."""
    with emulator(here, "--plan", "free", "--headers", "hyphenated") as running:
        ended = provisioner("doctor", "--json", *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY)
    assert ended.exit_code == 0
    assert by_name(ended)["rate_limit"] == {
        "name": "rate_limit",
        "status": "warning",
        "seen": "the server allows 500 reads and updates a minute, configured are 20,000, and 10,000 creates, for "
        "which it should be no more",
        "do": "set under [rate]: requests_per_minute = 500 and standard_requests_per_minute = 500, at most",
    }


def test_a_clock_five_minutes_off_is_a_warning(here: Path) -> None:
    """In either direction, with what it means."""
    for skew, seen in ((300, "behind the server's"), (-300, "ahead of the server's")):
        with emulator(here, "--clock-skew", f"{skew}s") as running:
            ended = provisioner("doctor", "--json", *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY)
        clock = by_name(ended)["clock"]
        assert (ended.exit_code, clock["status"]) == (0, "warning")
        assert clock["seen"].endswith(seen)
        assert 297 <= int(clock["seen"].split()[0]) <= 301
        assert "NTP" in clock["do"]


def test_wrong_configuration_is_exit_2(here: Path) -> None:
    """As with every command: one sentence, nothing on stdout."""
    (here / "c.toml").write_text("requests_per_minute = 5")
    ended = provisioner("doctor", "-c", "c.toml", cwd=here)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (
        2, "", "error: c.toml: unknown key requests_per_minute; did you mean rate.requests_per_minute?\n",
    )  # fmt: skip


def test_a_wrong_mapping_is_wrong_configuration(here: Path) -> None:
    """What a run would refuse before it begins is not called healthy."""
    (here / "c.toml").write_text("[columns]\nnickname = 'x'")
    ended = provisioner("doctor", "--emulator", "-c", "c.toml", cwd=here)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: c.toml: [columns] 'nickname' is no user field")


@pytest.mark.slow
def test_the_journal_of_a_run_is_looked_at(here: Path) -> None:
    """With its rows by outcome; one made for another address is an error."""
    (here / "r.csv").write_text("uid,name\nada,Ada\nbob,Bob\nann,\n")
    with emulator(here) as running:
        ended = provisioner("run", "r.csv", *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY)
        assert ended.exit_code == 1, ended.stderr
        state = ("--state", "r.results.journal.db")
        found = by_name(provisioner("doctor", "--json", *state, *running.flags(), cwd=here, COMETCHAT_API_KEY=KEY))
        other = by_name(provisioner("doctor", "--json", *state, "--emulator", cwd=here))
    assert found["journal"] == {
        "name": "journal",
        "status": "ok",
        "seen": f"r.results.journal.db: format {VERSION}, 2 users (2 created), 0 in doubt",
        "do": "",
    }
    assert other["journal"]["status"] == "error"
    assert (
        f"made for app (none) at {running.url}, not for app emulator at built-in emulator" in other["journal"]["seen"]
    )


def test_the_documentation_names_every_check(here: Path) -> None:
    """In the order in which they are told."""
    document = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    a_journal(here / "j.db")
    with emulator(here) as running:
        flags = ("--json", "--state", "j.db", *running.flags())
        found = by_name(provisioner("doctor", *flags, cwd=here, COMETCHAT_API_KEY=KEY))
    names = list(found)
    names.insert(names.index("dns"), "proxy")  # there is none to the emulator
    assert re.findall(r"^\| `([a-z_]+)` \|", document.split("| check |")[1], re.MULTILINE) == names


# --- servers that are no API ---


def test_a_server_that_is_not_there_is_told(here: Path) -> None:
    """No connection: an error, and nothing is said of what cannot be known."""
    ended = provisioner("doctor", "--json", "--base-url", "http://127.0.0.1:9/v3", cwd=here, COMETCHAT_API_KEY=KEY)
    found = by_name(ended)
    assert (ended.exit_code, found["network"]["status"]) == (4, "error")
    assert found["network"]["seen"].startswith("could not connect (")
    assert {"access", "clock", "roles", "rate_limit"} & set(found) == set()


def behind(proxy: str, here: Path) -> Finished:
    """What the doctor says with this proxy in the environment, of a name that nobody knows."""
    flags = ("--json", "--base-url", "https://app.invalid/v3")
    named = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
    return provisioner("doctor", *flags, cwd=here, COMETCHAT_API_KEY=KEY, **named)


def test_behind_a_dead_proxy_the_proxy_is_at_fault_and_not_the_name(here: Path) -> None:
    """The proxy looks names up itself, so a machine that knows none is well; the password is masked."""
    ended = behind("http://ann:s3cret@127.0.0.1:9", here)
    found = by_name(ended)
    assert (ended.exit_code, "s3cret" in ended.stdout) == (4, False)
    assert found["proxy"]["seen"] == "http://***@127.0.0.1:9, from HTTPS_PROXY"
    assert {name: each["status"] for name, each in found.items() if name in {"proxy", "dns", "network"}} == {
        "proxy": "ok", "dns": "ok", "network": "error",
    }  # fmt: skip
    assert found["dns"]["seen"].endswith("; the proxy does that")
    assert "the proxy http://***@127.0.0.1:9 cannot be reached (" in found["network"]["seen"]


def test_a_proxy_without_a_scheme_is_told(here: Path) -> None:
    """An error of its own, with what to write; the network cannot be looked at."""
    found = by_name(behind("proxy.corp:3128", here))
    assert found["proxy"] == {
        "name": "proxy",
        "status": "error",
        "seen": "HTTPS_PROXY: the proxy proxy.corp:3128 has no scheme",
        "do": "give it as http://proxy.corp:3128",
    }
    assert {"dns", "network"} & set(found) == set()


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ("200 OK", "answered 200, but not as the API does"),
        ("403 Forbidden", "refused (403), but not in the API's words"),
        ("404 Not Found", "there is no such endpoint (404)"),
        ("302 Found", "there is no such endpoint (302)"),
        ("502 Bad Gateway", "the server failed (502: HTTP 502 without an explanation)"),
    ],
)
def test_a_page_instead_of_the_api_is_told(status: str, seen: str) -> None:
    """A log-in page, a proxy, another server: the address is at fault, not the key."""
    found = seen_of(answering(b"<html>hello</html>", status, content_type="text/html"))
    assert (found["network"].status, found["access"].status) == (Status.OK, Status.ERROR)
    assert found["access"].seen == seen
    assert "proxy" in found["access"].do or "base URL" in found["access"].do


def test_an_answer_that_quotes_the_key_is_not_repeated() -> None:
    """Older answers quote the key in full, newer ones the ends of it: the code says enough."""
    said = f"The key {KEY} ({KEY[:5]}*****{KEY[-5:]}) does not exist."
    body = json.dumps({"error": {"code": "AUTH_ERR_APIKEY_NOT_FOUND", "message": said}}).encode()
    found = seen_of(answering(body, "401 Unauthorized"))
    assert found["access"].seen == "the key is not accepted (401 AUTH_ERR_APIKEY_NOT_FOUND)"


@pytest.mark.parametrize("name", ["X-RateLimit-Limit", "X-Rate-Limit", "x-ratelimit-limit"])
def test_the_limit_is_read_in_both_spellings(name: str) -> None:
    """Two pages of the documentation, two spellings."""
    told = [f"{name}: 30000", f"Date: {formatdate(usegmt=True)}"]
    found = seen_of(answering(USERS, headers=told))
    assert found["rate_limit"] == Check(
        "rate_limit",
        Status.OK,
        "the server allows 30,000 reads and updates a minute, configured are 20,000; that for creates is told with "
        "creates only",
    )


def test_a_server_that_tells_neither_limit_nor_time() -> None:
    """What is not told is not made up."""
    found = seen_of(answering(USERS))
    assert found["rate_limit"].seen == "the server tells none; configured: 10,000 and 20,000 a minute"
    assert (found["clock"].status, found["clock"].seen) == (Status.WARNING, "the server tells no time")


def test_without_a_key_no_key_is_sent_and_none_is_judged() -> None:
    """The address and the clock can be looked at without one."""
    found = seen_of(answering(USERS, "401 Unauthorized"), key="")
    assert (found["network"].status, found["api_key"].status, "access" in found) == (Status.OK, Status.ERROR, False)


# --- what is concluded ---


def test_a_key_file_that_others_can_read_is_a_warning(here: Path) -> None:
    """With the command that mends it."""
    key = here / "key"
    key.write_text(KEY)
    (here / "c.toml").write_text('[api]\napi_key_file = "key"\nbase_url = "http://127.0.0.1:9/v3"')
    found = {}
    for mode in (0o600, 0o640):
        key.chmod(mode)
        checks = diagnose(load_with_origins({}, {}, Path("c.toml")), {}, None)
        found[mode] = next(each for each in checks if each.name == "api_key")
        assert KEY not in show(checks, as_json=True)
    assert found == {
        0o600: Check("api_key", Status.OK, "in key"),
        0o640: Check(
            "api_key",
            Status.WARNING,
            "in key, which others on this machine can get at (mode 0640)",
            "chmod 600 key",
        ),
    }


def test_an_output_folder_is_judged_by_the_nearest_that_is_there(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made by the run; nothing is made by the doctor."""
    monkeypatch.chdir(nobody)
    closed = nobody / "closed"
    closed.mkdir(mode=0o500)
    (nobody / "hidden").mkdir(mode=0)
    (nobody / "file").write_text("")
    for folder, status in (
        (nobody / "a/b", Status.OK),
        (closed / "a", Status.ERROR),
        (nobody / "hidden/a/b", Status.ERROR),
        (nobody / "file/a", Status.ERROR),
    ):
        loaded = load_with_origins({"output": {"file": folder / "r.csv"}}, {})
        checks = {each.name: each for each in diagnose(loaded, {}, None)}
        assert checks["output"].status is status, folder
    assert sorted(each.name for each in nobody.iterdir()) == ["closed", "file", "hidden"]


def test_no_token_is_shown() -> None:
    """The journal holds tokens; the doctor counts rows."""
    found = diagnose(load_with_origins({}, {}), {}, a_journal(Path("j.db")))
    assert "secret" not in show(found, as_json=True) + show(found, as_json=False)


def test_the_journal_is_found_by_the_configuration(here: Path) -> None:
    """The state of a sync, else what stands beside the output; a first run has neither, and that is no fault."""
    (here / "c.toml").write_text('[sync]\nstate = "j.db"\n[output]\nfile = "r.csv"')
    found = []
    for make in (None, "r.journal.db", "j.db"):
        if make:
            a_journal(here / make)
        checks = diagnose(load_with_origins({}, {}, Path("c.toml")), {}, None)
        found.append([each.seen.partition(":")[0] for each in checks if each.name == "journal"])
    assert found == [[], ["r.journal.db"], ["j.db"]]


def test_every_library_that_is_needed_is_looked_at() -> None:
    """Or one that is there would be called missing."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {name.partition(">=")[0] for name in needed if ";" not in name} <= set(LIBRARIES)


def test_a_key_in_the_place_of_the_app_id_is_asked_for_nowhere(here: Path) -> None:
    """No name server and no proxy is told it, and it is not shown."""
    for key, what in ((KEY, "the API key itself"), ("2711234567890abc", "what can only be an API key")):
        given = {"COMETCHAT_API_KEY": key, "COMETCHAT_APP_ID": KEY, "COMETCHAT_REGION": "eu"}
        found = by_name(provisioner("doctor", "--json", cwd=here, **given))
        assert list(found) == ["software", "configuration", "api_key", "base_url", "output"]
        assert found["base_url"]["seen"] == f"api.app_id: {what} stands where the app id belongs"

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from provisioner.emulator.app.audit import Audit, AuditRecord, Did, busiest
from provisioner.emulator.app.faults import Fault, FaultPlan, ScriptedFault
from provisioner.emulator.app.limits import Group
from tests.rig.api import EPOCH, KEY, Api, drive, emulated, until


@emulated(faults=FaultPlan(script=(ScriptedFault(Fault.ERROR_AFTER_COMMIT, uid="bo"),)))
async def test_a_record_tells_what_came_and_what_was_done(api: Api) -> None:
    """Every member has its value, arrival times included."""
    await api.create("Ann")
    api.clock.advance(1.5)
    await api.create("bo")
    assert list(api.emulator.audit) == [
        AuditRecord(
            seq=1,
            wall=EPOCH,
            monotonic=0.0,
            method="POST",
            path="/users",
            group=Group.CORE,
            uid="ann",
            status=200,
            code=None,
            did=Did.CREATED,
            fault=None,
            key_ok=True,
            in_flight=1,
        ),
        AuditRecord(
            seq=2,
            wall=EPOCH + 1.5,
            monotonic=1.5,
            method="POST",
            path="/users",
            group=Group.CORE,
            uid="bo",
            status=500,
            code="ERR_EXCEPTION",
            did=Did.CREATED,
            fault="error-after-commit",
            key_ok=True,
            in_flight=1,
        ),
    ]


@emulated()
async def test_everything_that_can_be_done_has_its_word(api: Api) -> None:
    """Each kind of request is told apart by what it did."""
    token = (await api.create("ann", withAuthToken=True)).data["authToken"]
    for method, path, body in (
        ("POST", "/users", {"uid": "ann", "name": "x"}),
        ("PUT", "/users/ann", {"name": "x"}),
        ("GET", "/users/ann", None),
        ("GET", "/users", None),
        ("POST", "/users/ann/auth_tokens", None),
        ("DELETE", f"/users/ann/auth_tokens/{token}", None),
        ("DELETE", "/users", {"uidsToDeactivate": ["ann"]}),
        ("PUT", "/users", {"uidsToActivate": ["ann"]}),
        ("PUT", "/users", {"uidsToActivate": ["ann"]}),
        ("DELETE", "/users/ann", {"permanent": True}),
        ("POST", "/roles", {"role": "r", "name": "R"}),
        ("GET", "/nowhere", None),
    ):
        await api.send(method, path, body)
    assert [(record.path, record.uid, record.status, record.did.value) for record in api.emulator.audit] == [
        ("/users", "ann", 200, "created"),
        ("/users", "ann", 400, "refused"),
        ("/users/{uid}", "ann", 200, "updated"),
        ("/users/{uid}", "ann", 200, "read"),
        ("/users", None, 200, "listed"),
        ("/users/{uid}/auth_tokens", "ann", 200, "minted"),
        ("/users/{uid}/auth_tokens/{token}", "ann", 200, "revoked"),
        ("/users", "ann", 200, "deactivated"),
        ("/users", "ann", 200, "reactivated"),
        ("/users", "ann", 200, "nothing"),
        ("/users/{uid}", "ann", 200, "deleted"),
        ("/roles", None, 200, "configured"),
        ("*", None, 404, "refused"),
    ]


@emulated(faults=FaultPlan(script=(ScriptedFault(Fault.HANG_AFTER_COMMIT),)))
async def test_a_request_is_recorded_in_the_step_that_commits_it(api: Api) -> None:
    """A request that hangs is in the audit while it hangs, with no status; the next one counts it in flight."""
    hanging = asyncio.create_task(api.create("ann"))
    await until(lambda: api.emulator.store.users)
    await api.create("bo")
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert [(record.uid, record.status, record.did, record.in_flight) for record in api.emulator.audit] == [
        ("ann", None, Did.CREATED, 1),
        ("bo", 200, Did.CREATED, 2),
    ]


def test_the_file_has_the_same_records_and_no_secret(tmp_path: Path) -> None:
    """One line per request, there before the answer is; no key, right or wrong, and no token."""
    path = tmp_path / "audit.ndjson"
    secrets = {KEY, "wrong-key-that-is-secret-as-well"}

    async def scenario(api: Api) -> None:
        token = (await api.create("ann", withAuthToken=True)).data["authToken"]
        await api.send("GET", f"/users/ann/auth_tokens/{token}")
        await api.send("GET", f"/users/ann/auth_tokens/{token}/more")
        await api.send("GET", "/users", key="wrong-key-that-is-secret-as-well")
        written = path.read_bytes()
        assert written == b"".join(record.line() for record in api.emulator.audit)
        assert [orjson.loads(line)["key_ok"] for line in written.splitlines()] == [True, True, True, False]
        for secret in (*secrets, token):
            assert secret.encode() not in written
            assert secret not in repr(list(api.emulator.audit))

    drive(scenario, audit_path=path)


def test_a_later_emulator_adds_to_the_file(tmp_path: Path) -> None:
    """What an earlier emulator wrote is kept."""
    path = tmp_path / "audit.ndjson"

    async def scenario(api: Api) -> None:
        await api.create("ann")

    drive(scenario, audit_path=path)
    drive(scenario, audit_path=path)
    assert [orjson.loads(line)["seq"] for line in path.read_bytes().splitlines()] == [1, 1]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 59.9, 60.0], 2),
        ([70.0, 0.0, 59.0, 60.0, 61.0], 4),
        (range(0, 600, 10), 6),
    ],
)
def test_the_busiest_window_slides(times: Iterable[float], expected: int) -> None:
    """Any sixty seconds count, not only those that begin on a boundary, and order does not matter."""
    assert busiest(times, 60) == expected


@pytest.mark.parametrize("content", [b"uid,name\nada,Ada\n", b"[1]\n", b'{"uid": "ada"}\n', b"\n", b"\x00\xff"])
def test_an_audit_is_appended_to_nothing_that_is_none(tmp_path: Path, content: bytes) -> None:
    """A roster named by mistake stays as it is."""
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"people\.csv: holds what is no audit; choose another --audit"):
        Audit(file)
    assert file.read_bytes() == content


def test_a_pipe_that_nobody_reads_is_told_and_not_waited_for(tmp_path: Path) -> None:
    """Once somebody reads it, it is an audit like any other."""
    pipe = tmp_path / "audit"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match=r"audit: nobody reads this pipe; start what reads it first"):
        Audit(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    Audit(pipe).close()
    os.close(reader)


def test_a_disk_that_takes_no_more_ends_the_file_and_no_request(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once; the records are all there."""

    async def scenario(api: Api) -> None:
        await api.create("Ann")
        await api.create("bo")
        assert [(record.uid, record.status) for record in api.emulator.audit] == [("ann", 200), ("bo", 200)]

    drive(scenario, audit_path=Path("/dev/full"))
    why = "the audit cannot be written (No space left on device)"
    told = f"/dev/full: {why}; the emulator goes on without it, and GET /_emulator/audit has all records"
    assert caplog.messages == [told]

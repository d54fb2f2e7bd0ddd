import asyncio
from time import monotonic

import aiohttp
import pytest

from provisioner.emulator.app.faults import Fault, FaultDesk, FaultPlan, ScriptedFault
from provisioner.emulator.app.settings import EmulatorSettings
from tests.rig.api import Api, drive, emulated, until

IMPATIENT = 0.2


def once(fault: Fault, **more: object) -> FaultPlan:
    """Plan that a fault strikes the first create."""
    return FaultPlan(script=(ScriptedFault(fault, route="POST /users", **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "error", "stored"),
    [
        (Fault.LOST_REPLY, aiohttp.ServerDisconnectedError, True),
        (Fault.RESET_BEFORE_COMMIT, aiohttp.ClientOSError, False),
        (Fault.RESET_AFTER_COMMIT, aiohttp.ClientOSError, True),
        (Fault.HANG_BEFORE_COMMIT, TimeoutError, False),
        (Fault.HANG_AFTER_COMMIT, TimeoutError, True),
        (Fault.BROKEN_BODY, aiohttp.ClientPayloadError, True),
    ],
)
def test_a_connection_fails_before_or_after_the_commit(fault: Fault, error: type[Exception], stored: bool) -> None:
    """The client sees the same failure either way; only the store knows whether the user is there."""

    async def scenario(api: Api) -> None:
        with pytest.raises(error):
            await api.send("POST", "/users", {"uid": "ann", "name": "Ann"}, patience=IMPATIENT)
        assert ("ann" in api.emulator.store.users) is stored
        again = await api.create("ann")
        assert again.status == (400 if stored else 200)

    drive(scenario, faults=once(fault))


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "stored"),
    [
        (Fault.ERROR_BEFORE_COMMIT, 500, "application/json", False),
        (Fault.ERROR_AFTER_COMMIT, 500, "application/json", True),
        (Fault.HTML_502_BEFORE_COMMIT, 502, "text/html; charset=UTF-8", False),
        (Fault.HTML_503_BEFORE_COMMIT, 503, "text/html; charset=UTF-8", False),
        (Fault.HTML_504_BEFORE_COMMIT, 504, "text/html; charset=UTF-8", False),
        (Fault.HTML_502_AFTER_COMMIT, 502, "text/html; charset=UTF-8", True),
        (Fault.HTML_503_AFTER_COMMIT, 503, "text/html; charset=UTF-8", True),
        (Fault.HTML_504_AFTER_COMMIT, 504, "text/html; charset=UTF-8", True),
        (Fault.EMPTY_BODY, 200, "application/json", True),
        (Fault.TRUNCATED_JSON, 200, "application/json", True),
        (Fault.WRONG_CONTENT_TYPE, 200, "text/html; charset=UTF-8", True),
    ],
)
def test_an_answer_is_wrong_before_or_after_the_commit(
    fault: Fault, status: int, content_type: str, stored: bool
) -> None:
    """Status and content type are those of the fault, and the store is as its name says."""

    async def scenario(api: Api) -> None:
        reply = await api.create("ann")
        assert (reply.status, reply.headers["Content-Type"]) == (status, content_type)
        assert ("ann" in api.emulator.store.users) is stored

    drive(scenario, faults=once(fault))


async def body_under(api: Api, fault: Fault) -> bytes:
    api.emulator.follow(once(fault))
    return (await api.create(fault, withAuthToken=True)).raw


@emulated()
async def test_damaged_bodies_are_damaged_as_their_names_say(api: Api) -> None:
    """Empty is empty, truncated is the first half of the JSON, mislabelled is whole, a page is a page."""
    whole = (await api.create("whole-json", withAuthToken=True)).raw
    assert await body_under(api, Fault.EMPTY_BODY) == b""
    truncated = await body_under(api, Fault.TRUNCATED_JSON)
    assert (truncated[:24], len(truncated)) == (b'{"data":{"uid":"truncate', (len(whole) + 8 + 4) // 2)
    assert (await body_under(api, Fault.WRONG_CONTENT_TYPE)).endswith(b'"}}')
    assert b"<h1>502 Bad Gateway</h1>" in await body_under(api, Fault.HTML_502_AFTER_COMMIT)


@emulated(faults=FaultPlan(script=(ScriptedFault(Fault.ERROR_AFTER_COMMIT),), error_status=503))
async def test_an_error_has_the_envelope_and_the_status_of_the_plan(api: Api) -> None:
    """A 5xx in JSON is ERR_EXCEPTION under the chosen status."""
    reply = await api.create("ann")
    text = "Something went wrong. Please try again."
    assert (reply.status, reply.body) == (
        503,
        {"error": {"message": text, "devMessage": text, "source": "chat-api", "code": "ERR_EXCEPTION"}},
    )


@emulated(faults=once(Fault.WRONG_UID))
async def test_an_answer_can_speak_of_another_user(api: Api) -> None:
    """The right user is stored, and a wrong uid answered."""
    assert (await api.create("ann")).data["uid"] == "ann-other"
    assert list(api.emulator.store.users) == ["ann"]


@emulated(faults=once(Fault.NO_TOKEN))
async def test_an_answer_can_lack_its_token(api: Api) -> None:
    """The token is made, and kept from the client."""
    reply = await api.create("ann", withAuthToken=True)
    assert (reply.status, "authToken" in reply.data) == (200, False)
    assert len(api.emulator.store.tokens("ann")) == 1


@emulated(faults=once(Fault.NO_TOKEN))
async def test_a_fault_without_effect_is_not_in_the_audit(api: Api) -> None:
    """Nobody asked for a token, so none is missing."""
    await api.create("ann")
    assert api.emulator.audit[0].fault is None


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.SLOW_BODY])
def test_slow_answers_take_their_time(fault: Fault) -> None:
    """The user is there long before its answer, which is whole in the end."""

    async def scenario(api: Api) -> None:
        began = monotonic()
        create = asyncio.create_task(api.create("ann"))
        await until(lambda: api.emulator.store.users)
        assert not create.done()
        reply = await create
        assert (reply.data["uid"], monotonic() - began >= 0.1) == ("ann", True)

    drive(scenario, faults=once(fault, seconds=0.1))


@emulated(faults=once(Fault.SLOW_BEFORE_COMMIT, seconds=0.6))
async def test_a_slow_commit_happens_though_the_client_gave_up(api: Api) -> None:
    """The nastiest order: time-out, then the commit."""
    with pytest.raises(TimeoutError):
        await api.send("POST", "/users", {"uid": "ann", "name": "Ann"}, patience=0.3)
    assert (await api.send("GET", "/users/ann")).status == 404
    await until(lambda: api.emulator.store.users)
    assert (await api.send("GET", "/users/ann")).status == 200


@emulated(latency=0.03, latency_jitter=0.01)
async def test_latency_comes_after_the_commit(api: Api) -> None:
    """Every answer takes at least the latency."""
    began = monotonic()
    await api.create("ann")
    assert monotonic() - began >= 0.03


@pytest.mark.parametrize(("fault", "retry_after"), [(Fault.STORM, "3"), (Fault.SILENT_STORM, None)])
def test_a_storm_refuses_everything_for_its_duration(fault: Fault, retry_after: str | None) -> None:
    """All requests get 429, with or without word of when it is over, and nothing is done."""

    async def scenario(api: Api) -> None:
        replies = [await api.create("ann"), await api.send("GET", "/users")]
        for reply in replies:
            assert (reply.status, reply.headers.get("Retry-After")) == (429, retry_after)
            assert ("X-Rate-Limit-Reset" in reply.headers) is (retry_after is not None)
        assert api.emulator.store.users == {}
        api.clock.advance(3)
        assert (await api.create("ann")).status == 200

    drive(scenario, faults=once(fault, seconds=3.0))


@emulated(faults=FaultPlan(script=(ScriptedFault(Fault.REVOKE_KEY, nth=2),)))
async def test_a_key_is_revoked_in_mid_run(api: Api) -> None:
    """From the second request on the key is unknown, until another plan is in force."""
    assert [(await api.create(uid)).status for uid in ("a", "b", "c")] == [200, 401, 401]
    api.emulator.follow(FaultPlan())
    assert (await api.create("d")).status == 200


@emulated(faults=FaultPlan(script=(ScriptedFault(Fault.QUOTA_REACHED, nth=2),)))
async def test_the_quota_is_reached_in_mid_run(api: Api) -> None:
    """From the second request on no user can be created; everything else goes on."""
    assert [(await api.create(uid)).status for uid in ("a", "b", "a")] == [200, 402, 400]
    assert (await api.send("GET", "/users/a")).status == 200


@emulated(
    faults=FaultPlan(
        script=(
            ScriptedFault(Fault.EMPTY_BODY, nth=2, times=2),
            ScriptedFault(Fault.ERROR_BEFORE_COMMIT, uid="bo", route="POST /users"),
        )
    )
)
async def test_a_script_strikes_the_requests_it_names(api: Api) -> None:
    """The n-th matching request and those after it, or those of one user on one route."""
    assert [(await api.send("GET", "/roles")).raw == b"" for _ in range(4)] == [False, True, True, False]
    statuses = [
        (await api.send("GET", "/users/bo")).status,
        (await api.create("ann")).status,
        (await api.create("BO")).status,
        (await api.create("bo")).status,
    ]
    assert statuses == [404, 200, 500, 200]


RATES = FaultPlan(rates={Fault.LOST_REPLY: 0.25, Fault.ERROR_AFTER_COMMIT: 0.25})


def strikes(seed: int, uids: list[str]) -> dict[str, list[Fault | None]]:
    """Tell what strikes two attempts at each uid."""
    desk = FaultDesk(RATES, seed)
    found: dict[str, list[Fault | None]] = {uid: [] for uid in uids}
    for uid in uids * 2:
        strike = desk.strike("POST /users", uid)
        found[uid].append(strike.fault if strike else None)
    return found


def test_a_seed_repeats_its_faults_in_any_order_of_arrival() -> None:
    """The same users meet the same faults, whoever comes first; another seed gives others."""
    uids = [f"u{number}" for number in range(200)]
    assert strikes(1, uids) == strikes(1, uids[::-1])
    assert strikes(1, uids) != strikes(2, uids)


def test_rates_are_kept() -> None:
    """Of 4,000 requests, each fault of a quarter strikes about a quarter."""
    met = [fault for pair in strikes(3, [f"u{number}" for number in range(2000)]).values() for fault in pair]
    shares = [met.count(fault) / 4000 for fault in (Fault.LOST_REPLY, Fault.ERROR_AFTER_COMMIT, None)]
    assert [round(share, 1) for share in (shares[0] * 2, shares[1] * 2, shares[2])] == [0.5, 0.5, 0.5]


def test_a_plan_is_read_from_json() -> None:
    """Every member has its place."""
    assert FaultPlan.from_json(
        {
            "rates": {"lost-reply": 0.5},
            "script": [{"fault": "storm", "nth": 3, "seconds": 4}, {"fault": "slow", "uid": "Ann"}],
            "error_status": 503,
        }
    ) == FaultPlan(
        rates={Fault.LOST_REPLY: 0.5},
        script=(ScriptedFault(Fault.STORM, nth=3, seconds=4.0), ScriptedFault(Fault.SLOW, uid="ann")),
        error_status=503,
    )


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([], "a fault plan is a JSON object"),
        ({"rate": {}}, "a fault plan has no 'rate', only rates, script, error_status"),
        ({"rates": {"lost-repl": 1}}, "there is no fault named lost-repl; did you mean lost-reply?"),
        ({"rates": {"slow": 1.5}}, "slow: a rate is from 0 to 1, not 1.5"),
        ({"rates": {"slow": 0.6, "storm": 0.6}}, "the rates add up to 1.2, which is more than 1"),
        ({"rates": {"slow": "often"}}, "slow: 'often' is not a number"),
        ({"script": [{"nth": 1}]}, 'a scripted fault needs a "fault"'),
        ({"script": [{"fault": "slow", "nth": 0}]}, "slow: nth and times count from 1, not 0 and 1"),
        ({"script": [{"fault": "slow", "nth": 1.5}]}, "nth: 1.5 is not a whole number"),
        ({"script": [{"fault": "slow", "seconds": -1}]}, "slow: seconds must not be negative, and -1.0 is"),
        ({"error_status": 400}, "error_status is from 500 to 599, not 400"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_one_sentence(plan: object, message: str) -> None:
    """The message names the member and what is allowed."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole message is compared
        FaultPlan.from_json(plan)
    assert str(refused.value) == message


def test_stopping_does_not_wait_for_hanging_requests() -> None:
    """An emulator with a request that hangs stops at once."""

    async def scenario(api: Api) -> None:
        create = asyncio.create_task(api.create("ann"))
        await until(lambda: api.emulator.audit)
        create.cancel()
        await asyncio.gather(create, return_exceptions=True)

    began = monotonic()
    drive(scenario, faults=once(Fault.HANG_AFTER_COMMIT))
    assert monotonic() - began < 1
    assert EmulatorSettings().faults == FaultPlan()

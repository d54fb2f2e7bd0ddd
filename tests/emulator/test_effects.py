"""Tests of the table of faults: what each does to a request and to its answer, without a network."""

import orjson
import pytest

from provisioner.emulator.app.audit import Did
from provisioner.emulator.app.faults import Fault
from provisioner.emulator.effects import EFFECTS, HTML, NO_EFFECT, Delivery, nothing_done
from provisioner.emulator.endpoints.answers import Answer, data
from provisioner.emulator.endpoints.errors import uid_taken

CREATED = data({"uid": "ann", "authToken": "ann_1", "name": "Ann"}, Did.CREATED)
LISTED = data([{"uid": "ann"}], Did.LISTED)


def reshaped(fault: Fault, answer: Answer = CREATED, status: int = 500) -> Answer | None:
    """What becomes of an answer under a fault that changes it."""
    reshape = EFFECTS[fault].reshape
    assert reshape is not None
    return reshape(answer, status)


def test_every_fault_has_its_effect() -> None:
    """A fault that can be named can be carried out."""
    assert set(EFFECTS) == set(Fault)


@pytest.mark.parametrize("fault", Fault)
def test_a_name_says_whether_the_request_is_processed(fault: Fault) -> None:
    """What ends in `-before-commit` changes nothing, but for the one that only waits; everything else is processed."""
    assert EFFECTS[fault].processed == (not fault.value.endswith("-before-commit") or fault is Fault.SLOW_BEFORE_COMMIT)


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        (Fault.LOST_REPLY, Delivery.CLOSE),
        (Fault.RESET_BEFORE_COMMIT, Delivery.RESET),
        (Fault.RESET_AFTER_COMMIT, Delivery.RESET),
        (Fault.HANG_BEFORE_COMMIT, Delivery.HANG),
        (Fault.HANG_AFTER_COMMIT, Delivery.HANG),
        (Fault.BROKEN_BODY, Delivery.BROKEN),
        (Fault.SLOW_BODY, Delivery.IN_HALVES),
        (Fault.SLOW, Delivery.WHOLE),
    ],
)
def test_a_fault_of_the_connection_is_a_way_of_delivery(fault: Fault, delivery: Delivery) -> None:
    """The answer stays what it is; how it goes out, or does not, is the fault."""
    assert (EFFECTS[fault].delivery, EFFECTS[fault].reshape) == (delivery, None)


def test_only_a_slow_answer_waits_after_the_commit() -> None:
    """The seconds of all other faults are spent elsewhere: before the commit, or in the middle of the body."""
    assert {fault for fault in Fault if EFFECTS[fault].waits} == {Fault.SLOW}


def test_an_error_has_the_status_of_the_plan_and_an_envelope() -> None:
    """Status, body and code are those of a server that failed; what was done is still told to the audit."""
    answer = reshaped(Fault.ERROR_AFTER_COMMIT, status=503)
    assert answer is not None
    assert (answer.status, answer.code, answer.did) == (503, "ERR_EXCEPTION", Did.CREATED)
    assert orjson.loads(answer.body)["error"]["code"] == "ERR_EXCEPTION"


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        (Fault.HTML_502_AFTER_COMMIT, 502, b"502 Bad Gateway"),
        (Fault.HTML_503_BEFORE_COMMIT, 503, b"503 Service Temporarily Unavailable"),
        (Fault.HTML_504_AFTER_COMMIT, 504, b"504 Gateway Time-out"),
    ],
)
def test_a_gateway_answers_with_a_page(fault: Fault, status: int, title: bytes) -> None:
    """HTML with its own status, without rate headers and without a code: the API was not asked, or not heard."""
    answer = reshaped(fault)
    assert answer is not None
    assert (answer.status, answer.content_type, answer.code, dict(answer.headers)) == (status, HTML, None, {})
    assert title in answer.body


def test_damaged_bodies_are_cut_emptied_or_mislabelled() -> None:
    """Each damage leaves the status a success."""
    assert reshaped(Fault.EMPTY_BODY) == Answer(200, b"", Did.CREATED)
    assert reshaped(Fault.TRUNCATED_JSON) == Answer(200, CREATED.body[: len(CREATED.body) // 2], Did.CREATED)
    assert reshaped(Fault.WRONG_CONTENT_TYPE) == Answer(200, CREATED.body, Did.CREATED, content_type=HTML)


TAKEN = uid_taken("ann").answer()
SPOILERS = (Fault.EMPTY_REFUSAL, Fault.CUT_REFUSAL, Fault.HTML_REFUSAL)


def test_a_refusal_is_spoilt_in_its_body_only() -> None:
    """Status and what was done stay; of what was said nothing whole arrives, so that the audit knows of no code."""
    assert reshaped(Fault.EMPTY_REFUSAL, TAKEN) == Answer(400, b"", Did.REFUSED)
    assert reshaped(Fault.CUT_REFUSAL, TAKEN) == Answer(400, TAKEN.body[: len(TAKEN.body) // 2], Did.REFUSED)
    page = reshaped(Fault.HTML_REFUSAL, TAKEN)
    assert page is not None
    assert (page.status, page.did, page.code, page.content_type) == (400, Did.REFUSED, None, HTML)
    assert b"400 Bad Request" in page.body


@pytest.mark.parametrize("fault", SPOILERS)
@pytest.mark.parametrize("answer", [CREATED, LISTED, nothing_done()])
def test_what_is_no_refusal_is_not_spoilt_by_a_fault_of_refusals(fault: Fault, answer: Answer) -> None:
    """None: it had nothing to strike."""
    assert reshaped(fault, answer) is None


def test_an_answer_speaks_of_another_user_or_lacks_its_token() -> None:
    """One member is changed, the others stay as they are."""
    other, tokenless = reshaped(Fault.WRONG_UID), reshaped(Fault.NO_TOKEN)
    assert other is not None
    assert tokenless is not None
    assert orjson.loads(other.body) == {"data": {"uid": "ann-other", "authToken": "ann_1", "name": "Ann"}}
    assert orjson.loads(tokenless.body) == {"data": {"uid": "ann", "name": "Ann"}}


@pytest.mark.parametrize("fault", [Fault.WRONG_UID, Fault.NO_TOKEN])
@pytest.mark.parametrize("answer", [LISTED, nothing_done(), data({"success": True}, Did.DELETED)])
def test_what_has_no_such_member_is_left_alone(fault: Fault, answer: Answer) -> None:
    """None: the fault had nothing to strike, and the audit must not say it did."""
    assert reshaped(fault, answer) is None


def test_without_a_fault_a_request_is_processed_and_answered_whole() -> None:
    """The effect of no fault is none."""
    assert (NO_EFFECT.processed, NO_EFFECT.delivery, NO_EFFECT.reshape, NO_EFFECT.waits) == (
        True, Delivery.WHOLE, None, False,
    )  # fmt: skip

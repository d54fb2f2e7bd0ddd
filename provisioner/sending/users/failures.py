"""How a row ends that did not come to its outcome: failed, in the words of the server, or not yet settled."""

from __future__ import annotations

import time
from collections import Counter

from provisioner.logs.events import get_logger
from provisioner.model import Outcome, Settlement, State
from provisioner.sending.calls import Reply
from provisioner.sending.verdicts import Verdict

DEACTIVATED = "deactivated"
GONE = "gone"
CHANGED = "changed"
IN_DOUBT = "in_doubt"
ANEW = "feed this row in by itself, with another --output, to have the user created anew"
LOST = (
    GONE,
    (
        "this job created the user, and another hand has deactivated or deleted it since; "
        f"reactivate it and run again, or, if it is deleted, {ANEW}"
    ),
)
JUST_GONE = GONE, "another hand has deactivated or deleted the user just now; run again"
LEFT_ALONE = CHANGED, "another hand has changed the user since; its profile was left as it is"
THERE = "ERR_UID_ALREADY_EXISTS", "the uid exists already, and --on-existing is fail"
TAKEN = (
    DEACTIVATED,
    "the uid belongs to a deactivated user; reactivate it, or delete it for good and feed this row in anew",
)

log = get_logger()


def told(settlement: Settlement, said: tuple[str, str]) -> Settlement:
    """Say more of how a row has ended: a code and a sentence."""
    return settlement._replace(error_code=said[0], error_message=said[1])


def unsuccessful(
    there: Settlement, verdict: Verdict | None, reply: Reply, max_attempts: int, prefix: str = ""
) -> Settlement:
    """Settle a row as failed, or leave it pending when the run was stopped (the verdict is None, or says so).

    there  how it stands: whose it is, its attempts, and what is known of its user, which stays known
    """
    kept = there._replace(
        state=State.PENDING,
        outcome=Outcome.PENDING,
        http_status=None,
        error_code=None,
        error_message=None,
        settled_at=None,
    )
    match verdict:
        case None | Verdict.STOP:
            return kept
        case Verdict.IN_DOUBT:
            message = f"no believable answer in {max_attempts} attempts ({reply.why}); run again"
            code = reply.code or IN_DOUBT
        case _:
            message, code = words_of(reply), reply.code or f"HTTP_{reply.status}"
    return kept._replace(
        state=State.SETTLED,
        outcome=Outcome.FAILED,
        http_status=reply.status,
        error_code=code,
        error_message=prefix + message,
        settled_at=time.time(),
    )


def note_drift(known: Counter[str], row: int, reply: Reply) -> None:
    """Note that the API is stricter than our rules, if this refusal says so; logged once for each field.

    known  the fields for which rows that passed our rules were refused: `body` for its size, or `unknown`
    """
    fields = _drifted(reply)
    if news := [field for field in fields if field not in known]:
        log.warning("rules.drift", fields=news, row=row, status=reply.status, said=words_of(reply))
    known.update(fields)


def _drifted(reply: Reply) -> list[str]:
    if reply.status == 413:
        return ["body"]
    if reply.status not in {400, 422}:
        return []
    return sorted({str(key).split(".")[0] for key in reply.details or ()}) or ["unknown"]


def words_of(reply: Reply) -> str:
    """Say what the server said, its details included."""
    message = reply.message or ""
    if not reply.details:
        return message
    fields = []
    for field, sentences in reply.details.items():
        text = " ".join(map(str, sentences)) if isinstance(sentences, list) else str(sentences)
        fields.append(f"{field}: {text}")
    return f"{message} [{'; '.join(fields)}]"[:500]

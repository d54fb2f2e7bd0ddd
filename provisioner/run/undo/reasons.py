"""What an undo does to a user, and why it keeps one, in words."""

from __future__ import annotations

from typing import Final

from provisioner.sending.calls import Operation

DONE: Final = {Operation.DEACTIVATE: "deactivated", Operation.DELETE: "deleted", Operation.UPDATE: "restored"}
ACTIONS: Final = {
    Operation.DEACTIVATE: "deactivate",
    Operation.DELETE: "delete",
    Operation.UPDATE: "restore",
    Operation.REACTIVATE: "restore",
    Operation.FLUSH: "restore",
}

REASONS: Final = {
    "gone": "another hand has deactivated or deleted the user",
    "another_user": "another hand has deleted the user and created the uid anew",
    "created_later": "the user was created after the run had ended whose create was never answered",
    "logged_in": "the user has logged in since",
    "changed": "another hand has changed the user since",
    "reactivated": "another hand has reactivated the user since it was deactivated",
    "deactivated_before": (
        "an earlier round of the job had deactivated the user before this one, and it would be active with its old "
        "profile put back"
    ),
    "before_unknown": (
        "nothing has kept the profile of before: an earlier version of provisioner updated the user, or this one did "
        "after the copy was made that the journal comes from"
    ),
    "undated": (
        "the API does not tell when the user was created, so it may be somebody else's; without --permanent it is "
        "deactivated"
    ),
    "not_clearable": "put back, but for what the API has no way to take away: {}",
    "not_told": "put back, but for what the API did not tell before the update: {}",
}
"""Why a user is kept."""

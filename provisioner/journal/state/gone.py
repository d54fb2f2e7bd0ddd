"""Users who were gone, as far as could be seen, and are created anew: what was known of them.

It goes before the create is recorded as sent: the token is worth nothing, and a doubt of before says nothing of the
user that takes its place. It is kept apart until the create has ended, for the user may have been there all along:
somebody deactivated and reactivated while the app's users are being listed stands in neither list. Whoever is found
there with the creation time of before is the user of before, and whoever has another one is somebody else in its
place.

And users whom another hand has changed: how they were found goes into the state before anything is sent for them, so
that a night which does not come to them leaves them known for what they are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from provisioner.journal.statements import Bulk, UserKey

# Of tokens that may have been flushed nothing is worth keeping.
REMEMBERED: Final = Bulk(
    UserKey._fields,
    """
INSERT OR REPLACE INTO former SELECT users.id, auth_token, created_at, ours FROM given JOIN users USING (id)
WHERE created_at IS NOT NULL AND sessions IS NULL
""",
)

_NOTHING: Final = (
    "auth_token = NULL, created_at = NULL, doubt_since = NULL, doubt_hash = NULL, standing = NULL, live_hash = NULL, "
    "digests = NULL, certain = 0, night_outcome = NULL, ours = 0, sessions = NULL, made_hash = NULL"
)
FORGOTTEN: Final = Bulk(
    UserKey._fields,
    f"""
UPDATE users SET {_NOTHING}
FROM given WHERE users.id = given.id AND certain AND standing IS NOT NULL
""",  # noqa: S608 - of constants
)

# Those whom no row wants tonight, for whom nothing is planned, are at an end; a row that comes back creates them.
_PLANNED: Final = "users.uid IN (SELECT uid FROM temp.planned)"
MISSING: Final = Bulk(
    UserKey._fields,
    f"""
UPDATE users SET {_NOTHING}, operation = 'create', epoch = iif({_PLANNED}, epoch, NULL),
    state = iif({_PLANNED}, 'pending', 'settled'), outcome = iif({_PLANNED}, 'pending', 'deactivated'),
    error_code = iif({_PLANNED}, error_code, 'gone'),
    error_message = iif({_PLANNED}, error_message, 'another hand has deleted the user')
FROM given WHERE users.id = given.id AND certain AND standing IS NOT NULL
""",  # noqa: S608 - of constants
)


class SentAnewRow(NamedTuple):
    """A user who turned out to be gone while it was changed, and is created anew from now on (UNIX seconds)."""

    id: int
    body_hash: str
    now: float


SENT_ANEW: Final = Bulk(
    SentAnewRow._fields,
    f"""
UPDATE users SET {_NOTHING}, operation = 'create', body_hash = given.body_hash, state = 'sent', outcome = 'pending',
    sent_at = now
FROM given WHERE users.id = given.id
""",  # noqa: S608 - of constants
)

RESTORED: Final = Bulk(
    UserKey._fields,
    """
UPDATE users SET auth_token = coalesce(users.auth_token, former.auth_token), ours = users.ours OR former.ours
FROM given JOIN former USING (id)
WHERE users.id = given.id AND users.created_at = former.created_at
    AND users.state = 'settled' AND users.outcome IN ('updated', 'reactivated')
""",
)

# Of every settlement it is asked, and of nearly all there is nothing: so the empty table is looked into first.
ENDED: Final = Bulk(
    UserKey._fields,
    """
DELETE FROM former WHERE id IN (SELECT id FROM given)
    AND EXISTS (SELECT 1 FROM users WHERE users.id = former.id AND state = 'settled' AND outcome <> 'failed')
""",
)


class ReplacedRow(NamedTuple):
    """A user in whose place another hand has created one, at that time (UNIX seconds)."""

    uid: str
    created_at: int


REPLACED: Final = Bulk(
    ReplacedRow._fields,
    """
UPDATE users SET auth_token = NULL, created_at = given.created_at, ours = 0, night_outcome = NULL, epoch = NULL,
    live_hash = NULL, digests = NULL, sessions = NULL, made_hash = NULL
FROM given WHERE users.uid = given.uid AND certain
""",
)


class LetGoRow(NamedTuple):
    """A user whom no roster names any more, and in whose place another hand has created somebody else."""

    uid: str


# Who was deactivated in this night is told so all the same.
LET_GO: Final = Bulk(
    LetGoRow._fields,
    f"""
UPDATE users SET {_NOTHING}, operation = 'create', epoch = iif(outcome = 'deactivated', epoch, NULL),
    state = 'settled', outcome = 'deactivated', error_code = 'replaced',
    error_message = 'another hand has deleted the user, and created somebody else in its place'
FROM given WHERE users.uid = given.uid AND standing IS NOT NULL
""",  # noqa: S608 - of constants
)


class FoundRow(NamedTuple):
    """How a user was found in the directory who is not as the state has it."""

    uid: str
    digests: bytes
    standing: str


FOUND: Final = Bulk(
    FoundRow._fields,
    """
UPDATE users SET live_hash = iif(users.digests IS given.digests, live_hash, NULL), digests = given.digests,
    standing = given.standing
FROM given WHERE users.uid = given.uid AND certain
""",
)

# One who is in no roster any more, and of whom nobody knew whether it was created.
FOUND_AGAIN: Final = """
UPDATE users SET standing = 'active', certain = 0, doubt_since = NULL, doubt_hash = NULL, state = 'settled',
    outcome = 'updated', operation = 'update', error_code = NULL, error_message = NULL,
    auth_token = former.auth_token, created_at = former.created_at, ours = former.ours
FROM former WHERE users.id = former.id AND users.uid = :uid
"""

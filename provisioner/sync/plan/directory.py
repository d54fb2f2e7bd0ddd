"""The app's users as they are listed, kept in a temporary table while a sync compares.

And one by one: whether those who stand in no list are gone, and whether those who may have been created, and are in no
roster any more, are ours.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final, NamedTuple

from provisioner.errors import DirectoryError
from provisioner.journal.state.gone import FoundRow, ReplacedRow
from provisioner.journal.state.managed import DriftRow, Met, Sessions
from provisioner.journal.state.nights import Doubt
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.statements import UserKey, json_list
from provisioner.logs.events import get_logger
from provisioner.model import FIELDS, Action, Standing
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import NOBODY, Operation
from provisioner.sending.serverclock import created_since
from provisioner.sending.users import canonical, profile
from provisioner.sending.users.keeper import moment
from provisioner.sending.users.reading import SINGLY, singly
from provisioner.sending.verdicts import Verdict
from provisioner.sync.plan.listing import NOTHING_CHANGED, pages, standing_of
from provisioner.threads import InThread

# Seconds by which lists and answers may tell the creation time of one user differently.
_ROUNDED: Final = 2
# Users in doubt who are asked for at once.
_AT_ONCE: Final = 16

_TABLE: Final = """
CREATE TEMP TABLE directory (
    uid TEXT PRIMARY KEY, digests BLOB NOT NULL, standing TEXT NOT NULL, created_at INTEGER, stored BLOB
) WITHOUT ROWID
"""
# Users of the state who stand in no list, and of whom nothing proves that they are gone.
_OPEN_TABLE: Final = "CREATE TEMP TABLE left_open (uid TEXT PRIMARY KEY) WITHOUT ROWID"
_LEAVE_OPEN: Final = "INSERT INTO temp.left_open SELECT value FROM json_each(?)"
_LEFT_OPEN: Final = """
SELECT uid FROM json_each(?) AS asked JOIN temp.left_open ON temp.left_open.uid = asked.value
WHERE uid NOT IN (SELECT uid FROM temp.planned)
"""
_NOWHERE: Final = """
NOT EXISTS (SELECT 1 FROM temp.directory WHERE temp.directory.uid = users.uid)
    AND uid NOT IN (SELECT uid FROM temp.left_open)
"""
_GONE: Final = f"SELECT count(*) FROM users WHERE standing = 'active' AND {_NOWHERE}"  # noqa: S608 - of constants
_JOINED: Final = "FROM users JOIN temp.directory AS shown USING (uid)"
_ANOTHER: Final = f"coalesce(abs(shown.created_at - users.created_at) > {_ROUNDED}, 0)"
_DEACTIVATED: Final = f"""
SELECT count(*) {_JOINED} WHERE users.standing = 'active' AND shown.standing = 'deactivated' AND NOT {_ANOTHER}
"""
_WOKEN: Final = f"{_JOINED} WHERE users.standing = 'deactivated' AND users.certain AND shown.standing = 'active'"
# The time of creation is known of whom a change is in doubt as well: it goes before another create does.
_REPLACED: Final = f"{_JOINED} WHERE users.standing IS NOT NULL AND {_ANOTHER}"
# Of users in doubt it is not known what they should be shown as.
_MISSING: Final = f"""
SELECT uid FROM users WHERE certain AND standing IS NOT NULL AND {_NOWHERE} ORDER BY id
"""  # noqa: S608 - of constants
_OTHERS: Final = f"""
SELECT uid FROM users LEFT JOIN temp.directory AS shown USING (uid)
WHERE certain AND users.standing IS NOT NULL AND (shown.uid IS NULL OR shown.standing <> users.standing
    OR {_ANOTHER} OR {{profiles}}) ORDER BY users.id
"""  # noqa: S608 - of constants
_BOTH: Final = """
SELECT users.digests, shown.digests, users.uid FROM json_each(?) AS asked JOIN users ON users.uid = asked.value
JOIN temp.directory AS shown USING (uid) WHERE users.digests IS NOT NULL
"""
_WITHOUT_TAGS: Final = frozenset(FIELDS) - {"tags"}
_STRANGERS: Final = """
SELECT count(*) FROM temp.directory
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.uid = temp.directory.uid AND users.standing IS NOT NULL)
"""

log = get_logger()


class Shown(NamedTuple):
    """A user as the directory shows it.

    stored  digests of the profile in the form of `canonical.stored`; null when they are the same
    """

    digests: bytes
    standing: Standing
    created_at: int | None
    stored: bytes | None = None

    def recognised(self, several: Sequence[canonical.Known]) -> bytes:
        """Give the digests of the profile, see `canonical.recognised`."""
        return canonical.recognised(canonical.Known(self.digests, self.stored or self.digests), several)


class Directory:
    """What was read; it lives in the connection of the state, so that both can be compared there."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._met_fields: set[str] = set()
        self.pages = 0
        database.execute("DROP TABLE IF EXISTS temp.directory")
        database.execute("DROP TABLE IF EXISTS temp.left_open")
        database.execute(_TABLE)
        database.execute(_OPEN_TABLE)

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a profile that it tells anything of."""
        return profile.ALWAYS_LISTED | self._met_fields

    def add(self, users: Sequence[Mapping[str, Any]], standing: Standing) -> None:
        """Keep one page. A page read while users come and go can repeat some of the last: the later one counts."""
        self._met_fields.update(name for name in profile.UNSURE if any(name in user for user in users))
        standings = [standing_of(user, standing).value for user in users]
        texts = [profile.texts_of(user) for user in users]
        digests = [profile.digests(each) for each in texts]
        stored = map(_stored, texts, digests)
        uids, created = [user["uid"] for user in users], [moment(user, "createdAt") for user in users]
        rows = zip(uids, digests, standings, created, stored, strict=True)
        self._database.executemany("INSERT OR REPLACE INTO temp.directory VALUES (?, ?, ?, ?, ?)", rows)
        self.pages += 1

    def find(self, uids: Sequence[str]) -> dict[str, Shown]:
        """Look up many uids."""
        statement = (
            "SELECT uid, digests, standing, created_at, stored FROM json_each(?) AS asked "
            "JOIN temp.directory ON temp.directory.uid = asked.value"
        )
        rows = self._database.execute(statement, (json_list(uids),))
        return {uid: Shown(digests, Standing(standing), *rest) for uid, digests, standing, *rest in rows}

    def steady(self, known: Mapping[str, Met], shown: Mapping[str, Shown]) -> list[str]:
        """Name those of these users who are active, and whose profile is known and is shown just so."""
        fields, found = self.fields, []
        for uid, each in shown.items():
            met = known.get(uid)
            if met is None or not met.certain or not met.has_profile or met.digests is None:
                continue
            as_known = profile.overlaid(met.digests, each.digests, fields) == met.digests
            if as_known and met.standing == each.standing == Standing.ACTIVE:
                found.append(uid)
        return found

    def drifted(self, known: Mapping[str, Met]) -> Iterator[DriftRow]:
        """Give those of these users whose profiles another hand has changed, as far as it tells."""
        ours = {uid: each.digests for uid, each in known.items() if each.certain and each.digests is not None}
        for uid, digests in self._found(ours, self.find(list(ours))):
            if digests != ours[uid]:
                yield DriftRow(uid, digests)

    def otherwise(self, known: Mapping[str, Met]) -> tuple[list[FoundRow], list[UserKey]]:
        """Give how those of these users are found who are not as they are known, and who is known and not there."""
        lives = {uid: live for uid, each in known.items() if (live := each.live) is not None}
        shown = self.find(list(lives))
        ours = {uid: live.digests for uid, live in lives.items()}
        found = [FoundRow(uid, digests, shown[uid].standing.value) for uid, digests in self._found(ours, shown)]
        others = [each for each in found if each[1:] != (lives[each.uid].digests, lives[each.uid].standing.value)]
        missing = [uid for uid in lives if uid not in shown]
        # The create of a row finds out by itself; anybody else stays as known.
        left_open = {uid for (uid,) in self._database.execute(_LEFT_OPEN, (json_list(missing),))}
        return others, [UserKey(known[uid].key) for uid in missing if uid not in left_open]

    def _found(self, ours: Mapping[str, bytes | None], shown: Mapping[str, Shown]) -> Iterator[tuple[str, bytes]]:
        """Give the digests of users as they are found; of a field that is stored as it is known, the known ones."""
        found = {uid: profile.overlaid(ours[uid], each.digests, self.fields) for uid, each in shown.items()}
        others = [uid for uid, digests in found.items() if digests != ours[uid]]
        statement = "SELECT uid, profile FROM json_each(?) AS asked JOIN users ON users.uid = asked.value"
        for uid, kept in self._database.execute(statement, (json_list(others),)).fetchall():
            if (known := ours[uid]) is not None:
                several = [canonical.known(known, [profile.unpacked(kept)] if kept is not None else [])]
                found[uid] = profile.overlaid(known, shown[uid].recognised(several), self.fields)
        yield from found.items()

    def others(self) -> list[str]:
        """Give the uids of users of the state whom it shows otherwise than they are known, or not at all."""
        places = profile.places(self.fields)
        differ = (
            f"substr(shown.digests, {at}, {size}) IS NOT substr(users.digests, {at}, {size})" for at, size in places
        )
        profiles = f"(shown.digests IS NOT users.digests AND ({' OR '.join(differ)}))"
        return [uid for (uid,) in self._database.execute(_OTHERS.format(profiles=profiles))]

    def gone(self) -> list[str]:
        """Give the uids of users of the state who are not there any more, as far as that is not left open."""
        return [uid for (uid,) in self._database.execute(_MISSING)]

    def leave_open(self, uids: Sequence[str]) -> None:
        """Note whom no list shows, though nothing proves that they are gone: they stay as the state knows them."""
        self._database.execute(_LEAVE_OPEN, (json_list(uids),))

    def take_tags_as_known(self, uids: Sequence[str]) -> None:
        """Have users whom only an answer without tags shows be shown with those that the state knows."""
        both = self._database.execute(_BOTH, (json_list(uids),)).fetchall()
        rows = [(profile.overlaid(known, shown, _WITHOUT_TAGS), uid) for known, shown, uid in both]
        self._database.executemany("UPDATE temp.directory SET digests = ? WHERE uid = ?", rows)

    def woken(self) -> list[str]:
        """Give the uids of users that are deactivated as far as the state knows, and are not."""
        return [uid for (uid,) in self._database.execute(f"SELECT users.uid {_WOKEN}")]

    def replaced(self) -> list[ReplacedRow]:
        """Give the users of the state in whose place another hand has created somebody else."""
        return [ReplacedRow._make(each) for each in self._database.execute(f"SELECT uid, shown.created_at {_REPLACED}")]

    def drift(self) -> dict[str, int]:
        """Count what another hand did to users of the state, and the users that are none of ours."""
        queries = {
            "deleted": _GONE,
            "deactivated": _DEACTIVATED,
            "reactivated": f"SELECT count(*) {_WOKEN} AND NOT {_ANOTHER}",
            "replaced": f"SELECT count(*) {_REPLACED}",
            "strangers": _STRANGERS,
        }
        return {name: int(self._database.execute(query).fetchone()[0]) for name, query in queries.items()}


def _stored(texts: Mapping[str, str], digests: bytes) -> bytes | None:
    """Give `Shown.stored` of a profile (field → JSON text) that has these digests."""
    stored = profile.revised(digests, texts, canonical.stored_texts(texts))
    return None if stored == digests else stored


def replaced(known: Mapping[str, Met], shown: Mapping[str, Shown]) -> Iterator[ReplacedRow]:
    """Give those of the known users in whose place another hand has created somebody else."""
    for uid in known.keys() & shown.keys():
        ours, theirs = known[uid].created_at if known[uid].certain else None, shown[uid].created_at
        if ours is not None and theirs is not None and abs(theirs - ours) > _ROUNDED:
            yield ReplacedRow(uid, theirs)


def last_action(known: Met | None, found: Shown | None) -> str | None:
    """Name the last action for a user; in a copy, which does not know the last, the directory tells what it left."""
    if known is None or found is None or known.sessions != Sessions.UNKNOWN:
        return known.operation if known else None
    return Action.REACTIVATE if found.standing is Standing.DEACTIVATED else Action.UPDATE


async def read_directory(exchanger: Exchanger, directory: Directory, in_thread: InThread) -> bool:
    """Read every page; False when the run was stopped. Raises `DirectoryError` when it cannot be read whole."""
    async for page in pages(exchanger):
        await in_thread(partial(directory.add, page.users, page.listed_as))
    if exchanger.stopper.is_stopping():
        return False
    log.info("directory.read", pages=directory.pages, told=sorted(directory.fields))
    return True


async def look_for_missing(exchanger: Exchanger, directory: Directory, in_thread: InThread) -> None:
    """Ask for each user of the state who stands on no page: users who come and go move others past the one being read.

    Of more than `SINGLY` as many are asked for. When none of these is there, the others are left open; otherwise the
    list is not whole, and this raises `DirectoryError`. It ends early when the run is stopped.
    """
    missing = await in_thread(directory.gone)
    most = min(len(missing), SINGLY)
    asked = [missing[place * len(missing) // most] for place in range(most)]  # of all parts of the list
    async with aclosing(singly(exchanger, asked, NOTHING_CHANGED)) as answers:
        found = [each async for each in answers]
    if exchanger.stopper.is_stopping() or not missing:
        return
    there = [each for each in found if each.user is not None]
    if there and len(missing) > SINGLY:
        raise _not_whole(len(missing), most, len(there))
    for listed_as in Standing:
        users = [{**each.user, "uid": each.uid} for each in there if each.user and each.listed_as is listed_as]
        await in_thread(partial(directory.add, users, listed_as))
    untold = [each.uid for each in there if each.user and not each.by_list and "tags" not in each.user]
    await in_thread(partial(directory.take_tags_as_known, untold))
    left_open = set(missing).difference(each.uid for each in found if each.user is not None or each.whole)
    await in_thread(partial(directory.leave_open, sorted(left_open)))
    log.info("directory.missing", asked=most, there=len(there), left_open=len(left_open))


def _not_whole(missing: int, asked: int, there: int) -> DirectoryError:
    log.error("directory.not_whole", missing=missing, asked=asked, there=there)
    why = f"the list lacks {missing:,} users of the state, and {there:,} of the {asked:,} who were asked for are there"
    return DirectoryError(f"the app's users cannot be listed whole: {why}; {NOTHING_CHANGED}, run again")


async def resolve_doubts(
    exchanger: Exchanger, state: SyncState, doubts: Sequence[Doubt], in_thread: InThread
) -> list[str]:
    """Ask for each user in doubt and record who is ours; gives those who are there and active, and are not.

    It ends early when the run is stopped. Raises `DirectoryError` when there is no answer to go by.
    """
    others: list[str] = []
    for start in range(0, len(doubts), _AT_ONCE):
        some = doubts[start : start + _AT_ONCE]
        reading = (exchanger(Operation.READ, NOBODY._replace(uid=each.uid)) for each in some)
        found = await asyncio.gather(*reading)
        for doubt, (verdict, reply) in zip(some, found, strict=True):
            if verdict not in {Verdict.DONE, Verdict.ABSENT}:
                if exchanger.stopper.is_stopping():
                    return others
                why = str(reply.message or reply.failure)
                message = f"whether {doubt.uid} was created cannot be told ({why}); nothing was changed, run again"
                raise DirectoryError(message)
            there = verdict is Verdict.DONE
            created_at = moment(reply.data or {}, "createdAt")
            former = there and created_at is not None and created_at == doubt.former
            ours = former or (there and created_since(created_at, doubt.since))
            others += [doubt.uid] if there and not ours else []
            await in_thread(partial(state.resolve, doubt.uid, Standing.ACTIVE if ours else None, former=former))
            log.info("doubt.resolved", uid=doubt.uid, ours=ours)
    return others

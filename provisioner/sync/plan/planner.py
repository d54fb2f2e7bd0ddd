"""What a sync would do: every row of a checked roster compared with the state, before anything is changed.

    valid rows ─┬─ joined with the state by uid: as it was carried out last ──→ unchanged
                └─ anything else, one by one (`decision.decide`) ──→ create, update, reactivate
    users of the state that no row names ──→ leavers (`leavers.sort_out`) ──→ deactivate

The plan is kept on disk, so that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl

from provisioner.journal.columns import hash_of
from provisioner.journal.state.gone import LetGoRow, ReplacedRow
from provisioner.journal.state.managed import Adoption, Met, Sessions
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, AuthTokens, Live, Standing
from provisioner.results.spool import Spool
from provisioner.run.intake import CheckedBatch, Surveyed
from provisioner.sending.serverclock import created_since
from provisioner.sending.users import profile
from provisioner.sync.plan.changeset import Plan, PlannedChange, ValidRow, told
from provisioner.sync.plan.decision import Decision, Wanted, as_kept, decide, managed_fields
from provisioner.sync.plan.directory import Directory, Shown, last_action, replaced
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers, holding, nameless, sort_out, unread

# Rows looked up in the state at once.
_LOOKUP: Final = 4000

# The profile that the state keeps of a user, field → JSON text; None when it keeps none.
_Kept: TypeAlias = Mapping[str, str] | None

# Of users found in the directory as the roster has them: what is made an `Adoption` of.
_AS_WANTED: Final = {
    "uid": pl.String, "row": pl.Int64, "body_hash": pl.String, "digests": pl.Binary, "profile": pl.Binary,
    "created_at": pl.Int64,
}  # fmt: skip


class Planner:
    """Makes the plan of one roster; `directory` is there when the app's users have been read."""

    def __init__(self, surveyed: Surveyed, state: SyncState, folder: Path, directory: Directory | None = None) -> None:
        self._surveyed, self._state, self._directory = surveyed, state, directory
        self._managed = managed_fields(surveyed.opened.binding)
        self._everyone = surveyed.opened.settings.run.auth_tokens is AuthTokens.ALL
        self._as_wanted: list[tuple[Any, ...]] = []
        self._to_record, self._to_keep = Spool(folder), Spool(folder)
        self.plan = Plan(Spool(folder))
        # Rows whose users are to be deactivated; those of them whom the app has and the state does not know; and how
        # many of the others it does not know.
        self._leaving, self.strangers, self.taken_over = 0, dict[str, int](), 0
        self._due: frozenset[str] = frozenset()
        # Users in whose place another hand has created somebody else, and those of them whom no row names.
        self._replaced, self._let_go = dict[str, ReplacedRow](), set[str]()

    def read(self, interrupted: Callable[[], None]) -> None:
        """Take in the whole roster; whatever `interrupted` raises ends it."""
        for checked in self._surveyed.batches():
            self._surveyed.keep(checked)
            self._note_present(checked)
            leaving = checked.valid["deactivated"].fill_null(value=False)
            for part in checked.valid.filter(~leaving).iter_slices(_LOOKUP):
                self._compare(part)
            for part in checked.valid.filter(leaving).iter_slices(_LOOKUP):
                self._name(part)
            interrupted()

    def sort_out_leavers(self, policy: LeaverPolicy) -> Leavers:
        """Decide on those that the roster does not name any more; the deactivations complete the plan."""
        gone = set[str]()
        if self._directory is not None:
            self._look_at_others(self._directory)
            self._state.wake([uid for uid in self._directory.woken() if uid not in self._let_go])
            gone.update(self._directory.gone(), self._let_go)  # of them there is nobody to be deactivated
        # Of strangers a night that was cut short may have left something in the state.
        everybody = dict.fromkeys(self.strangers, 0) | dict(self._state.leavers())
        found = [(uid, absent) for uid, absent in everybody.items() if uid not in gone]
        named = self._state.named([uid for uid, _ in found]) if self._leaving else {}
        so_far, notices = self.plan.so_far, self._surveyed.opened.roster.notices()
        so_far.unread, so_far.holding = unread(notices), holding(self._surveyed.findings, notices)
        shortened = self._state.nights.shortened()
        leavers = sort_out(found, policy, nameless=so_far.anybody, named=named, shortened=shortened)
        self._due = frozenset(uid for uid, _ in leavers.due)
        for start in range(0, len(leavers.due), _LOOKUP):
            some = leavers.due[start : start + _LOOKUP]
            self._add([PlannedChange.deactivation(uid, named.get(uid, 0), flush=policy.flush) for uid, _ in some])
        so_far.unchanged += self._leaving - sum(uid in named for uid, _ in leavers.due)
        return leavers

    def _look_at_others(self, directory: Directory) -> None:
        """Count whom another hand has changed, with a row or none; and find in whose place it created somebody else.

        Somebody else is no leaver of ours. In a copy it may be: of a night that the copy does not know.
        """
        self._replaced = {each.uid: each for each in directory.replaced()}
        strange = [uid for uid, each in self._replaced.items() if not self._may_be_ours(each.created_at)]
        self._let_go = self._state.is_leaver(strange).difference(self._state.named(strange))
        for met in self._met_otherwise(directory, self._replaced):
            for uid, digests in directory.drifted(met):
                self.plan.note_drifted(met[uid].digests or b"", digests)

    def _met_otherwise(self, directory: Directory, without: Container[str]) -> Iterator[dict[str, Met]]:
        """Look up, piece by piece, whom it shows otherwise than they are known."""
        others = [uid for uid in directory.others() if uid not in without]
        for start in range(0, len(others), _LOOKUP):
            yield self._state.met(others[start : start + _LOOKUP])

    def record(self, now: float) -> None:
        """Bring into the state (UNIX seconds) what takes no request: how users were found, as they should be or not."""
        self._state.record_woken()
        self._note_found()
        for frame in self._to_record.frames():
            users = (
                Adoption(uid, row, Live(body_hash, digests, Standing.ACTIVE, packed), created_at)
                for uid, row, body_hash, digests, packed, created_at in frame.iter_rows()
            )
            self._state.adopt(users, now)
        for frame in self._to_keep.frames():
            self._state.keep_profiles(frame.iter_rows())

    def _note_found(self) -> None:
        """Have the state know how the app's list shows its users, with a valid row or none: no later night may look.

        Of those who are deactivated tonight only the profile is noted: until then they are leavers.
        """
        if self._directory is None:
            return
        stay = [each for uid, each in self._replaced.items() if uid not in self._let_go]
        self._state.note_others([], stay, [LetGoRow(uid) for uid in self._let_go])
        for met in self._met_otherwise(self._directory, self._let_go):
            due = {uid: met.pop(uid) for uid in self._due.intersection(met)}
            self._state.note_others(self._directory.drifted(due), [])
            self._state.note_found(*self._directory.otherwise(met))

    def close(self) -> None:
        """Let go of the disk space."""
        self._to_record.close()
        self._to_keep.close()
        self.plan.changes.close()

    def _note_present(self, checked: CheckedBatch) -> None:
        """Note who is there; a rejected row is no leaver."""
        lines = checked.checked.lines
        self._state.see(lines["uid"].drop_nulls().to_list())
        self.plan.so_far.nameless += nameless(lines["error_message"])

    def _name(self, part: pl.DataFrame) -> None:
        """Note rows that name their users as deactivated: these are leavers, if they are there and active."""
        self.plan.note_rows([f"-{uid}" for uid in part["uid"].to_list()])
        rows = dict(part.select("uid", "row").iter_rows())
        self._leaving += len(rows)
        self._state.name(list(rows.items()))
        if self._directory is not None:
            met, shown = self._state.met(list(rows)), self._directory.find(list(rows))
            active = [uid for uid, each in shown.items() if each.standing is Standing.ACTIVE]
            self.strangers |= {uid: rows[uid] for uid in active if uid not in met or not met[uid].exists}

    def _compare(self, part: pl.DataFrame) -> None:
        hashes = [hash_of(body) for body in part["body"].cast(pl.Binary).to_list()]
        self.plan.note_rows(hashes)
        rows = part.select("row", "uid", "body", "token").with_columns(body_hash=pl.Series(hashes, dtype=pl.String))
        directory = self._directory
        if directory is None:
            rows = self._without_unchanged(rows, self._state.carried_out(part["uid"].to_list()))
        uids = rows["uid"].to_list()
        met, shown = self._state.met(uids), directory.find(uids) if directory is not None else {}
        if directory is None:
            rows = self._without_bare(rows, met)
        else:
            self.taken_over += sum(uid not in met for uid in shown)
            for each in list(replaced(met, shown)):  # what is known of those before them is of no use
                del met[each.uid]
            rows = self._without_steady(rows, met, frozenset(directory.steady(met, shown)))
        kept = {uid: profile.unpacked(each) for uid, each in self._state.profiles(rows["uid"].to_list()).items()}
        valid = map(ValidRow._make, rows.iter_rows())
        changes = (self._decided(row, met.get(row.uid), shown.get(row.uid), kept.get(row.uid)) for row in valid)
        self._add([change for change in changes if change is not None])
        as_wanted, self._as_wanted = self._as_wanted, []
        self._to_record.append(pl.DataFrame(as_wanted, schema=_AS_WANTED, orient="row"))

    def _add(self, changes: Sequence[PlannedChange]) -> None:
        self._state.plan([each.uid for each in changes])
        self.plan.add(changes)

    def _without_unchanged(self, rows: pl.DataFrame, carried_out: Sequence[tuple[str, str | None]]) -> pl.DataFrame:
        """Leave out the rows that were carried out just as they stand: on most nights, nearly all."""
        known, given = dict(carried_out), zip(rows["uid"].to_list(), rows["body_hash"].to_list(), strict=True)
        others = [
            (live := known.get(uid)) != body_hash and not (live and profile.tells(live, body_hash, self._managed))
            for uid, body_hash in given
        ]
        changed = rows.filter(pl.Series(others, dtype=pl.Boolean))
        self.plan.so_far.unchanged += rows.height - changed.height
        return changed

    def _without_steady(self, rows: pl.DataFrame, met: Mapping[str, Met], steady: Collection[str]) -> pl.DataFrame:
        """Leave out the rows that were carried out as they stand, and whose users are shown so and owed nothing."""
        settled = [
            (uid, met[uid].live_hash)
            for uid, body, token in rows.select("uid", "body", "token").iter_rows()
            if uid in steady and not self._is_given_token(met[uid], wanted=token) and not self._differs(met[uid], body)
        ]
        return self._without_unchanged(rows, settled)

    def _differs(self, known: Met, body: str) -> bool:
        # An older version did not write down behind the hash what users have besides.
        return bool(profile.difference(known.digests, profile.digests(profile.members(body)), self._managed))

    def _without_bare(self, rows: pl.DataFrame, met: Mapping[str, Met]) -> pl.DataFrame:
        """Leave out those of whom the state has no profile yet, and keep theirs.

        It is of an older format, or a run left them in it.
        """
        active = (each for each in met.values() if each.certain and each.standing == Standing.ACTIVE)
        left = self._without_unchanged(rows, [(each.uid, each.live_hash) for each in active if not each.has_profile])
        if left.height < rows.height:
            same = rows.join(left.select("uid"), on="uid", how="anti", maintain_order="left")
            packed = [profile.packed(profile.members(body)) for body in same["body"].to_list()]
            self._to_keep.append(same.select("uid", profile=pl.Series(packed, dtype=pl.Binary)))
        return left

    def _decided(self, row: ValidRow, known: Met | None, found: Shown | None, old: _Kept) -> PlannedChange | None:
        wanted = Wanted.of(row.body, row.body_hash, self._managed)
        lost = found is not None and self._may_be_ours(found.created_at)
        # What is in doubt is done again whatever the directory shows: only that tells whose work it was.
        unsettled = not known.certain if known else lost
        if self._directory is None or unsettled:
            live, exists = (known.live, known.exists) if known else (None, False)
        else:
            live, exists = self._as_shown(known, found, wanted, old), found is not None
        mint = self._is_given_token(known, wanted=row.token)
        if live is not None and mint and known is not None and known.sessions == Sessions.FLUSHED:
            # Whoever another hand woke comes back all the same: in place of the flushed token a new one is owed.
            live = live._replace(standing=Standing.DEACTIVATED)
        unsure = self._unsure(known, found, old) if known is not None else None
        decision = decide(wanted, live, exists=exists, last=last_action(known, found), unsure=unsure)
        if decision is None and live is not None and mint and self._everyone:
            decision = Decision(Action.UPDATE, (), b"", wanted.against(live.digests, live.body_hash, unsure)[2])
        if decision is None:
            self._leave_alone(row, wanted, known, live, found, old)
            return None
        stays = old if old is not None and decision.action is not Action.CREATE else {}
        after = profile.packed(profile.carried_out(stays, wanted.members, self._managed))
        change = PlannedChange.of(row, decision, after, told(decision.fields, old, live))
        due = {Action.REACTIVATE: mint, Action.UPDATE: mint and self._everyone, Action.CREATE: row.token and lost}
        change = change._replace(mint=due[decision.action])
        self._note_altered(change, wanted, old, live)
        return change

    def _unsure(self, known: Met, found: Shown | None, old: _Kept) -> bytes | None:
        """Give `Wanted.against`'s: what the directory shows is what a doubt has come to."""
        if known.certain:
            return known.digests if known.digests is not None else as_kept(known.live_hash, old)
        return known.digests if found is None else profile.overlaid(known.digests, found.digests, self._listed)

    @property
    def _listed(self) -> Collection[str]:
        """The fields of a profile that the directory tells anything of."""
        return self._directory.fields if self._directory is not None else ()

    def _may_be_ours(self, created_at: int | None) -> bool:
        """Whether who is unknown to the state may have joined, and left again, in nights that it does not know."""
        since = self._state.copied_at
        return since is not None and created_at is not None and created_since(created_at, since)

    def _note_altered(self, change: PlannedChange, wanted: Wanted, old: _Kept, live: Live | None) -> None:
        """Count the fields that get another value than they had, as far as that is known, and keep the first of each.

        What is in doubt is done again whole, and so may be what a copy of a state does not know: there only that counts
        in which the row is not what it was before. The fields of who comes back say nothing of those who were managed
        before the night; that so many come back does.
        """
        if change.action == Action.REACTIVATE:
            if live is not None:
                self.plan.note_woken(change.uid)
            return
        fields = frozenset(change.fields)
        if live is None or self._state.copied_at is not None:
            fields -= profile.same(profile.digests(old), wanted.digests) if old is not None else fields
        self.plan.note_altered(change, fields)

    def _is_given_token(self, known: Met | None, *, wanted: bool) -> bool:
        """Whether somebody who is there has no auth token, or lost it with the deactivation, and is to have one."""
        if not (wanted and (self._everyone or (known is not None and known.ours))):
            return False
        return known is None or known.sessions is not None or not known.has_token

    def _as_shown(self, known: Met | None, found: Shown | None, wanted: Wanted, old: _Kept) -> Live | None:
        """Trust the directory where it tells, in the form in which the API stores it; where it does not, the state."""
        if found is None:
            return None
        ours = known.digests if known is not None and known.certain else None
        digests = profile.overlaid(ours, found.digests, self._listed)
        if digests != ours and (ours is not None or profile.difference(digests, wanted.digests, self._managed)):
            digests = profile.overlaid(ours, found.recognised(wanted.recognisable(ours, old)), self._listed)
        return Live(None, digests, found.standing)  # what is shown says more than the hash of a body

    def _leave_alone(
        self, row: ValidRow, wanted: Wanted, known: Met | None, live: Live | None, found: Shown | None, old: _Kept
    ) -> None:
        """Count a user who is as the roster has it; what the directory showed is worth remembering."""
        self.plan.so_far.unchanged += 1
        if known is None:
            self.plan.so_far.adopted += 1
        if found is None or live is None or (known is not None and not known.certain):
            return
        after = wanted.against(live.digests)[2]
        if known is None or known.live != after._replace(sessions=known.sessions) or not known.has_profile:
            packed = profile.packed(profile.carried_out(old or {}, wanted.members, self._managed))
            self._as_wanted.append((row.uid, row.row, after.body_hash, after.digests, packed, found.created_at))

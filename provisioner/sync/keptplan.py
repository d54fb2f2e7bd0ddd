"""A kept plan: what `plan -o` writes and `sync` carries out, if roster and state are still what they were.

The changes are listed for people; what is carried out is made anew from the roster, and has to come out the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import orjson

from provisioner import __version__
from provisioner.errors import OutputError, UsageError
from provisioner.files.looking import content_of, digest_of, open_file
from provisioner.files.writing import PRIVATE, written_whole
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, AuthTokens
from provisioner.results.manifest import rewrite
from provisioner.roster.files.folders import is_pattern
from provisioner.sync.plan.assessment import Assessment
from provisioner.sync.plan.changeset import Plan, PlannedChange
from provisioner.sync.plan.report import PlanReport, document_of
from provisioner.wording import json_text, read_exactly

FORMAT: Final = 3
_MARK: Final = "provisioner_plan"
_HEAD: Final = 4096

# Bytes of a plan read at once.
_PIECE: Final = 1 << 20

# The settings of [sync] that decide what a plan holds, and the kinds of their values.
_DECISIVE: Final[Mapping[str, tuple[type, ...]]] = {
    "deactivate_leavers": (bool,),
    "keep_sessions": (bool,),
    "grace_nights": (int,),
    "adopt": (bool,),
    "refresh": (bool,),
    "approve": (str, type(None)),
}
_SOUND: Final = dict.fromkeys(_DECISIVE, True)

# A plan ends with the digest of all before it: there is no summary beside it that would know it.
_SEAL: Final = b',\n  "sha256": "%s"\n}\n'
_SEAL_LENGTH: Final = len(_SEAL % (b"0" * 64))


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """What a plan file says.

    roster   the ROSTER arguments, paths made absolute
    state    the state file
    options  the settings of [sync] that it was made with
    digest   `PlanTotals.digest`
    rows     `PlanTotals.roster`
    mark     `StateMark.mark`
    changes  uid → action of all that is to be done
    tokens   auth tokens that were to be given
    auth_tokens  who was to get one
    create_roles  whether roles that the app lacks were to be created
    app      the address of the app that it was made for
    """

    roster: tuple[str, ...]
    state: Path
    options: dict[str, Any]
    digest: str
    rows: str
    mark: str
    changes: Mapping[str, str] = field(default_factory=dict)
    tokens: int = 0
    auth_tokens: AuthTokens = AuthTokens.CREATED
    create_roles: bool = False
    app: str = ""


@dataclass(frozen=True, slots=True)
class StateMark:
    """Where a state stands, as far as a kept plan depends on it.

    mark        `SyncState.mark`
    unfinished  `Nights.unfinished_plan`
    """

    mark: str
    unfinished: str | None

    @classmethod
    def of(cls, state: SyncState) -> StateMark:
        """Look at a state; in its thread."""
        return cls(state.mark(), state.nights.unfinished_plan())


def is_plan(arguments: Sequence[str]) -> bool:
    """Tell a plan file from a roster that is a `.json` as well: by what it begins with, if it is there."""
    if len(arguments) != 1 or Path(arguments[0]).suffix.lower() != ".json":
        return False
    try:
        with open_file(Path(arguments[0])) as file:
            return _MARK.encode() in file.read(_HEAD)
    except FileNotFoundError:
        return not (is_pattern(arguments[0]) or "://" in arguments[0])
    except OSError:
        return False


def kept_in(arguments: Sequence[str]) -> KeptPlan | None:
    """Read the plan that is carried out; None for a roster. Raises `UsageError`."""
    return read_plan(Path(arguments[0])) if is_plan(arguments) else None


def readable_in(arguments: Sequence[str]) -> KeptPlan | None:
    """Read the plan that is carried out; None for a roster, and for a plan that cannot be read."""
    with suppress(UsageError):
        return kept_in(arguments)
    return None


@dataclass(frozen=True, slots=True)
class PlanSource:
    """What a plan was made from: the ROSTER, the settings of [sync], the address of the app, and those of [run]."""

    roster: Sequence[str]
    options: Mapping[str, Any]
    app: str
    auth_tokens: AuthTokens = AuthTokens.CREATED
    create_roles: bool = False


def refuse_as_plan(path: Path) -> None:
    """Raise `OutputError` for a name under which a plan would be taken for a roster."""
    if path.suffix.lower() != ".json":
        raise OutputError(f"{path}: a plan is kept as .json; choose another --output")


def write_plan(path: Path, source: PlanSource, report: PlanReport, plan: Plan, mark: StateMark) -> None:
    """Keep a plan; what stands there and is no plan as it was written is set aside first. Raises `OutputError`."""
    refuse_as_plan(path)
    totals, options = report.assessment.plan, source.options
    head = {
        _MARK: FORMAT,
        "made_by": __version__,
        "app": source.app,
        "roster": list(source.roster),
        "state": _plain(options["state"]),
        "options": {name: _plain(options[name]) for name in _DECISIVE},
        "auth_tokens": source.auth_tokens.value,
        "create_roles": source.create_roles,
        "digest": totals.digest,
        "rows": totals.roster,
        "mark": mark.mark,
        "summary": report.document,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --output") from None
    rewrite(path, _sealed(path), lambda: _write(path, head, plan), recorded=False)


def _write(path: Path, head: Mapping[str, Any], plan: Plan) -> None:
    # It holds people's data.
    with written_whole(path, PRIVATE) as temporary, temporary.open("w+b") as file:
        file.write(json_text(head).encode(errors="backslashreplace")[:-2])
        file.write(b',\n  "changes": [')
        for number, change in enumerate(map(document_of, plan.every())):
            file.write((b",\n    " if number else b"\n    ") + _line(change))
        file.write(b"\n  ]")
        seal = _seal_of(file, file.tell())
        file.write(seal)


def _line(change: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(change)
    except TypeError:  # one of its numbers is none of 64 bits
        return json_text(change, None).encode()


def _sealed(path: Path) -> str | None:
    """Give the digest of a plan that is as it was written; None for anything else."""
    if not path.is_file():  # opening a pipe waits for who writes into it
        return None
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size - _SEAL_LENGTH
            whole = length > 0 and _seal_of(file, length) == file.read()
    except OSError:
        return None
    return digest_of(path) if whole else None


def _seal_of(file: IO[bytes], length: int) -> bytes:
    """Say how a plan ends that begins with so many bytes; the file is read from its beginning to there."""
    digest, left = hashlib.sha256(), length
    file.seek(0)
    while left > 0 and (piece := file.read(min(left, _PIECE))):
        digest.update(piece)
        left -= len(piece)
    return _SEAL % digest.hexdigest().encode()


def read_plan(path: Path) -> KeptPlan:
    """Read a kept plan; raises `UsageError`."""
    try:
        document = read_exactly(content_of(path))
    except FileNotFoundError:
        raise UsageError(
            f"{path}: no such file; a plan is made with: provisioner plan ROSTER --state FILE -o {path}; "
            "of a roster, check the name"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as a plan ({error}); make a new one with plan -o") from None
    if not isinstance(document, dict) or _MARK not in document:
        raise UsageError(f"{path}: is no plan of provisioner; make one with plan -o")
    if document[_MARK] != FORMAT:
        raise UsageError(f"{path}: is a plan of another version of provisioner; make a new one with plan -o")
    try:
        if _sealed(path) is None:
            raise ValueError(path)
        options, roster = dict(document["options"]), tuple(map(str, document["roster"]))
        if not roster or {name: type(value) in _DECISIVE.get(name, ()) for name, value in options.items()} != _SOUND:
            raise ValueError(options)
        return KeptPlan(
            roster,
            Path(document["state"]),
            options,
            str(document["digest"]),
            str(document["rows"]),
            str(document["mark"]),
            {change["uid"]: change["action"] for change in document["changes"]},
            int(document["summary"]["tokens"]),
            AuthTokens(document["auth_tokens"]),
            bool(document["create_roles"]),
            str(document["app"]),
        )
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path}: is a plan that was changed by hand; make a new one with plan -o") from None


def check_plan(kept: KeptPlan, assessment: Assessment, now: StateMark, changes: Iterable[PlannedChange]) -> None:
    """Refuse a plan that roster or state do not fit any more; raises `UsageError`.

    A sync of this very plan that was cut short has changed the state itself: what is left of it is carried out.

    changes  all that would be done now
    """
    again = "make a new one with plan -o, nothing was changed"
    if assessment.plan.roster != kept.rows:
        raise UsageError(f"the plan no longer fits: the roster, or how it is read, has changed since; {again}")
    unfinished = now.unfinished == kept.digest
    if now.mark != kept.mark and not unfinished:
        raise UsageError(f"the plan no longer fits: the state has moved since; {again}")
    if assessment.plan.digest != kept.digest and not (unfinished and _is_left_of(kept, assessment, changes)):
        raise UsageError(f"the plan no longer fits: something else would be done now; {again}")


def _is_left_of(kept: KeptPlan, assessment: Assessment, changes: Iterable[PlannedChange]) -> bool:
    """Tell whether this is what an attempt has left of a plan whose roster is the same: nobody else, nothing more.

    How a user is brought to its row may be another way by now; that it leaves may not.
    """
    leaves, tokens = Action.DEACTIVATE.value, kept.tokens
    left = {uid for uid, _ in assessment.left_before}
    for each in changes:
        if each.uid not in kept.changes or (kept.changes[each.uid] == leaves) != (each.action == leaves):
            return False
        if each.action == leaves:
            left.add(each.uid)
        # Whom the attempt found deleted is created, and has no token any more.
        tokens += each.token and each.action == Action.CREATE != kept.changes[each.uid]
    everybody = all(uid in left for uid, action in kept.changes.items() if action == leaves)
    return everybody and assessment.plan.tokens.total() <= tokens


def _plain(value: Any) -> Any:
    return str(value.resolve()) if isinstance(value, Path) else value

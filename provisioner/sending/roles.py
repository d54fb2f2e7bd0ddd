"""Checks that the roles in a roster exist: the API refuses a create that names an unknown role.

The API is asked once, before the first create that names a role; a run with nothing to send asks nothing. On request,
missing roles are created before the first row that needs one.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from provisioner.logs.events import get_logger
from provisioner.model import UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import NOBODY, Operation
from provisioner.sending.users.needs import MOST_ROLES, roles_in
from provisioner.sending.users.profile import DEFAULT_ROLE
from provisioner.sending.verdicts import Verdict

log = get_logger()


class RoleCheck:
    """The roles of the app, fetched when first needed.

    on      whether roles are checked; if not, every role is assumed to exist
    create  create missing roles; implies the check
    """

    def __init__(self, exchanger: Exchanger, *, on: bool, create: bool = False) -> None:
        self._exchanger = exchanger
        self._create = create
        self._asked = not (on or create)
        self._refused: dict[str, str] = {}
        self.known: frozenset[str] | None = None if self._asked else frozenset({DEFAULT_ROLE})

    def doubtful(self, role: str | None) -> bool:
        """Return whether a role is not known to exist."""
        return role is not None and self.known is not None and role not in self.known

    async def ask(self) -> None:
        """Fetch the app's roles, once; if that fails, every role is accepted."""
        if self._asked:
            return
        self._asked = True
        verdict, reply = await self._exchanger(Operation.ROLES, NOBODY)
        if verdict is Verdict.DONE:
            self.known = frozenset({DEFAULT_ROLE, *roles_in(reply)})
            log.info("roles.known", roles=sorted(self.known))
        elif verdict is not None and verdict is not Verdict.STOP:
            self.known = None
            log.warning("roles.unchecked", reason=reply.message or str(reply.failure), status=reply.status)

    async def ensure(self, roles: Iterable[str]) -> None:
        """Check that roles exist, and create the missing ones if that was requested.

        They are created in this order, up to the limit of an app. If the run is killed in between, the next one finds
        the roles that were created.
        """
        doubtful = list(dict.fromkeys(filter(self.doubtful, roles)))
        if doubtful:
            await self.ask()
        for role in filter(self.doubtful, doubtful if self._create else ()):
            if role not in self._refused and self.known is not None:
                await self._create_role(role, self.known)

    async def _create_role(self, role: str, known: frozenset[str]) -> None:
        if len(known) >= MOST_ROLES:
            self._refused[role] = f"an app has {MOST_ROLES} roles at most"
            return
        body = orjson.dumps({"role": role, "name": role})
        request = UserRequest(0, 0, role, body, "", token=False)
        verdict, reply = await self._exchanger(Operation.CREATE_ROLE, request)
        if verdict in {Verdict.DONE, Verdict.EXISTS}:
            self.known = known | {role}
            log.info("role.created", role=role)
        elif verdict is not None and verdict is not Verdict.STOP:
            self._refused[role] = reply.message or str(reply.failure)
            log.warning("role.not_created", role=role, reason=self._refused[role], status=reply.status)

    def message(self, role: str) -> str:
        """Return the message for a row whose role does not exist."""
        why = f" and was not created ({self._refused[role]})" if role in self._refused else ""
        return f"{role!r} is no role of this app{why}, known are {', '.join(sorted(self.known or ()))}"

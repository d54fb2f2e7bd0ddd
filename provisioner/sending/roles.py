"""Whether the roles in a roster exist. Roles are not made by naming them: a create with an unknown one is refused.

Asked of the API once, before the first create that names a role; a run with nothing to send asks nothing. Where that is
wanted, those that are missing are made before the first row that needs one.
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
    """Knows the app's roles, once it has been asked to.

    on      False when nobody wants to know: then every role is taken to exist
    create  make those that are missing, which needs to know
    """

    def __init__(self, exchanger: Exchanger, *, on: bool, create: bool = False) -> None:
        self._exchanger = exchanger
        self._create = create
        self._asked = not (on or create)
        self._refused: dict[str, str] = {}
        self.known: frozenset[str] | None = None if self._asked else frozenset({DEFAULT_ROLE})

    def doubtful(self, role: str | None) -> bool:
        """Whether a role is not known to exist."""
        return role is not None and self.known is not None and role not in self.known

    async def ask(self) -> None:
        """Learn the app's roles, unless that was done before; when it cannot be done, every role is let pass."""
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
        """Learn which of some roles there are, and make those that are missing where that is wanted.

        They are made in this order, as many as an app can have. Killed between, the next run finds those that were
        made: that a role is there already is as good.
        """
        doubtful = list(dict.fromkeys(filter(self.doubtful, roles)))
        if doubtful:
            await self.ask()
        for role in filter(self.doubtful, doubtful if self._create else ()):
            if role not in self._refused and self.known is not None:
                await self._make(role, self.known)

    async def _make(self, role: str, known: frozenset[str]) -> None:
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
        """Say what is wrong with a role that does not exist."""
        why = f" and was not created ({self._refused[role]})" if role in self._refused else ""
        return f"{role!r} is no role of this app{why}, known are {', '.join(sorted(self.known or ()))}"

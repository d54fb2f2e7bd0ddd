"""Whether the roles in a roster exist. Roles are not made by naming them: a create with an unknown one is refused.

Asked of the API once, before the first create that names a role; a run with nothing to send asks nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from provisioner.logs import get_logger
from provisioner.model import NOBODY
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.retry import Verdict

# Every app has it; it needs no asking.
DEFAULT: Final = "default"

log = get_logger()


class RoleCheck:
    """Knows the app's roles, once it has been asked to.

    on  False when nobody wants to know: then every role is taken to exist
    """

    def __init__(self, exchanger: Exchanger, *, on: bool) -> None:
        self._exchanger = exchanger
        self._asked = not on
        self.known: frozenset[str] | None = frozenset({DEFAULT}) if on else None

    def doubtful(self, role: str | None) -> bool:
        """Whether a role is not known to exist."""
        return role is not None and self.known is not None and role not in self.known

    async def ask(self) -> None:
        """Learn the app's roles, unless that was done before; when it cannot be done, every role is let pass."""
        if self._asked:
            return
        self._asked = True
        verdict, reply = await self._exchanger(Operation.ROLES, NOBODY, token=False, note=lambda *_: None)
        if verdict is Verdict.DONE:
            self.known = frozenset({DEFAULT, *_names(reply)})
            log.info("roles.known", roles=sorted(self.known))
        elif verdict is not None and verdict is not Verdict.STOP:
            self.known = None
            log.warning("roles.unchecked", reason=reply.message or str(reply.failure), status=reply.status)

    def message(self, role: str) -> str:
        """Say what is wrong with a role that does not exist."""
        return f"{role!r} is no role of this app, known are {', '.join(sorted(self.known or ()))}"


def _names(reply: Reply) -> Collection[str]:
    items = (reply.data or {}).get("items", [])
    return [each["role"].lower() for each in items if isinstance(each, dict) and isinstance(each.get("role"), str)]

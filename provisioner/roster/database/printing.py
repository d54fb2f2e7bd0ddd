"""Arguments as printed commands name them: without what may be secret, and so that they can be given again."""

from __future__ import annotations

from provisioner.roster.database.address import is_address, may_hold_secret
from provisioner.roster.files.inputs import STANDARD_INPUT, shown


def roster_in_command(where: str) -> str:
    """Give a roster as a printed command names it: as it may be shown, and never like an option."""
    return f"./{where}" if where.startswith("-") and where != STANDARD_INPUT else shown(where)


def in_command(argument: str) -> str:
    """Give any argument without what may be secret; of the address of a database that is a parameter by its name."""
    return argument if is_address(argument) and not may_hold_secret(argument) else shown(argument)

"""A stand-in for the CometChat REST API v3, for rehearsals and tests: users, tokens and roles over real HTTP.

    async with run_emulator(EmulatorSettings(latency=0.02)) as emulator:
        ...  # send to emulator.url with the header `apikey: emulator.api_key`

It is an independent reading of the API's documentation: it shares no code with the client it is a
counterpart to, so that a mistake in the one is not repeated in the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.emulator.faults import Fault, FaultPlan, ScriptedFault
from provisioner.emulator.settings import Clock, Constraints, EmulatorSettings

if TYPE_CHECKING:
    from provisioner.emulator.server import Emulator, run_emulator

__all__ = [
    "Clock",
    "Constraints",
    "Emulator",
    "EmulatorSettings",
    "Fault",
    "FaultPlan",
    "ScriptedFault",
    "run_emulator",
]


def __getattr__(name: str) -> Any:
    """Load the server only when asked for: the command line imports this package just to show its help."""
    if name in {"Emulator", "run_emulator"}:
        from provisioner.emulator import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

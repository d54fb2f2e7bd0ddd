"""The rate as it is set, and set anew while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from provisioner.errors import ConfigurationError
from provisioner.logs.events import get_logger
from provisioner.sending.calls import Budget
from provisioner.settings.layers import flag_of
from provisioner.settings.tables import Loaded, Rate

if TYPE_CHECKING:  # what only reads has no need of the limiter
    from provisioner.sending.pacing import Pacing

_KEYS: Final = ("requests_per_minute", "standard_requests_per_minute", "share")

log = get_logger()


def limits_of(rate: Rate) -> dict[Budget, float]:
    """Give the requests a minute that are ours under each budget."""
    return {
        Budget.CORE: rate.requests_per_minute * rate.share,
        Budget.STANDARD: rate.standard_requests_per_minute * rate.share,
    }


def seconds_for(rate: Rate, requests: Mapping[str, int]) -> float:
    """Give the least time (seconds) that requests take at the rate that is set: budget → how many."""
    return 60 * max(requests.get(budget, 0) / limit for budget, limit in limits_of(rate).items())


class Dial:
    """Takes the rate from the config file again, whenever it is turned, and tells what came of it.

    read  gives the settings as they stand now: what flags and environment say goes before the file, as ever
    rate  as it was when the run began
    """

    def __init__(self, read: Callable[[], Loaded], rate: Rate) -> None:
        self._read, self._rate = read, rate
        self._pacing: Pacing | None = None

    @contextmanager
    def turning(self, pacing: Pacing) -> Iterator[None]:
        """Let it be turned until the block ends; a turn that came before counts as well."""
        self._pacing = pacing
        pacing.change(limits_of(self._rate), self._rate.share)
        try:
            yield
        finally:
            self._pacing = None

    def turn(self) -> None:
        """Read the rate again; what cannot be read changes nothing."""
        try:
            loaded = self._read()
        except ConfigurationError as error:
            log.warning("rate.not_changed", reason=str(error))
            return
        if loaded.config is None:
            log.warning("rate.not_changed", reason="there is no config file to read it from")
            return
        before, after = self._rate, loaded.settings.rate
        for key in _KEYS:
            if loaded.origin("rate", key) == (flag := flag_of("rate", key)):
                reason = f"{flag} was given with the command, which goes before {loaded.config}"
                log.warning("rate.flag_kept", key=key, value=getattr(after, key), reason=reason)
        changed = {key: getattr(after, key) for key in _KEYS if getattr(after, key) != getattr(before, key)}
        if not changed:
            log.warning("rate.not_changed", reason=f"what {loaded.config} may set is as it was")
            return
        self._rate = after
        limits = limits_of(after)
        if self._pacing is not None:
            self._pacing.change(limits, after.share)
            limits = {budget: self._pacing.pacers[budget].per_minute for budget in limits}
        each = {f"{budget.value}_per_minute": round(limit, 1) for budget, limit in limits.items()}
        log.warning("rate.changed", **changed, **each, file=str(loaded.config))

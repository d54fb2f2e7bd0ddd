"""The checks a request meets before its endpoint, in the order the server is taken to make them.

Route, key, scope, rate limit, size of the body; then, in the endpoint: validation of all fields at once,
duplicate, quota. The order is an assumption: nothing public settles it.
"""

from __future__ import annotations

import math
from hmac import compare_digest

from provisioner.emulator.app import limits
from provisioner.emulator.app.faults import Fault, Strike
from provisioner.emulator.app.limits import Admission
from provisioner.emulator.endpoints import errors
from provisioner.emulator.endpoints.context import Tenant
from provisioner.emulator.endpoints.routes import Route


class Gate:
    """Lets requests pass or raises ApiError; holds the rate windows and the faults that outlast a request."""

    def __init__(self, tenant: Tenant, api_key: str) -> None:
        self._tenant = tenant
        self._settings = tenant.settings
        self._key = api_key.encode()
        self._windows = limits.windows(tenant.settings)
        self.calm()

    def calm(self) -> None:
        """End every lasting fault: the key is valid, the storm over, the quota that of the settings."""
        self._revoked = False
        self._storm_ends = -math.inf
        self._silent = False
        self._tenant.quota_reached = False

    def disturb(self, strike: Strike) -> None:
        """Begin a fault that outlasts its request, if this is one of those."""
        match strike.fault:
            case Fault.REVOKE_KEY:
                self._revoked = True
            case Fault.QUOTA_REACHED:
                self._tenant.quota_reached = True
            case Fault.STORM | Fault.SILENT_STORM:
                self._storm_ends = self._tenant.clock.monotonic() + strike.seconds
                self._silent = strike.fault is Fault.SILENT_STORM

    def accepts(self, key: str) -> bool:
        """Tell whether this is the app's key, and not revoked."""
        return not self._revoked and compare_digest(key.encode(), self._key)

    def authorise(self, key: str, route: Route | None) -> Route:
        """Check route, key and scope, and give the route. Raises ApiError."""
        if route is None:
            raise errors.no_such_endpoint()
        if not key:
            raise errors.no_key()
        if not self.accepts(key):
            raise errors.unknown_key(key)
        full = self._settings.scope == "fullAccess"
        if not full and not (route.auth_only and self._settings.auth_only_creates):
            raise errors.scope_too_small(key)
        return route

    def admit(self, route: Route) -> dict[str, str]:
        """Count the request and give the rate headers of its answer. Raises ApiError with those of a 429."""
        now = self._tenant.clock.monotonic()
        style = self._settings.header_style
        if now < self._storm_ends:
            storm = Admission(False, self._windows[route.group].limit, 0, self._storm_ends - now)
            headers = {} if self._silent else limits.refusal_headers(style, storm, self._tenant.wall())
            raise errors.too_many_requests(headers)
        admission = self._windows[route.group].take(now)
        if not admission.admitted:
            raise errors.too_many_requests(limits.refusal_headers(style, admission, self._tenant.wall()))
        return limits.allowance_headers(style, admission) if self._settings.limit_headers else {}

    def measure(self, size: int) -> None:
        """Check the size of the body in bytes. Raises ApiError."""
        if size > self._settings.constraints.body_max_bytes:
            raise errors.body_too_large(self._settings.constraints.body_max_bytes)

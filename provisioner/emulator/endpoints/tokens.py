"""The auth token endpoints."""

from __future__ import annotations

from provisioner.emulator.app.audit import Did
from provisioner.emulator.app.store import Token
from provisioner.emulator.endpoints import validation
from provisioner.emulator.endpoints.answers import Answer, data, page, success
from provisioner.emulator.endpoints.context import Call, Tenant
from provisioner.emulator.endpoints.errors import token_not_found


def mint(tenant: Tenant, call: Call) -> Answer:
    """POST /users/{uid}/auth_tokens: the body is optional."""
    tenant.user(call.uid)
    force = validation.flag(call.fields, "force")
    had = tenant.store.tokens(call.uid)
    if tenant.settings.reuse_tokens and had and not force:
        return data(had[-1].public(), Did.READ)
    return data(tenant.store.mint(call.uid, tenant.now()).public(), Did.MINTED)


def listing(tenant: Tenant, call: Call) -> Answer:
    """GET /users/{uid}/auth_tokens: one page, for no paging is documented."""
    tenant.user(call.uid)
    had = tenant.store.tokens(call.uid)
    return page([token.public() for token in had], 1, max(100, len(had)), len(had))


def read(tenant: Tenant, call: Call) -> Answer:
    """GET /users/{uid}/auth_tokens/{token}."""
    return data(_token(tenant, call).public(), Did.READ)


def revoke(tenant: Tenant, call: Call) -> Answer:
    """DELETE /users/{uid}/auth_tokens/{token}."""
    tenant.store.revoke(_token(tenant, call), tenant.now())
    return success("The auth token has been deleted successfully.", Did.REVOKED)


def flush(tenant: Tenant, call: Call) -> Answer:
    """DELETE /users/{uid}/auth_tokens."""
    tenant.user(call.uid)
    tenant.store.flush(call.uid, tenant.now())
    return success(f"Cleared Auth Tokens successfully for uid {call.uid}.", Did.REVOKED)


def _token(tenant: Tenant, call: Call) -> Token:
    tenant.user(call.uid)
    token = tenant.store.token(call.uid, call.token)
    if token is None:
        raise token_not_found()
    return token

"""The roles endpoints."""

from __future__ import annotations

from dataclasses import replace

from provisioner.emulator.app.audit import Did
from provisioner.emulator.app.store import Role
from provisioner.emulator.endpoints import validation
from provisioner.emulator.endpoints.answers import Answer, data, page, success
from provisioner.emulator.endpoints.context import Call, Tenant
from provisioner.emulator.endpoints.errors import invalid, role_not_deletable, role_not_found, role_taken

MOST_ROLES = 25
"""Roles an app can have (docs: articles/properties-and-constraints)."""


def create(tenant: Tenant, call: Call) -> Answer:
    """POST /roles: the id is stored in lower case."""
    values = validation.new_role(call.fields, tenant.settings.constraints)
    name = values["role"]
    if name in tenant.store.roles:
        raise role_taken(name)
    if len(tenant.store.roles) >= MOST_ROLES:
        raise invalid({"role": [f"The app may not have more than {MOST_ROLES} roles."]})
    role = tenant.store.roles[name] = Role(created_at=tenant.now(), **values)
    return data(role.public(), Did.CONFIGURED)


def listing(tenant: Tenant, _call: Call) -> Answer:
    """GET /roles: one page, for no paging is documented."""
    roles = [role.public() for role in tenant.store.roles.values()]
    return page(roles, 1, 100, len(roles))


def read(tenant: Tenant, call: Call) -> Answer:
    """GET /roles/{role}."""
    return data(_role(tenant, call).public(), Did.READ)


def update(tenant: Tenant, call: Call) -> Answer:
    """PUT /roles/{role}: what is not sent stays."""
    role = _role(tenant, call)
    changes = validation.changed_role(call.fields, tenant.settings.constraints)
    changes.update(dict.fromkeys(changes.pop("unset", ()), None))
    changed = tenant.store.roles[role.role] = replace(role, **changes, updated_at=tenant.now())
    return data(changed.public(), Did.CONFIGURED)


def delete(tenant: Tenant, call: Call) -> Answer:
    """DELETE /roles/{role}: not the default one."""
    role = _role(tenant, call)
    if role.role == "default":
        raise role_not_deletable(role.role)
    del tenant.store.roles[role.role]
    return success(f"Role {role.role} has been deleted successfully.", Did.CONFIGURED)


def _role(tenant: Tenant, call: Call) -> Role:
    role = tenant.store.roles.get(call.role)
    if role is None:
        raise role_not_found(call.role)
    return role

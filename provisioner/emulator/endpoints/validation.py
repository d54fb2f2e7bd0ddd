"""What the server accepts in a body, and what it says of everything else, in Laravel's words.

Strings are trimmed and blank ones count as null, as Laravel's middleware does. Null is refused wherever it
stands. Unknown members are ignored. All complaints of a body are collected, none hides another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import orjson

from provisioner.emulator.app.settings import Constraints
from provisioner.emulator.endpoints.errors import invalid

Fields = Mapping[str, Any]

_WORDS = re.compile("[A-Za-z0-9_-]+")
_DASHED = re.compile("[A-Za-z0-9-]+")
_URL = re.compile(r"https?://[^\s/?#\x00-\x1f\x7f]+[^\s\x00-\x1f\x7f]*", re.IGNORECASE)
_BOOLEANS: tuple[object, ...] = (True, False, 0, 1, "0", "1")
_UNSETTABLE = ("avatar", "link", "metadata")
_ROLE_UNSETTABLE = ("settings", "description", "metadata")
_DESCRIPTION_MAX_LENGTH = 255
_ROLE_MAX_LENGTH = 100


class Form:
    """One body being checked: `values` grow with what is right, `details` with what is wrong."""

    def __init__(self, fields: Fields, limits: Constraints, roles: Container[str] = ()) -> None:
        self.fields = fields
        self.limits = limits
        self.roles = roles
        self.values: dict[str, Any] = {}
        self.details: dict[str, list[str]] = {}

    def complain(self, key: str, text: str) -> None:
        """Say what is wrong with a field, "tags.0" for an item."""
        self.details.setdefault(key, []).append(text)

    def checked(self, rules: Iterable[tuple[str, Rule]], required: Container[str] = ()) -> dict[str, Any]:
        """Put every field to its rule, and give the checked values. Raises ApiError with all complaints."""
        for name, rule in rules:
            value = _trimmed(self.fields.get(name))
            if value is not None:
                rule(self, name, value)
            elif name in required:
                self.complain(name, f"The {_label(name)} field is required.")
            elif name in self.fields:
                self.complain(name, f"The {_label(name)} field must have a value.")
        if self.details:
            raise invalid(self.details)
        return self.values


Rule = Callable[[Form, str, Any], None]


def new_user(fields: Fields, limits: Constraints, roles: Container[str]) -> dict[str, Any]:
    """Check the body of a create; gives the fields set, `withAuthToken` as a bool. Raises ApiError."""
    return Form(fields, limits, roles).checked(_NEW_USER, required=("uid", "name"))


def changed_user(fields: Fields, limits: Constraints, roles: Container[str]) -> dict[str, Any]:
    """Check the body of an update; gives the fields that are set, and `unset` as a list. Raises ApiError."""
    return Form(fields, limits, roles).checked(_CHANGED_USER)


def new_role(fields: Fields, limits: Constraints) -> dict[str, Any]:
    """Check the body of a new role; `role` comes out in lower case. Raises ApiError."""
    return Form(fields, limits).checked(_NEW_ROLE, required=("role", "name"))


def changed_role(fields: Fields, limits: Constraints) -> dict[str, Any]:
    """Check the body of a role's update, with `unset` as a list. Raises ApiError."""
    return Form(fields, limits).checked(_CHANGED_ROLE)


def uids(fields: Fields, name: str) -> list[str]:
    """Check the list of a bulk call, and give it as sent. Raises ApiError."""
    value = fields.get(name)
    if value is None:
        raise invalid({name: [f"The {_label(name)} field is required."]})
    if not isinstance(value, list) or not all(isinstance(uid, str) for uid in value):
        raise invalid({name: [f"The {_label(name)} must be an array."]})
    return value


def flag(fields: Fields, name: str) -> bool:
    """Check an optional boolean member of a body that has no other. Raises ApiError."""
    return bool(Form(fields, Constraints()).checked(((name, _boolean),)).get(name, False))


def _uid(form: Form, name: str, value: Any) -> None:
    if not _sized(form, name, value, form.limits.uid_max_length):
        return
    if not (_WORDS if form.limits.uid_allow_underscore else _DASHED).fullmatch(value):
        form.complain(name, "The uid format is invalid.")
    form.values[name] = value


def _name(form: Form, name: str, value: Any) -> None:
    if _sized(form, name, value, form.limits.name_max_length):
        form.values[name] = value


def _text(form: Form, name: str, value: Any) -> None:
    if _sized(form, name, value, None):
        form.values[name] = value


def _description(form: Form, name: str, value: Any) -> None:
    if _sized(form, name, value, _DESCRIPTION_MAX_LENGTH):
        form.values[name] = value


def _url(form: Form, name: str, value: Any) -> None:
    if not _sized(form, name, value, form.limits.url_max_length):
        return
    if not _URL.fullmatch(value):
        form.complain(name, f"The {name} must be a valid URL.")
    form.values[name] = value


def _existing_role(form: Form, name: str, value: Any) -> None:
    if not isinstance(value, str):
        form.complain(name, "The role must be a string.")
    elif form.limits.check_roles and value.lower() not in form.roles:
        form.complain(name, "The selected role is invalid.")
    else:
        form.values[name] = value.lower()


def _role_id(form: Form, name: str, value: Any) -> None:
    if not _sized(form, name, value, _ROLE_MAX_LENGTH):
        return
    if not _WORDS.fullmatch(value):
        form.complain(name, "The role format is invalid.")
    form.values[name] = value.lower()


def _metadata(form: Form, name: str, value: Any) -> None:
    # A string that holds JSON was seen to be accepted.
    parsed = _parsed(value) if isinstance(value, str) else value
    size = _size(parsed)
    if size is None:
        form.complain(name, f"The {name} must be an object.")
    elif size > form.limits.metadata_max_bytes:
        form.complain(name, f"The {name} may not be greater than {form.limits.metadata_max_bytes} bytes.")
    else:
        form.values[name] = parsed


def _object(form: Form, name: str, value: Any) -> None:
    if _size(value) is None:
        form.complain(name, f"The {name} must be an object.")
    else:
        form.values[name] = value


def _tags(form: Form, name: str, value: Any) -> None:
    if not isinstance(value, list):
        form.complain(name, "The tags must be an array.")
        return
    if len(value) > form.limits.tags_max:
        form.complain(name, f"The tags may not have more than {form.limits.tags_max} items.")
    tags = [_trimmed(tag) for tag in value]
    for index, tag in enumerate(tags):
        if tag is None:
            form.complain(f"tags.{index}", f"The tags.{index} field is required.")
        else:
            _sized(form, f"tags.{index}", tag, form.limits.tag_max_length)
    form.values[name] = tuple(tags)


def _boolean(form: Form, name: str, value: Any) -> None:
    if any(value == known and type(value) is type(known) for known in _BOOLEANS):
        form.values[name] = value in (True, 1, "1")
    else:
        form.complain(name, f"The {_label(name)} field must be true or false.")


def _unset(clearable: tuple[str, ...]) -> Rule:
    def rule(form: Form, name: str, value: Any) -> None:
        if not isinstance(value, list):
            form.complain(name, "The unset must be an array.")
            return
        for index, field in enumerate(value):
            if field not in clearable:
                form.complain(f"unset.{index}", f"The selected unset.{index} is invalid.")
        form.values[name] = value

    return rule


_PROFILE: tuple[tuple[str, Rule], ...] = (
    ("name", _name),
    ("avatar", _url),
    ("link", _url),
    ("role", _existing_role),
    ("statusMessage", _text),
    ("metadata", _metadata),
    ("tags", _tags),
)

_ROLE: tuple[tuple[str, Rule], ...] = (
    ("name", _name),
    ("description", _description),
    ("metadata", _metadata),
    ("settings", _object),
)

_NEW_USER = (("uid", _uid), *_PROFILE, ("withAuthToken", _boolean))
_CHANGED_USER = (*_PROFILE, ("unset", _unset(_UNSETTABLE)))
_NEW_ROLE = (("role", _role_id), *_ROLE)
_CHANGED_ROLE = (*_ROLE, ("unset", _unset(_ROLE_UNSETTABLE)))


def _sized(form: Form, name: str, value: Any, limit: int | None) -> bool:
    """Tell whether the value is a string; complain if it is none, or too long."""
    if not isinstance(value, str):
        form.complain(name, f"The {_label(name)} must be a string.")
        return False
    if limit is not None and len(value) > limit:
        form.complain(name, f"The {_label(name)} may not be greater than {limit} characters.")
    return True


def _size(value: Any) -> int | None:
    """Give the bytes of a JSON object; None for what is none, or is nested too deep for an answer that lists it."""
    try:
        return len(orjson.dumps([[[value]]])) - 6 if isinstance(value, dict) else None
    except TypeError:
        return None


def _trimmed(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


def _label(name: str) -> str:
    """Write a field as Laravel does in its messages: withAuthToken is "with auth token"."""
    return re.sub("([A-Z])", r" \1", name).lower()


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None

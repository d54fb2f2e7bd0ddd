"""Where a database is, as one address without a password, and the query that is asked there."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from provisioner.errors import ConfigurationError

PREFIX: Final = "query:"
"""How the argument of a roster begins that is the answer to a query; the name of the database follows."""

PASSWORD_VARIABLE: Final = "PROVISIONER_DATABASE_PASSWORD"  # noqa: S105 - the name of a variable
NO_PASSWORD: Final = (
    f"a password does not belong into the address of a database: set {PASSWORD_VARIABLE}, or name a file that holds it "
    "as database_password_file under [run] in the config file"
)
_FORM: Final = "postgresql://user@host/database, mysql://user@host/database or sqlite:///file.db"
_KINDS: Final = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
_NAMED: Final = re.compile(r"(?:password|passwd|pwd)\s*=", re.IGNORECASE)
_SECRET: Final = re.compile(r"[?&][^=&]*(?:pass(?!file)|pwd|secret|token|credential|api_?key)[^=&]*=", re.IGNORECASE)
SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
"""How an address of any kind begins."""
WEB: Final = re.compile(r"https?://", re.IGNORECASE)
"""How one of the web does."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is.

    kind     `postgresql`, `mysql` or `sqlite`
    given    the address as it was given, which holds no password
    """

    kind: str
    given: str

    @property
    def name(self) -> str:
        """What messages and files call the database: its name, or that of its file without the ending."""
        path = unquote(urlsplit(self.given).path)
        name = path.rpartition("/")[2] if self.kind != "sqlite" else re.sub(r"\.\w+$", "", path.rpartition("/")[2])
        return re.sub(r"[^\w.-]", "", name) or self.kind

    @property
    def place(self) -> tuple[str, ...]:
        """What tells one database from another, whoever asks from whatever folder."""
        if self.kind == "sqlite":
            return self.kind, str(Path(self.file).absolute())
        parts = urlsplit(self.given)
        return self.kind, parts.hostname or "", str(parts.port or ""), unquote(parts.path)

    @property
    def file(self) -> str:
        """The path of an SQLite file: `sqlite:///staff.db` is in the current folder, `sqlite:////srv/staff.db` not."""
        return unquote(urlsplit(self.given).path, errors="surrogateescape").removeprefix("/")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, and where.

    password  null when nobody gave one: then the driver looks where it always does
    """

    sql: str
    address: Address
    password: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"query of {self.address.name}"

    @property
    def digest(self) -> str:
        """What tells one query from another (SHA-256): it is kept where the query itself is nobody's business."""
        asked = [*self.address.place, self.sql.strip().removesuffix(";").rstrip()]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def parse_address(given: str) -> Address:
    """Read an address. Raises ConfigurationError, which never quotes one that may hold a password."""
    scheme = SCHEME.match(given)
    kind = _KINDS.get(scheme[1].lower()) if scheme else None
    if holds_password(given):
        raise ConfigurationError(NO_PASSWORD)
    if kind is None:
        raise ConfigurationError(f"no address of a database that can be asked; give one like {_FORM}")
    try:
        parts = urlsplit(given)
        placed = not parts.netloc if kind == "sqlite" else bool(parts.hostname)
        whole = bool(parts.path.strip("/")) and placed and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole:
        raise ConfigurationError(f"the address of the database is not whole; give one like {_FORM}")
    return Address(kind, given)


def seen_from(folder: Path, given: str) -> str:
    """Give the address of an SQLite file whose path is meant from a folder; any other is left as it is.

    Raises RuntimeError for the home of somebody unknown.
    """
    try:
        address = parse_address(given)
    except ConfigurationError:
        return given
    if address.kind != "sqlite":
        return given
    path = os.path.normpath(folder / Path(address.file).expanduser())
    return given if path == address.file else f"sqlite:///{quote(path, errors='surrogateescape')}"


def is_address(given: str) -> bool:
    """Whether a text begins as the address of a database that can be asked."""
    scheme = SCHEME.match(given)
    return scheme is not None and scheme[1].lower() in _KINDS


def may_hold_secret(given: str) -> bool:
    """Whether an address holds a password, or a parameter that may be as good as one by its name."""
    return holds_password(given) or _SECRET.search(given) is not None


def holds_password(given: str) -> bool:
    """Whether there is one: before an `@`, which a password may hold itself, or as a parameter, also of other forms."""
    rest = given[match.end() :] if (match := SCHEME.match(given)) else given
    user, at, _ = rest.rpartition("@")
    return (bool(at) and ":" in user) or _NAMED.search(rest) is not None

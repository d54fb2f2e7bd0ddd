"""A row as a model of pydantic, as its documentation shows it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, UrlConstraints, field_validator

_FALSE: Final = {"false", "no", "0", "f", "n"}
_TRUE: Final = {"true", "yes", "1", "t", "y"}
_METADATA_BYTES: Final = 5120

Url = Annotated[AnyHttpUrl, UrlConstraints(max_length=3000)]
Tag = Annotated[str, Field(strict=True, max_length=100)]


class Person(BaseModel):
    """One row; its empty cells are left out beforehand."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")

    uid: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    avatar: Url | None = None
    link: Url | None = None
    role: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None
    statusMessage: str | None = None  # noqa: N815 - the API's name
    tags: Annotated[list[Tag], Field(max_length=25)] | None = None
    metadata: dict[str, Any] | None = None
    withAuthToken: bool = True  # noqa: N815

    @field_validator("uid")
    @classmethod
    def _lower(cls, uid: str) -> str:
        return uid.lower()

    @field_validator("tags", mode="before")
    @classmethod
    def _listed(cls, cell: str) -> Any:
        return json.loads(cell) if cell.startswith("[") else [tag for tag in map(str.strip, cell.split(";")) if tag]

    @field_validator("metadata", mode="before")
    @classmethod
    def _object(cls, cell: str) -> Any:
        return json.loads(cell)

    @field_validator("metadata")
    @classmethod
    def _short(cls, value: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) > _METADATA_BYTES:
            raise ValueError("too large")
        return value

    @field_validator("withAuthToken", mode="before")
    @classmethod
    def _boolean(cls, cell: str) -> bool:
        if (word := cell.strip().lower()) not in _TRUE | _FALSE:
            raise ValueError("no boolean")
        return word in _TRUE

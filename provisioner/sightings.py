"""Texts that come more than once in a roster: fingerprints to find the candidates by, and where each was first seen."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

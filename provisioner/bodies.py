"""The JSON bodies of create requests, written by polars for a whole batch."""

from __future__ import annotations

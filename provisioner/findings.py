"""Adds up what the rules found, batch by batch, to the report on the whole roster."""

from __future__ import annotations

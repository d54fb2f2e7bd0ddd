"""From the checked batches to the source of the pool: who needs a request, recorded as sent before it gets there."""

from __future__ import annotations

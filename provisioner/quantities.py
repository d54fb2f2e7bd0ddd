"""Amounts as people write them in a config file or on the command line: `5%`, `10`, `4h`."""

from __future__ import annotations

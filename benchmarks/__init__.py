"""Measurements of the real command; each module is one command, told in `benchmarks/README.md`."""

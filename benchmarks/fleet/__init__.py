"""Fleets whose processes die: are the promises kept."""

"""Bytes become rows."""

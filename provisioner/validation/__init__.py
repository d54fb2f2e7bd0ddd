"""Rows become valid or rejected."""

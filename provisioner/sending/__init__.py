"""Requests, replies, outcomes."""

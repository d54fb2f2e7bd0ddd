"""Puts a roster of users into CometChat: checked, rate-limited and crash-exact."""

__version__ = "0.1.0"

"""Columns become user fields."""

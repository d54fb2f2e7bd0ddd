"""Rosters made at random, read by the command's reader and by one that takes its time.

grammar  CSV files against the grammar, letter by letter
"""

"""A finished job that is run again while nothing has changed: known by digests, so that no row is looked at.

question  what a run was asked, and of which bytes, as digests
ending    how it ended, kept in the journal for the next one, and found again
"""

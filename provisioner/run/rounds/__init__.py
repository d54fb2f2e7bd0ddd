"""Rows of an earlier round: they are of the same job, and so are the users that it has created.

returning  whose row it is that comes back, and what is known of its user
"""

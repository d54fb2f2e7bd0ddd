"""A user as the API takes it and shows it.

profile  its fields, held against what they were: which changed, and the request that brings them up to date
"""

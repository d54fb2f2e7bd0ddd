"""The life of one row, from its first request to its outcome.

row        what is known of a row while it lasts
steps      what a life is made of: one request each, and what is on disk before it leaves
lifecycle  which steps a row takes
parting    the life of a row that says whether its user is deactivated
"""

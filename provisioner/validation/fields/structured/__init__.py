"""Fields that are more than a text, and whole users: JSON, written by polars where it can be.

tags      the three forms of tags
metadata  the forms of metadata
metatree  metadata whose keys are known beforehand
plain     metadata that need not be parsed
jsontext  JSON as polars expressions
bodies    the bodies of requests
"""

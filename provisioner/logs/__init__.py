"""The story of a run on stderr and in a file, with no secret in it.

events   what happens, as structlog events, and where they go
masking  secrets in texts, found however they are written
"""

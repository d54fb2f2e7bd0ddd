"""What a user would pick instead, measured beside the command in the same run.

__main__   all of it in one table, `make bench`
sending    the same users to the same sink by other libraries
checking   the same rules over the same roster by other libraries
machine    what it ran on, and which versions
"""

"""What is on disk: what became of every user.

journal    the SQLite file
schema     its tables and formats
lock       keeps two runs off it
view       a look at it that changes nothing
recorder   group commit
syncstate  what a sync knows of each user
"""

"""Copies of a journal, and how one goes on in place of the journal that was lost.

mark    what a copy may not know, and is in doubt from then on
backup  a copy, made while a run may be writing
place   where an open journal lies, and what it knows put back there when somebody has deleted it
"""

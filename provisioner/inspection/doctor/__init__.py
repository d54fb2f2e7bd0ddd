"""`doctor`: whether all that a run depends on is as it has to be, and what to do where it is not.

command        looks at all of it, and shows what was found
diagnosis      one check: what was looked at, what was found, what to do
machine        checks of this machine: software, configuration, key, folders
connection     checks of what the API answered
journalhealth  checks of a journal, read without changing it
"""

"""The options of the commands: groups named as the tables of settings, each option written once.

base       what a group is, and what was given as tables of settings
types      the kinds of options, and how their values are read
arguments  the roster, and the one option that is no setting
reading    how the roster is read
sending    where to it is sent, how fast, and what is done
nightly    what a sync keeps, and what it may do
output     what is written, printed and logged
"""

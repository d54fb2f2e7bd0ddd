"""Many jobs from one file: shards of a roster and tenants, each in a process of its own.

jobs       what the fleet file asks for
files      which files the jobs write and read, and that no two of them collide
engine     what carries out a job, and what each has to have for that
standing   how far a job is, and how it ended
local/     where a job is carried out: a process of this machine
cluster/   where a job is carried out: a node of a Ray cluster
conductor  which job runs when, and what becomes of the others when one has ended
pacing     one rate for the jobs of one app
view       what a person sees of it
summary    what it adds up to
command    a fleet, from its file to its summary
"""

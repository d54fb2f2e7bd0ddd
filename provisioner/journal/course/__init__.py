"""How the runs of a job went: when each began and ended, how fast it was in between, what they did besides outcomes.

points     a stretch of a run, and how many of them become few
table      the tables of runs and their pace
lifetimes  how long each run can have gone on
events     the table of what was out of the ordinary in the life of a user
unreached  rows that a run which is being stopped has not reached
mints      how often an auth token was minted for each user
"""

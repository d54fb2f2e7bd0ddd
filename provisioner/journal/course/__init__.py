"""How the runs of a job went: when each began and ended, and how fast it was in between.

points    a stretch of a run, and how many of them become few
table     the tables of runs and their pace
overview  a whole journal at one look
"""

"""What a sync would do, and whether it may.

assessment  reads, compares and judges; shared by `plan` and `sync`
planner     every row of a roster compared with the state
changeset   the changes that are planned
decision    what one row asks for, given what is known of its user
listing     the app's users as the API lists them
directory   what the app shows compared with what the state knows
leavers     users who are in no roster any more
guards      what a sync refuses to do
report      what `plan` prints
"""

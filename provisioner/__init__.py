"""Puts a roster of users into CometChat: checked, rate-limited and crash-exact.

__main__     where the command begins
cli/         commands and options; exceptions become exit codes
fleet/       many jobs from one file
inspection/  what only looks: `doctor`, `constraints`, `config show`
sync/        a night: the app's users become what the roster says
run/         a run, from roster to results
results/     what is written and printed
settings/    flag, environment and file as one object
validation/  rows become valid or rejected
roster/      bytes become rows
journal/     what is on disk
sending/     requests, replies and outcomes
files/       files that are written whole, set aside or told apart
logs/        the story of a run, without secrets
emulator/    a stand-in for the API
api          what the commands do, from Python
errors       every exception, each with its exit code
model        the data that flows from a roster to its results
tally        what is counted while a run lasts
stop         the switch that ends a run early
streams      standard output and error, whatever becomes of them
threads      what blocks, carried out in a thread beside
wording      counts, durations and values in words
"""

__version__ = "0.2.0"

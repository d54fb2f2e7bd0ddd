"""A run, from a roster to its results.

command     `run` and `validate`, from settings to exit code
runtime     event loop, signals, emulator, summary
pipeline    a run from the roster to the results, top to bottom
intake      reads and checks, and keeps what the results need of each row
dryrun      the half of a run that sends nothing
admission   which valid rows still need a request, and their way into the pool
wiring      client, pacing, clock, pool and store as the settings ask for them
job         what was asked for: roster, settings, places
unchanged/  a finished job that is run again while nothing has changed
undo/       what a run did, kept so that it can be taken back
rates       the rate as it is set, and set anew while a run goes on
rounds/     rows that were rejected in an earlier round, and whose users this job has created
progress/   how far a run is, for a person who watches it and for what is kept of it
"""

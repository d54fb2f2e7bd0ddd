"""A nightly sync: the app's users become what the roster says.

command   `plan` and `sync`, from settings to exit code
plan/     what would be done, and whether it may
keptplan  what `plan -o` writes and `sync` carries out
night     a sync from the roster to the results, top to bottom
quiet     a night like the last one, on which nothing was to be done
changes   the life of one change, from its first request to its outcome
summary   what a night adds up to
metrics   the end of a sync in Prometheus text format
"""

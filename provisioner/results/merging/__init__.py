"""The results of several runs as those of one.

folder   which shards of a roster a folder holds
shards   the shards that are to be merged: all of them, finished, of one roster
parts    one of the results that are to be merged, and which may not be mixed
ordered  the rows of several files in the order of their numbers, streamed
rounds   a run and its mended rounds as one set of results
numbers  whether the row numbers of a round are still those of its rows
merge    `merge`, from a folder of shards to one set of results
"""

"""What is written and printed: results, rejected rows, summary, findings.

outputs       where a run writes
lines         the results, exported from the journal batch by batch
rejections    the rejected rows, to be mended and fed in again
manifest      what the last summary says of the files beside it
resubmission  rejected rows that are fed in again
spool         frames on disk until they are wanted
summary       what a run adds up to
findings      what was found in a roster
tables        tables that fit the console
formats/      how frames become a file
merging/      the results of several runs as those of one
"""

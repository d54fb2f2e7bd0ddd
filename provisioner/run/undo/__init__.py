"""What a run did, kept so that it can be taken back, and taken back.

command     `undo`, from the name of the results to a summary
course      an undo from the journal to its list, top to bottom
reversal    the life of one reversal
reasons     what is done to a user, and why one is kept, in words
comparison  whether a user is still as this job left it, and what puts back what it was
listing     one line for each user
summary     what an undo adds up to, and what one would do
keeping     what users were before an update, on disk before it leaves
"""

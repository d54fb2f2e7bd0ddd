"""What an undo needs to know, and what it has done.

overwrites   what users were before updates of this job
reversals    what undos did, user by user
telling      how many users there are to be looked at, and what became of each
undojournal  the journal of a run, opened to be undone
"""

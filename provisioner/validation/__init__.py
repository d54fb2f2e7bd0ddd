"""Rows become valid or rejected, with every reason. Offline.

fields/      columns become user fields
oddities/    what is odd in a row or a column though it can be read
vocabulary/  what columns are called elsewhere, and how cells say yes and no
validator    judges a batch of rows
checked      what became of the rows of a batch, with what is found out after it
rules        defects as a table of expressions
warnings     what is allowed and yet looks wrong, in the same shape
constraints  the limits with their sources, and the codes of all defects
survey       the first pass: the whole roster, before anything is sent
repeats      what comes more than once, in bounded memory
lookalikes   rows that may be the same person
uidnumbers   whether a spreadsheet may have changed the uids
"""

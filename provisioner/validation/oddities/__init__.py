"""What is odd in a row or a column though it can be read.

cleaning    cells before they are read: missing values, characters that cannot be seen
marks       what the rules have to know of a row beyond the text of its cells
entries     what an earlier round said of a row that is fed in again, and still holds
headers     rows that are a header: the roster's own once more, or that of another table
persons     rows that are no people: rules of dashes, totals
uidforms    what uids look like: what is in those that are refused, dates, rounded numbers
mojibake    names damaged by an encoding
tagforms    tags that were meant as several
suspicions  what the warnings have to know of a row beyond its fields
"""

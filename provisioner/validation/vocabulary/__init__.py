"""What columns are called elsewhere, in other languages and other programs, and how cells say yes, no and since when.

synonyms     the words, as one table
recognition  what a column is by its name
leaving      whether somebody is deactivated, and from when on
"""

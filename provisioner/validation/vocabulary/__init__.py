"""What columns are called elsewhere, in other languages and other programs, and what words in cells say.

synonyms     the words, as one table
recognition  what a column is by its name
leaving      whether somebody is deactivated, and from when on
nothing      words that stand for nothing: NULL, n/a, undefined
"""

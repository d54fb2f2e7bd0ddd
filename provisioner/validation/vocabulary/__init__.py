"""What columns are called elsewhere: in other languages, and in the exports of other programs.

synonyms     the words, as one table
recognition  what a column is by its name
"""

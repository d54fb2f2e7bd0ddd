"""What columns are called elsewhere, in other languages and other programs, and what words in cells say.

synonyms     the words for what a user is made of, as one table
particulars  the words for what is known of a person besides
table        these words by their normal form
owners       whose a column is: the person's, or another's
recognition  what a column is by its name
privacy      what is not for all to see, by its name
leaving      whether somebody is deactivated, and from when on
standing     of which columns that say so `deactivated` is proposed to be made
nothing      words that stand for nothing: NULL, n/a, undefined
"""

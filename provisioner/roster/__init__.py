"""Bytes become rows.

reader      opens a roster and gives its rows in batches
shard       the rows that one of several runs takes
parts       several files as one roster
columns     each by its very name; the type of one that they store in different ways
preamble    what stands above a header that was looked for: titles, or people who would be lost
jsonpages   whether a list in JSON is all, or a page
jsonshapes  JSON objects that are no list of users, or have a key twice
wrapped     a roster with the columns of its folders, or out of an archive
encodings/  what a text is that is not UTF-8
files/      which bytes a roster is
formats/    which rows the bytes are
csv/        which rows a CSV holds, by one strict grammar
workbook/   which rows a sheet of an .xlsx file has
database/   which rows a query gives
"""

"""A CSV, by one strict grammar: read fast where it is plain, cell by cell where it is not.

file         a CSV roster: its batches, and the place of whatever is wrong in it
header       the line that names the columns, and how the cells are told apart
looks        what a file is whose first line names no columns
blocks       the file cut into blocks of whole rows
grammar      what a cell and a row are
tabs         whether quotes mean anything in a tab-separated file
remarks      rows that are legal and may be meant otherwise
defect       what is wrong with a block, and where
apostrophes  text that a spreadsheet program would run, written so that it does not
"""

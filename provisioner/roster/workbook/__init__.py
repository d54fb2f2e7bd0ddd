"""A workbook roster: what a person sees in the cells of one sheet of an .xlsx file.

package     the parts of the file: sheets and whether they are hidden, texts, number formats
formats     what a number format makes of a number
numbers     numbers, dates and times of day as text
sheet       the rows of a sheet, one after the other
header      which sheet is read, and which of its rows is the header
file        the roster itself
"""

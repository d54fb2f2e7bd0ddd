"""Bytes become rows.

reader     opens a roster and gives its rows in batches
parts      several files as one roster
files/     which bytes a roster is
formats/   which rows the bytes are
csv/       which rows a CSV holds, by one strict grammar
workbook/  which rows a sheet of an .xlsx file has
"""

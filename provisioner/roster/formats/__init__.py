"""Which rows the bytes are, for each format.

rows         what every format gives: batches of rows
csvfile      CSV in blocks that end where a row ends
csvheader    column names, line end and delimiter
csvdefect    what is wrong with a CSV file, and where
ndjsonfile   one JSON object per line
ndjsonline   the cells of one such line, exact to the last digit
parquetfile  Parquet in slices of rows
"""

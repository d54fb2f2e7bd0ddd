"""Which rows the bytes are, for each format but CSV.

rows           what every format gives: batches of rows
ndjsonfile     one JSON object per line
ndjsonline     the cells of one such line, exact to the last digit
jsonfile       a JSON text, read as such lines
jsoncut        cuts the users out of it one by one
jsondefect     what a file is whose lines are no objects
parquetfile    Parquet in slices of rows
parquettypes   columns that are text in a type of their own
parquetfooter  what only the footer says of the columns
"""

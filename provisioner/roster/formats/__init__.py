"""Which rows the bytes are, for each format but CSV.

rows         what every format gives: batches of rows
ndjsonfile   one JSON object per line
ndjsonline   the cells of one such line, exact to the last digit
parquetfile  Parquet in slices of rows
"""

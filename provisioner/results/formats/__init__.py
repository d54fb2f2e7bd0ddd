"""How frames become a file, whatever its format.

writing    texts and Parquet, and which ending is written how
outcomes   the table of results
plaintext  cells of any type as texts
sheet      a sheet of a workbook
"""

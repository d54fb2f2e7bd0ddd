"""How frames become a file, whatever its format.

writing  texts and Parquet, and which ending is written how
sheet    a sheet of a workbook
"""

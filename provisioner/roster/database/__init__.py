"""A roster that is the answer to a query: asked once, and kept in a file without a name while it is read.

address     where the database is, and with which password
answer      asks the query, and keeps the rows as Parquet
postgresql  rows of PostgreSQL
mysql       rows of MySQL and MariaDB
sqlite      rows of an SQLite file
printing    addresses and rosters as printed commands name them
"""

"""Columns become user fields.

mapping      the `[columns]` table
source       what a field can be made of
binding      which column feeds which field
cells        cells as text
uidencoding  uids made of any text: base32, hex, slugs
tags         the three forms of tags
metadata     the forms of metadata
metatree     metadata whose keys are known beforehand
jsontext     JSON as polars expressions
"""

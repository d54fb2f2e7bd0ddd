"""Columns become user fields.

places       where a name puts a column: a field, a place in the metadata, nowhere
mapping      the `[columns]` table
source       what a field can be made of
sourcetable  how the `[columns]` table writes a source
binding      which column feeds which field
cells        cells as text
emails       the e-mail addresses of people, by the names of columns
moments      dates and times as text, also those that no calendar has
uidencoding  uids made of any text: base32, hex, slugs
structured/  tags, metadata and bodies, as JSON
"""

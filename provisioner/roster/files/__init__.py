"""Which bytes a roster is.

inputs       what the ROSTER arguments mean
folders      folders and patterns of parts, and the columns that names of folders are
signature    what the first bytes say, and whether the name agrees
documents    texts that are no rosters
origin       bytes that can be read from their start again and again
compression  gzip, zstd, bzip2 and xz, read as if plain
archive      the one roster in a zip archive
objectstore  rosters at addresses
text         any encoding as UTF-8
"""

"""Which bytes a roster is.

inputs       what the ROSTER arguments mean
signature    what the first bytes say, and whether the name agrees
origin       bytes that can be read from their start again and again
compression  gzip and zstd, read as if plain
objectstore  rosters at addresses
text         any encoding as UTF-8
"""

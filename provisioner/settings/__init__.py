"""Flag, environment and file become one frozen, checked object.

tables      everything that can be set, with its default
layers      the three laid over each other, and who said what
values      values as people write them
problems    what is refused, in our words
refused     how it would be right, and no secret in that
apikey      the API key
password    the password of a database
secretfile  a file that holds either
named       the files that settings come from, or name to be read
"""

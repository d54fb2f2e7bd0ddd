"""A mapping proposed for a roster that nobody has mapped yet: `init`.

opening   how the file is to be read
evidence  what the cells of its columns are like
choice    which column becomes what, and why
uids      what tells people apart
names     what people are called
document  a proposal, and its config file
proof     what the config file makes of the roster
screen    what a person sees of it
command   the whole way, and the question at its end
"""

"""Files that are written whole, set aside, or told apart.

writing  files that are written whole and synced, or have no name
aside    files that are set aside instead of being overwritten
looking  what is in a file, whether it is ours, whether two paths lead to one
cures    what to do where a file or a package cannot be had
"""

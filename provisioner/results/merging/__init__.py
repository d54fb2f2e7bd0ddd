"""The results of several runs as those of one.

folder  which shards of a roster a folder holds
"""

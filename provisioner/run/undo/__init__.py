"""What a run did, kept so that it can be taken back, and taken back.

keeping  what users were before an update, on disk before it leaves
"""

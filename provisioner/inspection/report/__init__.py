"""A report that a manager reads: one HTML file about a run, a check, a sync or a state.

sources   what there is to make it of, only read
chapters  its tables
content   what it says, as plain values
figures   its pictures, as SVG
page      the file: made of a template, and never in the place of somebody else's
"""

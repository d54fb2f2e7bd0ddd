"""A run, from roster to results."""

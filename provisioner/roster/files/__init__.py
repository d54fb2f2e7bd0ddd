"""Which bytes a roster is."""

"""Flag, environment, file: one object."""

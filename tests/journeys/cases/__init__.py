"""Rosters as other programs write them, class by class: what is read, refused or warned of."""

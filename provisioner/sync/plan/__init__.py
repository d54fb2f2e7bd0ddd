"""What would be done, and whether it may."""

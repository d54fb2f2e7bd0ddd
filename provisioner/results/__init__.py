"""What is written and told."""

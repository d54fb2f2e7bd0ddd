"""What an app of CometChat is: its users, its limits, its faults."""

"""What an app of CometChat is: its users, its limits, its faults.

store     users, tokens and roles in memory
settings  every behaviour that can be chosen
limits    rate limits and the headers that tell of them
audit     what every request was, and what it did
faults    when something goes wrong
"""

"""Jobs of a fleet as processes of this machine.

processes  starts them, hears what they say, and ends them
left       those that an earlier fleet has left running
"""

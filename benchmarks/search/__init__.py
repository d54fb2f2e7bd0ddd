"""Every order of events: the real code on a loop whose time jumps, against a small model of the server.

case      what happens in one case, drawn from its seed
loop      the event loop: chance says what is next, and when it is killed
world     the model: users, strangers, clocks, the wire
process   one life of a run
judge     the promises
trial     a case from its first life to its end
shrink    makes a case that fails smaller, and prints it as a test
hunt      seed after seed, on every processor
"""

"""Every order of events: the real code on a loop whose time jumps, against a small model of the server.

case      what happens in one case
drawing   what the cases are drawn from
loop      the event loop: chance says what is next, and when it is killed
world     what is not ours: time, clocks, strangers, the wire
server    the model of the API, with its `users`; `answers` is what becomes of its answers
client    the real client on that wire
process   one life of a process, and what it leaves; `runs` and `nights` are lives of a run and of a sync
judge     the promises of a run; `nightjudge` those of a sync
trial     a case from its first life to its end
shrink    makes a case that fails smaller, and prints it as a test
hunt      seed after seed, on every processor
"""

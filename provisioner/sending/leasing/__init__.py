"""One rate for several processes: a desk leases slots to those who ask, a quarter second's worth at a time.

desk    how many slots an app's processes may have, and when
server  the desk behind a socket, in the process that started the others
link    the other end: slots for a pacer, from a desk somewhere else
actor   the same, from a desk that is an actor of a cluster
source  where slots come from: a limiter of one process, or the desk
minute  what was given in the last minute, which a limit that is changed has to reckon with
"""

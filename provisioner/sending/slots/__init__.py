"""Where slots come from: one process has a limiter; several lease from a desk, a quarter second's worth at a time.

source   what a limiter and a lease have in common
limiter  an even stream of slots, for a process that has the limit for itself
minute   what the server may have seen within the last minute
desk     how many slots the processes that share an app may have, and when
server   the desk behind a socket, in the process that started the others
link     the other end: slots for a pacer, from a desk somewhere else
actor    the same, from a desk that is an actor of a cluster
"""

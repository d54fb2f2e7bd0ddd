"""Where slots come from: a limiter in a single process, or leases of a quarter second from a desk that several share.

source   the interface of both
limiter  an even stream of slots, for a process that has the limit to itself
minute   an upper bound on the requests that the server saw within the last minute
desk     divides the slots of an app among the processes that share it
server   serves the desk at a socket, in the process that started the others
link     the client: slots for a pacer, leased from a desk in another process
actor    the same, from a desk that is an actor of a Ray cluster
"""

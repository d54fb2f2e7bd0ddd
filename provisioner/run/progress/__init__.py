"""How far a run is, for a person who watches it and for what is kept of it.

watch    what is going on: stages, counts, rate, time left; drawn on a terminal, an event now and then elsewhere
pace     what the last seconds say: the rate, what holds it there, and whether more requests at once would help
screen   as much of that as a terminal is wide, on two lines
sampler  stretch by stretch, what was done in it: for a report
"""

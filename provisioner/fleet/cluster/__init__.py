"""Jobs of a fleet on the nodes of a Ray cluster: the extra `ray`, which nothing else imports.

hub     the actor that all jobs know: it leases slots, hears how far each is, and tells them to stop
worker  what a node does for a job
engine  the jobs as seen by the fleet
"""

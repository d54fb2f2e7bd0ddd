"""What a job's journal tells, read without changing it, without network.

places    which journal is meant, and the files beside it
overview  a whole journal at one look
status    `status`: what a job has done so far, and what its next run would send
history   `history`: the last nights of a state
story     `show`: the story of one person
"""

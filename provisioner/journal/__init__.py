"""What is on disk: what became of every user.

journal     the SQLite file
schema      its tables and formats
statements  how many rows at once go into it and come out of it
columns     which columns do, by name
lock        keeps two runs off it, and says who holds it
header      what its file says of itself
beside      what SQLite keeps beside it, told from what is somebody's
recorder    group commit
earlier     users whom an earlier round has created, taken over into the journal of the next
state/      what a sync knows of each user, from night to night
undo/       what an undo needs to know, and what it has done
copies/     copies of it, and how one goes on when it is lost
course/     how each run went, and how fast
"""

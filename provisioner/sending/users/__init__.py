"""A user as the API takes it and shows it.

profile    its fields, held against what they were: which changed, and the request that brings them up to date
canonical  its fields as the API stores them: what was sent held against what is shown
trace      what an update set, kept small
keeper     what an undo will need to know, and when it has to be kept
failures   how a row ends that did not come to its outcome
reading    a user as the API shows it, tags included
needs      what a roster needs of the app beside requests: room for its users, and roles
asking     asks the app for that, before anything is sent
"""

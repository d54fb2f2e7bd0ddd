"""The proof that the app's users are as a roster has them.

command  `verify`, from a roster and settings to a proof, top to bottom
stored   a profile as the server would have stored it, and what differs in two of them
ledger   where the roster's side and the app's side meet, on disk
reading  the app's users: by pages or one by one, and asked for singly before anything is said of one
proof    what it adds up to, its files and what is printed
"""

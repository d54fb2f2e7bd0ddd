"""Requests, replies and outcomes; knows neither rosters nor journals.

calls        calls of the API and their replies
client       one HTTP exchange; aiohttp ends here
serverclock  the server's clock against ours
pacing       slots under a limit, and one pause that holds everyone
verdicts     what a reply means
retry        how long to wait before the next try, and why there is none
attempts     one operation until there is an answer to go by
roles        whether the roles of a roster exist
pool         one backlog, N workers, one settlement a row
life/        the life of one row, from its first request to its outcome
slots/       where slots of the rate come from: a limiter, or a desk that leases them
users/       a user as the API takes it and shows it
"""

"""What can be asked of an app, and what it answers.

routes      which request is served by what
users       the users endpoints
tokens      the auth token endpoints
roles       the roles endpoints
context     what a handler works with
validation  what is accepted in a body
answers     one answer
errors      the error envelope, and the words of each refusal
"""

"""A stand-in for the CometChat REST API v3, for rehearsals and tests: users, tokens and roles over real HTTP.

    async with run_emulator(EmulatorSettings(latency=0.02)) as emulator:
        ...  # send to emulator.url with the header `apikey: emulator.api_key`

It is an independent reading of the API's documentation: it shares no code with the client it is a
counterpart to, so that a mistake in the one is not repeated in the other.

__main__    `python -m provisioner.emulator`
command     the `emulator` command
server      starts and stops it on a real socket
exchange    one exchange, from arrival to answer
gate        the checks before an endpoint
endpoints/  what can be asked, and what is answered
app/        users, limits, faults
effects     what a fault does
delivery    an answer sent whole, late, in part or not at all
control     what a test may see and do behind the API's back
snapshot    users as lines of JSON, and back
"""

"""A stand-in for the CometChat REST API v3, for rehearsals and tests: users, tokens and roles over real HTTP.

    async with run_emulator(EmulatorSettings(latency=0.02)) as emulator:
        ...  # send to emulator.url with the header `apikey: emulator.api_key`

It is an independent reading of the API's documentation: it shares no code with the client it is a
counterpart to, so that a mistake in the one is not repeated in the other.
"""

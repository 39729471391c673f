"""The door for terminals that report over SIP (SCAIP, CLC/TS 50134-9).

    MESSAGE with a request  ->  dialogue.py  ->  session, intake, commit
    200 after the commit    <-  dialogue.py      503 with Retry-After if nothing can be kept
    MESSAGE with the answer <-  told.py          back over the same way; over UDP again until it is confirmed

``server.py`` has what all connections of one ``[[sip]]`` table share, and serves what is no report.
"""

"""SIP (RFC 3261) without I/O: messages and their cutting, answers, transactions of both sides, digest.

    MESSAGE sip:arc@192.0.2.1 SIP/2.0                          method, Request-URI, version
    Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK7a;rport  the way back, branch of the transaction
    From: "Unit 7" <sip:26317@198.51.100.7>;tag=81             sender and its tag
    To: <sip:arc@192.0.2.1>                                    receiver; its tag comes with the answer
    Call-ID: 4711@198.51.100.7                                 the same for all requests of a conversation
    CSeq: 1 MESSAGE                                            number and method
    Content-Length: 0                                          bytes of the body, after the empty line

A listener turns bytes into messages (``reading`` for a datagram, ``stream`` for a connection), asks ``checking``
whether a request can be served and ``transactions.server`` whether it came before, hands the body of a MESSAGE to a
decoder with the message contract (``vetlla/protocols/decoder.py``), and writes the answer after the commit
(``answering``).
"""

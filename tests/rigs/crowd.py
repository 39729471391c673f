"""A crowd of half-open connections in a separate process: ``python -m tests.rigs.crowd PORT COUNT``.

Every second connection stays silent, and the others send only the beginning of a frame. The process prints ``standing``
when all are connected. When its standard input ends, it prints how many of them the receiver has closed.
"""

from __future__ import annotations

import resource
import select
import socket
import sys

PER_ADDRESS = 900
"""Connections from one source address, below the receiver's budget of 1,000."""
BEGINNING = b'\n12340023"ADM-CID"0001L0#'
SPARE_FILES = 64


def main(port: int, count: int) -> None:
    """Connect all, print that, wait for the end of input, print the number of closed ones, and close the rest."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + SPARE_FILES, _hard_limit(count + SPARE_FILES)))
    crowd = [_connect(port, f"127.0.1.{1 + number // PER_ADDRESS}") for number in range(count)]
    for one in crowd[::2]:
        one.sendall(BEGINNING)
    _say("standing")
    sys.stdin.read()
    poll = select.poll()
    for one in crowd:
        poll.register(one, select.POLLIN)
    _say(str(len(poll.poll(0))))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _hard_limit(needed: int) -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return hard if hard == resource.RLIM_INFINITY else max(hard, needed)


def _connect(port: int, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""A crowd of half-open connections, held by a process of its own: ``python -m tests.rigs.crowd PORT COUNT``.

Every second one stays silent, the others send the beginning of a frame and nothing more. It says ``standing`` when all
are connected, and, once its standard input ends, how many the receiver had closed by then.
"""

from __future__ import annotations

import resource
import select
import socket
import sys

PER_ADDRESS = 900
"""Connections from one source address: below the receiver's own budget of 1,000."""
BEGINNING = b'\n12340023"ADM-CID"0001L0#'
SPARE_FILES = 64


def main(port: int, count: int) -> None:
    """Connect, say so, wait, look, let go."""
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

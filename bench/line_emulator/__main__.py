"""``python -m bench.line_emulator``: a line receiver that talks to the program under test.

The exit status is 0 if each message was acknowledged, and 1 if the buffer overflowed, a message was dropped after NAKs,
or some were still waiting at the end. SIGTERM and SIGINT end a run, and the ledger stays whole.
"""

from __future__ import annotations

import json
import signal
import sys
from random import Random
from typing import TYPE_CHECKING

from bench.line_emulator import options as given
from bench.line_emulator.calls import Calls
from bench.line_emulator.emulator import Emulator
from bench.line_emulator.ledger import Ledger
from bench.line_emulator.ways import PtyWay, SerialWay, TcpClientWay, TcpServerWay, Way

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence


def _way(options: argparse.Namespace) -> Callable[[Callable[..., None]], Way]:
    if options.serial:
        return lambda told: SerialWay(options.serial, told, options.settings)
    if options.pty:
        return lambda told: PtyWay(options.pty, told)
    host, port = options.connect or options.listen
    if options.connect:
        return lambda told: TcpClientWay(host, port, told)
    return lambda told: TcpServerWay(host, port, told)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator."""
    options = given.parse(arguments)
    rng, dialect = Random(options.seed), given.dialect(options)
    calls = Calls(dialect, given.plan(options), rng)
    if options.list_homes:
        print("\n".join(home.account for home in calls.homes))
        return 0
    ledger = Ledger(options.ledger)
    ledger.write("start", options=json.loads(json.dumps(vars(options), default=str)))
    # The faults draw from a generator of their own, so that a seed gives the same calls with and without them.
    chance = Random(options.seed + 1)
    emulator = Emulator(
        given.box(options), dialect, calls, faults=given.faults(options), ledger=ledger, rng=chance, way=_way(options)
    )

    def stop(*_: object) -> None:
        emulator.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    whole = emulator.run()
    ledger.close()
    print(json.dumps(dict(sorted(emulator.counts.items()))))
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())

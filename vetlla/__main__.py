"""The program: ``vetlla`` and ``python -m vetlla``.

Loading the command line takes a third of a second. Ctrl-C in that time ends the program like any later one.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Entry point of the ``vetlla`` command."""
    try:
        from vetlla.cli.main import main as command_line  # noqa: PLC0415 - see above

        command_line()
    except KeyboardInterrupt:
        os.write(2, b"vetlla: interrupted\n")
        sys.exit(128 + signal.SIGINT)  # as shells count


if __name__ == "__main__":
    main()

"""Exit statuses: each family of errors leaves with one, in this one place (sysexits.h; checks: Nagios)."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING

from vetlla.cli.output import tell
from vetlla.errors import ConfigError, LinkError, StoreError, UsageError, VetllaError

if TYPE_CHECKING:
    from collections.abc import Callable

STATUS: dict[type[VetllaError], int] = {
    UsageError: os.EX_USAGE,
    StoreError: os.EX_IOERR,
    LinkError: os.EX_UNAVAILABLE,
    ConfigError: os.EX_CONFIG,
    VetllaError: os.EX_SOFTWARE,
}


class Nagios(IntEnum):
    """Exit statuses of ``check`` commands, as monitoring plug-ins use them."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def run(command: Callable[[], None]) -> None:
    """Run the command line; turn Vetlla's errors into one clear message and an exit status."""
    try:
        command()
    except VetllaError as error:
        family = next(kind for kind in type(error).__mro__ if kind in STATUS)
        tell(f"vetlla: {error}", "red")
        sys.exit(STATUS[family])
    except BrokenPipeError:
        # The reader of our pipe went away (``| head``): stop quietly, and keep the interpreter's own flush quiet too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(os.EX_OK)

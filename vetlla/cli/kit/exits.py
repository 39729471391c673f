"""Exit statuses. Only this module says which one each family of errors has (sysexits.h; checks use ``Level``)."""

from __future__ import annotations

import os
import re
import signal
import sys
import traceback
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn

import typer
from typer.exceptions import TyperException

from vetlla.cli.kit import streams
from vetlla.cli.kit.output import talk, tell
from vetlla.domain import permissions
from vetlla.domain.errors import AccessError, ConfigError, LinkError, StoreError, UsageError, VetllaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STATUS: dict[type[VetllaError], int] = {
    UsageError: os.EX_USAGE,
    StoreError: os.EX_IOERR,
    streams.OutputError: os.EX_IOERR,
    LinkError: os.EX_UNAVAILABLE,
    ConfigError: os.EX_CONFIG,
    AccessError: os.EX_NOPERM,
    VetllaError: os.EX_SOFTWARE,
}
INTERRUPTED = 128 + signal.SIGINT
"""Exit status after Ctrl-C, as in shells."""
LONGEST_ARGUMENT = 4_096
"""Most characters of one argument. A path has at most 4,096 (PATH_MAX), a note at most 4,000."""
_LEFT_OVER = "Got unexpected extra argument"
"""Start of the parser's message about words that no argument takes. One of these words may be a key."""
_LIKE_A_KEY = re.compile(r"[0-9A-Fa-f]{32,}")
_NOT_SHOWN = "(not shown)"

OWN_PROCESS: ContextVar[bool] = ContextVar("own_process", default=False)
"""True if this process runs only the command. The command may then set its priority and its garbage collector."""


def run(command: Callable[[], object]) -> NoReturn:
    """Run the command line and exit with its status; print an error as one clear message."""
    streams.prepare()
    status = os.EX_OK
    own = OWN_PROCESS.set(True)
    try:
        status = _status(command)
        sys.stdout.flush()
    except streams.ReaderGone:
        streams.abandon()
    except streams.OutputError as error:
        streams.abandon()
        status = _told(error)
    finally:
        OWN_PROCESS.reset(own)
    sys.exit(status)


def bounded(words: Sequence[str]) -> None:
    """Raise UsageError for an argument that is longer than any that a command can use."""
    for place, word in enumerate(words, start=1):
        if len(word) > LONGEST_ARGUMENT:
            raise UsageError(
                f"argument {place} has {len(word)} characters, and no argument has more than {LONGEST_ARGUMENT}",
                remedy="shorten it, or give a file where the command takes one",
            )


def _status(command: Callable[[], object]) -> int:
    try:
        status = command()
    except SystemExit as end:
        status = end.code
    except streams.OutputError:
        raise
    except TyperException as error:
        return _misused(error)
    except typer.Abort:  # Ctrl-C or the end of the input at a prompt
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - _family also handles a fault of the program
        return _told(_family(error))
    if status == INTERRUPTED:  # typer turns KeyboardInterrupt into this
        talk().print("vetlla: interrupted", style="red")
    return status if isinstance(status, int) else os.EX_OK


def _misused(error: TyperException) -> int:
    """Print what the parser does not understand, without words that may be a key; return the exit status."""
    message = error.format_message()
    if message.startswith(_LEFT_OVER):
        message = f"{_LEFT_OVER} {_NOT_SHOWN}"
    if message:  # the message is empty if the help has been printed
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "vetlla"
        tell(f"vetlla: {_LIKE_A_KEY.sub(_NOT_SHOWN, message)}\n  -> {command} --help", "red")
    return error.exit_code


def _family(error: Exception) -> VetllaError:
    """Return the VetllaError that tells the user about an exception."""
    match error:
        case VetllaError() | PermissionError():
            return permissions.explained(error)
        case OSError():
            name = f"{error.filename}: " if error.filename else ""
            return StoreError(f"{name}{error.strerror or error}")
        case UnicodeEncodeError() if _is_of_other_bytes(error):
            what = f"{error.object!a} is not {'UTF-8' if error.encoding == 'utf-8' else error.encoding} text"
            return UsageError(what, remedy="type it in a UTF-8 terminal: LC_ALL=C.UTF-8 vetlla ...")
    tell("".join(traceback.format_exception(error)).rstrip("\n"), "")  # a report of the fault needs these lines
    return VetllaError("a fault of Vetlla's own", remedy="please report it, with the lines above")


def _is_of_other_bytes(error: UnicodeEncodeError) -> bool:
    """Return True if a word of the command line had bytes that are not text; Python keeps them as lone surrogates."""
    return all("\udc80" <= one <= "\udcff" for one in error.object[error.start : error.end])


@contextmanager
def verdict(status: int) -> Iterator[None]:
    """Exit with a status after the answer is written, even if its reader, such as ``head``, ended before that."""
    try:
        yield
        sys.stdout.flush()
    except streams.ReaderGone:
        streams.abandon()
    raise typer.Exit(status)


def status_of(error: VetllaError) -> int:
    """Return the exit status of an error's family."""
    return STATUS[next(kind for kind in type(permissions.explained(error)).__mro__ if kind in STATUS)]


def _told(error: VetllaError) -> int:
    tell(f"vetlla: {error}", "red")
    return status_of(error)

"""Standard input, output and error, which may be closed, full, or without the characters that a command writes.

The answer goes to standard output. If it cannot be written there, the command ends with OutputError, be it a table, a
line of JSON or the help. Messages go to standard error; a command does not fail because of them.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any

from vetlla.domain.errors import VetllaError


class OutputError(VetllaError):
    """The answer cannot be written to standard output (exit status 74)."""


class ReaderGone(OutputError):  # noqa: N818 - `| head` has read enough, and this is not a failure
    """The program that reads the answer has ended. The command stops without a message."""


class Answer(io.TextIOWrapper):
    """Standard output. Raises OutputError if its encoding does not have a character."""

    def write(self, text: str) -> int:
        """Write text of the answer."""
        try:
            return super().write(text)
        except UnicodeEncodeError as error:
            raise OutputError(
                f"standard output takes {error.encoding} text, which has no {error.object[error.start]!a}:"
                " LC_ALL=C.UTF-8 vetlla ... writes UTF-8"
            ) from error


class _Bytes(io.FileIO):
    """The bytes below ``Answer``, and below exports that write bytes. Raises OutputError if they cannot be written."""

    def write(self, data: Any) -> int:  # noqa: ANN401 - any type that the buffer passes
        """Write to the descriptor."""
        try:
            return super().write(data)
        except BrokenPipeError as error:
            raise ReaderGone("the reader of standard output has ended") from error
        except OSError as error:
            why = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
            raise OutputError(f"standard output cannot be written: {why}") from error


class Talk(io.TextIOWrapper):
    """Standard error. Drops what cannot be written."""

    def write(self, text: str) -> int:
        """Write text of a message, if that is possible."""
        with suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        """Pass the text on, if that is possible."""
        with suppress(OSError):
            super().flush()


def prepare() -> None:
    """Install ``Answer`` and ``Talk`` as standard streams. A stream that the caller closed takes nothing."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # open() takes the lowest free number, which is this one. No file may get the number of a standard stream.
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115
    out, err = (stream.encoding if stream else "utf-8" for stream in (sys.stdout, sys.stderr))
    # A file name that is not UTF-8 is written as the bytes that were read.
    errors = "surrogateescape" if out.lower() == "utf-8" else "strict"
    answer = io.BufferedWriter(_Bytes(1, "wb", closefd=False))
    sys.stdout = Answer(answer, encoding=out, errors=errors, line_buffering=os.isatty(1))
    talk = open(2, "wb", closefd=False)  # noqa: SIM115 - open until the end
    sys.stderr = Talk(talk, encoding=err, errors="backslashreplace", line_buffering=True)


def abandon() -> None:
    """Let the interpreter's own last flush succeed, although no reader takes the rest of the answer."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)

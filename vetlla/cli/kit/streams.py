"""Standard input, output and error as a command finds them: closed, full, or without the characters it writes.

The answer goes to standard output. What cannot be written there ends the command with OutputError, be it a
table, a line of JSON or the help. The talk goes to standard error; a command does not fail because of the talk.
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


class ReaderGone(OutputError):  # noqa: N818 - `| head` has read enough: this is no failure
    """The program that reads the answer has ended: the command stops without a word."""


class Answer(io.TextIOWrapper):
    """Standard output. Raises OutputError where it has no characters for the text."""

    def write(self, text: str) -> int:
        """Take text for the answer."""
        try:
            return super().write(text)
        except UnicodeEncodeError as error:
            raise OutputError(
                f"standard output takes {error.encoding} text, which has no {error.object[error.start]!a}:"
                " LC_ALL=C.UTF-8 vetlla ... writes UTF-8"
            ) from error


class _Bytes(io.FileIO):
    """The bytes below ``Answer``, and below exports that write bytes. Raises OutputError where they are not taken."""

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever the buffer hands over
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
        """Take text for the talk."""
        with suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        """Hand the text over, if it can be."""
        with suppress(OSError):
            super().flush()


def prepare() -> None:
    """Put ``Answer`` and ``Talk`` in their places. A stream that the caller closed is one that takes nothing."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free one, so this one: no file of ours may get the number of a standard stream.
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115
    out, told = (stream.encoding if stream else "utf-8" for stream in (sys.stdout, sys.stderr))
    # A name of a file that is no UTF-8 leaves as the bytes that it came as.
    errors = "surrogateescape" if out.lower() == "utf-8" else "strict"
    answer = io.BufferedWriter(_Bytes(1, "wb", closefd=False))
    sys.stdout = Answer(answer, encoding=out, errors=errors, line_buffering=os.isatty(1))
    talk = open(2, "wb", closefd=False)  # noqa: SIM115 - open until the end
    sys.stderr = Talk(talk, encoding=told, errors="backslashreplace", line_buffering=True)


def abandon() -> None:
    """Let the interpreter's own last flush succeed: no reader takes the rest of the answer."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)

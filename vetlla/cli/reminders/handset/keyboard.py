"""What a person types, line by line, on a terminal or through a pipe.

On a terminal the line under way is drawn again below each message that comes, so that no message tears it apart.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import termios
import threading
import tty
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

STDIN: Final = 0
CHUNK: Final = 4_096
LONGEST: Final = 4_096
"""Most characters of a line; what comes after them is dropped."""
_END: Final = "\x04"
"""Ctrl-D, which ends the input on an empty line."""
_DELETE: Final = frozenset("\x7f\b")
_CLEAR: Final = "\x15"
"""Ctrl-U."""
_ESCAPE: Final = "\x1b"


class Typing:
    """Makes lines of the characters that come, with the few keys that edit a line."""

    def __init__(self, *, is_edited: bool) -> None:
        self.typed = ""
        """The line under way."""
        self._is_edited = is_edited
        self._is_escape = False

    def feed(self, text: str) -> list[str | None]:
        """Return the lines that are complete; None is the end of the input."""
        lines: list[str | None] = []
        for one in text:
            if one in "\r\n":
                lines.append(self.typed)
                self.typed = ""
            elif self._is_edited and not self._key(one):
                lines.append(None)
            elif not self._is_edited:
                self._add(one)
        return lines

    def _key(self, one: str) -> bool:
        """Take a key of a terminal. Return False for the end of the input."""
        if self._is_escape:
            # An arrow key is an escape, a bracket, perhaps numbers, and a letter.
            self._is_escape = not (one.isalpha() or one == "~")
        elif one == _ESCAPE:
            self._is_escape = True
        elif one == _END:
            return bool(self.typed)
        elif one in _DELETE:
            self.typed = self.typed[:-1]
        elif one == _CLEAR:
            self.typed = ""
        else:
            self._add(one)
        return True

    def _add(self, one: str) -> None:
        if one.isprintable() and len(self.typed) < LONGEST:
            self.typed += one


class Keyboard:
    """Reads standard input in a thread of its own, while it is entered as a context."""

    def __init__(self, hear: Callable[[str | None], None], redraw: Callable[[], None]) -> None:
        """``hear`` gets each line, and None at the end. ``redraw`` is called when the line under way changed."""
        self.is_terminal = os.isatty(STDIN)
        self._hear = hear
        self._redraw = redraw
        self._typing = Typing(is_edited=self.is_terminal)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._before: list[int | list[bytes | int]] | None = None

    @property
    def typed(self) -> str:
        """The line under way."""
        return self._typing.typed

    def __enter__(self) -> Self:
        """Let the terminal pass each key on at once, and start to read."""
        if self.is_terminal:
            self._before = termios.tcgetattr(STDIN)
            tty.setcbreak(STDIN, termios.TCSADRAIN)  # what was typed before is kept
        # Python cannot end a thread that reads, so it is a daemon thread and does not delay the exit.
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back as it was."""
        if self._before is not None:
            termios.tcsetattr(STDIN, termios.TCSADRAIN, self._before)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended
            while True:
                try:
                    data = os.read(STDIN, CHUNK)
                except OSError:
                    data = b""
                loop.call_soon_threadsafe(self._take, data)
                if not data:
                    return

    def _take(self, data: bytes) -> None:
        lines = self._typing.feed(self._decoder.decode(data, final=not data))
        if not data:
            lines += [self._typing.typed] if self._typing.typed else []
            lines.append(None)
        for line in lines:
            self._hear(line)
        self._redraw()

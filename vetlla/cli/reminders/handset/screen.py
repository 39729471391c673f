"""Draws a conversation: the city's messages on the left, the citizen's on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.box import ROUNDED
from rich.console import Group
from rich.control import Control
from rich.padding import Padding
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from vetlla.cli.kit.moments import local
from vetlla.cli.kit.output import console
from vetlla.domain.clock import to_us
from vetlla.domain.messages import Channel

if TYPE_CHECKING:
    from vetlla.simulator.messaging.phones import Bubble

WIDTH: Final = 72
"""Most columns of a conversation."""
BUBBLE: Final = 58
"""Columns of a message."""
VOICE: Final = "(voice message)"
_NAMES: Final = {Channel.WHATSAPP: "WhatsApp", Channel.SMS: "SMS"}
_COLOURS: Final = {Channel.WHATSAPP: "green", Channel.SMS: "blue"}


class HandsetScreen:
    """The screen of the telephone. On a terminal a line to type on stays below all else."""

    def __init__(self, *, has_prompt: bool) -> None:
        self._console = console()
        self._has_prompt = has_prompt and self._console.is_terminal
        self._prompt = ""
        self._width = min(WIDTH, self._console.width)

    def bubble(self, bubble: Bubble) -> None:
        """Draw a message."""
        at = local(to_us(bubble.at))
        colour = _COLOURS[bubble.channel] if bubble.is_from_city else "dim"
        lines = [Text(f"{_NAMES[bubble.channel]}  {at:%d/%m %H:%M}", style=colour)]
        lines += [Text(line) for line in (bubble.text or VOICE).split("\n")]
        if bubble.buttons:
            lines.append(Text())
        lines += [Text(f"[{number}] {one.label}", style="bold") for number, one in enumerate(bubble.buttons, start=1)]
        width = min(BUBBLE, self._width)
        frame = Table(box=ROUNDED, show_header=False, border_style=colour, width=width)
        frame.add_column(overflow="fold")
        frame.add_row(Group(*lines))
        self._above(Padding(frame, (0, 0, 0, 0 if bubble.is_from_city else self._width - width), expand=False))

    def note(self, words: str) -> None:
        """Print a line of the program's own."""
        self._above(Text(words, style="dim"))

    def prompt(self, number: str, typed: str) -> None:
        """Draw the line to type on, if there is one."""
        if not self._has_prompt:
            return
        room = max(self._console.width - len(number) - 4, 8)
        self._prompt = f"{number}> {typed[-room:]}"
        self._clear()
        self._draw()

    def end(self) -> None:
        """Leave the line to type on."""
        self._clear()

    def _above(self, renderable: Padding | Text) -> None:
        self._clear()
        self._console.print(renderable, soft_wrap=isinstance(renderable, Text))
        self._draw()

    def _clear(self) -> None:
        if self._has_prompt:
            self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))

    def _draw(self) -> None:
        if self._has_prompt:
            self._console.print(Text(self._prompt), end="")
            self._console.file.flush()

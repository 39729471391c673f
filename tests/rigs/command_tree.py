"""The registered commands, for the tests of help, documentation and completion."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import typer.main

from vetlla.cli.main import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator


DATED = {"YYYY-MM", "YYYY-MM[..YYYY-MM]", "YYYY-MM-DD", "DATE", "TIME", "DAY|TIME"}
"""How the help writes what is a month, a day or a time."""


class Command(NamedTuple):
    """One command: its path such as ``queue claim``, its help as written, its module and its options.

    ``takes`` has the form of each option and argument that takes a day, a month or a time, such as ``YYYY-MM``.
    """

    path: str
    help: str
    module: str
    options: frozenset[str]
    takes: tuple[tuple[str, str], ...]


@cache
def commands() -> tuple[Command, ...]:
    """Return every command of the program, by path."""
    return tuple(sorted(_walk(typer.main.get_command(command_line()), ())))


def _walk(node: object, path: tuple[str, ...]) -> Iterator[Command]:
    children = getattr(node, "commands", None)
    if children is not None:
        for name, child in children.items():
            yield from _walk(child, (*path, name))
        return
    callback = getattr(node, "callback")  # noqa: B009 - typer's command classes are private
    parameters = getattr(node, "params", ())
    options = frozenset(option for parameter in parameters for option in parameter.opts)
    takes = tuple((parameter.opts[0], parameter.metavar) for parameter in parameters if parameter.metavar in DATED)
    yield Command(" ".join(path), callback.__doc__ or "", callback.__module__, options, takes)

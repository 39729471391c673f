"""The registered commands, for the tests of help, documentation and completion."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import typer.main

from vetlla.cli.main import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator


class Command(NamedTuple):
    """One command: its path such as ``queue claim``, its help as written, its module and its options."""

    path: str
    help: str
    module: str
    options: frozenset[str]


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
    options = {option for parameter in getattr(node, "params", ()) for option in parameter.opts}
    yield Command(" ".join(path), callback.__doc__ or "", callback.__module__, frozenset(options))

"""Asks the user before something is destroyed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from vetlla.cli.kit.output import talk
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


def confirm(question: str, what: Iterable[str], *, yes: bool) -> None:
    """Show what will be destroyed and ask; exit unless the user agrees. ``yes``: the user has agreed already.

    Raises UsageError if there is no terminal to ask at.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "this destroys data, and there is no terminal to confirm it at", remedy="--dry-run first, then --yes"
        )
    for line in what:
        talk().print(line)
    if not typer.confirm(f"{question} It cannot be undone.", err=True):
        raise typer.Exit(os.EX_USAGE)

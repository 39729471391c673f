"""Shows what the inventory contradicts in cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.cli.kit.output import talk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.tasks.cards.registered import CardDoubt

SHOWN: Final = 20
"""Most warnings that a person is shown; --json shows all."""


def tell_doubts(found: Sequence[CardDoubt]) -> None:
    """Print a warning for each home whose card the inventory contradicts."""
    for one in found[:SHOWN]:
        talk().print(f"warning: home {one.home}: {one.what}", style="yellow", soft_wrap=True)
    if (more := len(found) - SHOWN) > 0:
        talk().print(f"warning: {more} more: --json shows all", style="yellow", soft_wrap=True)

"""The card of the home under an alarm. The alarm is shown first, and whatever is wrong with the card.

The modules that read cards are loaded only when an alarm has been shown: an operator must not wait for them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.output import console, talk

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.cli.cards.access import CardBeside

NoCard = Annotated[bool, typer.Option("--no-card", help="Leave out the card of the home.")]


def fields_beside(state_dir: Path, home: str, alarm: int, *, no_card: bool) -> dict[str, Any]:
    """Return the card as the field ``card`` of an answer; an empty answer if no card is wanted."""
    if no_card:
        return {}
    from vetlla.cli.cards.sheet import beside_fields  # noqa: PLC0415 - see above

    return {"card": beside_fields(_beside(state_dir, home, alarm))}


def show_beside(state_dir: Path, home: str, alarm: int, *, no_card: bool) -> None:
    """Print the card, or one line that says why it cannot be shown."""
    if no_card:
        return
    sys.stdout.flush()  # the operator reads the alarm meanwhile
    from vetlla.cli.cards.sheet import beside_lines  # noqa: PLC0415 - see above

    beside = _beside(state_dir, home, alarm)
    for line in beside_lines(beside):
        console().print(line, soft_wrap=True)
    if beside.problem:
        talk().print(beside.problem, style="yellow", soft_wrap=True)


def _beside(state_dir: Path, home: str, alarm: int) -> CardBeside:
    from vetlla.cli.cards.access import card_beside  # noqa: PLC0415 - see above

    return card_beside(state_dir, home, alarm)

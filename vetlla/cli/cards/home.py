"""``vetlla home`` shows what an operator must know of a home: its card, and what the other databases have of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from vetlla.cli.cards.access import card_of, place_of
from vetlla.cli.cards.doubts import tell_doubts
from vetlla.cli.cards.sheet import card_fields, card_lines
from vetlla.cli.kit.moments import Utc, shown_iso
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, CardsKeyFile, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.domain.cards import ReadReason
from vetlla.domain.errors import UsageError, VetllaError
from vetlla.tasks.cards.beside import HomeAsked
from vetlla.tasks.cards.reading import check_reason
from vetlla.tasks.cards.registered import doubts_if_readable
from vetlla.tasks.cards.sections import sections_of

if TYPE_CHECKING:
    from vetlla.domain.cards import Card
    from vetlla.tasks.cards.place import CardPlace
    from vetlla.tasks.cards.sections import HomeSection

TIMES = frozenset({"opened", "since", "last_heard", "started", "from", "to", "ended", "due", "arrived"})
"""Columns whose UTC times a person sees in local time; a day stays a day."""


def home(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of the home.")],
    *,
    alarm: Annotated[
        int | None, typer.Option("--alarm", metavar="ALARM", help="Number of the alarm that you work on.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", parser=as_note, metavar="TEXT", help="Another reason, without personal data.")
    ] = "",
    only_card: Annotated[bool, typer.Option("--only-card", help="Show the card alone.")] = False,
    key_file: CardsKeyFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show the card of a home, and beside it what happened lately and what is open.

    That is its alarms and calls of 30 days, accounts, devices and how they are heard, visits, faults, open duties, keys
    and emergencies.

    The card is personal data. Each reading is recorded before the card is shown: who, when, which home and why. So is
    each attempt, such as one with a home that has no card. The reason is an alarm of the home that is open or was
    closed within 24 hours, or a text. `vetlla cards readers` lists the readings.

    Example: vetlla home H-0017 --alarm 7
    """
    card, failure = _card(place_of(key_file, state_dir), code, ReadReason(alarm, reason))
    if failure is not None and only_card:
        raise failure
    doubts = doubts_if_readable(state_dir, CLOCK, [card]) if card and not only_card else []
    sections = [] if only_card else sections_of(HomeAsked(state_dir, CLOCK, code))
    if not (card or failure or only_card or any(one.rows or one.problem for one in sections)):
        raise UsageError(f"nothing is known of home {code}", remedy="vetlla inventory list shows the codes of homes")
    if as_json:
        shown = {one.name: one.rows for one in sections}
        unread = {one.name: one.problem for one in sections if one.problem}
        told = {"home": code, "card": card_fields(card) if card else None, "sections": shown, "unread": unread}
        print_json(told | {"warnings": [one.what for one in doubts]})
    else:
        if card:
            for line in card_lines(card):
                console().print(line, soft_wrap=True)
            tell_doubts(doubts)
        elif failure is None:
            talk().print(f"home {code} has no card", style="yellow", soft_wrap=True)
        for section in sections:
            _show(section)
    if failure is not None:
        raise failure


def _card(place: CardPlace, code: str, reason: ReadReason) -> tuple[Card | None, VetllaError | PermissionError | None]:
    """Return the card, or the error with which a person sees the rest. Raises UsageError for a refused reason."""
    try:
        return card_of(place, code, reason), None
    except UsageError:
        raise
    except (VetllaError, PermissionError) as error:
        check_reason(place.state_dir, CLOCK, code, reason)  # the rest needs a reason, too
        return None, error


def _show(section: HomeSection) -> None:
    if section.problem:
        talk().print(f"{section.name} cannot be shown: {section.problem}", style="yellow", soft_wrap=True)
    if not section.rows:
        return
    console().print(Text(section.name.capitalize(), style="bold"))
    rows = [
        {name: shown_iso(value) if name in TIMES and value and "T" in value else value for name, value in row.items()}
        for row in section.rows
    ]
    print_rows(rows, [*rows[0]], as_json=False)

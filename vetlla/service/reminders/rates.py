"""What a message costs: a rate card with a date for each price, given by the operator. The program knows no price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from decimal import Decimal

    from vetlla.domain.messages import Channel


class Rate(NamedTuple):
    """A price that is in force from a day, until the next one of its channel and category."""

    valid_from: date
    channel: Channel
    category: str
    """WhatsApp: the category that Meta bills, ``utility`` for templates, ``service`` for answers. SMS: ``segment``."""
    eur: Decimal
    """Of one delivered message, for SMS of one segment."""


UTILITY, SERVICE, SEGMENT = "utility", "service", "segment"


@dataclass(frozen=True, slots=True)
class RateCard:
    """All prices."""

    rates: tuple[Rate, ...] = ()

    def price(self, channel: Channel, category: str, day: date) -> Decimal | None:
        """Return the price in EUR that is in force on a day; None if the card has none."""
        known = [
            rate
            for rate in self.rates
            if (rate.channel, rate.category) == (channel, category) and rate.valid_from <= day
        ]
        return max(known, key=lambda rate: rate.valid_from).eur if known else None


def rate_card(rates: Iterable[Rate]) -> RateCard:
    """Return a card. Raises UsageError if a channel and category have two prices from one day."""
    found: dict[tuple[date, Channel, str], Rate] = {}
    for rate in rates:
        if found.setdefault(rate[:3], rate) != rate:
            raise UsageError(
                f"{rate.channel} {rate.category} has two prices from {rate.valid_from}", remedy="keep one of them"
            )
    return RateCard(tuple(found.values()))

"""What messages cost by a rate card with dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from vetlla.domain.errors import UsageError
from vetlla.domain.messages import Channel
from vetlla.service.reminders.rates import SEGMENT, SERVICE, UTILITY, Rate, rate_card

CARD = rate_card(
    [
        Rate(date(2026, 1, 1), Channel.SMS, SEGMENT, Decimal("0.05")),
        Rate(date(2026, 10, 1), Channel.SMS, SEGMENT, Decimal("0.045")),
        Rate(date(2026, 10, 1), Channel.WHATSAPP, SERVICE, Decimal("0.01")),
    ]
)


def test_a_price_is_in_force_from_its_day_until_the_next() -> None:
    assert CARD.price(Channel.SMS, SEGMENT, date(2026, 1, 1)) == Decimal("0.05")
    assert CARD.price(Channel.SMS, SEGMENT, date(2026, 9, 30)) == Decimal("0.05")
    assert CARD.price(Channel.SMS, SEGMENT, date(2026, 10, 1)) == Decimal("0.045")


def test_before_the_first_day_and_without_a_rate_no_price_is_known() -> None:
    """An unknown price is never 0."""
    assert CARD.price(Channel.WHATSAPP, SERVICE, date(2026, 9, 30)) is None
    assert CARD.price(Channel.WHATSAPP, UTILITY, date(2026, 12, 1)) is None
    assert rate_card([]).price(Channel.SMS, SEGMENT, date(2026, 12, 1)) is None


def test_two_prices_from_one_day_are_refused() -> None:
    twice = [Rate(date(2026, 1, 1), Channel.SMS, SEGMENT, Decimal(price)) for price in ("0.05", "0.06")]
    with pytest.raises(UsageError, match="two prices from 2026-01-01"):
        rate_card(twice)
    assert rate_card([twice[0], twice[0]]).rates == (twice[0],)

"""What the messages of a period cost by a rate card. A message without a price is counted, and never costs 0."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.messages import Channel, MessageKind
from vetlla.domain.reminder_counts import ARRIVED, TAKEN
from vetlla.service.reminders.rates import SEGMENT, SERVICE, UTILITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.reminder_counts import MessageCount
    from vetlla.service.reminders.rates import RateCard


class Charged(NamedTuple):
    """What is charged for alike messages."""

    channel: Channel
    category: str
    told_by: str
    """ "meta" if Meta told the category, "assumed" if it follows from the kind of message."""
    units: int
    """Messages, for SMS segments."""


def charged(one: MessageCount) -> Charged | None:
    """Return what is charged for messages; None for those that are charged in no case.

    WhatsApp charges a message when it is delivered, the networks of SMS when they take it.
    """
    if one.channel == Channel.SMS:
        return Charged(Channel.SMS, SEGMENT, "assumed", one.segments) if one.fate in TAKEN else None
    if one.channel != Channel.WHATSAPP or one.fate not in ARRIVED:
        return None
    category = one.category or (SERVICE if one.kind == MessageKind.ANSWER else UTILITY)
    return Charged(Channel.WHATSAPP, category, "meta" if one.category else "assumed", one.messages)


def costs(counts: Iterable[MessageCount], rates: RateCard) -> FigureTable:
    """Return units, what of them is free, priced and without a price, and the amount, by channel and category."""
    columns = (
        FigureColumn("channel", Form.WORD),
        FigureColumn("category", Form.WORD),
        FigureColumn("told_by", Form.WORD),
        FigureColumn("units"),
        FigureColumn("free"),
        FigureColumn("priced"),
        FigureColumn("unpriced"),
        FigureColumn("eur", Form.EUR),
    )
    found: dict[tuple[str, str, str], _Sum] = defaultdict(_Sum)
    for one in counts:
        what = charged(one)
        if what is None:
            continue
        into = found[what.channel.value, what.category, what.told_by]
        into.units += what.units
        price = rates.price(what.channel, what.category, one.day)
        if one.is_billable is False:
            into.free += what.units
        elif price is None:
            into.unpriced += what.units
        else:
            into.priced += what.units
            into.eur += price * what.units
    rows = [(*key, *found[key].cells()) for key in sorted(found)]
    if rows:
        total = _Sum()
        for each in found.values():
            total.add(each)
        rows.append(("total", "", "", *total.cells()))
    return FigureTable(name="costs", columns=columns, rows=tuple(rows))


class _Sum:
    """Units and the amount of one row."""

    def __init__(self) -> None:
        self.units = self.free = self.priced = self.unpriced = 0
        self.eur = Decimal(0)

    def add(self, other: _Sum) -> None:
        """Add another row to this one."""
        self.units += other.units
        self.free += other.free
        self.priced += other.priced
        self.unpriced += other.unpriced
        self.eur += other.eur

    def cells(self) -> tuple[int, int, int, int, Decimal | None]:
        """Return the figures of the row. The amount is None if no unit has a price and some lack one."""
        is_known = self.priced or not self.unpriced
        return self.units, self.free, self.priced, self.unpriced, self.eur if is_known else None

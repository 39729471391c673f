"""What the report says about the replies of citizens."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.messages import Channel, ReplyKind
from vetlla.service.reminders.texts.names import TextName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.figures import CellValue
    from vetlla.domain.reminder_counts import CancellationCount, ReplyCount


class ReplySense(StrEnum):
    """What the service made of a reply."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    """It asks to cancel; the table of cancellations has what became of that."""
    ASKED_BACK = "asked_back"
    RESCHEDULE = "reschedule"
    OPTED_OUT = "opted_out"
    LATE = "late"
    """It came after the end of the appointment."""
    UNKNOWN_SENDER = "unknown_sender"
    """The sender has no appointment, or the provider hid who wrote."""
    NOT_TEXT = "not_text"
    """A voice message, a picture or a place."""
    NOT_UNDERSTOOD = "not_understood"
    OTHER = "other"
    """Help, another language, opting in again, confirming what is cancelled."""
    WAITING = "waiting"
    """It is not handled yet."""


_SENSES: Final = {
    TextName.CONFIRMED.value: ReplySense.CONFIRMED,
    TextName.CONFIRMED_SEVERAL.value: ReplySense.CONFIRMED,
    "cancel": ReplySense.CANCELLED,
    TextName.ASK.value: ReplySense.ASKED_BACK,
    TextName.LIST.value: ReplySense.ASKED_BACK,
    TextName.HOUR_CHANGED.value: ReplySense.ASKED_BACK,
    TextName.RESCHEDULE.value: ReplySense.RESCHEDULE,
    TextName.OPTED_OUT.value: ReplySense.OPTED_OUT,
    TextName.PAST.value: ReplySense.LATE,
    TextName.UNKNOWN_SENDER.value: ReplySense.UNKNOWN_SENDER,
}
"""By the outcome that is kept of a reply."""


def sense(one: ReplyCount) -> ReplySense:
    """Return what the service made of replies."""
    if not one.is_handled:
        return ReplySense.WAITING
    if one.outcome != "inbox":
        return _SENSES.get(one.outcome, ReplySense.OTHER)
    if one.why == "no sender":
        return ReplySense.UNKNOWN_SENDER
    return ReplySense.NOT_TEXT if one.kind == ReplyKind.OTHER else ReplySense.NOT_UNDERSTOOD


def replies(counts: Iterable[ReplyCount]) -> FigureTable:
    """Return one row for each sense, by channel; and the replies that a person has still to answer."""
    columns = (
        FigureColumn("sense", Form.WORD),
        *(FigureColumn(one.value) for one in Channel),
        FigureColumn("replies"),
        FigureColumn("open"),
    )
    found: Counter[tuple[ReplySense, str]] = Counter()
    waiting: Counter[ReplySense] = Counter()
    for one in counts:
        found[sense(one), one.channel] += one.replies
        waiting[sense(one)] += one.replies if one.is_open else 0
    numbers = [_numbers([found[each, channel.value] for channel in Channel], waiting[each]) for each in ReplySense]
    rows: list[tuple[CellValue, ...]] = [(each.value, *its) for each, its in zip(ReplySense, numbers, strict=True)]
    return FigureTable(name="replies", columns=columns, rows=(*rows, ("total", *map(sum, zip(*numbers, strict=True)))))


def _numbers(by_channel: list[int], waiting: int) -> tuple[int, ...]:
    return (*by_channel, sum(by_channel), waiting)


def cancellations(counts: Iterable[CancellationCount]) -> FigureTable:
    """Return what became of the cancellations that citizens asked for."""
    columns = (FigureColumn("state", Form.WORD), FigureColumn("cancellations"))
    rows = tuple((one.state, one.cancellations) for one in sorted(counts))
    return FigureTable(name="cancellations", columns=columns, rows=rows)

"""What the report says about messages: by channel, text and day, those not sent, fallbacks, and Meta's own counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.messages import Channel
from vetlla.domain.reminder_counts import ARRIVED, HANDED_OVER, TAKEN, Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vetlla.domain.figures import CellValue
    from vetlla.domain.reminder_counts import FallbackCount, MessageCount, ReportPeriod

_FATES: Final = (
    ("handed_over", HANDED_OVER),
    ("used", TAKEN),
    ("delivered", ARRIVED),
    ("read", frozenset({Fate.READ})),
    ("failed", frozenset({Fate.FAILED})),
    ("no_report", frozenset({Fate.NO_REPORT})),
    ("pending", frozenset({Fate.PENDING})),
    ("refused", frozenset({Fate.REFUSED})),
    ("unknown", frozenset({Fate.UNKNOWN})),
)
"""Columns of messages. ``used`` is what the provider took: delivered, failed, no report and pending together. Read ones
are delivered too. With the refused and the unknown these are all that were handed over."""
_COUNTED: Final = (*(FigureColumn(name) for name, _ in _FATES), FigureColumn("segments"))


def sent(counts: Iterable[MessageCount]) -> list[MessageCount]:
    """Return the messages that a provider was asked to send."""
    return [one for one in counts if one.fate in HANDED_OVER]


def used(counts: Iterable[MessageCount]) -> int:
    """Return how many messages a provider took."""
    return sum(one.messages for one in counts if one.fate in TAKEN)


def conversations(counts: Iterable[MessageCount]) -> int:
    """Return how many conversations the city started: templates that were taken while no window was open."""
    return sum(one.opened for one in counts if one.fate in TAKEN)


def by_channel(counts: Sequence[MessageCount]) -> FigureTable:
    """Return one row for each channel, and their sum."""
    columns = (FigureColumn("channel", Form.WORD), *_COUNTED, FigureColumn("conversations"))
    rows: list[tuple[CellValue, ...]] = []
    for name in (*Channel, ""):
        some = [one for one in sent(counts) if not name or one.channel == name]
        rows.append((name.value if isinstance(name, Channel) else "total", *_sums(some), conversations(some)))
    return FigureTable(name="channels", columns=columns, rows=tuple(rows))


def by_text(counts: Iterable[MessageCount]) -> FigureTable:
    """Return one row for each kind of message, channel, template and language."""
    columns = (
        FigureColumn("kind", Form.WORD),
        FigureColumn("channel", Form.WORD),
        FigureColumn("template", Form.NAME),
        FigureColumn("language", Form.WORD),
        *_COUNTED,
    )
    groups = _grouped(sent(counts), lambda one: (one.kind, one.channel, one.template, one.language or "none"))
    rows = tuple((*group, *_sums(groups[group])) for group in sorted(groups))
    return FigureTable(name="texts", columns=columns, rows=rows)


def by_day(counts: Iterable[MessageCount], period: ReportPeriod) -> FigureTable:
    """Return one row for each day of the period, also for those without a message."""
    columns = (
        FigureColumn("day", Form.DAY),
        *(FigureColumn(one.value) for one in Channel),
        FigureColumn("conversations"),
    )
    groups = _grouped(sent(counts), lambda one: (one.day,))
    rows: list[tuple[CellValue, ...]] = []
    for number in range((period.last - period.first).days + 1):
        day = period.first + timedelta(days=number)
        some = groups.get((day,), [])
        numbers = (used(one for one in some if one.channel == channel) for channel in Channel)
        rows.append((day, *numbers, conversations(some)))
    return FigureTable(name="days", columns=columns, rows=tuple(rows))


def as_meta_counts(counts: Iterable[MessageCount]) -> FigureTable:
    """Return Meta's own categories of the messages by WhatsApp that it took, and which of them it bills."""
    columns = (FigureColumn("category", Form.WORD), FigureColumn("billed", Form.WORD), FigureColumn("messages"))
    found: Counter[tuple[str, str]] = Counter()
    for one in counts:
        if one.channel == Channel.WHATSAPP and one.fate in TAKEN:
            billed = "not_told" if one.is_billable is None else "yes" if one.is_billable else "no"
            found[one.category or "not_told", billed] += one.messages
    return FigureTable(name="meta", columns=columns, rows=tuple((*key, found[key]) for key in sorted(found)))


def not_sent(counts: Iterable[MessageCount]) -> FigureTable:
    """Return the messages that were due in the period and not sent, each reason apart."""
    columns = (
        FigureColumn("kind", Form.WORD),
        FigureColumn("fate", Form.WORD),
        FigureColumn("reason", Form.WORD),
        FigureColumn("messages"),
    )
    found: Counter[tuple[str, str, str]] = Counter()
    for one in counts:
        if one.fate not in HANDED_OVER:
            found[one.kind, one.fate.value, one.reason or "none"] += one.messages
    return FigureTable(name="not_sent", columns=columns, rows=_most_first(found))


def failures(counts: Iterable[MessageCount]) -> FigureTable:
    """Return the failures and refusals with the provider's codes."""
    columns = (
        FigureColumn("channel", Form.WORD),
        FigureColumn("fate", Form.WORD),
        FigureColumn("code", Form.NAME),
        FigureColumn("messages"),
    )
    found: Counter[tuple[str, str, str]] = Counter()
    for one in counts:
        if one.fate in {Fate.FAILED, Fate.REFUSED}:
            found[one.channel, one.fate.value, one.code] += one.messages
    return FigureTable(name="failures", columns=columns, rows=_most_first(found))


def fallbacks(counts: Iterable[FallbackCount]) -> FigureTable:
    """Return the messages that followed an attempt that did not arrive, and why it did not."""
    columns = (
        FigureColumn("before", Form.WORD),
        FigureColumn("channel", Form.WORD),
        FigureColumn("why", Form.WORD),
        FigureColumn("code", Form.NAME),
        FigureColumn("messages"),
    )
    found = Counter({(one.before or "none", one.channel, one.why, one.code): one.messages for one in counts})
    return FigureTable(name="fallbacks", columns=columns, rows=_most_first(found))


def _sums(counts: Iterable[MessageCount]) -> tuple[int, ...]:
    some = list(counts)
    numbers = (sum(one.messages for one in some if one.fate in fates) for _, fates in _FATES)
    return (*numbers, sum(one.segments for one in some if one.fate in TAKEN))


def _grouped(
    counts: Iterable[MessageCount], key: Callable[[MessageCount], tuple[CellValue, ...]]
) -> dict[tuple[CellValue, ...], list[MessageCount]]:
    groups: dict[tuple[CellValue, ...], list[MessageCount]] = defaultdict(list)
    for one in counts:
        groups[key(one)].append(one)
    return groups


def _most_first(
    found: Counter[tuple[str, str, str]] | Counter[tuple[str, str, str, str]],
) -> tuple[tuple[CellValue, ...], ...]:
    return tuple((*key, number) for key, number in sorted(found.items(), key=lambda one: (-one[1], one[0])))

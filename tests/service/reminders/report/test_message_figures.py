"""Messages by channel, text and day, and what they cost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from vetlla.domain.messages import Channel
from vetlla.domain.reminder_counts import FallbackCount, Fate, MessageCount, ReportPeriod
from vetlla.service.reminders.rates import SEGMENT, SERVICE, UTILITY, Rate, RateCard, rate_card
from vetlla.service.reminders.report import messages
from vetlla.service.reminders.report.costs import costs

NOV = date(2026, 11, 3)
PERIOD = ReportPeriod(
    first=date(2026, 11, 2), last=date(2026, 11, 4),
    begin=datetime(2026, 11, 1, 23, tzinfo=UTC), end=datetime(2026, 11, 4, 23, tzinfo=UTC),
)  # fmt: skip


def some(number: int, fate: Fate = Fate.DELIVERED, channel: str = "whatsapp", **changes: object) -> MessageCount:
    """Return a count of reminders of one day."""
    values: dict[str, object] = {
        "kind": "reminder", "channel": channel, "template": "r" if channel == "whatsapp" else "", "language": "ca",
        "day": NOV, "fate": fate, "reason": "", "code": "", "category": "", "is_billable": None, "messages": number,
        "segments": 0, "opened": 0,
    }  # fmt: skip
    return MessageCount(**(values | changes))  # type: ignore[arg-type]


COUNTS = (
    some(10, Fate.READ, opened=8, category="utility", is_billable=True),
    some(5, opened=5),
    some(2, Fate.FAILED, code="131026", opened=2),
    some(1, Fate.PENDING, opened=1),
    some(4, Fate.UNKNOWN, opened=4),
    some(3, Fate.REFUSED, code="132001"),
    some(6, Fate.DELIVERED, "sms", segments=9, language="es"),
    some(2, Fate.NO_REPORT, "sms", segments=2),
    some(7, Fate.SUPPRESSED, "", reason="no_phone", template=""),
    some(3, Fate.READ, kind="answer", template="", category="service", is_billable=False),
)


def test_messages_used_are_those_that_a_provider_took() -> None:
    """Delivered, failed, without report and pending ones; not the refused, the unknown and those never handed over."""
    whatsapp, sms, total = messages.by_channel(COUNTS).records()
    assert whatsapp == {
        "channel": "whatsapp", "handed_over": 28, "used": 21, "delivered": 18, "read": 13, "failed": 2, "no_report": 0,
        "pending": 1, "refused": 3, "unknown": 4, "segments": 0, "conversations": 16,
    }  # fmt: skip
    assert (sms["used"], sms["delivered"], sms["no_report"], sms["segments"], sms["conversations"]) == (8, 6, 2, 11, 0)
    assert (total["used"], total["handed_over"]) == (29, 36)


def test_every_message_handed_over_has_one_fate() -> None:
    for table in (messages.by_channel(COUNTS), messages.by_text(COUNTS)):
        for row in table.records():
            numbers = {name: value for name, value in row.items() if isinstance(value, int)}
            ends = numbers["delivered"] + numbers["failed"] + numbers["no_report"] + numbers["pending"]
            assert numbers["used"] == ends
            assert numbers["handed_over"] == numbers["used"] + numbers["refused"] + numbers["unknown"]


def test_a_conversation_whose_template_may_not_have_been_taken_does_not_count() -> None:
    assert messages.conversations(COUNTS) == 16
    assert messages.conversations([some(4, Fate.UNKNOWN, opened=4)]) == 0


def test_texts_are_told_apart_by_kind_channel_template_and_language() -> None:
    rows = [row[:4] for row in messages.by_text(COUNTS).rows]
    assert rows == [
        ("answer", "whatsapp", "", "ca"),
        ("reminder", "sms", "", "ca"),
        ("reminder", "sms", "", "es"),
        ("reminder", "whatsapp", "r", "ca"),
    ]


def test_a_day_without_messages_has_a_row_too() -> None:
    assert messages.by_day(COUNTS, PERIOD).rows == (
        (date(2026, 11, 2), 0, 0, 0), (NOV, 21, 8, 16), (date(2026, 11, 4), 0, 0, 0)
    )  # fmt: skip


def test_what_meta_told_stands_beside_what_it_did_not() -> None:
    assert messages.as_meta_counts(COUNTS).rows == (("not_told", "not_told", 8), ("service", "no", 3),
                                                    ("utility", "yes", 10))  # fmt: skip


def test_reasons_failures_and_fallbacks_stand_with_the_most_frequent_first() -> None:
    assert messages.not_sent(COUNTS).rows == (("reminder", "suppressed", "no_phone", 7),)
    assert messages.failures(COUNTS).rows == (("whatsapp", "refused", "132001", 3), ("whatsapp", "failed", "131026", 2))
    counts = [FallbackCount("whatsapp", "sms", "no_report", "", 1), FallbackCount("whatsapp", "sms", "failed", "9", 4)]
    assert [row[2:] for row in messages.fallbacks(counts).rows] == [("failed", "9", 4), ("no_report", "", 1)]


# --- costs ------------------------------------------------------------------------------------------------------------

CARD = rate_card([
    Rate(date(2026, 1, 1), Channel.WHATSAPP, UTILITY, Decimal("0.0123")),
    Rate(date(2026, 11, 4), Channel.WHATSAPP, UTILITY, Decimal("0.02")),
    Rate(date(2026, 1, 1), Channel.SMS, SEGMENT, Decimal("0.0456")),
])  # fmt: skip


def test_whatsapp_costs_what_is_delivered_and_sms_each_segment_that_was_taken() -> None:
    rows = costs(COUNTS, CARD).rows
    assert rows == (
        ("sms", "segment", "assumed", 11, 0, 11, 0, Decimal("0.5016")),
        ("whatsapp", "service", "meta", 3, 3, 0, 0, Decimal(0)),
        ("whatsapp", "utility", "assumed", 5, 0, 5, 0, Decimal("0.0615")),
        ("whatsapp", "utility", "meta", 10, 0, 10, 0, Decimal("0.1230")),
        ("total", "", "", 29, 3, 26, 0, Decimal("0.6861")),
    )


def test_the_price_is_that_of_the_day_of_sending() -> None:
    both = (some(1), some(1, day=date(2026, 11, 4)))
    assert costs(both, CARD).rows[-1][-1] == Decimal("0.0323")


def test_a_unit_without_price_is_counted_and_costs_no_zero() -> None:
    answers = (some(2, kind="answer"), some(1))
    answer, reminder, total = costs(answers, CARD).rows
    assert answer == ("whatsapp", SERVICE, "assumed", 2, 0, 0, 2, None)
    assert reminder[-1] == Decimal("0.0123")
    assert total[3:] == (3, 0, 1, 2, Decimal("0.0123"))
    assert costs(answers, RateCard()).rows[-1][-2:] == (3, None)


def test_nothing_sent_has_no_cost_at_all() -> None:
    assert costs([some(7, Fate.SUPPRESSED, "")], CARD).rows == ()

"""Replies of citizens by what the service made of them."""

from __future__ import annotations

from vetlla.domain.reminder_counts import CancellationCount, ReplyCount
from vetlla.service.reminders.report.replies import ReplySense, cancellations, replies, sense


def some(outcome: str, *, kind: str = "text", why: str = "", handled: bool = True, number: int = 1) -> ReplyCount:
    """Return a count of replies by WhatsApp."""
    return ReplyCount("whatsapp", kind, outcome, why, handled, outcome == "inbox", number)


def test_late_unknown_and_not_understood_replies_are_told_apart() -> None:
    assert sense(some("past")) is ReplySense.LATE
    assert sense(some("unknown_sender", why="not understood")) is ReplySense.UNKNOWN_SENDER
    assert sense(some("inbox", why="no sender")) is ReplySense.UNKNOWN_SENDER
    assert sense(some("inbox", why="not understood")) is ReplySense.NOT_UNDERSTOOD
    assert sense(some("inbox", kind="other")) is ReplySense.NOT_TEXT
    assert sense(some("cancel")) is ReplySense.CANCELLED
    assert sense(some("", handled=False)) is ReplySense.WAITING
    assert sense(some("help")) is ReplySense.OTHER


def test_the_sum_has_every_reply_once() -> None:
    counts = (some("confirmed", number=5), some("inbox", why="not understood", number=2), some("erased"))
    *rows, total = replies((*counts, counts[0]._replace(channel="sms"))).rows
    assert [row[0] for row in rows] == [one.value for one in ReplySense]
    assert total == ("total", 8, 5, 13, 2)


def test_cancellations_stand_with_their_ends() -> None:
    counts = [CancellationCount("late", 1), CancellationCount("done", 4)]
    assert cancellations(counts).rows == (("done", 4), ("late", 1))

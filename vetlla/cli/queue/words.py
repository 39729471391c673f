"""Sentences that say what an operator did to an alarm and when, for watchers and for this operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.kit.moments import shown_iso, span, stamp_us, time_of_day
from vetlla.cli.queue.rows import short_why, told_again
from vetlla.domain.accounts import AccountKey
from vetlla.domain.alarms import RECEIVER, Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.receiver.control.messages.queue import AlarmFields, OrderedTest, StepDone
    from vetlla.receiver.control.messages.watch import AlarmEvent

CAUSES = {
    Cause.UNANSWERED.value: "no operator answered",
    Cause.CLAIM_LAPSED.value: "its operator did not answer it",
    Cause.HOLD_LAPSED.value: "its operator has gone quiet",
    Cause.TOLD_AGAIN.value: "the home called again while its operator was quiet",
}
DONE = {
    "open": "opened",
    "lift": "raised",
    "warn": "warned that it was unanswered",
    "claim": "claimed",
    "answer": "answered",
    "note": "noted",
    "hand over": "handed over",
    "escalate": "asked for a supervisor",
    "close": "closed",
}
"""Action of the audit -> what its actor did. Other actions are shown by their own name."""
DETAILS = {"to": " to {}", "outcome": " as {}", "from": ", taken from {}", "text": ' "{}"'}
"""Detail of an action -> its text. The reason is shown apart."""
NEWS = {
    "open": "open",
    "alarm": "new",
    "lifted": "now more urgent",
    "joined": "another signal",
    "warned": "unanswered",
}
"""Event that no operator caused -> its text."""


def happened(event: AlarmEvent) -> str:
    """Return an event of the queue as a line: when, which alarm, who did what, and the alarm's state."""
    alarm, actor = event["alarm"], event["actor"]
    if event["event"] == "repeated":
        text = told_again(alarm)
    else:
        text = NEWS.get(event["event"]) or f"{actor} {done(event['action'], actor, event['detail'])}"
    return f"{time_of_day(stamp_us(event['at']))}  {about(alarm, text)}"


def answered(answer: StepDone) -> str:
    """Return what a step did, for the operator who took it."""
    actor = answer["actor"]
    text = about(answer, f"{actor} {done(answer['action'], actor, answer['detail'])}")
    return text + _kept(durable=answer["durable"])


def ordered(test: OrderedTest) -> str:
    """Return what the order of a test did, for the user who gave it."""
    account = AccountKey(test["account"], test["receiver"], test["line"])
    calls = f"; closed as test calls: {', '.join(map(str, test['closed']))}" if test["closed"] else ""
    return tested(test["operator"], account, test["until"], test["reason"]) + calls + _kept(durable=test["durable"])


def tested(operator: str, account: AccountKey, until: str | None, reason: str) -> str:
    """Return who put an account on test until when and why, or who ended the test."""
    why = f": {reason}" if reason else ""
    if until is None:
        return f"{operator} ended the test of account {account}{why}"
    return f"{operator} put account {account} on test until {shown_iso(until)}{why}"


def _kept(*, durable: bool) -> str:
    return "" if durable else "  (not on the disk yet: the store has failed)"


def about(alarm: AlarmFields, text: str) -> str:
    """Return an alarm's number, what is said of it, and its state."""
    holder = f" by {alarm['operator']}" if alarm["operator"] else ""
    lease = f", lease {span(alarm['lease_s'])}" if alarm["lease_s"] else ""
    more = f", {alarm['signals']} signals" if alarm["signals"] > 1 else ""
    stands = f"{alarm['state']}{holder}, age {span(alarm['age_s'])}, t3 {span(alarm['t3_s'])}{lease}"
    return f"alarm {alarm['id']} {alarm['priority']} home {alarm['home']}: {text} ({short_why(alarm)}{more}; {stands})"


def done(action: str, actor: str, detail: Mapping[str, object]) -> str:
    """Return what an actor did, as the audit records it: ``handed over to pere``."""
    words = DONE.get(action, action)
    if action == "escalate" and actor == RECEIVER:
        words = "put before a supervisor"
    elif detail.get("held"):
        words = "holds already"
    words += "".join(text.format(detail[name]) for name, text in DETAILS.items() if detail.get(name))
    if reason := str(detail.get("why") or detail.get("reason") or ""):
        words += f", because {CAUSES.get(reason, reason)}" if actor == RECEIVER else f', "{reason}"'
    return words

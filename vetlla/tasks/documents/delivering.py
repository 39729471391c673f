"""Records what becomes of a document: requested, delivered, rejected. Works within the caller's transaction."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_file
from vetlla.service.documents.delivery import Delivery, delivery
from vetlla.service.documents.due import term
from vetlla.service.duties.columns import details_text
from vetlla.tasks.documents.planning import DOCUMENT, deliveries
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.duties import NewEvent
    from vetlla.service.documents.deliverables import Deliverables
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording


def proof_of(file: Path | None, receipt: str) -> Mapping[str, str]:
    """Return the proof of a delivery: name, size and SHA-256 of the file, and the receipt's number.

    Raises UsageError if there is neither, or the file cannot be read.
    """
    if file is None and not receipt:
        raise UsageError("a delivery needs a proof", remedy="give --file, --receipt or both")
    proof = {"receipt": receipt} if receipt else {}
    if file is None:
        return proof
    try:
        with open_file(file) as content:
            digest = hashlib.file_digest(content, "sha256")
            size = content.tell()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", remedy="name the file that was delivered") from error
    if not size:
        raise UsageError(f"{file}: is empty", remedy="name the file that was delivered")
    return {"file": file.name, "bytes": str(size), "sha256": digest.hexdigest()} | proof


def deliver(
    connection: sqlite3.Connection, rules: DutyRules, period: str, told: NewEvent, recording: Recording
) -> Delivery:
    """Record that a document was delivered. Without a period it is the only one that can be expected at its time.

    Raises UsageError if no such document is owed, or several are.
    """
    found = deliveries(connection, rules, told.subject, recording.now_us)
    owed = [one for one in found if one.standing.is_open and (not period or one.period == period)]
    if not period:
        owed = [one for one in owed if (one.standing.duty.events[0].told.begin_us or 0) <= told.at_us] or owed[:1]
    if len(owed) != 1:
        raise _ambiguous(told.subject, period, owed, found)
    return _record(connection, rules, owed[0], told._replace(event="delivered"), recording)


def reject(
    connection: sqlite3.Connection, rules: DutyRules, period: str, told: NewEvent, recording: Recording
) -> Delivery:
    """Record that the city rejected a document; it is then owed again. Without a period it is the last delivered one.

    Raises UsageError if it was not delivered.
    """
    found = deliveries(connection, rules, told.subject, recording.now_us)
    sent = [one for one in found if one.proof and (not period or one.period == period)]
    if not sent:
        named = f"{told.subject} {period}".strip()
        raise UsageError(f"{named} was not delivered", remedy=f"vetlla documents list {told.subject}")
    last = max(sent, key=lambda one: one.standing.until_us)
    return _record(connection, rules, last, told._replace(event="rejected"), recording)


def request(
    connection: sqlite3.Connection, rules: DutyRules, deliverables: Deliverables, told: NewEvent, recording: Recording
) -> Delivery:
    """Open the duty of a document that is owed on request; its reference names the request.

    Raises UsageError for a document that is not owed on request.
    """
    rule = deliverables.document(told.subject).on_request()
    if rule is None:
        remedy = "vetlla documents calendar has its days"
        raise UsageError(f"{told.subject} is not owed on request", remedy=remedy)
    day = rules.calendar.date_of(told.at_us)
    due = term(day, rule, rules.calendar)
    period = told.ref or str(day)
    asked = told._replace(
        kind=DOCUMENT,
        ref=f"{told.subject}:{period}",
        begin_us=told.at_us,
        end_us=rules.calendar.end_of(due.toordinal()),
        details=details_text({"period": period}),
    )
    return delivery(book.open_duty(connection, rules, asked, recording))


def day_of(rules: DutyRules, one: Delivery) -> date | None:
    """Return the last day on which a document is in term; None if its clock stands."""
    due = one.standing.due_us
    return None if due is None else rules.calendar.date_of(due)


def _record(
    connection: sqlite3.Connection, rules: DutyRules, one: Delivery, told: NewEvent, recording: Recording
) -> Delivery:
    last = one.standing.duty.events[-1].told
    if told.at_us < last.at_us:
        raise UsageError(
            f"{one.code} {one.period} was {last.event} later than that",
            remedy="correct --at, or record what came first",
        )
    return delivery(book.record(connection, rules, one.standing.duty.id, told, recording))


def _ambiguous(code: str, period: str, owed: list[Delivery], found: list[Delivery]) -> UsageError:
    if owed:
        periods = ", ".join(one.period for one in owed)
        return UsageError(f"{code} is owed for several periods: {periods}", remedy="name one with --period")
    named = f"{code} {period}".strip()
    if any(one.proof and period in {"", one.period} for one in found):
        return UsageError(f"{named} is delivered already", remedy=f"vetlla documents list {code}; or documents reject")
    return UsageError(f"{named} is not owed", remedy=f"vetlla documents list {code}; vetlla documents plan opens it")

"""Counts for the report of a period. SQL adds up, so that a month of many offices becomes some thousand rows.

Each function is one statement, and so one short read: between two of them the dispatcher can commit. Rows after the
retention time count as before, because nothing here looks at a person.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.clock import HOUR_US, to_datetime
from vetlla.domain.reminder_counts import (
    AppointmentCount,
    CancellationCount,
    FallbackCount,
    Fate,
    FreedPlace,
    MessageCount,
    Presence,
    Reminding,
    ReplyCount,
)
from vetlla.store.reminders.moments import stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime, tzinfo

    from vetlla.domain.reminder_counts import ReportPeriod

WAITS: Final = timedelta(days=366)
"""Longest time that a message waits in the outbox, because it is planned shortly before it is due, and appointments
are not booked further ahead. It bounds the rows that are looked through."""

_FATE: Final = """CASE
    WHEN {0}.state IN ('read', 'delivered') THEN {0}.state
    WHEN {0}.sending_us IS NULL THEN
        CASE {0}.state WHEN 'suppressed' THEN 'suppressed' WHEN 'expired' THEN 'expired' ELSE 'waiting' END
    WHEN {0}.state = 'failed' AND {0}.reason = 'refused' THEN 'refused'
    WHEN {0}.state IN ('sending', 'unknown') OR ({0}.state = 'failed' AND {0}.reason IN ('unknown_outcome', 'restored')
        AND {0}.code = '' AND coalesce({0}.accepted_us, {0}.sent_us) IS NULL) THEN 'unknown'
    WHEN {0}.state = 'failed' AND {0}.reason IN ('unknown_outcome', 'restored') AND {0}.code = '' THEN 'no_report'
    WHEN {0}.state = 'failed' THEN 'failed'
    WHEN {0}.state = 'expired' THEN 'no_report'
    ELSE 'pending' END"""
"""What became of a message, as ``Fate`` names it."""
_MESSAGES: Final = f"""
SELECT kind, channel, template, language, local_day(coalesce(sending_us, due_us)) AS day,
    {_FATE.format("outbox")} AS fate,
    CASE WHEN sending_us IS NULL THEN reason ELSE '' END AS reason,
    CASE WHEN state = 'failed' THEN code ELSE '' END AS code,
    category, is_billable, count(*) AS messages, sum(segments) AS segments, sum(opens) AS opened
FROM outbox
WHERE planned_us >= :since AND coalesce(sending_us, due_us) >= :begin AND coalesce(sending_us, due_us) < :end
    AND (:office = '' OR office = :office)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""
_FALLBACKS: Final = f"""
SELECT before.channel AS before, after.channel AS channel, {_FATE.format("before")} AS why, before.code AS code,
    count(*) AS messages
FROM outbox AS after JOIN outbox AS before ON before.source = after.source AND before.appointment = after.appointment
    AND before.start_us = after.start_us AND before.step = after.step AND before.attempt = after.attempt - 1
WHERE after.attempt > 1 AND after.planned_us >= :since AND after.sending_us >= :begin AND after.sending_us < :end
    AND (:office = '' OR after.office = :office)
GROUP BY 1, 2, 3, 4
"""
_APPOINTMENTS: Final = """
WITH reminded AS (
    SELECT source, appointment, start_us, max(state IN ('accepted', 'sent', 'delivered', 'read') OR (state = 'expired'
            AND sending_us IS NOT NULL)) AS is_reached,
        max(sending_us IS NOT NULL) AS is_tried, max(reason = 'held_back') AS is_held,
        max(sending_us IS NOT NULL OR reason IN ('held_back', 'confirmed', 'opted_out', 'landline', 'no_channel',
            'quiet_hours')) AS is_drawn,
        substr(max(printf('%020d', id) || reason), 21) AS reason
    FROM outbox
    WHERE kind = 'reminder' AND start_us >= :begin AND start_us < :end AND (:office = '' OR office = :office)
    GROUP BY source, appointment, start_us
)
SELECT appointments.office AS office,
    CASE
        WHEN cancelled_us IS NOT NULL OR status = 'cancelled' THEN
            CASE cancelled_by WHEN 'citizen' THEN 'cancelled_by_citizen' ELSE 'cancelled_elsewhere' END
        WHEN status = 'no_show' THEN 'no_show'
        WHEN status IN ('arrived', 'called', 'complete') THEN 'came'
        WHEN status = 'ended_by_reset' THEN 'reset'
        WHEN status NOT IN ('created', 'rescheduled') THEN 'other'
        WHEN end_us > :now THEN 'to_come'
        ELSE 'unmarked' END AS presence,
    CASE
        WHEN is_held THEN 'held_back'
        WHEN is_reached THEN 'reminded'
        WHEN is_tried THEN 'not_reached'
        WHEN is_tried IS NOT NULL THEN 'not_sent'
        ELSE 'none' END AS reminding,
    CASE WHEN is_held OR is_tried THEN '' ELSE coalesce(reason, '') END AS why,
    coalesce(confirmed_start_us = appointments.start_us, 0) AS is_confirmed,
    coalesce(is_drawn, 0) AS is_drawn, count(*) AS appointments
FROM appointments LEFT JOIN reminded ON reminded.source = appointments.source
    AND reminded.appointment = appointments.name AND reminded.start_us = appointments.start_us
WHERE appointments.start_us >= :begin AND appointments.start_us < :end
    AND (:office = '' OR appointments.office = :office) {within}
GROUP BY 1, 2, 3, 4, 5, 6
"""
"""``reason`` is that of the last reminder: the greatest of texts that begin with the row's number."""
_FREED: Final = """
SELECT CASE cancelled_by WHEN 'citizen' THEN 'cancelled_by_citizen' ELSE 'cancelled_elsewhere' END AS presence,
    start_us - cancelled_us AS before_us
FROM appointments
WHERE start_us >= :begin AND start_us < :end AND cancelled_us IS NOT NULL AND (:office = '' OR office = :office)
"""
_DRAWN: Final = """
SELECT office, min(start_us) AS first_us, max(start_us) AS last_us FROM outbox
WHERE kind = 'reminder' AND reason = 'held_back' AND start_us >= :begin AND start_us < :end
    AND (:office = '' OR office = :office)
"""
_REPLIES: Final = """
SELECT replies.channel AS channel, replies.kind AS kind, outcome, coalesce(why, '') AS why,
    handled_us IS NOT NULL AS is_handled, inbox.reply IS NOT NULL AND closed_us IS NULL AS is_open, count(*) AS replies
FROM replies LEFT JOIN inbox ON inbox.reply = replies.id LEFT JOIN outbox ON outbox.id = replies.message
WHERE received_us >= :begin AND received_us < :end AND (:office = '' OR outbox.office = :office)
GROUP BY 1, 2, 3, 4, 5, 6
"""
_CANCELLATIONS: Final = """
SELECT cancellations.state AS state, count(*) AS cancellations
FROM cancellations LEFT JOIN appointments ON appointments.source = cancellations.source
    AND appointments.name = cancellations.appointment
WHERE asked_us >= :begin AND asked_us < :end AND (:office = '' OR office = :office)
GROUP BY 1
"""


def messages(db: sqlite3.Connection, period: ReportPeriod, zone: tzinfo) -> tuple[MessageCount, ...]:
    """Count the messages that were sent in the period, and those that were due in it and not sent.

    ``zone`` is the zone of the days.
    """
    _count_days(db, zone)
    return tuple(
        MessageCount(
            **{
                **row,
                "day": date.fromordinal(row["day"]),
                "fate": Fate(row["fate"]),
                "is_billable": None if row["is_billable"] is None else bool(row["is_billable"]),
            }
        )
        for row in _rows(db, _MESSAGES, period)
    )


def _count_days(db: sqlite3.Connection, zone: tzinfo) -> None:
    """Let statements ask for the day of a moment, as a number. Offsets of zones are whole quarters of an hour."""
    known: dict[int, int] = {}
    quarter = HOUR_US // 4

    def local_day(at_us: int) -> int:
        part = at_us // quarter
        found = known.get(part)
        if found is None:
            found = known[part] = to_datetime(part * quarter).astimezone(zone).toordinal()
        return found

    db.create_function("local_day", 1, local_day, deterministic=True)


def fallbacks(db: sqlite3.Connection, period: ReportPeriod) -> tuple[FallbackCount, ...]:
    """Count the messages of the period that followed an attempt that did not arrive."""
    return tuple(FallbackCount(**row) for row in _rows(db, _FALLBACKS, period))


def appointments(
    db: sqlite3.Connection, period: ReportPeriod, now: datetime, *, drawn_only: bool = False
) -> tuple[AppointmentCount, ...]:
    """Count the appointments with an hour in the period, by what the service did and what the source says now.

    ``drawn_only``: only those of which chance decided whether they are reminded of.
    """
    within = "AND is_drawn = 1" if drawn_only else ""
    return tuple(
        AppointmentCount(
            row["office"],
            Presence(row["presence"]),
            Reminding(row["reminding"]),
            row["why"],
            bool(row["is_confirmed"]),
            bool(row["is_drawn"]),
            row["appointments"],
        )
        for row in _rows(db, _APPOINTMENTS.format(within=within), period, now=stored(now))
    )


def freed(db: sqlite3.Connection, period: ReportPeriod) -> tuple[FreedPlace, ...]:
    """Return the places with an hour in the period that a cancellation freed."""
    return tuple(FreedPlace(Presence(row["presence"]), row["before_us"]) for row in _rows(db, _FREED, period))


def drawing(db: sqlite3.Connection, period: ReportPeriod) -> tuple[datetime, datetime] | None:
    """Return the hours of the first and the last appointment of a period that was held back; None if none was."""
    (row,) = _rows(db, _DRAWN, period)
    return None if row["first_us"] is None else (to_datetime(row["first_us"]), to_datetime(row["last_us"]))


def replies(db: sqlite3.Connection, period: ReportPeriod) -> tuple[ReplyCount, ...]:
    """Count the replies that came in the period. An office has those that answer a message of its own."""
    return tuple(
        ReplyCount(**{**row, "is_handled": bool(row["is_handled"]), "is_open": bool(row["is_open"])})
        for row in _rows(db, _REPLIES, period)
    )


def cancellations(db: sqlite3.Connection, period: ReportPeriod) -> tuple[CancellationCount, ...]:
    """Count the cancellations that citizens asked for in the period."""
    return tuple(CancellationCount(**row) for row in _rows(db, _CANCELLATIONS, period))


def _rows(db: sqlite3.Connection, statement: str, period: ReportPeriod, **more: object) -> list[dict[str, Any]]:
    values = {
        "since": stored(period.begin - WAITS),
        "begin": stored(period.begin),
        "end": stored(period.end),
        "office": period.office,
    }
    return [dict(row) for row in db.execute(statement, values | more)]

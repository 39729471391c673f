"""The keys of homes that left: the duty to return each within 15 days, and then to destroy it within six months.

``settle`` may run each night: it opens what is missing, and calls off what no longer holds, because a home came back or
the day on which it left was corrected. Works within the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import DutyVerdict, NewEvent
from vetlla.service.duties.columns import details_text
from vetlla.store.homes import queries as stored_homes
from vetlla.tasks.custody.register import DESTRUCTION, LEAVING, RETURN, end_duties, keys, ref_of
from vetlla.tasks.duties import book, looking
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.domain.homes import Home
    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording


class Owed(NamedTuple):
    """A key that must be returned, because its home left."""

    key: CustodyKey
    left: date
    """Last day on which the home was attended; the limit counts from it."""

    @property
    def ref(self) -> str:
        """Reference of the duties to return and to destroy it."""
        return ref_of(self.key.code, self.left)


class Settled(NamedTuple):
    """What was opened and called off, and what had ended by a register that was imported."""

    opened: list[Standing]
    cancelled: list[Standing]
    ended: list[Standing]


def left_on(home: Home, day: date) -> date | None:
    """Return the last day on which a home was attended; None if it is attended on ``day`` or later, or never was."""
    if home.active_from(day):
        return None
    return max((period.until for period in home.active if period.until), default=None)


def owed(homes: Mapping[str, Home], held: Iterable[CustodyKey], day: date) -> list[Owed]:
    """Return the keys in custody whose home left before ``day``."""
    return [
        Owed(key, left)
        for key in held
        if key.in_custody and (home := homes.get(key.home)) and (left := left_on(home, day))
    ]


def open_returns(connection: sqlite3.Connection, rules: DutyRules, now_us: int) -> list[Standing]:
    """Return the open duties to return or destroy a key."""
    return list(looking.found(connection, rules, Wanted(kinds=(RETURN, DESTRUCTION), is_open=True), now_us))


def unopened(connection: sqlite3.Connection, rules: DutyRules, found: Iterable[Owed]) -> list[Owed]:
    """Return the keys whose duty to return them is not on record."""
    return [one for one in found if _duty_of(connection, rules, RETURN, one) is None]


def settle(connection: sqlite3.Connection, rules: DutyRules, day: date, by: str, recording: Recording) -> Settled:
    """Open the duties of homes that left before ``day``, and call off those that no longer hold."""
    every = list(keys(connection, rules))
    ended = [one for key in every for one in end_duties(connection, rules, key, by, recording)]
    held = [key for key in every if key.in_custody]
    homes = stored_homes.homes(connection, sorted({key.home for key in every}))
    found = owed(homes, held, day)
    wanted = {one.ref for one in found}
    cancelled = []
    for one in open_returns(connection, rules, recording.now_us):
        if one.duty.ref not in wanted:
            at_us = _no_longer_owed(rules, one, homes.get(one.duty.subject), recording.now_us)
            told = NewEvent(one.duty.kind, one.duty.subject, "cancelled", at_us, by=by)
            cancelled.append(book.record(connection, rules, one.duty.id, told, recording))
    opened = []
    for due in unopened(connection, rules, found):
        told = _told(RETURN, due, _left_us(rules, due), by)
        opened.append(book.open_duty(connection, rules, told, recording))
    for due in found:
        _take_back(connection, rules, due, by, recording)
        back = _duty_of(connection, rules, RETURN, due, recording.now_us)
        is_late = back is not None and back.verdict is DutyVerdict.BREACHED and back.due_us is not None
        if back and is_late and _duty_of(connection, rules, DESTRUCTION, due) is None:
            told = _told(DESTRUCTION, due, back.due_us or 0, by)
            opened.append(book.open_duty(connection, rules, told, recording))
    return Settled(opened, cancelled, ended)


def _no_longer_owed(rules: DutyRules, one: Standing, home: Home | None, now_us: int) -> int:
    """Return from when a key is not owed: when its home was attended again, or at once if its day was corrected."""
    opened_us = one.duty.opened_us
    back = home.attended_after(rules.calendar.date_of(opened_us)) if home else None
    if back is None:
        return now_us
    return min(now_us, max(opened_us, rules.calendar.begin_of(back.toordinal())))


def _take_back(connection: sqlite3.Connection, rules: DutyRules, one: Owed, by: str, recording: Recording) -> None:
    """Take back that a duty was called off, if that was for a home that has left on the same day after all."""
    for kind in (RETURN, DESTRUCTION):
        found = _duty_of(connection, rules, kind, one)
        end = found.ended if found else None
        if end and end.told.event == "cancelled" and end.source == LEAVING:
            note = "its home has left after all"
            book.withdraw(connection, rules, end.id, by=by, note=note, recording=recording)


def _left_us(rules: DutyRules, one: Owed) -> int:
    """Return the moment from which the limit counts; a key that was ceded later counts from then."""
    return max(rules.calendar.end_of(one.left.toordinal()), one.key.duty.opened_us)


def _duty_of(
    connection: sqlite3.Connection, rules: DutyRules, kind: str, one: Owed, now_us: int = 0
) -> Standing | None:
    for duty in book.duties_of(connection, rules, kind, one.key.home):
        if duty.ref == one.ref:
            return book.standing_of(connection, rules, duty.id, now_us)
    return None


def _told(kind: str, one: Owed, at_us: int, by: str) -> NewEvent:
    details = details_text({"key": one.key.code})
    return NewEvent(kind, one.key.home, "", at_us, ref=one.ref, by=by, details=details)

"""Compares alarms, notes and tests with the audit of what was done to them, and alarms with their first signals.

The audit is read in order. An alarm's row must agree with its records, and must not show what no record says.
Otherwise a change by hand could hide a call from the operators. It could close an open call, turn a LIFE alarm into a
routine one, put a home or a call on test, or give a call to another home. Facts of an alarm that no record holds are
compared with its first signal, whose row a commit's digest proves. Only the alarms that are open at a record are kept
in memory.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from vetlla.domain.alarms import Cause
from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Flag, Priority

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vetlla.store.journal.digest_ranges import InForce
    from vetlla.store.journal.rows import SqlValue

PAGE = 1_000
"""Rows in one read. It bounds the memory, and the time for which one read holds back the journal's checkpoints."""

Read: TypeAlias = "Callable[[str, Sequence[SqlValue]], list[sqlite3.Row]]"
"""Runs one query in a short read transaction of its own: ``Archive.read``."""
Flaws: TypeAlias = "Iterator[tuple[int, str]]"
"""Number of the record that shows the flaw, and what is wrong."""

_ALARM = """
SELECT a.id, a.priority, a.state, a.opened_us, a.answered_us, a.closed_us, a.outcome, a.t2_us, a.t3_us, a.kind, a.home,
    a.account, a.first_signal, a.unknown_account, a.on_test, a.escalated,
    s.flags AS first_flags, s.home AS first_home, s.account AS first_account
FROM alarms AS a LEFT JOIN signals AS s ON s.id = a.first_signal WHERE a.id = ?
"""
_TOLD = f"""
SELECT max(kind = ?) AS of_kind, max(flags & {Flag.BUFFERED.value} OR occurred_us < received_us) AS of_the_past
FROM signals WHERE alarm_id = ?
"""  # noqa: S608 - a constant number
_ALARMS = f"SELECT id FROM alarms WHERE id > ? AND id <= ? ORDER BY id LIMIT {PAGE}"  # noqa: S608 - a constant number
_NOTES = "SELECT text FROM notes WHERE alarm_id = ? AND at_us = ? AND operator = ?"
_NOTES_KEPT = "SELECT count(*) AS notes FROM notes WHERE id <= ?"
_TESTS = "SELECT account, since_us, until_us, operator FROM on_test"
_LATER = "SELECT at_us, actor, action, subject, detail FROM audit WHERE id > ? AND action <> 'commit'"

_NUMBER = re.compile(r"[0-9]{1,18}")
_STAMPED = {"open": "opened_us", "answer": "answered_us", "close": "closed_us"}
"""Actions on an alarm whose instant the alarm's own row repeats."""
_FINAL = ("outcome", "t2_us", "t3_us")
"""Fields of the record of an alarm's end that its row repeats; the service levels of the contract depend on them."""
ALARM_ACTIONS = frozenset({*_STAMPED, "lift"})
_RECEIVER, _LEFT_TEST = "receiver", Cause.ON_TEST.value
"""Actor and reason of the escalation of an emergency that came on test. Only this takes an alarm out of a test."""
_CROWD = "callers of "
"""Beginning of the home of an alarm that a crowd of strangers shares."""


@dataclass(slots=True)
class _Open:
    """What the records so far say of an alarm that none of them closes."""

    record: int
    priority: int | None = None
    answered: bool = False
    first_signal: int | None = None
    """None if the record does not say which signal opened the alarm."""
    kind: str | None = None
    refused: bool = False
    """Whether a refusal made the alarm more urgent; then its kind may be that of a report without a row."""
    escalated: int = 0
    left_test: bool = False

    def opened(self, detail: Mapping[str, object]) -> None:
        """Take the facts from the record of the alarm's opening."""
        self.priority = _priority(detail.get("priority"))
        signal, kind = detail.get("signal"), detail.get("kind")
        self.first_signal = signal if isinstance(signal, int) else None
        self.kind = kind if isinstance(kind, str) else None


class AuditComparison:
    """What the records read so far say. They should account for the rows up to ``last_alarm`` and ``last_note``."""

    def __init__(self, read: Read, *, last_alarm: int, last_note: int, removed: InForce) -> None:
        self._read = read
        self._removed = removed
        self._last_alarm = last_alarm
        self._last_note = last_note
        self._open: dict[int, _Open] = {}
        self._opened: list[tuple[int, int]] = []
        """First and last number of each unbroken series of opened alarms; only a restore starts a second one."""
        self._notes = 0
        self._tests: set[tuple[int, str, int]] = set()

    def take(self, record: sqlite3.Row) -> Flaws:
        """Compare a record with the row that it is about."""
        match record["action"]:
            case action if action in ALARM_ACTIONS:
                yield from self._take_alarm(record)
            case "escalate":
                self._take_escalation(record)
            case "note":
                yield from self._take_note(record)
            case "test":
                self._tests.add(_test(record))

    def _take_alarm(self, record: sqlite3.Row) -> Flaws:
        number = _alarm_of(record)
        if number is None:
            yield record["id"], "it does not say which alarm it is about"
            return
        rows = self._read(_ALARM, (number,))
        if not rows:
            yield record["id"], f"alarm {number} is missing"
            return
        (alarm,), detail = rows, detail_of(record)
        stamp = _STAMPED.get(record["action"])
        if stamp and alarm[stamp] != record["at_us"]:
            yield record["id"], f"alarm {number}: {stamp} is not when it happened"
        known = self._open.setdefault(number, _Open(record["id"]))
        match record["action"]:
            case "open":
                self._note_opened(number)
                known.opened(detail)
            case "lift":
                known.priority = _priority(detail.get("to"))
                known.refused |= not detail.get("signal")
            case "answer":
                known.answered = True
            case "close":
                del self._open[number]
                flaws = [*_end_flaws(alarm, detail, known), *_standing_flaws(alarm, known)]
                yield from ((record["id"], f"alarm {number}: {what}") for what in flaws)

    def _take_escalation(self, record: sqlite3.Row) -> None:
        if (number := _alarm_of(record)) is not None:
            known = self._open.setdefault(number, _Open(record["id"]))
            known.escalated += 1
            known.left_test |= record["actor"] == _RECEIVER and detail_of(record).get("why") == _LEFT_TEST

    def _note_opened(self, number: int) -> None:
        if self._opened and self._opened[-1][1] == number - 1:
            self._opened[-1] = (self._opened[-1][0], number)
        else:
            self._opened.append((number, number))

    def _take_note(self, record: sqlite3.Row) -> Flaws:
        self._notes += 1
        number, digest = _alarm_of(record), detail_of(record).get("sha256")
        if number is None:
            yield record["id"], "it does not say which alarm it is about"
            return
        rows = self._read(_NOTES, (number, record["at_us"], record["actor"]))
        if not rows and not self._removed.note(number, record["at_us"]):
            yield record["id"], f"alarm {number}: a note of {record['actor']} is missing"
        elif rows and digest and digest not in {text_digest(row["text"]) for row in rows}:
            yield record["id"], f"alarm {number}: a note of {record['actor']} is not what was written"

    # --- after the last record --------------------------------------------------------------------------------------

    def left(self, last: int) -> Flaws:
        """Compare the alarms that are still open after the record ``last``; yield rows that no record mentions."""
        for place in sorted(self._open):
            yield from self._verify_open(place, self._open[place], last)
        yield from self._unknown_alarms(last)
        (kept,) = self._read(_NOTES_KEPT, (self._last_note,))
        if kept["notes"] > self._notes:
            yield last, f"{kept['notes'] - self._notes} notes are there that no record mentions"
        yield from self._unknown_tests(last)

    def _verify_open(self, number: int, known: _Open, last: int) -> Flaws:
        rows = self._read(_ALARM, (number,))
        if not rows:
            return  # reported at its first record
        (alarm,) = rows
        wrong = []
        if alarm["state"] == "closed" or alarm["closed_us"] is not None:
            wrong.append(f"alarm {number}: is closed, and no record says who closed it")
        if (alarm["state"] == "answered" or alarm["answered_us"] is not None) and not known.answered:
            wrong.append(f"alarm {number}: is answered, and no record says by which operator")
        if not _same_priority(known, alarm):
            wrong.append(f"alarm {number}: its priority is not the one that it was given")
        wrong += [f"alarm {number}: {what}" for what in _standing_flaws(alarm, known)]
        if not self._may_be_its_kind(known, alarm):
            wrong.append(f"alarm {number}: its kind is not that of a report of it")
        if wrong and not self._has_later(number, last):
            yield from ((known.record, what) for what in wrong)

    def _may_be_its_kind(self, known: _Open, alarm: sqlite3.Row) -> bool:
        """Return True if an alarm may have its kind from the report that opened it, or from one that joined it.

        A refusal has no row. It may have given the alarm its kind if the alarm has no first signal, if a refusal
        lifted the alarm, or if a signal of the alarm is about the past.
        """
        if known.kind in {None, alarm["kind"]} or known.refused or alarm["first_flags"] is None:
            return True
        ((of_kind, of_the_past),) = self._read(_TOLD, (alarm["kind"], alarm["id"]))
        return bool(of_kind or of_the_past)

    def _has_later(self, number: int, last: int) -> bool:
        """Return True if an alarm was worked after the last record that was read; the next check compares it."""
        return any(row["subject"] == f"alarm {number}" for row in self._read(_LATER, (last,)))

    def _unknown_alarms(self, last: int) -> Flaws:
        firsts, place = [first for first, _ in sorted(self._opened)], 0
        runs = sorted(self._opened)
        while page := self._read(_ALARMS, (place, self._last_alarm)):
            for row in page:
                place = row["id"]
                run = bisect_right(firsts, place) - 1
                if run < 0 or runs[run][1] < place:
                    yield last, f"alarm {place}: no record says that it was opened"

    def _unknown_tests(self, last: int) -> Flaws:
        rows = self._read(_TESTS, ())
        later = {_test(record) for record in self._read(_LATER, (last,)) if record["action"] == "test"}
        for row in rows:
            if (row["since_us"], row["operator"], row["until_us"]) not in self._tests | later:
                yield last, f"account {row['account']}: is on test, and no record says who ordered the test"


def detail_of(record: sqlite3.Row) -> dict[str, object]:
    """Return the detail of a record; empty if a change by hand made it unreadable."""
    try:
        detail = json.loads(record["detail"])
    except ValueError:
        return {}
    return detail if isinstance(detail, dict) else {}


def text_digest(text: str) -> str:
    """Return the SHA-256 of a note's text as hex, so that the audit proves the note without repeating it."""
    return hashlib.sha256(text.encode()).hexdigest()


def _end_flaws(alarm: sqlite3.Row, detail: Mapping[str, object], known: _Open) -> Iterator[str]:
    """Yield the differences between a closed alarm's row and the record of its end."""
    for name in _FINAL:
        if alarm[name] != detail.get(name):
            yield f"{name} is not what it was when it was closed"
    if alarm["state"] != "closed":
        yield f"was closed and is {alarm['state']}"
    if not _same_priority(known, alarm):
        yield "its priority is not the one that it was given"


def _standing_flaws(alarm: sqlite3.Row, known: _Open) -> Iterator[str]:
    """Yield how an alarm's row differs from its first signal and the records since.

    An alarm that a refusal or a loss opened has no signal to compare with.
    """
    if alarm["escalated"] != known.escalated:
        yield f"its row says escalated {alarm['escalated']} times, and the records say {known.escalated} times"
    if known.first_signal is not None and alarm["first_signal"] != known.first_signal:
        yield "its first signal is not the one that opened it"
    elif known.first_signal is not None and alarm["first_flags"] is not None:
        yield from _first_flaws(alarm, known)


def _first_flaws(alarm: sqlite3.Row, known: _Open) -> Iterator[str]:
    """Yield how an alarm's row differs from the row of its first signal."""
    came_on_test = bool(alarm["first_flags"] & Flag.ON_TEST)
    was_unknown = bool(alarm["first_flags"] & Flag.UNKNOWN_ACCOUNT)
    if alarm["on_test"] and not came_on_test:
        yield "is marked as on test, and its first signal did not come on test"
    elif alarm["on_test"] and known.left_test:
        yield "is marked as on test, and its escalation took it out of the test"
    elif came_on_test and not alarm["on_test"] and not known.left_test:
        yield "came on test, and no record says that it was taken out of the test"
    if alarm["unknown_account"] and not was_unknown:
        yield "is marked as from an unknown caller, and its first signal came from a registered account"
    if was_unknown and (not alarm["unknown_account"] or alarm["home"].startswith(_CROWD)):
        return  # the account was registered since, or a crowd shares the alarm
    for name in ("home", "account"):
        if alarm[name] != alarm[f"first_{name}"] and alarm[name] and alarm[f"first_{name}"]:  # "": erased
            yield f"its {name} is not that of its first signal"


def _alarm_of(record: sqlite3.Row) -> int | None:
    kind, _, number = record["subject"].partition(" ")
    return int(number) if kind == "alarm" and _NUMBER.fullmatch(number) else None


def _test(record: sqlite3.Row) -> tuple[int, str, int]:
    """Return when a test began, who ordered it and when it ends."""
    seconds = detail_of(record).get("seconds")
    until_us = record["at_us"] + (seconds if isinstance(seconds, int) else 0) * SECOND_US
    return record["at_us"], record["actor"], until_us


def _priority(name: object) -> int | None:
    return Priority[name].value if isinstance(name, str) and name in Priority.__members__ else None


def _same_priority(known: _Open, alarm: sqlite3.Row) -> bool:
    return known.priority is None or bool(alarm["priority"] == known.priority)

"""Offers calls that came in to the agenda.

Tender 20220428, 5: calls of the agenda may be made when the user calls in.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.calls import Direction, PhoneCall
from vetlla.service.agenda.call import PLANNED_KINDS
from vetlla.service.calls.follow_up import refusal
from vetlla.store.duties import events as store
from vetlla.store.duties import index
from vetlla.store.duties.index import OpenDuty
from vetlla.store.homes import queries as registered
from vetlla.tasks.agenda.incoming import IncomingCall, count_incoming
from vetlla.tasks.duties import book
from vetlla.tasks.duties.index import computed

if TYPE_CHECKING:
    import sqlite3

    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

INCOMING: Final = frozenset({Direction.IN})


class CallCounting(NamedTuple):
    """How calls that came in are counted as calls of the agenda."""

    rules: DutyRules
    least_s: int
    """Least seconds of talk (``service.calls.follow_up.least_seconds``)."""
    recording: Recording
    by: str
    """Who imports or ties the calls; counts as the caller if a call names no agent."""


class AgendaCounter:
    """Counts calls within the caller's transaction, each one once, however often it is imported."""

    def __init__(self, connection: sqlite3.Connection, counting: CallCounting) -> None:
        self._connection = connection
        self._how = counting
        self.counted = 0

    def offer(self, call: PhoneCall) -> bool:
        """Count a call if it was answered, lasted long enough and fits exactly one open call of its home.

        Return True if it counts now. A call that was counted before, also one that a person withdrew, does not.
        """
        home, answered = call.tie.home, call.record.answered
        if not home or answered is None or answered > self._how.recording.now_us:
            return False
        if refusal(call, home, self._how.least_s, INCOMING) or home not in self._open_homes or self._is_told(call):
            return False
        incoming = IncomingCall(home, answered, call.key.external, call.record.agent or self._how.by)
        counted = count_incoming(self._connection, self._how.rules, incoming, self._how.recording)
        self.counted += counted.standing is not None
        return counted.standing is not None

    @cached_property
    def _kinds(self) -> list[str]:
        return [kind for kind in PLANNED_KINDS if self._how.rules.kinds.find(kind)]

    @cached_property
    def _open_homes(self) -> frozenset[str]:
        """The homes with an open call. Most calls of a large file are of other homes, and cost a look-up here."""
        if index.is_of(self._connection, self._how.rules.fingerprint):
            found = [row.subject for kind in self._kinds for row in index.all_open(self._connection, kind)]
        else:
            rows = computed(self._connection, self._how.rules, self._kinds)
            found = [row.subject for row in rows if isinstance(row, OpenDuty)]
        subjects = set(found)  # codes of homes and of people
        people = registered.people(self._connection) if subjects else []
        return frozenset(subjects | {person.home for person in people if person.code in subjects})

    def _is_told(self, call: PhoneCall) -> bool:
        people = [person.code for person in registered.people(self._connection, [call.tie.home])]
        return any(
            book.own_ref(event) == call.key.external
            for kind in self._kinds
            for subject in (call.tie.home, *people)
            for event in store.of_subject(self._connection, kind, subject)
        )

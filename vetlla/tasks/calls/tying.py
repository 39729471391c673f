"""Ties calls to homes and alarms: by the rules in an import, or by the hand of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.calls import PhoneCall, Tie, TieMethod
from vetlla.domain.clock import DAY_US, to_datetime
from vetlla.service.calls.erased import still_erased
from vetlla.service.calls.joining import joined
from vetlla.service.calls.ties import HomeNumbers, home_tie, with_alarm
from vetlla.store.calls import queries
from vetlla.store.calls.alarms import alarms_by_home
from vetlla.store.calls.write import add_tie
from vetlla.store.homes import queries as homes
from vetlla.store.inventory import heard as inventory_heard
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.calls.agenda import AgendaCounter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo
    from pathlib import Path

    from vetlla.domain.calls import AlarmFacts, CallRecord
    from vetlla.domain.clock import Clock
    from vetlla.tasks.calls.agenda import CallCounting

OPEN_US: Final = DAY_US
"""How long before a call its alarm may have been opened. Alarms of a day ago are still open after a bad night."""


class Alarms:
    """The alarms of the journal beside the registry; none if there is no journal, as in an office."""

    def __init__(self, state_dir: Path, window_us: int) -> None:
        self._state_dir = state_dir
        self._window_us = window_us
        self.are_there = (state_dir / JOURNAL).exists()

    def around(self, records: Sequence[CallRecord]) -> Mapping[str, Sequence[AlarmFacts]]:
        """Return the alarms that calls may have been about, by home."""
        times = [time for record in records for time in record[1:5] if time is not None]
        if not times or not self.are_there:
            return {}
        with Archive(self._state_dir) as archive:
            return alarms_by_home(archive, min(times) - OPEN_US, max(times) + self._window_us + 1)

    def tied(self, tie: Tie, record: CallRecord, external: str, alarms: Mapping[str, Sequence[AlarmFacts]]) -> Tie:
        """Return the tie with its alarm. An alarm that was found before stays."""
        return tie if tie.alarm is not None else with_alarm(tie, record, external, alarms, self._window_us)


class Tier:
    """Ties the calls of an import by the rules. A tie to a home stays while the files say the same of the call."""

    def __init__(self, connection: sqlite3.Connection, alarms: Alarms, zone: tzinfo) -> None:
        self.homes = homes.homes(connection)
        self._numbers = HomeNumbers(self.homes, inventory_heard.registered(connection))
        self._alarms = alarms
        self._zone = zone

    def tie(
        self,
        record: CallRecord,
        external: str,
        earlier: Tie | None,
        alarms: Mapping[str, Sequence[AlarmFacts]],
        *,
        is_changed: bool,
        is_erased: bool = False,
    ) -> Tie:
        """Return the tie of a call; ``is_changed`` if the files say something new of it.

        A call of which numbers were erased keeps its tie, unless the file names its home.
        """
        stays = not record.home if is_erased else earlier is not None and bool(earlier.home) and not is_changed
        if earlier is None or not stays:
            tie = still_erased(home_tie(record, self._numbers, self._day(record), earlier), earlier)
        else:
            tie = earlier
        return self._alarms.tied(tie, record, external, alarms)

    def _day(self, record: CallRecord) -> date | None:
        begun = next((time for time in record[1:5] if time is not None), None)
        return None if begun is None else to_datetime(begun).astimezone(self._zone).date()


class TiedCall(NamedTuple):
    """A call that a person tied."""

    call: PhoneCall
    is_counted: bool
    """Whether it now counts as a call of the agenda."""


def tie_by_hand(
    state_dir: Path,
    clock: Clock,
    named: str,
    home: str,
    *,
    reason: str,
    by: str,
    window_us: int,
    counting: CallCounting | None = None,
    dry_run: bool = False,
) -> TiedCall:
    """Tie a call to a home, or to none if ``home`` is ""; return it as it is afterwards. Raises UsageError.

    With ``counting`` it may count as a call of the agenda of that home.
    """
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        call = queries.call(connection, named, joined)
        if home:
            homes.home(connection, home)
        tie = Tie(TieMethod.BY_HAND, home, reason=reason, by=by)
        alarms = Alarms(state_dir, window_us)
        if home == call.tie.home:
            tie = tie._replace(alarm_method=call.tie.alarm_method, alarm=call.tie.alarm, alarms=call.tie.alarms)
        tie = alarms.tied(tie, call.record, call.key.external, alarms.around([call.record]))
        add_tie(connection, call.id, tie, clock.now().utc_us)
        tied = call._replace(tie=tie)
        return TiedCall(tied, counting is not None and AgendaCounter(connection, counting).offer(tied))

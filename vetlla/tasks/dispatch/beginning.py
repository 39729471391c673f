"""Finds in the journal when the emergency of an alarm began. It only reads, also while the receiver runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.service.dispatch.first_communication import first_communication
from vetlla.store.accounts.table import accounts_of_home, find_accounts
from vetlla.store.homes import queries as registered
from vetlla.store.journal import history, home_alarms
from vetlla.store.journal.archive import Archive
from vetlla.tasks.dispatch import figures, looking

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from vetlla.domain.alarms import Alarm
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.first_communication import FirstCommunication
    from vetlla.service.duties.terms import DutyRules


class Beginning(NamedTuple):
    """An alarm of the journal with its home, and the alarms with which it is one emergency."""

    home: str
    first: FirstCommunication
    window_us: int
    """The chaining time that was used."""
    emergencies: Sequence[StreetEmergency]
    """All emergencies of the home."""


def beginning_of(
    connection: sqlite3.Connection,
    rules: DutyRules,
    state_dir: Path,
    number: str,
    now_us: int,
    *,
    of: StreetEmergency | None = None,
) -> Beginning:
    """Return how the emergency of an alarm began: ``of``, or one that its last call begins now.

    Raises UsageError if the journal has no such alarm or the alarm no registered home, and StoreError if the journal
    cannot be read.
    """
    with Archive(state_dir) as archive:
        alarm = history.alarm(archive, int(number)) if number.isdecimal() else None
        if alarm is None:
            raise UsageError(f"the journal has no alarm {number}", remedy="vetlla queue list")
        home = _home_of(connection, alarm)
        emergencies = looking.of_home(connection, rules, home, now_us)
        window_us = figures.chaining_us(rules, alarm.opened_us)
        names = (home, *accounts_of_home(connection, home))
        others = _earlier(archive, names, alarm, window_us)
        earlier = [one for one in emergencies if of is None or _began(one) < _began(of)]
        alarm = _since_visit(archive, alarm, [one for one in earlier if number in one.alarms]) or alarm
        # A visit after the call ended nothing that came before it; one before the call did, also for this alarm.
        before = [one for one in earlier if one.access_us is not None and one.access_us <= alarm.opened_us]
        others = [_since_visit(archive, other, before) or other for other in others]
        attended = {other.id for other in others if any(_is_of(other, one) for one in before)}
        visited_us = max((one.access_us or 0 for one in before), default=0)
        alarm, *others = (_with_own_stamp(archive, one, visited_us) for one in (alarm, *others))
    return Beginning(home, first_communication(alarm, others, window_us, attended), window_us, emergencies)


def _began(one: StreetEmergency) -> tuple[int, int]:
    return one.opened_us, one.id


def _home_of(connection: sqlite3.Connection, alarm: Alarm) -> str:
    """Return the registered home of an alarm, also if its account was registered after it came."""
    if registered.homes(connection, [alarm.home]):
        return alarm.home
    homes = {account.home for account in find_accounts(connection, account=alarm.account) if account.home}
    if len(homes) == 1:
        (home,) = homes
        registered.home(connection, home)
        return home
    raise UsageError(
        f"alarm {alarm.id} of {alarm.home!r} belongs to no registered home",
        remedy=f"vetlla accounts set {alarm.account or 'ACCOUNT'} --home HOME, with a home of the inventory",
    )


def _earlier(archive: Archive, names: Sequence[str], alarm: Alarm, window_us: int) -> list[Alarm]:
    """Return the alarms of a home that ended late enough to belong to the emergency of one."""
    found: list[Alarm] = []
    earliest_us, before_us = alarm.opened_us, None
    while True:
        since_us = earliest_us - window_us
        page = [one for one in home_alarms.ended_in(archive, names, since_us, before_us) if one.id != alarm.id]
        found += page
        earlier_us = min((one.opened_us for one in page), default=earliest_us)
        if earlier_us >= earliest_us:
            return found
        earliest_us, before_us = earlier_us, since_us


def _is_of(alarm: Alarm, one: StreetEmergency) -> bool:
    """Return True if the unit of an emergency got in after an alarm: then it has attended that call."""
    if one.ended_us is not None and alarm.opened_us > one.ended_us:
        return False
    return str(alarm.id) in one.alarms or alarm.opened_us <= (one.access_us or 0)


def _since_visit(archive: Archive, alarm: Alarm, emergencies: Sequence[StreetEmergency]) -> Alarm | None:
    """Return an alarm from its first call after the unit had left; None if it had no unit, or no call came since.

    An alarm may stay open after its emergency is finished. A new call of the home then joins it, and needs a new unit.
    """
    attended = [one for one in emergencies if one.is_attended and one.ended_us is not None and _is_of(alarm, one)]
    if not attended:
        return None
    called_us = home_alarms.first_call_after(archive, alarm.id, max(one.ended_us or 0 for one in attended))
    return None if called_us is None else alarm._replace(established_us=called_us, opened_us=called_us)


def _with_own_stamp(archive: Archive, alarm: Alarm, visited_us: int) -> Alarm:
    """Return an alarm with the stamp of its own communication, if it inherited one that a unit has attended since."""
    if alarm.established_us > visited_us or alarm.opened_us <= visited_us:
        return alarm
    signal = history.signal(archive, alarm.first_signal) if alarm.first_signal else None
    return alarm._replace(established_us=signal.established_us if signal else alarm.opened_us)

"""The devices of the previous run, as its journal kept them: lost ones stay lost, and silences go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.accounts import Account
from vetlla.receiver.supervision.fleet import NO_PARENT, name_of
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.clock import Instant
    from vetlla.domain.supervision import KeptDevice
    from vetlla.receiver.supervision.day_counters import DayCounters
    from vetlla.receiver.supervision.fleet import Name
    from vetlla.receiver.supervision.states import DeviceStates


def recover_devices(units: Iterable[KeptDevice], states: DeviceStates, day_counters: DayCounters, now: Instant) -> bool:
    """Add the devices of the previous run. Return True if the clock was ahead: a row belongs to a day after today."""
    parents: dict[Name, int] = {}
    is_ahead = False
    for unit in units:
        account = _bare(unit.account, unit.receiver, unit.line)
        parent = parents.get(name_of(account), NO_PARENT) if unit.device else NO_PARENT
        while len(states.fleet) < unit.id:
            # A crash came after a device was added and before its row was written: its number stays unused.
            states.add(_bare("", "", ""), "", NO_PARENT, now)
        number = states.add(account, unit.device, parent, now)
        if not unit.device:
            parents[name_of(account)] = number
        _restore(number, unit, states)
        day_counters.resume(unit, now)
        is_ahead = is_ahead or unit.day > day_counters.name
    return is_ahead


def _restore(number: int, unit: KeptDevice, states: DeviceStates) -> None:
    """Give a device the state that its row has."""
    fleet = states.fleet
    fleet.heard_us[number] = unit.heard_us
    fleet.interval_s[number], fleet.allowed[number] = unit.interval_s, unit.allowed_misses
    fleet.pause[number] = unit.pause if unit.since_us else Pause.NO_INTERVAL
    if unit.since_us:
        state = Health(unit.state)
        state = Health.OK if state is Health.LATE else state
        states.restore(number, state, unit.since_us, states.silence.kept_us(unit))


def _bare(account: str, receiver: str, line: str) -> Account:
    """Return an account as it is known before the registry is read."""
    return Account(account=account, receiver=receiver, line=line)

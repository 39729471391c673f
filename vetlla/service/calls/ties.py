"""Whose call it is: the home by its number, and the alarm that it was about. What is not clear stays a choice.

The rules of a home, in this order: a person tied it; the file names it; exactly one home has the number among its
telephones or as the account of its terminal. If several have it and only some of them were attended on the day of the
call, only these count. Several that remain are shown, and a person chooses.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vetlla.domain import telephones
from vetlla.domain.calls import AlarmMethod, Tie, TieMethod, number_of
from vetlla.domain.masking import TELEPHONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from vetlla.domain.calls import AlarmFacts, CallRecord
    from vetlla.domain.homes import Home


class HomeNumbers:
    """The homes by number. Numbers that cannot be telephone numbers, such as extensions, are left out."""

    def __init__(self, homes: Mapping[str, Home], accounts: Mapping[str, Iterable[str]]) -> None:
        """Take the homes, and the homes of each of the receiver's accounts."""
        self._homes = homes
        self._phones = _index((phone, code) for code, home in homes.items() for phone in home.phones)
        self._accounts = _index(
            (account.removeprefix(TELEPHONE), code) for account, codes in accounts.items() for code in codes
        )

    def tie(self, number: str, day: date | None) -> Tie:
        """Return the tie of a call with a number; ``day`` is that of the call."""
        if not number.startswith("+"):
            return Tie(TieMethod.NO_NUMBER)
        found = self._phones.get(number, frozenset()) | self._accounts.get(number, frozenset())
        if len(found) > 1 and day is not None:
            attended = frozenset(code for code in found if code in self._homes and self._homes[code].active_on(day))
            found = attended or found
        if not found:
            return Tie(TieMethod.UNKNOWN)
        if len(found) > 1:
            return Tie(TieMethod.SEVERAL, homes=tuple(sorted(found)))
        (home,) = found
        method = TieMethod.PHONE if home in self._phones.get(number, ()) else TieMethod.ACCOUNT
        return Tie(method, home)


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text, code in pairs:
        number = telephones.dialled(text)
        if number.startswith("+"):
            found[number].add(code)
    return {number: frozenset(codes) for number, codes in found.items()}


def home_tie(record: CallRecord, numbers: HomeNumbers, day: date | None, earlier: Tie | None) -> Tie:
    """Return the tie to a home. A person's tie stays, and a file may name the home."""
    if earlier is not None and earlier.method is TieMethod.BY_HAND:
        return earlier
    if record.home:
        return Tie(TieMethod.FILE, record.home)
    return numbers.tie(number_of(record), day)


def with_alarm(
    tie: Tie, record: CallRecord, external: str, alarms: Mapping[str, Sequence[AlarmFacts]], window_us: int
) -> Tie:
    """Return the tie with the alarm that the call was about, as far as it is clear.

    The file may name it; else a note at one of the home's alarms has the call's id; else its agent claimed or answered
    an alarm of the home from ``window_us`` before the call until ``window_us`` after it.
    """
    plain = tie._replace(alarm_method=AlarmMethod.NONE, alarm=None, alarms=())
    if record.alarm is not None:
        return plain._replace(alarm_method=AlarmMethod.FILE, alarm=record.alarm)
    mine = alarms.get(tie.home, ()) if tie.home else ()
    noted = [one.id for one in mine if external in one.notes.split()]
    if noted:
        return _chosen(plain, noted, AlarmMethod.NOTE)
    return _chosen(plain, [one.id for one in mine if _is_worked_on(one, record, window_us)], AlarmMethod.AGENT)


def _chosen(tie: Tie, found: Sequence[int], method: AlarmMethod) -> Tie:
    if len(found) > 1:
        return tie._replace(alarm_method=AlarmMethod.SEVERAL, alarms=tuple(sorted(found)))
    return tie._replace(alarm_method=method, alarm=found[0]) if found else tie


def _is_worked_on(alarm: AlarmFacts, record: CallRecord, window_us: int) -> bool:
    times = [time for time in record[1:5] if time is not None]
    if not times or not is_same_agent(record.agent, alarm.operator):
        return False
    first, last = min(times) - window_us, max(times) + window_us
    return any(time is not None and first <= time <= last for time in (alarm.claimed, alarm.answered))


def is_same_agent(agent: str, operator: str) -> bool:
    """Return True if an agent of the PBX is an operator: the same name, or ``PJSIP/`` and the like before it."""
    return bool(agent) and operator.casefold() in {agent.casefold(), agent.rpartition("/")[2].casefold()}


_HOME_REASONS: Mapping[TieMethod, Callable[[Tie], str]] = {
    TieMethod.BY_HAND: lambda tie: f"tied by {tie.by}: {tie.reason}" if tie.reason else f"tied by {tie.by}",
    TieMethod.FILE: lambda _: "the imported file names the home",
    TieMethod.PHONE: lambda _: "the number is a telephone of this home alone",
    TieMethod.ACCOUNT: lambda _: "a terminal of this home alone reports under the number",
    TieMethod.SEVERAL: lambda tie: f"several homes have the number: {', '.join(tie.homes)}; a person has to choose",
    TieMethod.UNKNOWN: lambda _: "no home has the number",
    TieMethod.NO_NUMBER: lambda _: "the call has no telephone number",
}
_ALARM_REASONS: Mapping[AlarmMethod, Callable[[Tie], str]] = {
    AlarmMethod.FILE: lambda _: "the imported file names the alarm",
    AlarmMethod.NOTE: lambda _: "a note at this alarm has the id of the call",
    AlarmMethod.AGENT: lambda _: "its operator is the agent of the call, and worked on it around the call",
    AlarmMethod.SEVERAL: lambda tie: f"several alarms fit: {', '.join(map(str, tie.alarms))}",
    AlarmMethod.NONE: lambda tie: "no alarm of the home fits" if tie.home else "the call has no home",
}


def home_reason(tie: Tie) -> str:
    """Return why a call has its home, or none."""
    return _HOME_REASONS[tie.method](tie)


def alarm_reason(tie: Tie) -> str:
    """Return why a call has its alarm, or none."""
    return _ALARM_REASONS[tie.alarm_method](tie)

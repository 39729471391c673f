"""Asterisk's call detail records, as its modules ``cdr_csv`` and ``cdr_custom`` write them: lines without a heading.

``Master.csv`` of cdr_csv (source: github.com/asterisk/asterisk, cdr/cdr_csv.c, ``build_csv_record``), local time unless
``usegmtime=yes``, texts in quotes, an unset time empty and without quotes::

    accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec
    disposition amaflags [uniqueid: loguniqueid=yes] [userfield: loguserfield=yes]
    [peeraccount linkedid sequence: newcdrcolumns=yes]

The sample of cdr_custom (configs/samples/cdr_custom.conf.sample) begins with clid and has accountcode, uniqueid,
userfield and sequence at its end. Asterisk writes a line for each pair of channels, so a call that rang at three
operators has three lines with one uniqueid.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vetlla.domain import telephones
from vetlla.domain.calls import CallOutcome, CallRecord, Direction, Party
from vetlla.domain.clock import SECOND_US
from vetlla.domain.columns import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vetlla.service.calls.asterisk.lines import CdrLine
    from vetlla.service.local_time import LocalTime

_BASE: Final = [
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
]
_CUSTOM: Final = [
    "clid",
    "src",
    "dst",
    "dcontext",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "accountcode",
    "uniqueid",
    "userfield",
    "sequence",
]
_NEW: Final = ["peeraccount", "linkedid", "sequence"]
_LAYOUTS: Final = {
    17: [*_BASE, "uniqueid"],
    18: [*_BASE, "uniqueid", "userfield"],
    19: _CUSTOM,
    20: [*_BASE, "uniqueid", *_NEW],
    21: [*_BASE, "uniqueid", "userfield", *_NEW],
}
"""The columns by their number."""
_UNIQUE: Final = re.compile(r"(?:.*-)?(\d{9,11})\.\d{1,9}", re.ASCII)
"""``1764576000.12``, with ``systemname-`` before it if asterisk.conf sets one: seconds since 1970, and a count."""
_CHANNEL: Final = re.compile(r"(.+)-[0-9a-f]{8}(?:;[12])?", re.ASCII)
"""``PJSIP/101-0000002a``: technology, name and a count, which is another one for each call."""
NEAR_US: Final = 300 * SECOND_US
"""A call's record begins when its channel does. So much may lie between them; a repeated hour is an hour away."""
AS_WRITTEN: Final[Mapping[str, str]] = MappingProxyType({})
"""Leaves the names of agents as the PBX has them."""
_INTERNAL_DIGITS: Final = 6
"""Most digits of an extension: the shortest numbers of homes have nine digits."""


def columns_of(first: Sequence[str]) -> list[str]:
    """Return the names of the columns of a file by its first line. Raises ValueError with what to change."""
    layout = _LAYOUTS.get(len(first))
    if len(first) == len(_BASE):
        raise ValueError("has no uniqueid: set loguniqueid=yes in the section [csv] of cdr.conf, and reload cdr_csv")
    if layout is None:
        raise ValueError(f"has {len(first)} columns, and not 17 to 21 as Asterisk's cdr_csv and cdr_custom write")
    return layout


class CdrReader:
    """Reads lines of call detail records. ``local`` is the time of the PBX; ``agents`` translates names of agents."""

    def __init__(self, local: LocalTime, agents: Mapping[str, str] = AS_WRITTEN) -> None:
        self._local = local
        self._agents = agents

    def read(self, row: int, line: CdrLine) -> tuple[str, CallRecord] | list[Fault] | None:
        """Return the call's id and what a line says of it, or what is wrong; None for a line of no call of ours.

        These are calls between extensions, and lines of another channel of a call that has its own line.
        """
        unique = line.get("uniqueid", "")
        if not unique:
            return [Fault(row, "uniqueid", "", "is empty: set loguniqueid=yes in cdr.conf")]
        direction = _direction(line)
        if direction is None or line.get("linkedid", unique) not in {"", unique}:
            return None
        times = self._times(row, line, unique)
        if isinstance(times, list):
            return times
        record = _record(line, direction, *times)
        return unique, record._replace(agent=self._agents.get(record.agent, record.agent))

    def _times(self, row: int, line: CdrLine, unique: str) -> tuple[int, int | None, int | None] | list[Fault]:
        """Return the moments of start, answer and end, or what is wrong with them."""
        times: list[int | None] = []
        for name, time in (("start", line.get("start")), ("answer", line.get("answer")), ("end", line.get("end"))):
            try:
                times.append(self._moment(time, unique, times))
            except ValueError as error:
                return [Fault(row, name, str(time), f"{error} (usegmtime=yes in cdr.conf avoids this)")]
        started, answered, ended = times
        if started is None:
            return [Fault(row, "start", "", "is empty")]
        if ended is not None and not started <= (answered or started) <= ended:
            return [Fault(row, "end", str(line.get("end")), "lies before the answer or the start")]
        return started, answered, ended

    def _moment(self, time: datetime | None, unique: str, before: list[int | None]) -> int | None:
        """Return the moment of a time. In an hour that comes twice, the seconds in the call's id decide.

        Later times of the same line are the first ones that do not lie before it.
        """
        if time is None:
            return None
        found = self._local.moments(time)
        if len(found) == 1:
            return found[0]
        if before and before[0] is not None:
            first = max(known for known in before if known is not None)
            later = [one for one in found if one >= first]
            if later:
                return min(later)
        elif made := _UNIQUE.fullmatch(unique):
            near = [one for one in found if abs(one - int(made[1]) * SECOND_US) <= NEAR_US]
            if len(near) == 1:
                return near[0]
        return self._local.moment(time)


def _direction(line: CdrLine) -> Direction | None:
    """Return a call's direction: the word that a mapping gave its context, else by which of the numbers is outside."""
    context = line.get("dcontext", "")
    if context in {"in", "out"}:
        return Direction(context)
    if context == "internal":
        return None
    if line.get("lastapp") == "Queue" or _is_outside(line.get("src", "")):
        return Direction.IN
    return Direction.OUT if _is_outside(line.get("dst", "")) else None


def _is_outside(number: str) -> bool:
    return sum(map(str.isdigit, number)) > _INTERNAL_DIGITS


def _record(line: CdrLine, direction: Direction, started: int, answered: int | None, ended: int | None) -> CallRecord:
    outcome, other = line.get("disposition"), line.get("dstchannel", "")
    ready: int | None = None
    agent = _name(line.get("channel", "")) if direction is Direction.OUT else ""
    if direction is Direction.IN:
        if line.get("lastapp") == "Queue":
            # The PBX answered the caller; only the queue's log knows when an operator did.
            outcome, answered = CallOutcome.QUEUED, None
        elif other:
            ready = started  # it was put through at once, so it could be attended from then on
            agent = _name(other) if outcome is CallOutcome.ANSWERED else ""
        if outcome is CallOutcome.NO_ANSWER or (outcome is CallOutcome.ANSWERED and not other):
            outcome, answered = CallOutcome.ABANDONED, None  # only a menu or an announcement answered
    elif outcome is not CallOutcome.ANSWERED:
        answered = None
    return CallRecord(
        direction=direction,
        started=started,
        ready=ready,
        answered=answered,
        ended=ended,
        agent=agent,
        caller=telephones.dialled(line.get("src", "")),
        called=telephones.dialled(line.get("dst", "")),
        outcome=outcome,
        party=_party(line.get("accountcode", "")),
    )


def _name(channel: str) -> str:
    """Return the name of a channel without its count: ``PJSIP/101``."""
    found = _CHANNEL.fullmatch(channel)
    return found[1] if found else channel


def _party(account: str) -> Party | None:
    """Return the party that a mapping gave to an account code; None for any other code."""
    return Party(account) if account in set(Party) else None

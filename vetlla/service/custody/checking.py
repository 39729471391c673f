"""Findings about the keys in custody, for monitoring. They have codes and no notes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.codes import code_key
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.findings import Finding, Level
from vetlla.service.custody.chain import (
    AlarmCheck,
    KeyAct,
    KeyState,
    Misdeed,
    alarm_check,
    by_another,
    details_of,
    place_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.standing import Standing

_CHECK: Final = {
    Misdeed.LOST: "lost",
    Misdeed.NO_EMERGENCY: "no_emergency",
    Misdeed.NO_ALARM: "no_alarm",
    Misdeed.OTHER_HOME: "other_home",
    Misdeed.WRONG_PERSON: "wrong_person",
}


class CustodyLimits(NamedTuple):
    """The margins of the check, in microseconds."""

    out_us: int
    """How long a key may be out."""
    misdeed_us: int
    """How long a very grave fault is CRITICAL; older ones are counted."""


class CustodyCheck(NamedTuple):
    """What the check found, and what it only counts."""

    findings: list[Finding]
    keys: int
    """Keys in custody."""
    out: int
    lost: int
    older: int
    """Very grave faults that are older than the margin."""
    unchecked: int
    """Uses for an alarm that was not looked up in the journal."""


def check(
    keys: Iterable[CustodyKey], returns: Sequence[Standing], unopened: Sequence[str], limits: CustodyLimits, now_us: int
) -> CustodyCheck:
    """Return what must be looked at: the gravest first.

    ``returns`` are the open duties to return or destroy keys, ``unopened`` the keys of homes that left without such a
    duty.
    """
    every = list(keys)
    held = [key for key in every if key.in_custody]
    recent, older = _misdeeds(every, now_us - limits.misdeed_us)
    found = [
        *recent,
        *_not_returned(returns, now_us),
        *(_finding("left", Level.WARNING, f"key {code}: its home left", "vetlla custody left") for code in unopened),
        *_out_too_long(held, limits.out_us, now_us),
        *_shared_codes(held),
        *_shared_places(held),
        *_by_others(every, now_us - limits.misdeed_us),
        *_impossible(every),
    ]
    found.sort(key=lambda one: -one.level)
    states = [key.state for key in held]
    return CustodyCheck(
        found, len(held), states.count(KeyState.OUT), states.count(KeyState.LOST), older, _unchecked(every)
    )


def _misdeeds(keys: Iterable[CustodyKey], since_us: int) -> tuple[list[Finding], int]:
    found, older = [], 0
    for key in keys:
        for event, misdeed in key.misdeeds:
            if event.told.at_us < since_us:
                older += 1
                continue
            text = f"key {key.code} of {key.home}: {misdeed.value}, a very grave fault"
            found.append(_finding(_CHECK[misdeed], Level.CRITICAL, text, _show(key)))
    return found, older


def _unchecked(keys: Iterable[CustodyKey]) -> int:
    return sum(
        event.told.event == KeyAct.USED and alarm_check(details) is AlarmCheck.UNCHECKED
        for key in keys
        for event in key.duty.events
        if (details := details_of(event)).get("alarm")
    )


def _not_returned(returns: Iterable[Standing], now_us: int) -> Iterator[Finding]:
    for one in returns:
        duty, due = one.duty, one.due_us
        if one.verdict is DutyVerdict.BREACHED:
            level, when = Level.CRITICAL, "its clock ran out"
        else:
            left = (
                "its clock stands" if due is None else f"its clock runs out in {stretch((due - now_us) // SECOND_US)}"
            )
            level, when = Level.WARNING, left
        text = f"{duty.kind} {duty.ref} of {duty.subject}: {when}"
        yield _finding(duty.kind, level, text, f"vetlla duties show {duty.id}")


def _out_too_long(keys: Iterable[CustodyKey], out_us: int, now_us: int) -> Iterator[Finding]:
    for key in keys:
        if key.state is KeyState.OUT and now_us - key.since_us > out_us:
            time = stretch((now_us - key.since_us) // SECOND_US)
            yield _finding("out", Level.WARNING, f"key {key.code}: {key.holder} has it for {time}", _show(key))


def shared_codes(keys: Iterable[CustodyKey]) -> list[tuple[str, list[CustodyKey]]]:
    """Return the codes of several keys in custody. Codes that differ only in case or spaces are one.

    No way in takes a second key, but a withdrawal may bring one.
    """
    known: dict[str, list[CustodyKey]] = defaultdict(list)
    for key in keys:
        if key.in_custody:
            known[code_key(key.code)].append(key)
    return [(found[0].code, found) for found in known.values() if len(found) > 1]


def _shared_codes(keys: Iterable[CustodyKey]) -> Iterator[Finding]:
    for code, found in shared_codes(keys):
        homes = ", ".join(key.home for key in found)
        text = f"code {code} belongs to {len(found)} keys in custody, of {homes}"
        yield _finding(
            "code",
            Level.CRITICAL,
            text,
            "vetlla duties list --kind key --open, then vetlla duties withdraw EVENT of the wrong one",
        )


def _shared_places(keys: Iterable[CustodyKey]) -> Iterator[Finding]:
    at: dict[str, list[CustodyKey]] = defaultdict(list)
    for key in keys:
        if key.state is KeyState.IN_PLACE and key.place:
            at[place_key(key.place)].append(key)
    for found in at.values():
        if len(found) > 1:
            codes = ", ".join(key.code for key in found)
            text = f"place {found[0].place} has {len(found)} keys: {codes}"
            yield _finding("place", Level.WARNING, text, f"vetlla custody move {found[-1].code} --place PLACE")


def _impossible(keys: Iterable[CustodyKey]) -> Iterator[Finding]:
    for key in keys:
        for one in key.impossible:
            yield _finding("impossible", Level.WARNING, f"event {one.event.id}: {one.reason}", _show(key))


def _by_others(keys: Iterable[CustodyKey], since_us: int) -> Iterator[Finding]:
    for key in keys:
        for event, holder in key.by_others:
            if event.told.at_us >= since_us:
                text = f"key {key.code} of {key.home}, event {event.id}: {by_another(event, holder)}"
                yield _finding("holder", Level.WARNING, text, _show(key))


def _show(key: CustodyKey) -> str:
    return f"vetlla custody show {key.code}"


def _finding(check: str, level: Level, text: str, remedy: str) -> Finding:
    return Finding(check=check, level=level, text=text, remedy=remedy)

"""What a movement or an upkeep of equipment does to the open duties of the device and of its home.

A renewal ends when the device is replaced, upkeep when it is done, an installation when a terminal comes into the home,
and a recovery when the last device of the home was taken away. The movement and these events are one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from vetlla.domain.devices import TERMINALS, MovementKind, Place
from vetlla.domain.duties import NewEvent
from vetlla.service.inventory.movements import name
from vetlla.store.duties import events as store
from vetlla.store.inventory import queries as inventory
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import date

    from vetlla.domain.devices import Change, UpkeepKind
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

RENEWAL, MAINTENANCE, INSTALLATION, REMOVAL = "renewal", "maintenance", "installation", "removal"
"""The kinds of duties that follow the equipment."""
_CAME: Final = frozenset({MovementKind.INSTALLED, MovementKind.MOVED, MovementKind.REPLACES})
"""Movements that bring a device into a home."""


class Rules(Protocol):
    """Loads the rules of duties. A movement that changes no duty does not ask for them."""

    def __call__(self) -> DutyRules:
        """Return the rules."""
        ...


class Following(NamedTuple):
    """What the events that follow from equipment say: who recorded them, and by which rules."""

    rules: Rules
    by: str
    recording: Recording


class Followed(NamedTuple):
    """The duties that a movement changed, and sentences about those that a person must choose."""

    duties: list[Standing]
    open_questions: list[str]


def follow(connection: sqlite3.Connection, changes: Sequence[tuple[Change, str]], how: Following) -> Followed:
    """Record what movements do to duties; each change has the home in which the device was before, or "".

    Works within the caller's transaction, after the movements were written.
    """
    done = Followed([], [])
    for change, was_in in changes:
        movement, device = change.movement, name(change.device)
        if was_in and movement.home != was_in:
            done.duties.extend(_left(connection, _Move(device, was_in, movement.kind, movement.day), how))
        if change.device.type in TERMINALS and movement.kind in _CAME:
            _came(connection, _Move(device, movement.home, movement.kind, movement.day), how, done)
    return done


def kept_up(connection: sqlite3.Connection, device: str, kind: UpkeepKind, day: date, how: Following) -> list[Standing]:
    """Record that an upkeep was done: it ends the open duty of this work, or one that names no work."""
    found = list(_open(connection, MAINTENANCE, device, how))
    wanted = [one for one in found if work_of(one) in {kind.value, ""}]
    told = NewEvent("", "", "done", 0, by=how.by, note=f"{kind} on {day}")
    return [_happened(connection, one, told, day, how) for one in wanted[:1]]


def work_of(one: Standing) -> str:
    """Return which work a maintenance is: the first word of its reference (``battery 2027-03-01 H1``), or ""."""
    word = one.duty.ref.partition(" ")[0]
    return word if word in {"battery", "maintenance"} else ""


class _Move(NamedTuple):
    """A device that came into a home or left it."""

    device: str
    home: str
    kind: MovementKind
    day: date

    @property
    def note(self) -> str:
        """What is written beside an event."""
        return f"{self.device}: {self.kind} on {self.day}"


def _left(connection: sqlite3.Connection, move: _Move, how: Following) -> Iterator[Standing]:
    """Record that a device left a home; yield the duties that this changed."""
    event = "done" if move.kind is MovementKind.REPLACED_BY else "cancelled"
    for one in _open(connection, RENEWAL, move.device, how):
        yield _record(connection, one, event, move, how)
    for one in _open(connection, MAINTENANCE, move.device, how):
        yield _record(connection, one, "cancelled", move, how)
    found = list(_open(connection, REMOVAL, move.home, how))
    if found and not any(kept.standing.place is Place.HOME for kept in inventory.fleet(connection, home=move.home)):
        for one in found:
            yield _record(connection, one, "recovered", move, how)


def _came(connection: sqlite3.Connection, move: _Move, how: Following, done: Followed) -> None:
    """Record that a terminal came into a home."""
    found = list(_open(connection, INSTALLATION, move.home, how))
    if len(found) > 1:
        numbers = ", ".join(str(one.duty.id) for one in found)
        done.open_questions.append(
            f"home {move.home} has {len(found)} open installations ({numbers}):"
            " vetlla duties event NUMBER installed for the right one"
        )
        return
    done.duties.extend(_record(connection, one, "installed", move, how) for one in found)


def _open(connection: sqlite3.Connection, kind: str, subject: str, how: Following) -> Iterator[Standing]:
    if store.kinds_about(connection, subject, [kind]):
        yield from book.open_duties_of(connection, how.rules(), [kind], subject, how.recording.now_us)


def _record(connection: sqlite3.Connection, one: Standing, event: str, move: _Move, how: Following) -> Standing:
    return _happened(connection, one, NewEvent("", "", event, 0, by=how.by, note=move.note), move.day, how)


def _happened(connection: sqlite3.Connection, one: Standing, told: NewEvent, day: date, how: Following) -> Standing:
    """Record an event of which only the day is known: at the last moment of that day, or now if it is today.

    An event cannot be before the opening of its duty, so an earlier one counts as having happened then.
    """
    rules, recording = how.rules(), how.recording
    at_us = min(recording.now_us, rules.calendar.end_of(day.toordinal()))
    return book.record(connection, rules, one.duty.id, told._replace(at_us=max(at_us, one.duty.opened_us)), recording)

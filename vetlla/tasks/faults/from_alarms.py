"""Opens faults for the troubles that terminals report, from the journal, and notes when a trouble was over.

It only reads the journal. A fault that the receiver opened is ended by a person alone: a restore is noted on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.alarms import RECEIVER
from vetlla.domain.devices import TERMINALS
from vetlla.domain.duties import NewEvent
from vetlla.domain.signals import Flag, Phase
from vetlla.service.faults.troubles import (
    CODES,
    FaultCode,
    KnownFault,
    Trouble,
    TroubleKey,
    TroubleReport,
    is_covered,
    minutes_of,
    troubles,
)
from vetlla.service.inventory.movements import name
from vetlla.service.supervision.rules import Health
from vetlla.store.homes import queries as home_store
from vetlla.store.inventory import queries as inventory
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.supervision import losses
from vetlla.tasks.faults.book import FaultDevice, OpenedFault, device_of, faults_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.devices import DeviceRecord
    from vetlla.service.duties.standing import Standing
    from vetlla.tasks.duties.desk import DutyDesk, OpenBook

RESTORED: Final = "restored"
REPEATED: Final = "repeated"
"""Events of a fault that the receiver notes: the trouble was over, and it came again."""


class NotOpened(NamedTuple):
    """A trouble for which no fault can be opened, because its home is not registered."""

    account: str
    home: str
    code: FaultCode
    at_us: int
    alarm: int | None


class FaultsFound(NamedTuple):
    """The faults that were opened, the notes on faults, and the troubles of homes that are not registered."""

    opened: list[OpenedFault]
    restored: int
    repeated: int
    not_opened: list[NotOpened]


def from_alarms(desk: DutyDesk, since_us: int) -> FaultsFound:
    """Open a fault for each trouble since a time that no fault covers. Doing it again opens nothing twice.

    Raises StoreError if the journal cannot be read.
    """
    rules, now_us = desk.rules, desk.clock.now().utc_us
    after = minutes_of(rules.parameters.on(rules.calendar.date_of(now_us)), rules.parameters)
    with Archive(desk.state_dir) as archive:
        reports = [*_signals(archive, since_us), *_losses(archive, since_us)]
    lasting = troubles(reports, after, now_us)
    with desk.reading() as book:
        looker = _Looker(book)
        if not looker.has_news(lasting, reports):  # nearly always, so that the registry stays free for others
            return FaultsFound([], 0, 0, looker.not_opened(lasting))
    with desk.writing() as book:  # another command may have written since: everything is looked at again
        writer = _Writer(book)
        return FaultsFound(writer.open(lasting), *writer.note(reports), writer.not_opened(lasting))


def _signals(archive: Archive, since_us: int) -> Iterator[TroubleReport]:
    """Yield what terminals reported. A report during a test, or one that opened no alarm, tells of no fault."""
    question = history.signals(kinds=list(CODES), since_us=since_us)
    for stored in history.stream(archive, question):
        signal, is_over = stored.signal, stored.signal.event.phase is Phase.RESTORE
        if stored.flags & Flag.ON_TEST or signal.event.phase is Phase.STATUS or (stored.alarm is None and not is_over):
            continue
        receiver, line, account = signal.id
        device = signal.device if signal.device.strip("0") else ""  # Contact ID writes zone 000 for the panel itself
        key = TroubleKey(receiver, line, account.upper(), device, CODES[signal.event.kind])
        yield TroubleReport(key, stored.received_us, is_over, stored.home, stored.alarm)


def _losses(archive: Archive, since_us: int) -> Iterator[TroubleReport]:
    """Yield what supervision found: terminals and devices that were silent for too long."""
    for change in losses.changes(archive, since_us, Health.LOST):
        if not change.is_over and change.alarm is None:
            continue  # its account asks for no alarm
        named = change.name
        code = FaultCode.LOST if named.device else FaultCode.NO_TEST
        key = TroubleKey(named.receiver, named.line, named.account.upper(), named.device, code)
        yield TroubleReport(key, change.at_us, change.is_over, "", change.alarm)


class _Place(NamedTuple):
    """The home of a trouble, and its device there."""

    home: str
    of: FaultDevice


class _Looker:
    """Compares what terminals reported with the faults on record, within the caller's transaction."""

    def __init__(self, book: OpenBook) -> None:
        self._book = book
        self._connection = book.connection
        self._homes = frozenset(home_store.home_codes(book.connection))
        self._fleets: dict[str, list[DeviceRecord]] = {}
        self._places: dict[tuple[TroubleKey, str], _Place] = {}
        self._known_faults: dict[str, list[Standing]] = {}

    def has_news(self, lasting: Iterable[Trouble], reports: Iterable[TroubleReport]) -> bool:
        """Return True if a fault is to be opened, or something is to be noted on one."""
        return any(map(self._is_uncovered, lasting)) or any(True for report in reports for _ in self._news(report))

    def not_opened(self, lasting: Iterable[Trouble]) -> list[NotOpened]:
        """Return the troubles whose home is not registered."""
        return [
            NotOpened(report.key.account, home, report.key.code, report.at_us, report.alarm)
            for report in (one.report for one in lasting)
            if (home := self._place(report).home) not in self._homes
        ]

    def _is_uncovered(self, one: Trouble) -> bool:
        """Return True for a trouble of a registered home that no fault covers."""
        place = self._place(one.report)
        if place.home not in self._homes:
            return False
        here = (_known(fault) for fault in self._faults(place.home) if device_of(fault) == place.of)
        return not is_covered(one, list(here))

    def _news(self, report: TroubleReport) -> Iterator[tuple[Standing, str]]:
        """Yield the faults of which a report says that their trouble was over or came again, with the event."""
        place = self._place(report)
        if place.home not in self._homes:
            return
        event = RESTORED if report.is_over else REPEATED
        for fault in self._faults(place.home):
            if device_of(fault) == place.of and _is_news(fault, report, event):
                yield fault, event

    def _faults(self, home: str) -> list[Standing]:
        if home not in self._known_faults:
            self._known_faults[home] = faults_of(self._book, home)
        return self._known_faults[home]

    def _place(self, report: TroubleReport) -> _Place:
        """Return home and device of a report: the device that the terminal names, else the terminal."""
        key = report.key
        known = self._places.get((key, report.home))
        if known is None:
            named = inventory.find(self._connection, key.account) if key.account else []
            home = report.home if report.home in self._homes else ""
            home = home or next((kept.standing.home for kept in named if kept.standing.home), report.home)
            device = _device(key, self._fleet(home)) if home in self._homes else ""
            known = self._places[key, report.home] = _Place(home, FaultDevice(device, key.device, key.code.value))
        return known

    def _fleet(self, home: str) -> list[DeviceRecord]:
        if home not in self._fleets:
            self._fleets[home] = list(inventory.fleet(self._connection, home=home))
        return self._fleets[home]


class _Writer(_Looker):
    """Opens faults and notes on them."""

    def open(self, lasting: Iterable[Trouble]) -> list[OpenedFault]:
        """Open a fault for each trouble that no fault covers."""
        found: list[OpenedFault] = []
        for one in filter(self._is_uncovered, lasting):
            report, place = one.report, self._place(one.report)
            ref = _free_ref(report, self._faults(place.home))
            told = NewEvent("", place.home, "", one.fault_us, ref=ref, by=RECEIVER)
            found.append(opened(self._book, told, place.of, alarm=report.alarm or 0))
            del self._known_faults[place.home]
        return found

    def note(self, reports: Sequence[TroubleReport]) -> tuple[int, int]:
        """Note on faults that their trouble was over or came again; return how often each was noted."""
        counts = {RESTORED: 0, REPEATED: 0}
        for report in sorted(reports, key=lambda report: (report.at_us, report.is_over)):
            for fault, event in list(self._news(report)):
                self._book.record(fault.duty.id, NewEvent("", "", event, report.at_us, by=RECEIVER))
                counts[event] += 1
                self._known_faults.pop(fault.duty.subject, None)
        return counts[RESTORED], counts[REPEATED]


def _device(key: TroubleKey, fleet: Sequence[DeviceRecord]) -> str:
    for kept in fleet:
        if key.device and key.device == kept.device.serial:
            return name(kept.device)
    terminals = [kept.device for kept in fleet if kept.device.type in TERMINALS]
    own = [device for device in terminals if device.account.upper() == key.account]
    return name((own or terminals)[0]) if own or len(terminals) == 1 else ""


def _known(fault: Standing) -> KnownFault:
    return KnownFault(fault.duty.opened_us, fault.ended.told.at_us if fault.ended else None)


def _free_ref(report: TroubleReport, here: Sequence[Standing]) -> str:
    """Return the reference of a new fault: its alarm, sort and device; numbered if the same alarm had one before."""
    key = report.key
    ref = " ".join(filter(None, (f"alarm {report.alarm or 0}", key.code.value, key.device)))
    taken = {fault.duty.ref for fault in here}
    return next(
        one for number in range(1, len(here) + 2) if (one := ref if number == 1 else f"{ref} #{number}") not in taken
    )


def _is_news(fault: Standing, report: TroubleReport, event: str) -> bool:
    """Return True if a report changes what is noted on a fault that was open at its time."""
    known, at_us = _known(fault), report.at_us
    if not known.opened_us < at_us <= (known.ended_us or at_us):
        return False
    notes = [one.told for one in fault.duty.events if one.told.event in {RESTORED, REPEATED}]
    if any((one.event, one.at_us) == (event, at_us) for one in notes):
        return False
    before = [one.event for one in notes if one.at_us < at_us]
    return (before[-1] if before else REPEATED) != event

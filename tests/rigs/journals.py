"""Journals for the tests, written as the intake writes them: signals, their alarms, and the audit of both."""

# ruff: noqa: ANN401 - a test may give any field of a value

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vetlla.domain.alarms import Alarm, AlarmOutcome, State
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.signals import AccountId, Arrival, Event, Kind, Phase, Priority, Reason, Reject, Signal
from vetlla.store.journal.audit_comparison import text_digest
from vetlla.store.journal.batch import Batch, Entry, Note, Stamps
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.rows import SignalRows, digest, reject_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock

WINDOW_US = 900 * SECOND_US


def report(number: int = 1, **said: Any) -> Signal:
    """Return an invented report, which is unique by its number."""
    values: dict[str, Any] = {
        "protocol": "dc09",
        "id": AccountId("", "L0", f"{number % 10:04}"),
        "event": Event(Kind.PERSONAL_EMERGENCY, Phase.NEW, "101", "ADM-CID"),
        "raw": b'\n0000"ADM-CID"%04dL0#1234[]\r' % (number % 10_000),
        "identity": b"identity-%d" % number,
    }
    return Signal(**values | said)


def arrival(clock: Clock, peer: str = "192.0.2.7:40000") -> Arrival:
    """Return the arrival of a report now, over a connection that was set up a millisecond ago."""
    now = clock.now()
    established = now._replace(utc_us=now.utc_us - 1000, mono_us=now.mono_us - 1000)
    return Arrival(listener="dc09", transport="tcp", peer=peer, established=established, received=now)


@contextmanager
def journal(directory: Path, clock: Clock | None = None) -> Iterator[Scribe]:
    """Open a journal as the daemon does."""
    scribe = Scribe(directory, clock or ManualClock())
    try:
        yield scribe
    finally:
        scribe.journal.close()


class Scribe:
    """Writes batches in the order and with the audit that the intake gives them."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.clock = clock
        self.journal = Journal(directory, clock)
        self.recovered = recovered = self.journal.recover(WINDOW_US)
        self.boot = recovered.boot
        self.next_commit = recovered.next_commit
        self.next_signal = recovered.next_signal
        self._stamps: list[Stamps] = []

    def batch(self) -> Batch:
        """Return an empty batch with the stamps of the last commit."""
        batch = Batch(commit=self.next_commit, boot=self.boot, began_us=self.clock.now().utc_us)
        batch.stamps, self._stamps = self._stamps, []
        return batch

    def signals(self, signals: Sequence[Signal], batch: Batch | None = None, **made: Any) -> Batch:
        """Return a batch with these signals and the audit record of their commit."""
        batch = batch or self.batch()
        came = arrival(self.clock)
        first = self.next_signal
        for number, signal in enumerate(signals, first):
            batch.signals.append(self.row(signal, came, number, batch.commit, **made))
        if signals:
            last = first + len(signals) - 1
            detail: dict[str, object] = {"first": first, "last": last, "digest": digest(batch.signals)}
            batch.decided.append(Entry(batch.began_us, "receiver", "commit", f"commit {batch.commit}", detail))
        return batch

    def row(self, signal: Signal, came: Arrival, number: int, commit: int, **made: Any) -> tuple[Any, ...]:
        """Return the row of a signal."""
        values: dict[str, Any] = {"home": "", "priority": Priority.LIFE, "flags": 0, "alarm": None}
        rows = SignalRows(commit=commit)
        rows.add_signal(signal, came, number=number, **values | made)
        return rows.signals[0]

    def write(self, batch: Batch) -> None:
        """Write a batch, and continue with the next numbers when it is durable."""
        self.journal.write(batch)
        if batch.signals:
            now = self.clock.now()
            self._stamps.append(Stamps(batch.commit, now.utc_us + 200, now.utc_us + 300, now.mono_us + 300))
            self.next_commit += 1
            self.next_signal += len(batch.signals)

    def commit(self, *signals: Signal, **made: Any) -> None:
        """Write signals in one batch."""
        self.write(self.signals(signals, **made))

    def flush(self) -> None:
        """Write the remaining stamps."""
        self.journal.write(self.batch())


def alarm(number: int, clock: Clock, **values: Any) -> Alarm:
    """Return an alarm that was opened now."""
    now_us = clock.now().utc_us
    plain: dict[str, Any] = {
        "id": number,
        "home": "H-0001",
        "account": "0001",
        "kind": Kind.PERSONAL_EMERGENCY,
        "priority": Priority.LIFE,
        "why": "personal_emergency 101",
        "first_signal": 1,
        "established_us": now_us - 1000,
        "opened_us": now_us,
        "boot": 1,
    }
    return Alarm(**plain | values)


def write_a_story(directory: Path, clock: ManualClock | None = None) -> None:
    """Write a journal with 60 signals of three homes, a worked alarm, rejects and a test."""
    clock = clock or ManualClock()
    with journal(directory, clock) as scribe:
        opened = alarm(1, clock, t2_us=1300)
        first = scribe.signals([report(1)], home="H-0001", alarm=1)
        first.alarms[1] = opened
        first.decided.append(Entry(opened.opened_us, "receiver", "open", "alarm 1", {"signal": 1}))
        scribe.write(first)
        clock.advance(5)
        answered = opened._replace(
            state=State.ANSWERED, operator="maria", answered_us=clock.now().utc_us, t3_us=5_000_000
        )
        second = scribe.batch()
        second.alarms[1] = answered
        second.audit.append(Entry(clock.now().utc_us, "maria", "answer", "alarm 1", {}))
        second.notes.append(Note(1, clock.now().utc_us, "maria", "speaking"))
        second.audit.append(Entry(clock.now().utc_us, "maria", "note", "alarm 1", {"sha256": text_digest("speaking")}))
        scribe.write(second)
        clock.advance(60)
        closed = answered._replace(
            state=State.CLOSED, closed_us=clock.now().utc_us, outcome=AlarmOutcome.HANDLED_BY_VOICE
        )
        third = scribe.batch()
        third.alarms[1] = closed
        third.audit.append(
            Entry(
                clock.now().utc_us,
                "maria",
                "close",
                "alarm 1",
                {"outcome": "handled_by_voice", "t2_us": closed.t2_us, "t3_us": closed.t3_us},
            )
        )
        scribe.write(third)
        for number in range(2, 60):
            clock.advance(1)
            scribe.commit(
                report(number, event=Event(Kind.PERIODIC_TEST, Phase.NEW, "602", "ADM-CID")),
                home="H-0002",
                priority=Priority.ROUTINE,
            )
        last = scribe.signals([report(60)])
        last.duplicates[3] = (2, *clock.now(), "udp", "192.0.2.8:9")
        last.rejects.append(reject_row(arrival(clock), reject()))
        scribe.write(last)
        scribe.flush()


def reject(**said: Any) -> Reject:
    """Return an invented reject."""
    values: dict[str, Any] = {
        "protocol": "dc09",
        "reason": Reason.BAD_CHECKSUM,
        "raw": b"\nFFFF0000\r",
        "text": "the checksum says FFFF",
        "id": AccountId("", "L0", "00AF"),
    }
    return Reject(**values | said)

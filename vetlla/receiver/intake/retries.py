"""Recognises a report that a peer tells again because its answer did not arrive, and counts the repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.clock import to_us
from vetlla.service.queue.retelling import Remembered, Retelling, Said, compare
from vetlla.service.queue.triage import home_of
from vetlla.store.journal.batch import content_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.accounts import Account
    from vetlla.domain.previous_run import LastFrame
    from vetlla.domain.signals import AccountId, Arrival, Signal
    from vetlla.receiver.intake.duplicates import Duplicates
    from vetlla.receiver.intake.last_frames import LastFrames
    from vetlla.receiver.queue.placement import Placement
    from vetlla.store.journal.batch import Batch


class Retries:
    """Compares what comes in with what is remembered: reports by their identity, frames of a port by their bytes."""

    def __init__(self, duplicates: Duplicates, last_frames: LastFrames, placement: Placement) -> None:
        self._duplicates = duplicates
        self._last_frames = last_frames
        self._placement = placement

    def repeated_on_port(
        self, signals: Sequence[Signal], account: Account | None, arrival: Arrival
    ) -> LastFrame | None:
        """Return the last frame of the port if these signals repeat it, and its alarms may count that; else None."""
        last = self._last_frames.repeated(arrival.listener, signals[0].raw, arrival.received.mono_us)
        if last is None or len(last.reports) != len(signals):
            return None
        alarms = (alarm for _, alarm in last.reports if alarm is not None)
        is_open = all(self._placement.may_repeat(alarm, account, arrival.received) for alarm in alarms)
        return last if is_open else None

    def compare(self, signal: Signal, first: Remembered, account: Account | None, arrival: Arrival) -> Retelling:
        """Return what a signal is beside the first one of the same identity: a retry, an addition or another report."""
        if not signal.id.account:
            # Many callers give no account, so this may be the call of another caller.
            return Retelling.ANOTHER
        return compare(
            first,
            _said(signal),
            arrival.received.mono_us,
            is_open=self._placement.may_repeat(first.alarm, account, arrival.received),
            lies_between=self._duplicates.lies_between(first, signal.id),
        )

    def are_durable(
        self, signals: Sequence[Signal], account: Account | None, arrival: Arrival, *, before: int, on_port: bool
    ) -> bool:
        """Return True if the signals of a frame are a retry of durable ones: those with a number below ``before``."""
        if on_port:
            last = self.repeated_on_port(signals, account, arrival)
            return last is not None and last.reports[-1][0] < before
        return all(self._is_durable(signal, account, arrival, before) for signal in signals)

    def _is_durable(self, signal: Signal, account: Account | None, arrival: Arrival, before: int) -> bool:
        first = self._duplicates.find(signal.identity) if signal.identity else None
        if first is None or first.number >= before:
            return False
        return self.compare(signal, first, account, arrival) is Retelling.RETRY

    def count_again(
        self,
        signal: Signal,
        first: Remembered,
        account: Account | None,
        arrival: Arrival,
        batch: Batch,
        *,
        frame: int,
    ) -> None:
        """Remember that frame number ``frame`` repeats a signal, and count the repetition."""
        said = first.said and _said(signal)
        again = first._replace(frame=frame, told_us=arrival.received.mono_us, said=said)
        self._duplicates.repeat(signal.identity, again)
        self.tell_again((first.number, first.alarm), signal.id, account, arrival, batch)

    def tell_again(
        self, stored: tuple[int, int | None], who: AccountId, account: Account | None, arrival: Arrival, batch: Batch
    ) -> None:
        """Count the repetition of a stored signal, and show it on its alarm. ``stored``: its number and its alarm."""
        number, alarm = stored
        batch.add_duplicate(number, arrival)
        if alarm is not None:
            self._placement.repeat(alarm, home_of(account, who), account, arrival.received, batch)


def _said(signal: Signal) -> Said:
    occurred, sent = signal.occurred_at, signal.sent_at
    return Said(
        occurred_us=None if occurred is None else to_us(occurred),
        sent_us=None if sent is None else to_us(sent),
        content=content_of(signal),
    )

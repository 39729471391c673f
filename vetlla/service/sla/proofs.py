"""The figures of ANS 7: each call in or out is registered, recorded and kept in a file (tender 20220428, 16.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import CallOutcome, Direction
from vetlla.domain.service_levels import LISTED_AT_MOST, BreachReason, LevelBreach, PartName
from vetlla.service.calls.proofs import Proof, lacks
from vetlla.service.sla.comparing import figure, share
from vetlla.service.sla.from_duties import required_share

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.calls import PhoneCall
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.parameters import Reading

_REASONS: Final = {
    Proof.REGISTERED: BreachReason.NOT_REGISTERED,
    Proof.RECORDED: BreachReason.NOT_RECORDED,
    Proof.FILED: BreachReason.NOT_FILED,
}
_DIRECTIONS: Final = frozenset({Direction.IN, Direction.OUT})


class ProofTally:
    """Counts of the proofs of a month's calls."""

    def __init__(self) -> None:
        self._calls = self._talks = self._breaches = 0
        self._missing = dict.fromkeys(Proof, 0)
        self._listed: list[LevelBreach] = []

    def add(self, call: PhoneCall) -> None:
        """Count a call. One of which no direction is known has only a recording or a party, and is no case."""
        if call.record.direction not in _DIRECTIONS:
            return
        self._calls += 1
        self._talks += call.record.outcome is CallOutcome.ANSWERED
        missing = lacks(call)
        for proof in missing:
            self._missing[proof] += 1
        if not missing:
            return
        self._breaches += 1
        if len(self._listed) < LISTED_AT_MOST:
            begun_us = call.record.started or call.record.ready
            reason = _REASONS[missing[0]]
            self._listed.append(LevelBreach("call", str(call.id), call.tie.home, "", reason, begun_us=begun_us))

    def figure(self, ans: int, month: date, reading: Reading) -> LevelFigure:
        """Return the figures, with a part for each proof; a breach is a call that lacks some.

        It is not measured without a call.
        """
        threshold = required_share(reading, ans)
        of = {Proof.REGISTERED: self._calls, Proof.RECORDED: self._talks, Proof.FILED: self._calls}
        parts = [
            share(PartName(proof.value), whole - self._missing[proof], whole, threshold) for proof, whole in of.items()
        ]
        return figure(
            ans,
            month,
            parts if self._calls else [],
            self._listed,
            self._breaches,
            assumed=reading.assumed(),
        )

"""Reports in clear on a port for TLS: they are not taken, but an operator learns of them, and the bytes are kept."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from vetlla.domain.signals import Kind, Reason, Reject, Signal
from vetlla.protocols.codes.makers import as_meant_by
from vetlla.service.queue.emergencies import EMERGENCY
from vetlla.service.queue.triage import weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vetlla.domain.accounts import Account, AccountBook
    from vetlla.domain.signals import Arrival, Item, Priority
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.intake.rejects import Rejects

_IN_CLEAR = "sent in clear to a port for TLS"


class InClearReports:
    """Takes what peers sent in clear to a port for TLS."""

    _book: AccountBook
    _table: Mapping[Kind, Priority]

    def __init__(self, rejects: Rejects, commit: GroupCommit) -> None:
        self._rejects = rejects
        self._commit = commit

    def apply(self, book: AccountBook, table: Mapping[Kind, Priority]) -> None:
        """Apply accounts, and the priority of each kind."""
        self._book = book
        self._table = table

    def turn_away(self, arrival: Arrival, protocol: str, raw: bytes, items: Iterable[Item]) -> None:
        """Keep as evidence what a peer sent in clear to a port for TLS, and put it before an operator.

        Each frame counts for the account that it names, because a gateway reports for many homes. Bytes that name no
        registered home count for the address that they came from.
        """
        named = [item for item in items if isinstance(item, (Signal, Reject)) and item.id is not None]
        is_any_unknown = not named
        for (who, _), frame in groupby(named, lambda item: (item.id, item.raw)):
            account = self._book.find(who) if who is not None else None
            if account is None:
                is_any_unknown = True
            else:
                self._turn_home_away(arrival, account, list(frame))
        if is_any_unknown:
            reject = Reject(protocol=protocol, reason=Reason.WRONG_PORT, raw=raw, text=_IN_CLEAR)
            self._rejects.reject(arrival, reject, None)

    def _turn_home_away(self, arrival: Arrival, account: Account, frame: Sequence[Signal | Reject]) -> None:
        signals = [item for item in frame if isinstance(item, Signal)]
        if account.maker is not None:
            signals = [as_meant_by(account.maker, signal) for signal in signals]
        if signals and self._commit.ready:
            self._rejects.refuse(arrival, signals, account, Reason.WRONG_PORT, self._table)
            return
        # Nothing can be stored now, or the frame could not be read. The home must be put before an operator anyway.
        is_call = any(weigh(signal, account, self._table, is_known=False)[1] in EMERGENCY for signal in signals)
        is_call |= any(isinstance(item, Reject) and item.kind is Kind.UNREADABLE for item in frame)
        kind, first = Kind.UNREADABLE if is_call else Kind.FAULT, frame[0]
        reject = Reject(
            protocol=first.protocol, reason=Reason.WRONG_PORT, raw=first.raw, text=_IN_CLEAR, id=first.id, kind=kind
        )
        self._rejects.reject(arrival, reject, account)

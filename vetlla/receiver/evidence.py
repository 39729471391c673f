"""What was no report, or was refused: kept as evidence, and put before an operator where a home is behind it.

Evidence is bounded: each address, and each home that we know, has its budget, and where reports cannot be kept it is
only counted. What an operator must hear of goes to the desk with the next batch.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import structlog

from vetlla.clock import SECOND_US, to_us
from vetlla.receiver.counters import Caller
from vetlla.receiver.report import Report
from vetlla.service.triage import home_of, weigh
from vetlla.signals import AccountId, Event, Kind, Outcome, Phase, Priority, Reason, Reject
from vetlla.store.batch import Entry
from vetlla.store.rows import reject_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.accounts import Account
    from vetlla.receiver.budget import Budget
    from vetlla.receiver.commit import GroupCommit
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.desk import Desk
    from vetlla.settings.model import StoreSettings
    from vetlla.signals import Arrival, Signal
    from vetlla.store.batch import Batch

log = structlog.get_logger()

WAITING_MAX = 10_000
"""Rejects that wait to be kept, and as many words to operators; what comes beyond it is only counted."""


class _Concern(NamedTuple):
    """Something that is no stored report, but that a person must hear of."""

    arrival: Arrival
    report: Report


class Evidence:
    """Keeps what the intake does not take. Lives in the event loop."""

    def __init__(self, settings: StoreSettings, commit: GroupCommit, budget: Budget, counters: Counters) -> None:
        self.use(settings)
        self._commit = commit
        self._budget = budget
        self._counters = counters
        self._concerns: deque[_Concern] = deque()
        self._placed: list[_Concern] = []
        self._stale: dict[AccountId, int] = {}

    def use(self, settings: StoreSettings) -> None:
        """Go on with other settings."""
        self._window_us = round(settings.duplicate_window_s * SECOND_US)
        self._stale_max = settings.duplicate_window_max

    # --- what comes in ----------------------------------------------------------------------------------------------

    def reject(self, arrival: Arrival, reject: Reject, account: Account | None) -> None:
        """Keep bytes that were no report; put a home that we know and could not read before an operator.

        So is a device at another protocol's port, under the address it called from: all its alarms are lost there.
        While nothing can be kept, what a home that we know tried to say waits for an operator until the store is back.
        """
        is_awaited = not self._commit.ready and account is not None and len(self._concerns) < WAITING_MAX
        if not self._keep(arrival, reject, account) and not is_awaited:
            return
        if account is not None and reject.id is not None:
            who, home, note = reject.id, home_of(account, reject.id), f"could not be read: {reject.text}"
        elif reject.reason is Reason.WRONG_PORT:
            who, home, note = AccountId("", "", arrival.host), arrival.host, reject.text
        else:
            return
        event = Event(reject.kind, Phase.NEW, reject.reason.value, reject.protocol)
        priority = Priority.LIFE if reject.kind is Kind.UNREADABLE else Priority.TECHNICAL
        known = account is not None
        self._concerns.append(_Concern(arrival, Report(0, who, home, event, priority, known=known, note=note)))

    def refuse(
        self,
        arrival: Arrival,
        signals: Sequence[Signal],
        account: Account | None,
        reason: Reason,
        table: Mapping[Kind, Priority],
    ) -> None:
        """Keep a report that policy does not take; what a home that we know wanted to say goes before an operator."""
        first, now_us = signals[0], arrival.received.utc_us
        self._counters.signals[first.protocol, Outcome.REFUSED] += len(signals)
        text = _why(first, reason, now_us)
        reject = Reject(protocol=first.protocol, reason=reason, raw=first.raw, text=text, id=first.id)
        if not self._keep(arrival, reject, account):
            return
        log.warning("signal.refused", reason=reason.value, peer=arrival.peer, account=first.id.account)
        entry = Entry(now_us, "receiver", "refuse", f"account {first.id.account}", {"reason": reason.value})
        self._commit.batch.audit.append(entry)
        if account is not None and (
            reason is not Reason.STALE_TIME or self._is_stale_again(first.id, arrival.received.mono_us)
        ):
            for signal in signals:
                event, priority = weigh(signal, account, table)
                home, priority = home_of(account, signal.id), min(priority, Priority.TECHNICAL)
                report = Report(0, signal.id, home, event, priority, signal.device, note=f"refused: {text}")
                self._concerns.append(_Concern(arrival, report))

    def _is_stale_again(self, who: AccountId, now_us: int) -> bool:
        """Say whether this account's clock was refused before within the duplicate window.

        The first refusal is how a terminal learns the time (DC-09, NAK). A second one means that it does not learn it:
        its alarms would be refused for ever while nobody knows.
        """
        before = self._stale.get(who)
        if len(self._stale) >= self._stale_max:
            self._stale.clear()
        self._stale[who] = now_us
        return before is not None and now_us - before <= self._window_us

    def _keep(self, arrival: Arrival, reject: Reject, account: Account | None) -> bool:
        """Count it, and keep it while there is room and budget; say whether it is kept.

        A home that we know has a budget of its own: another one behind the same gateway cannot use it up.
        """
        caller = Caller.UNNAMED if reject.id is None else Caller.KNOWN if account else Caller.UNKNOWN
        self._counters.rejects[reject.protocol, reject.reason, caller] += 1
        rejects = self._commit.batch.rejects
        if not self._commit.ready or len(rejects) >= WAITING_MAX:
            return False
        if not self._budget.may_keep(arrival.host if account is None else reject.id):
            return False
        rejects.append(reject_row(arrival, reject))
        self._commit.wake()
        return True

    # --- one batch --------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether there is something that an operator must hear of."""
        return bool(self._concerns)

    def place(self, desk: Desk, batch: Batch) -> None:
        """Put before operators what they must hear of."""
        while self._concerns:
            concern = self._concerns.popleft()
            self._placed.append(concern)
            desk.place(concern.report, concern.arrival, batch)

    def settle(self) -> None:
        """Hear that what was placed is durable."""
        self._placed.clear()

    def take_back(self) -> None:
        """Hear that what was placed is lost: it goes with the next batch."""
        self._concerns.extendleft(reversed(self._placed))
        self._placed.clear()


def _why(signal: Signal, reason: Reason, now_us: int) -> str:
    match reason:
        case Reason.STALE_TIME if signal.sent_at is not None:
            ahead_s = (to_us(signal.sent_at) - now_us) / SECOND_US
            return f"clock {abs(ahead_s):.0f} s {'fast' if ahead_s > 0 else 'slow'}"
        case Reason.PLAIN_REFUSED:
            return "sent in clear although the account has a key: set the key in the device"
        case _:
            return "nobody registered this account: `vetlla accounts set` does"

"""Keeps frames that could not be read or were refused, and puts those of a known home before an operator.

Each address and each registered account has a budget, which bounds what is kept. While the store accepts no reports,
the receiver only counts rejects. An alarm that follows from a reject is opened with the next batch. A reject that opens
an alarm, or makes one more urgent, needs no budget, because a stranger could spend the budget in a home's name.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import structlog

from vetlla.domain.accounts import account_key
from vetlla.domain.alarms import RECEIVER
from vetlla.domain.clock import SECOND_US, to_us
from vetlla.domain.masking import masked_account
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Priority, Reason, Reject, VerdictOutcome
from vetlla.receiver.commit.participant import Participant
from vetlla.receiver.counters import CallerKind
from vetlla.receiver.queue.desk_report import DeskReport
from vetlla.service.queue.triage import home_of, weigh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.domain.accounts import Account, AccountBook, AccountKey
    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import Arrival, Signal
    from vetlla.receiver.budget import Budget
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.queue.placement import Placement
    from vetlla.settings.model import Settings
    from vetlla.settings.store import StoreSettings
    from vetlla.store.journal.batch import Batch

log = structlog.get_logger()

WAITING_MAX = 10_000
"""Rejects that wait to be kept. Further ones are only counted, unless they are news of a home."""


class _Concern(NamedTuple):
    """A report that is not a stored signal, but that an operator must see."""

    arrival: Arrival
    report: DeskReport


class Rejects(Participant):
    """Keeps the reports and bytes that the intake does not take. Runs in the event loop."""

    def __init__(
        self,
        settings: Settings,
        placement: Placement,
        commit: GroupCommit,
        budget: Budget,
        counters: Counters,
        *,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._apply(settings.store)
        self._placement = placement
        self._commit = commit
        self._budget = budget
        self._counters = counters
        self._waiting_max = waiting_max
        self._concerns: deque[_Concern] = deque()
        self._placed: list[_Concern] = []
        self._waiting: set[tuple[str, bool, Kind, Priority]] = set()
        """Reports that wait for the desk: home, whether the home is registered, kind and priority."""
        self._stale: dict[AccountKey, int] = {}

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings."""
        self._apply(settings.store)

    def _apply(self, settings: StoreSettings) -> None:
        self._window_us = round(settings.duplicate_window_s * SECOND_US)
        self._stale_max = settings.duplicate_window_max

    # --- what comes in ----------------------------------------------------------------------------------------------

    def reject(self, arrival: Arrival, reject: Reject, account: Account | None) -> None:
        """Keep bytes that could not be read; put them before an operator if a registered home sent them.

        A device that calls another protocol's port is put before an operator, too, under its address, because all its
        alarms are lost there. While the store accepts nothing, the report of a registered home waits.
        """
        report = _unread(arrival, reject, account)
        if report is None:
            self._keep(arrival, reject, account)
            return
        is_news = self._is_news(report, arrival)
        is_awaited = not self._commit.ready and report.known and _what(report) not in self._waiting
        if self._keep(arrival, reject, account, is_news=is_news) or is_awaited:
            self._concern(arrival, report)

    def refuse(
        self,
        arrival: Arrival,
        signals: Sequence[Signal],
        account: Account | None,
        reason: Reason,
        table: Mapping[Kind, Priority],
    ) -> None:
        """Keep a report that policy refuses; put it before an operator if a registered home sent it."""
        first, now_us = signals[0], arrival.received.utc_us
        self._counters.signals[first.protocol, VerdictOutcome.REFUSED] += len(signals)
        text = _why(first, reason, now_us)
        reject = Reject(protocol=first.protocol, reason=reason, raw=first.raw, text=text, id=first.id)
        is_told = account is not None and (
            reason is not Reason.STALE_TIME or self._is_stale_again(account_key(account), arrival.received.mono_us)
        )
        reports = _refused(signals, account, table, text) if account is not None and is_told else []
        is_news = any(self._is_news(report, arrival) for report in reports)
        if not self._keep(arrival, reject, account, is_news=is_news):
            return
        for report in reports:
            self._concern(arrival, report)
        named = masked_account(first.id.account)
        log.warning("signal.refused", reason=reason.value, peer=arrival.peer, account=named)
        self._commit.batch.record(now_us, RECEIVER, "refuse", f"account {named}", reason=reason.value)

    def _is_news(self, report: DeskReport, arrival: Arrival) -> bool:
        """Return True if a home's report would open an alarm or lift one, and no waiting report does so already.

        A stranger's report is never news, because strangers could invent callers and fill all places.
        """
        return report.known and _what(report) not in self._waiting and self._placement.is_news(report, arrival.received)

    def _concern(self, arrival: Arrival, report: DeskReport) -> None:
        """Put a report before the desk with the next batch."""
        self._waiting.add(_what(report))
        self._concerns.append(_Concern(arrival, report))

    def _is_stale_again(self, who: AccountKey, now_us: int) -> bool:
        """Return True if this account's clock was refused before within the duplicate window.

        The first refusal is how a terminal learns the time (DC-09, NAK). A second one means that it does not learn it:
        the receiver would refuse all its alarms, and no operator would know.
        """
        before = self._stale.get(who)
        if len(self._stale) >= self._stale_max:
            self._stale.clear()
        self._stale[who] = now_us
        return before is not None and now_us - before <= self._window_us

    def _keep(self, arrival: Arrival, reject: Reject, account: Account | None, *, is_news: bool = False) -> bool:
        """Count a reject, and keep it if there is room and budget. Return True if it is kept.

        A registered account has a budget of its own, whatever receiver and line a caller invents. So another account
        behind the same gateway cannot use it up. News needs neither budget nor room: there is one per home and kind.
        """
        caller = CallerKind.UNNAMED if reject.id is None else CallerKind.KNOWN if account else CallerKind.UNKNOWN
        self._counters.rejects[reject.protocol, reject.reason, caller] += 1
        batch = self._commit.batch
        if not self._commit.ready:
            return False
        has_budget = self._budget.may_keep(arrival.host if account is None else account_key(account))
        if not is_news and (len(batch.rejects) >= self._waiting_max or not has_budget):
            return False
        batch.add_reject(arrival, reject)
        self._commit.wake()
        return True

    # --- one batch --------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """True if an operator must see something."""
        return bool(self._concerns)

    def plan(self, batch: Batch, _: Instant) -> None:
        """Put the reports that wait before operators."""
        self._waiting.clear()
        while self._concerns:
            concern = self._concerns.popleft()
            self._placed.append(concern)
            self._placement.place(concern.report, concern.arrival, batch)

    def committed(self, _batch: Batch, _now: Instant, _next_batch: Batch) -> None:
        """Forget the reports that the batch put before operators: it was committed."""
        self._placed.clear()

    def rolled_back(self, _: Batch) -> None:
        """Put the reports of the batch before operators again with the next one: it was rolled back."""
        self._concerns.extendleft(reversed(self._placed))
        self._placed.clear()


def _what(report: DeskReport) -> tuple[str, bool, Kind, Priority]:
    """Return what two reports have in common if the second one would open or lift no further alarm."""
    return report.home, report.known, report.event.kind, report.priority


def _unread(arrival: Arrival, reject: Reject, account: Account | None) -> DeskReport | None:
    """Return the report that an operator must see for bytes that could not be read, if any."""
    if account is not None and reject.id is not None:
        who, home, note = reject.id, home_of(account, reject.id), f"could not be read: {reject.text}"
    elif reject.reason is Reason.WRONG_PORT:
        who, home, note = AccountId("", "", arrival.host), arrival.host, reject.text
    else:
        return None
    event = Event(reject.kind, Phase.NEW, reject.reason.value, reject.protocol)
    priority = Priority.LIFE if reject.kind is Kind.UNREADABLE else Priority.TECHNICAL
    return DeskReport(0, who, home, event, priority, known=account is not None, note=note, account=account)


def _refused(
    signals: Sequence[Signal], account: Account, table: Mapping[Kind, Priority], text: str
) -> list[DeskReport]:
    """Return the reports that an operator must see for a frame that policy refuses."""
    reports = []
    for signal in signals:
        event, priority = weigh(signal, account, table)
        home, priority = home_of(account, signal.id), min(priority, Priority.TECHNICAL)
        note = f"refused: {text}"
        reports.append(DeskReport(0, signal.id, home, event, priority, signal.device, note=note, account=account))
    return reports


def _why(signal: Signal, reason: Reason, now_us: int) -> str:
    match reason:
        case Reason.STALE_TIME if signal.sent_at is not None:
            ahead_s = (to_us(signal.sent_at) - now_us) / SECOND_US
            return f"clock {abs(ahead_s):.0f} s {'fast' if ahead_s > 0 else 'slow'}"
        case Reason.WRONG_PORT:
            return "sent in clear to a port for TLS: set TLS in the device, or correct its port"
        case Reason.WRONG_CERTIFICATE:
            return "its certificate names another account: give the device its own, or set client_accounts"
        case Reason.PLAIN_REFUSED:
            return "sent in clear although the account has a key: set the key in the device"
        case _:
            return "the account is not registered: `vetlla accounts set` registers it"

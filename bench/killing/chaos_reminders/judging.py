"""Judges the service by what the systems around it saw, and not by its own word.

The database is asked only for what no other system can see: whether a reply was handled, whether a confirmation was
kept, and whether the service knows that it does not know what became of an SMS.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bench.killing.chaos_reminders.seen import Kind, Seen, What, shown
from vetlla.domain.clock import SECOND_US
from vetlla.domain.messages import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.killing.chaos_reminders.stored import Stored

LEAD: Final = timedelta(hours=20)
"""Of the only reminder. It is longer than all leaps of the clock, so that each reminder is of use until the end."""
LEAD_US: Final = LEAD // timedelta(microseconds=1)
DONE_US: Final = 60 * SECOND_US
"""A reminder that was due at least this long before the end must have arrived."""
SAME_PASS_US: Final = 3 * SECOND_US
"""Two questions within this time may belong to one pass, which decided by the first one."""
CALL_US: Final = 3 * SECOND_US
"""Longest time from the commit of ``sending`` to the call, on a loaded machine."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """Counts of what happened, of races that no client can avoid, and of faults."""

    appointments: int = 0
    moved: int = 0
    cancelled_by_office: int = 0
    by_whatsapp: int = 0
    by_sms: int = 0
    reminders: int = 0
    notices: int = 0
    answers: int = 0
    replies: int = 0
    """Citizens' replies for which the service gave a receipt."""
    confirmations: int = 0
    cancellations: int = 0
    cancelled_at_source: int = 0
    met_a_move: int = 0
    """Cancellations of an hour that the office had moved: the citizen is asked again."""

    by_sms_too: int = 0
    """Reminders that WhatsApp took and whose outcome the service did not know: they came by SMS in addition."""
    lost_by_unknown_sms: int = 0
    """Reminders whose SMS was cut off by a kill or a broken answer: the service says that it does not know."""
    changed_before_call: int = 0
    """Reminders of appointments that changed between the service's question and its call."""
    moved_before_delete: int = 0
    """The same between the question and the cancellation."""

    doubled: int = 0
    """Reminders, and any other messages, that one provider took twice."""
    answered_again: int = 0
    """More answers of one kind than the citizen had written replies."""
    after_delivery: int = 0
    """Reminders by SMS although the service had the report that WhatsApp delivered them."""
    wrongly_sent: int = 0
    """Reminders for an appointment that Orchestra had told to be cancelled or moved, or was not asked for."""
    wrongly_cancelled: int = 0
    """Cancellations at Orchestra that no citizen wanted, or of another hour."""
    cancelled_blindly: int = 0
    """Second cancellations of an appointment at Orchestra without a question in between."""
    lost_cancellations: int = 0
    missing: int = 0
    """Reminders that never arrived."""
    unhandled: int = 0
    """Replies with a receipt that are not in the database, or not handled."""
    unconfirmed: int = 0
    """Confirmations with a receipt that the database does not have."""
    turned_away: int = 0
    """Genuine deliveries that the service refused."""
    damages: int = 0
    """Faults of the database and of the audit chain."""
    told: list[str] = field(default_factory=list)
    """One line for each fault."""

    @property
    def faults(self) -> int:
        """Number of faults of every kind."""
        return sum(getattr(self, name) for name in FAULTS)

    def blame(self, name: str, seen: Seen, why: str) -> None:
        """Count a fault, and describe it."""
        setattr(self, name, getattr(self, name) + 1)
        self.told.append(f"{name}: {seen.phone} {why}: {seen}")


_NAMES: Final = [one.name for one in fields(Verdict)]
FAULTS: Final = tuple(_NAMES[_NAMES.index("doubled") : _NAMES.index("told")])


@dataclass(slots=True)
class _Citizen:
    """What is known of one citizen, whose telephone stands for the appointment."""

    phone: str
    name: str
    start_us: int
    is_cancelled: bool = False
    by_office: bool = False
    got: list[Seen] = field(default_factory=list)
    asked_since_delete: bool = True
    taken: dict[tuple[str, int], list[Seen]] = field(default_factory=lambda: defaultdict(list))
    """Reminders that a provider took and did not fail, by channel and hour."""
    arrived: set[int] = field(default_factory=set)
    told_us: dict[int, int] = field(default_factory=dict)
    """When the service had the report of delivery by WhatsApp, by hour."""
    replies: list[Seen] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    """How often each kind of answer was sent, by its first words."""


class Judge:
    """Goes through what was seen once."""

    def __init__(self, log: Sequence[Seen], stored: Stored) -> None:
        self.verdict = Verdict()
        self._log = log
        self._stored = stored
        self._citizens: dict[str, _Citizen] = {}
        self._kept: set[tuple[str, str]] = set()
        self._references: Counter[tuple[str, str]] = Counter()
        self._sent: dict[str, Seen] = {}

    def judge(self) -> Verdict:
        """Return the verdict."""
        steps = {
            What.BOOKED: self._booked,
            What.MOVED: self._moved,
            What.CANCELLED: self._cancelled,
            What.GOT: self._got,
            What.DELETED: self._deleted,
            What.TAKEN: self._taken,
            What.FAILED: self._failed,
            What.DELIVERED: self._delivered,
            What.CANCELS: self._replied,
            What.CONFIRMS: self._replied,
            What.KEPT: self._receipt,
            What.REPORTED: self._reported,
            What.TURNED_AWAY: self._turned_away,
        }
        for seen in self._log:
            if step := steps.get(seen.what):
                step(seen)
        self._look_at_the_end()
        return self.verdict

    # --- the appointment ----------------------------------------------------------------------------------------------

    def _booked(self, seen: Seen) -> None:
        self._citizens[seen.phone] = _Citizen(seen.phone, seen.id, seen.start_us)
        self.verdict.appointments += 1

    def _moved(self, seen: Seen) -> None:
        self._citizens[seen.phone].start_us = seen.start_us
        self.verdict.moved += 1

    def _cancelled(self, seen: Seen) -> None:
        citizen = self._citizens[seen.phone]
        citizen.is_cancelled = citizen.by_office = True
        self.verdict.cancelled_by_office += 1

    def _got(self, seen: Seen) -> None:
        citizen = self._citizens[seen.phone]
        citizen.got.append(seen)
        citizen.asked_since_delete = True

    def _deleted(self, seen: Seen) -> None:
        citizen, verdict = self._citizens[seen.phone], self.verdict
        if not citizen.asked_since_delete:
            verdict.blame("cancelled_blindly", seen, "no question since the last one")
        citizen.asked_since_delete = False
        wishes = [one for one in citizen.replies if one.what is What.CANCELS]
        last = citizen.got[-1].start_us if citizen.got else 0
        # A button means the hour of its message. Words mean the hour that the service knows of, which it asked for.
        meant = {one.start_us for one in wishes if one.is_button} | ({last} if not all_buttons(wishes) else set())
        if not wishes or last == 0 or last not in meant:
            verdict.blame("wrongly_cancelled", seen, f"Orchestra said {shown_or_gone(last)}, wishes {wishes}")
        elif last != seen.start_us:
            verdict.moved_before_delete += 1
        if seen.detail == "204":
            citizen.is_cancelled = True
            verdict.cancelled_at_source += 1

    # --- messages -----------------------------------------------------------------------------------------------------

    def _taken(self, seen: Seen) -> None:
        verdict = self.verdict
        verdict.by_whatsapp += seen.channel == Channel.WHATSAPP
        verdict.by_sms += seen.channel == Channel.SMS
        verdict.reminders += seen.kind is Kind.REMINDER
        verdict.notices += seen.kind is Kind.NOTICE
        verdict.answers += seen.kind is Kind.ANSWER
        self._sent[seen.id] = seen
        self._references[seen.channel, seen.detail] += 1
        citizen = self._citizens[seen.phone]
        if self._references[seen.channel, seen.detail] > 1 or not seen.detail:
            verdict.blame("doubled", seen, "the reference was taken before")
        elif seen.kind is Kind.REMINDER:
            self._reminded(citizen, seen)
        elif seen.kind is Kind.ANSWER:
            citizen.answers[seen.words] += 1
            if citizen.answers[seen.words] > len(citizen.replies):
                verdict.blame("answered_again", seen, f"after {len(citizen.replies)} replies")

    def _reminded(self, citizen: _Citizen, seen: Seen) -> None:
        verdict = self.verdict
        before = citizen.taken[seen.channel, seen.start_us]
        if before:
            verdict.blame("doubled", seen, f"before as {before}")
        before.append(seen)
        other = Channel.WHATSAPP if seen.channel == Channel.SMS else Channel.SMS
        verdict.by_sms_too += bool(citizen.taken.get((other, seen.start_us)))
        told_us = citizen.told_us.get(seen.start_us)
        if seen.channel == Channel.SMS and told_us is not None and told_us + SAME_PASS_US < seen.at_us:
            verdict.blame("after_delivery", seen, "WhatsApp's report had come")
        if not citizen.got:
            verdict.blame("wrongly_sent", seen, "Orchestra was not asked")
            return
        last = citizen.got[-1]
        recent = [one.start_us for one in citizen.got if one.at_us + SAME_PASS_US >= seen.at_us] or [last.start_us]
        if seen.start_us not in recent:
            verdict.blame("wrongly_sent", seen, f"Orchestra said {shown_or_gone(last.start_us)}")
        elif citizen.is_cancelled or citizen.start_us != seen.start_us:
            verdict.changed_before_call += 1

    def _failed(self, seen: Seen) -> None:
        if seen.kind is Kind.REMINDER:
            some = self._citizens[seen.phone].taken[seen.channel, seen.start_us]
            some[:] = [one for one in some if one.id != seen.id]

    def _delivered(self, seen: Seen) -> None:
        if seen.kind is Kind.REMINDER:
            self._citizens[seen.phone].arrived.add(seen.start_us)

    def _reported(self, seen: Seen) -> None:
        sent = self._sent.get(seen.id)
        if sent is not None and sent.kind is Kind.REMINDER and sent.channel == Channel.WHATSAPP:
            self._citizens[sent.phone].told_us.setdefault(sent.start_us, seen.at_us)

    # --- replies ------------------------------------------------------------------------------------------------------

    def _replied(self, seen: Seen) -> None:
        self._citizens[seen.phone].replies.append(seen)

    def _receipt(self, seen: Seen) -> None:
        self._kept.add((seen.channel, seen.id))

    def _turned_away(self, seen: Seen) -> None:
        self.verdict.blame("turned_away", seen, "a genuine delivery")

    # --- at the end ---------------------------------------------------------------------------------------------------

    def _look_at_the_end(self) -> None:
        verdict, end_us = self.verdict, self._log[-1].at_us if self._log else 0
        for citizen in self._citizens.values():
            if not citizen.is_cancelled and citizen.start_us not in citizen.arrived:
                self._not_arrived(citizen, end_us)
            for reply in citizen.replies:
                if (reply.channel, reply.id) in self._kept:
                    self._look_at_reply(citizen, reply)
        verdict.damages = len(self._stored.damages)
        verdict.told += [f"damages: {one}" for one in self._stored.damages]

    def _not_arrived(self, citizen: _Citizen, end_us: int) -> None:
        if citizen.start_us - LEAD_US + DONE_US > end_us:
            return
        breaks = [
            seen.at_us
            for seen in self._log
            if seen.what is What.KILLED or (seen.what is What.BROKEN and seen.channel == Channel.SMS)
        ]
        asked = self._stored.unknown_sms.get((citizen.name, citizen.start_us), ())
        if any(0 <= at_us - one <= CALL_US for one in asked for at_us in breaks):
            self.verdict.lost_by_unknown_sms += 1
        else:
            nothing = Seen(What.TAKEN, end_us, citizen.phone, citizen.start_us)
            self.verdict.blame("missing", nothing, f"{shown(citizen.start_us)}, SMS of unknown outcome: {asked}")

    def _look_at_reply(self, citizen: _Citizen, reply: Seen) -> None:
        verdict = self.verdict
        verdict.replies += 1
        if (reply.channel, reply.id) not in self._stored.handled:
            verdict.blame("unhandled", reply, "it had a receipt")
        if reply.what is What.CANCELS:
            verdict.cancellations += 1
            if not citizen.is_cancelled and citizen.start_us == reply.start_us:
                verdict.blame("lost_cancellations", reply, "the appointment is still booked")
            verdict.met_a_move += not citizen.is_cancelled and citizen.start_us != reply.start_us
            return
        verdict.confirmations += 1
        is_firm = reply.is_button and citizen.start_us == reply.start_us and not citizen.is_cancelled
        if is_firm and self._stored.confirmed.get(citizen.name) != reply.start_us:
            verdict.blame("unconfirmed", reply, "the hour is not confirmed")


def all_buttons(replies: Iterable[Seen]) -> bool:
    """Return True if no reply is in words."""
    return all(one.is_button for one in replies)


def shown_or_gone(start_us: int) -> str:
    """Return an hour as messages show it, or that the appointment was gone."""
    return shown(start_us) if start_us else "gone"

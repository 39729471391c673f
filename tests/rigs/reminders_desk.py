"""The reminders' database as people of the city find it: appointments, messages of each kind, replies in the inbox."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from tests.rigs.reminders import SOURCE, FakeProvider, FakeSource, appointment, key
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Channel, Delivery, DeliveryReport, IncomingReply, MessageKind
from vetlla.domain.outbox import MessageKey, PlannedMessage
from vetlla.service.reminders.steps import RulesBook
from vetlla.store.reminders import outbox, replies
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders import outcomes, polling, sending
from vetlla.tasks.reminders.rules import SendRules
from vetlla.tasks.reminders.texts import load_offices

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

ANNA = "+34600000001"
BIEL = "+34600000002"
OFFICE = next(iter(load_offices().offices))
"""An office of the shipped file, so that its texts have all values."""
DAY = timedelta(days=1)
SENDING = SendRules(book=RulesBook(), tables={}, conversations_in_24h=1_000)


class DeskWorld:
    """A database, an office's source, and a provider."""

    def __init__(self, db: sqlite3.Connection, now: datetime) -> None:
        self.db = db
        self.now = now
        self.source = FakeSource()
        self.provider = FakeProvider()
        self._numbers = count(1)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, now: datetime) -> Iterator[DeskWorld]:
        """Open, or make, the database of a folder."""
        with opened(folder, ManualClock(now)) as db:
            yield cls(db, now)

    def live(self) -> None:
        """Book a1 and a2 of Anna and b1 of Biel; remind of a1, which is delivered, and of b1, which waits.

        Anna writes by WhatsApp (reply 1) and Biel by SMS (reply 2) what only a person understands.
        """
        self.book("a1", ANNA, 1)
        self.book("a2", ANNA, 2)
        self.book("b1", BIEL, 1)
        self.poll()
        self.remind("a1", ANNA, 1)
        self.send()
        self.remind("b1", BIEL, 1)
        self.writes(ANNA, "Quina documentació he de portar?", Channel.WHATSAPP)
        self.writes(BIEL, "Doncs allà em tindreu", Channel.SMS)

    def book(self, name: str, phone: str, days: int) -> None:
        """Book an appointment some days from now."""
        self.source.put(appointment(name, self.now + days * DAY, office=OFFICE, phone=phone))

    def poll(self) -> None:
        """Keep what the source has."""
        polling.apply_poll(self.db, SOURCE, replace(self.source.poll(self.now), office=OFFICE), RulesBook(), self.now)

    def remind(self, name: str, phone: str, days: int) -> None:
        """Plan a reminder for now."""
        plan = PlannedMessage(
            key=MessageKey(key(name), self.now + days * DAY, "24h"),
            kind=MessageKind.REMINDER,
            office=OFFICE,
            due=self.now,
            useful_until=self.now + days * DAY,
            phone=phone,
            channel=Channel.WHATSAPP,
        )
        with atomic(self.db):
            outbox.plan(self.db, [plan], self.now)

    def send(self) -> None:
        """Send what is due, and let the provider deliver it."""
        taken = sending.take(self.db, "tests", self.now)
        with atomic(self.db):
            for one in taken:
                assert outbox.begin_sending(
                    self.db,
                    one,
                    Channel.WHATSAPP,
                    self.now,
                    citizen=self.citizen(one.plan.phone),
                    gateway="meta",
                    text="Teniu cita",
                    template="recordatori",
                    language="ca",
                    segments=0,
                    fallback_at=None,
                    opens=True,
                )
                outbox.accepted(self.db, one, f"id-{one.id}", self.now, opens=True)
        for one in taken:
            report = DeliveryReport(provider_id=f"id-{one.id}", delivery=Delivery.DELIVERED, at=self.now)
            outcomes.take_reports(self.db, Channel.WHATSAPP, [report], SENDING, self.now)

    def writes(self, phone: str, text: str, channel: Channel, *, context: str = "") -> int:
        """Let a citizen write what goes before a person; return the number of the reply."""
        reply = IncomingReply(
            provider_id=f"in-{next(self._numbers)}",
            channel=channel,
            at=self.now,
            phone=phone,
            text=text,
            context=context,
        )
        with atomic(self.db):
            assert replies.keep_reply(self.db, reply, self.now)
            number = replies.open_replies(self.db, 1_000)[-1].id
            replies.to_inbox(self.db, number, "not understood", self.now)
            replies.handled(self.db, number, "inbox", self.now, intent="none", message=1 if phone == ANNA else None)
        return number

    def citizen(self, phone: str) -> int:
        """Return the row's id of a telephone."""
        row = self.db.execute("SELECT id FROM citizens WHERE phone = ?", (phone,)).fetchone()
        return int(row["id"])

    def answers(self) -> list[tuple[str, str]]:
        """Return channel and text of the answers that are planned."""
        rows = self.db.execute("SELECT only_channel, text FROM outbox WHERE kind = 'answer' ORDER BY id")
        return [(row["only_channel"], row["text"]) for row in rows]

    def audited(self) -> list[tuple[str, str]]:
        """Return action and subject of the audit's records."""
        rows = self.db.execute("SELECT action, subject FROM audit ORDER BY id")
        return [(row["action"], row["subject"]) for row in rows]

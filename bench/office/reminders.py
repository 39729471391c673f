"""The reminders of a large service: a poll's comparison, a planning pass, and the outbox.

python -m bench.office.reminders [--appointments 100000] [--offices 300] [--messages 2000] [--folder /var/tmp]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.rig.machine import describe
from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import Accepted, Channel, Delivery, DeliveryReport, Outgoing
from vetlla.gateways.contracts import Poll
from vetlla.gateways.sms.twilio import failure_table as twilio_failures
from vetlla.gateways.whatsapp.errors import failure_table as whatsapp_failures
from vetlla.service.reminders.steps import RulesBook, Step, StepRules
from vetlla.store.reminders.opening import opened
from vetlla.tasks.reminders import outcomes, polling, sending
from vetlla.tasks.reminders.rules import SendRules
from vetlla.tasks.reminders.sending import Rendered

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.domain.outbox import PlannedMessage
    from vetlla.tasks.reminders.sending import WantedMessage

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOURCE = "bench"
RULES = StepRules(steps=tuple(Step(f"{hours}h", timedelta(hours=hours)) for hours in (72, 48, 24, 2)))
SEND = SendRules(
    book=RulesBook(default=RULES),
    tables={Channel.WHATSAPP: whatsapp_failures(), Channel.SMS: twilio_failures()},
    conversations_in_24h=10_000_000,
)
DAYS = 10


def main() -> None:
    """Run all measurements and print the figures."""
    parser = argparse.ArgumentParser(description="The reminders of a large service.")
    parser.add_argument("--appointments", type=int, default=100_000)
    parser.add_argument("--offices", type=int, default=300)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    with (
        tempfile.TemporaryDirectory(prefix="vetlla-bench-", dir=asked.folder) as folder,
        opened(Path(folder), ManualClock(NOW)) as db,
    ):
        polls = _polls(asked.appointments, asked.offices)
        moved = _moved(polls)
        for name, some in (
            ("first polls, all new", polls),
            ("polls that change nothing", polls),
            ("one of a hundred moved", moved),
        ):
            with _timed(out, name):
                _polled(db, some)
        for name in ("first planning pass", "planning pass again"):
            with _timed(out, name):
                count = polling.plan_due(db, SEND.book, NOW)
            out.print(f"  {count:,} messages")
        began = time.perf_counter()
        with _timed(out, "outbox, each message with two reports"):
            sent = _dispatch(db, asked.messages)
        out.print(f"  {sent:,} messages, {sent / (time.perf_counter() - began):,.0f}/s")


@contextmanager
def _timed(out: Console, name: str) -> Iterator[None]:
    """Print how long something takes, on the wall and of the processor: other work on the machine takes part of it."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    out.print(f"{name}: {wall:.1f} s, {processor:.1f} s of the processor")


def _polls(count: int, offices: int) -> list[Poll]:
    by_office: dict[str, list[Appointment]] = {str(n): [] for n in range(offices)}
    for n in range(count):
        day, slot = divmod(n // offices, 60)
        start = NOW.replace(hour=8, minute=0) + timedelta(days=day % DAYS + 1, minutes=10 * slot)
        by_office[str(n % offices)].append(
            Appointment(
                key=AppointmentKey(SOURCE, f"{n:064x}"),
                office=str(n % offices),
                start=start,
                end=start + timedelta(minutes=10),
                zone="Europe/Madrid",
                status=AppointmentStatus.CREATED,
                status_given="20",
                services=(BookedService("padro", "Alta padró"),),
                phone=f"+346{n:08d}",
                phone_given=f"6{n:08d}",
                consented_at=NOW,
            )
        )
    first, last = NOW.date(), NOW.date() + timedelta(days=DAYS + 2)
    return [Poll(office=name, first=first, last=last, appointments=tuple(some)) for name, some in by_office.items()]


def _moved(polls: list[Poll]) -> list[Poll]:
    def shifted(number: int, one: Appointment) -> Appointment:
        if number % 100:
            return one
        values = {name: getattr(one, name) for name in Appointment.__slots__}
        return Appointment(**(values | {"start": one.start + timedelta(hours=1)}))

    return [
        Poll(
            office=poll.office,
            first=poll.first,
            last=poll.last,
            appointments=tuple(shifted(number, one) for number, one in enumerate(poll.appointments)),
        )
        for poll in polls
    ]


def _polled(db: sqlite3.Connection, polls: list[Poll]) -> None:
    for poll in polls:
        polling.apply_poll(db, SOURCE, poll, SEND.book, NOW)


def _render(_: WantedMessage) -> Rendered:
    return Rendered(Outgoing(reference="", phone="", text="Recordatori", template="recordatori"), "bench")


def _dispatch(db: sqlite3.Connection, limit: int) -> int:
    """Send messages as the daemon does, with an ideal source and provider."""
    sent, now = 0, NOW
    while sent < limit:
        taken = sending.take(db, "bench", now)
        if not taken:
            break
        ready = sending.settle(db, [(one, _fresh(one.plan)) for one in taken], SEND, now, _render)
        results: list[tuple[sending.Ready, outcomes.Result]] = [
            (one, Accepted(f"wamid.{one.message.id}")) for one in ready
        ]
        outcomes.finish(db, results, SEND, now)
        for delivery in (Delivery.SENT, Delivery.DELIVERED):
            reports = [
                DeliveryReport(provider_id=f"wamid.{one.message.id}", delivery=delivery, at=now) for one in ready
            ]
            outcomes.take_reports(db, Channel.WHATSAPP, reports, SEND, now)
        sent += len(ready)
    return sent


def _fresh(plan: PlannedMessage) -> Appointment:
    return Appointment(
        key=plan.key.appointment,
        office=plan.office,
        start=plan.key.start,
        end=plan.key.start,
        zone="Europe/Madrid",
        status=AppointmentStatus.CREATED,
        phone=plan.phone,
        consented_at=NOW,
    )


if __name__ == "__main__":
    main()

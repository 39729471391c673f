"""What the service really writes is what the report counts: from the poll to the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.rigs.reminders import NOW, appointment, render
from tests.tasks.reminders.machine import SEND, World
from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.messages import Delivery
from vetlla.service.reminders.arms import is_held_back
from vetlla.service.reminders.rates import RateCard
from vetlla.tasks.reminders import report, sending

if TYPE_CHECKING:
    from vetlla.domain.figures import CellValue
    from vetlla.service.reminders.report.report import PeriodReport
    from vetlla.tasks.reminders.rules import SendRules

NOVEMBER = report.period_of(date(2026, 11, 1), date(2026, 11, 30))
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def figures(made: PeriodReport, table: str, column: str) -> dict[CellValue, dict[str, CellValue]]:
    """Return the rows of a table by the value of a column."""
    return {row[column]: row for row in made.table(table).records()}


def settled(world: World, rules: SendRules) -> None:
    """Decide about what is due, and hand nothing over."""
    taken = [(one, world.source.get(one.plan.key.appointment)) for one in world.taken()]
    sending.settle(world.db, taken, rules, world.now, render)


def test_a_delivered_reminder_and_a_missed_appointment_are_in_the_report(world: World) -> None:
    world.sent(world.taken())
    world.report(0, Delivery.DELIVERED)
    (one,) = world.source.appointments.values()
    world.now = one.start + timedelta(hours=1)
    world.source.put(replace(one, status=AppointmentStatus.NO_SHOW))
    world.poll()
    made = report.report(world.db, NOVEMBER, RateCard(), LATER)
    whatsapp = figures(made, "channels", "channel")["whatsapp"]
    assert (whatsapp["used"], whatsapp["delivered"], whatsapp["conversations"]) == (1, 1, 1)
    group = figures(made, "groups", "group")["no_answer"]
    assert (group["appointments"], group["no_show"], group["no_show_share"]) == (1, 1, Decimal(1))
    assert figures(made, "days", "day")[NOW.date()]["whatsapp"] == 1


def test_the_groups_are_those_that_chance_made(world: World) -> None:
    """The draw is that of the rule; a citizen without telephone never comes to it."""
    rules = replace(SEND, held_back=0.5, arms_secret=b"invented")
    start = NOW + timedelta(hours=24)
    world.source.put(*(appointment(number, start, phone=f"+346000000{number:02}") for number in range(10, 30)))
    world.source.put(appointment("without", start, phone=""))
    world.poll()
    world.plan()
    for _ in range(2):  # a batch holds fewer
        settled(world, rules)
    held = sum(is_held_back(one, 0.5, b"invented") for one in world.source.appointments if one.id != "without")
    found = report.arms(world.db, NOVEMBER, Decimal(5), LATER)
    assert found is not None
    assert 0 < held < 21
    assert (found.held_back.appointments, found.reminded.appointments) == (held, 21 - held)
    assert found.period.first == found.period.last == start.date()


def test_without_a_share_there_are_no_groups(world: World) -> None:
    settled(world, SEND)
    assert report.arms(world.db, NOVEMBER, Decimal(5), LATER) is None

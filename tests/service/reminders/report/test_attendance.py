"""Who came, who answered, and which places were freed, on small cases counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from vetlla.domain.reminder_counts import AppointmentCount, FreedPlace, Presence, Reminding, ReportPeriod
from vetlla.service.reminders.report import attendance

HOUR_US = 3_600_000_000


def some(
    number: int,
    presence: Presence,
    reminding: Reminding = Reminding.REMINDED,
    *,
    office: str = "46",
    why: str = "",
    confirmed: bool = False,
) -> AppointmentCount:
    """Return a count of appointments."""
    return AppointmentCount(office, presence, reminding, why, confirmed, is_drawn=True, appointments=number)


COUNTS = (
    some(40, Presence.CAME, confirmed=True),
    some(2, Presence.NO_SHOW, confirmed=True),
    some(1, Presence.CANCELLED_BY_CITIZEN, confirmed=True),
    some(30, Presence.CAME),
    some(10, Presence.NO_SHOW),
    some(6, Presence.CANCELLED_BY_CITIZEN),
    some(3, Presence.CANCELLED_ELSEWHERE),
    some(5, Presence.UNMARKED),
    some(2, Presence.RESET),
    some(8, Presence.TO_COME),
    some(4, Presence.CAME, Reminding.NOT_SENT, why="no_phone", office="47"),
    some(1, Presence.NO_SHOW, Reminding.NOT_SENT, why="no_phone", office="47"),
    some(2, Presence.NO_SHOW, Reminding.HELD_BACK, office="47"),
    some(1, Presence.CAME, Reminding.NOT_REACHED, office="47"),
    some(3, Presence.OTHER, Reminding.NONE, office="47"),
)


def test_a_no_show_is_counted_of_those_known_to_have_come_or_not() -> None:
    rate = attendance.no_show(COUNTS, unmarked=False)
    assert (rate.part, rate.whole, rate.value) == (15, 90, Decimal("0.1667"))


def test_an_office_that_marks_nothing_can_let_its_bookings_count_as_no_shows() -> None:
    rate = attendance.no_show(COUNTS, unmarked=True)
    assert (rate.part, rate.whole) == (20, 95)


def test_groups_have_their_unknown_ends_beside_the_share() -> None:
    rows = {row[:2]: row[2:7] for row in attendance.by_group(COUNTS, unmarked=False).rows}
    assert rows == {
        ("confirmed", ""): (43, 40, 2, 0, Decimal("0.0476")),
        ("no_answer", ""): (64, 30, 10, 7, Decimal("0.2500")),
        ("not_reached", ""): (1, 1, 0, 0, Decimal("0.0000")),
        ("not_sent", "no_phone"): (5, 4, 1, 0, Decimal("0.2000")),
        ("none", ""): (3, 0, 0, 3, None),
        ("held_back", ""): (2, 0, 2, 0, Decimal("1.0000")),
    }
    assert sum(row[2] for row in attendance.by_group(COUNTS, unmarked=False).rows if isinstance(row[2], int)) == 118


def test_the_last_decision_of_a_citizen_counts() -> None:
    """One citizen confirmed and cancelled later: that is a cancellation."""
    rows = {row[0]: row[1:] for row in attendance.answers(COUNTS).rows}
    assert rows["confirmed"] == (42, Decimal("0.3925"))
    assert rows["cancelled_by_citizen"] == (7, Decimal("0.0654"))
    assert rows["cancelled_elsewhere"] == (3, Decimal("0.0280"))
    assert rows["no_answer"] == (55, Decimal("0.5140"))
    assert rows["total"] == (107, Decimal("1.0000"))


def test_every_appointment_has_one_end() -> None:
    *ends, total = attendance.ends(COUNTS).rows
    assert [row[0] for row in ends] == [one.value for one in Presence]
    assert sum(row[1] for row in ends if isinstance(row[1], int)) == total[1] == 118


def test_places_are_told_by_how_long_before_the_hour_they_were_freed() -> None:
    places = [
        FreedPlace(Presence.CANCELLED_BY_CITIZEN, hours * HOUR_US // 2)
        for hours in (96, 48, 47, 4, 3, -1)
    ]  # fmt: skip
    citizen, elsewhere, total = attendance.freed([*places, FreedPlace(Presence.CANCELLED_ELSEWHERE, 0)]).rows
    assert citizen == ("cancelled_by_citizen", 5, 2, 2, 1, Decimal("23.5"), 1)
    assert elsewhere == ("cancelled_elsewhere", 0, 0, 0, 0, None, 1)
    assert total == ("total", 5, 2, 2, 1, Decimal("23.5"), 2)


def test_offices_have_a_row_each() -> None:
    rows = attendance.by_office(COUNTS, unmarked=False).rows
    assert [row[:8] for row in rows] == [("46", 107, 107, 42, 7, 70, 12, 7), ("47", 11, 0, 0, 0, 5, 3, 3)]


def test_two_periods_are_compared_in_all_and_by_office() -> None:
    earlier, later = (
        ReportPeriod(first=date(2026, month, 1), last=date(2026, month, 30), begin=datetime(2026, month, 1, tzinfo=UTC),
               end=datetime(2026, month + 1, 1, tzinfo=UTC)) for month in (9, 11)
    )  # fmt: skip
    before = (some(60, Presence.CAME), some(40, Presence.NO_SHOW))
    table = attendance.compared(before, COUNTS, (earlier, later), unmarked=False)
    assert [row[:2] for row in table.rows] == [
        ("total", earlier.first), ("total", later.first), ("46", earlier.first), ("46", later.first),
        ("47", earlier.first), ("47", later.first),
    ]  # fmt: skip
    total = table.records()[1]
    assert total["change"] == Decimal("-0.2333")
    assert total["change_high"] is not None
    assert table.records()[0]["change"] is None
    assert table.records()[-1]["change"] is None  # the office had no appointment before

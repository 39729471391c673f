"""The tables of the monthly report, each against values that were counted by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.rigs.homes_on_record import RULES, us
from vetlla.domain.clock import DAY_US, MINUTE_US
from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.devices import DeviceType, MovementKind
from vetlla.domain.duties import DutyEvent, NewEvent
from vetlla.domain.homes import Home, Period, Person, UserType
from vetlla.domain.sanctions import ActionEvent
from vetlla.domain.service_levels import BreachReason, GroupedBy, LevelBreach, LevelFigure, LevelGroup, LevelVerdict
from vetlla.service.activity import communications, contract, devices, duties, emergencies, people, proofs
from vetlla.service.activity.devices import Ending
from vetlla.service.activity.proofs import SeenOutage
from vetlla.service.custody.chain import KEY, chain
from vetlla.service.dispatch.emergency import emergency
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing
from vetlla.service.homes.attended import DaySpan
from vetlla.service.inventory.report import Total
from vetlla.service.probes.availability import ComponentTime
from vetlla.service.sanctions.corrective import actions

if TYPE_CHECKING:
    from vetlla.domain.duties import Duty

FIRST, LAST = date(2025, 10, 1), date(2025, 10, 31)
ZONE = ZoneInfo("Europe/Madrid")


def home(code: str, *active: Period, level: int = 1, suspended: tuple[Period, ...] = ()) -> Home:
    """Return a home of base NORD in district 01."""
    return Home(code=code, district="01", base="NORD", level=level, alone=True, active=active, suspended=suspended)


def duty(kind: str, *events: tuple[str, str]) -> Duty:
    """Return the duty of some events, each with its time in UTC."""
    made = [
        DutyEvent(number, NewEvent(kind, "H1", name, us(at), ref="R"), "a test", us(at))
        for number, (name, at) in enumerate(events, 1)
    ]
    (found,) = group(RULES.kinds.kind(kind), made).duties
    return found


# --- people -----------------------------------------------------------------------------------------------------------


def test_states_are_those_of_the_day_and_a_home_that_is_out_is_in_no_row() -> None:
    found = people.homes_in_service(
        [
            home("H1", Period(date(2018, 1, 1))),
            home("H2", Period(date(2018, 1, 1)), level=3, suspended=(Period(LAST, LAST),)),
            home("H3", Period(date(2018, 1, 1), date(2025, 10, 30)), level=2),
        ],
        LAST,
    )
    assert [row for row in found.rows if row[0] in {"level", "total"}] == [
        ("level", "1", 1, 0, 1),
        ("level", "3", 0, 1, 1),
        ("total", "", 1, 1, 2),
    ]


def test_who_comes_back_joins_again_and_the_edges_of_the_month_count() -> None:
    homes = {
        "H1": home("H1", Period(date(2018, 1, 1), FIRST), Period(date(2025, 10, 15), LAST)),
        "H2": home("H2", Period(FIRST)),
        "H3": home("H3", Period(date(2018, 1, 1), date(2025, 9, 30)), Period(date(2025, 11, 1))),
        "H4": home("H4", Period(LAST)),
    }
    own = (Period(date(2025, 10, 3), date(2025, 10, 4)),)
    everyone = [
        Person(code="P1", home="H1", user_type=UserType.A),
        Person(code="P2", home="H3", user_type=UserType.A, active=own),
        Person(code="P3", home="H9", user_type=UserType.A, active=own),
    ]
    found = people.changes(homes, everyone, DaySpan(FIRST, LAST), people.Attended(2, 3))
    assert found.rows == (("homes", 3, 2, 2), ("people", 2, 3, 3))


# --- communications ---------------------------------------------------------------------------------------------------


def signal(priority: str, **said: Any) -> Communication:  # noqa: ANN401 - any field
    """Return a signal that an operator answers."""
    values = {"is_routine": False, "on_test": False, **said}
    return Communication(CommunicationSource.TERMINAL, 1, "H1", 0, priority, 1, 1, None, was_abandoned=False, **values)


def test_signals_by_priority() -> None:
    found = communications.signals(
        [signal("technical"), signal("life"), signal("life", on_test=True), signal("routine", is_routine=True)]
    )
    assert found.rows == (("life", 2, 2, 1), ("technical", 1, 1, 0), ("routine", 1, 0, 0), ("total", 4, 3, 1))


# --- emergencies ------------------------------------------------------------------------------------------------------


def test_minutes_are_rounded_up_and_what_goes_on_as_type_ii_is_not_there() -> None:
    found = [
        duty("umo_1", ("communicated", "2025-10-06T09:00"), ("access", "2025-10-06T09:30:00.000001")),
        duty("umo_1", ("communicated", "2025-10-06T08:00"), ("retyped", "2025-10-06T08:10")),
        duty(
            "umo_1",
            ("communicated", "2025-10-06T07:00"),
        ),
        duty("umo_1", ("communicated", "2025-10-06T06:00"), ("access", "2025-10-06T06:30")),
    ]
    made = [emergency(standing(one, RULES, us("2025-10-06T10:00"))) for one in found]
    rows = emergencies.proof(made, lambda _: 30 * MINUTE_US, ZONE).rows
    assert [row[5:] for row in rows] == [
        (Decimal("30.0"), "yes", "yes", "kept"),
        (None, "no", "no", "breached"),
        (Decimal("30.1"), "no", "yes", "kept"),
    ]
    assert str(rows[0][2]) == "2025-10-06 08:00:00+02:00"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_acts_that_were_not_possible_are_not_counted() -> None:
    key = chain(
        duty(
            KEY,
            ("ceded", "2025-10-01T09:00"),
            ("brought_back", "2025-10-02T09:00"),
            ("taken", "2025-10-03T09:00"),
            ("note", "2025-10-03T10:00"),
            ("lost", "2025-11-03T09:00"),
        )
    )
    found = duties.key_acts([key], us("2025-10-01T00:00"), us("2025-10-31T00:00"))
    assert found.rows == (("ceded", 1), ("taken", 1))
    assert duties.keys([key]).rows == (("lost", 1), ("total", 1))


# --- devices ----------------------------------------------------------------------------------------------------------


def test_a_type_of_one_owner_has_no_sum() -> None:
    found = devices.inventory(
        [
            Total("ucr", "municipal", 5, 1),
            Total("ucr", "leased", 2, 0),
            Total("ucr", "all", 7, 1),
            Total("smoke", "leased", 1, 0),
            Total("smoke", "all", 1, 0),
            Total("all", "leased", 3, 0),
            Total("all", "all", 8, 1),
        ]
    )
    assert [row[:2] for row in found.rows] == [
        ("ucr", "municipal"),
        ("ucr", "leased"),
        ("ucr", "all"),
        ("smoke", "leased"),
        ("all", "leased"),
        ("total", ""),
    ]


def test_a_life_that_ends_on_the_day_is_over() -> None:
    ends = [Ending(DeviceType.UCR, LAST), Ending(DeviceType.UCR, date(2025, 11, 1))]
    moved = {(MovementKind.REPLACES, DeviceType.UCR): 3, (MovementKind.INSTALLED, DeviceType.GAS): 9}
    found = devices.renewals(moved, ends, LAST)
    assert found.rows == (("ucr", 3, 1, 1), ("total", 3, 1, 1))
    assert devices.movements(moved).rows == (("installed", "gas", 9), ("replaces", "ucr", 3))


# --- proofs -----------------------------------------------------------------------------------------------------------


def test_silent_devices_have_their_days_and_their_longest_silence() -> None:
    def breach(account: str, minutes: int) -> LevelBreach:
        return LevelBreach("terminal", "", "H1", account, BreachReason.NOT_CHECKED, measured_us=minutes * MINUTE_US)

    figure = LevelFigure(
        ans=13,
        month=FIRST,
        parts=(),
        verdict=LevelVerdict.NOT_KEPT,
        breaches=(breach("4C01", 90), breach("4C02", 300), breach("4C01", 60)),
        groups=(
            LevelGroup(GroupedBy.DAY, "2025-10-01", 8, 11),
            LevelGroup(GroupedBy.KIND, "terminal", 3, 6),
            LevelGroup(GroupedBy.KIND, "ucr", 5, 5),
        ),
    )
    assert proofs.silent(figure).rows == (("4C01", "terminal", "H1", 2, 90), ("4C02", "terminal", "H1", 1, 300))
    assert proofs.checks(figure).rows == (("terminal", 3, 6, 3), ("ucr", 5, 5, 0), ("total", 8, 11, 3))


def test_the_time_of_components_and_outages() -> None:
    time = ComponentTime(available_us=3 * MINUTE_US, unavailable_us=MINUTE_US, unseen_us=4 * MINUTE_US)
    assert proofs.availability({18: {"window": time}}).rows == (
        ("window", "ANS 18", Decimal("3.0"), Decimal("1.0"), Decimal("4.0"), Decimal("0.375")),
    )
    (row,) = proofs.outages([SeenOutage("window", 0, 90_000_000, "unavailable", "")], ZONE).rows
    assert (row[0], str(row[1]), row[3:]) == (
        "window",
        "1970-01-01 01:00:00+01:00",
        (Decimal("1.5"), "unavailable", None),
    )


# --- contract ---------------------------------------------------------------------------------------------------------


def test_only_faults_of_the_month_and_actions_that_stood_in_it() -> None:
    row = {"fault": "S1", "class": "minor", "clause": "17", "about": "ANS 3", "ceiling": "12.50", "actions": [1]}
    rows = [row | {"day": day} for day in ("2025-09-30", "2025-10-01", "2025-10-31", "2025-11-01")]
    found = contract.faults(rows, FIRST, LAST)
    assert found.column("reached") == [FIRST, LAST]
    assert found.rows[0][-2:] == (Decimal("12.50"), 1)

    begin_us = us("2025-10-01T00:00")

    def told(number: int, action: int, event: str, at_us: int) -> ActionEvent:
        return ActionEvent(
            number, action, event, "ANS 3", "more calls", "Q1", date(2025, 10, 20), at_us, "", "Q1", at_us
        )

    events = [
        told(1, 0, "planned", begin_us - 9 * DAY_US),
        told(2, 0, "planned", begin_us - 9 * DAY_US),
        told(3, 0, "planned", begin_us - 9 * DAY_US),
        told(4, 2, "done", begin_us),
        told(5, 3, "withdrawn", begin_us - 1),
    ]
    found = contract.corrective(actions(events, LAST), begin_us)
    assert [(one[0], one[-1]) for one in found.rows] == [(1, "overdue"), (2, "done")]

"""What the parsers of both shapes make of the fields, in all forms in which Orchestra writes them."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.qmatic import MADRID, calendar_row, of_calendar, of_queue, queue_row, recorded
from vetlla.domain.appointments import EXPECTED, AppointmentStatus
from vetlla.gateways.qmatic.calendar_shape import calendar_appointment
from vetlla.gateways.qmatic.fields import UnreadableFieldError
from vetlla.gateways.qmatic.moments import moment_of, zone_of
from vetlla.simulator.qmatic.calendar_rows import time_of
from vetlla.simulator.qmatic.faults import OrchestraFaults, TimeForm
from vetlla.simulator.qmatic.world import invented

HALF_PAST_NINE = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_the_recorded_appointment_of_the_calendar_is_read_whole() -> None:
    found = of_calendar()
    assert found.key == ("omac", recorded("calendar-list")["body"]["appointmentList"][0]["publicId"])
    assert found.start == HALF_PAST_NINE
    assert (found.end - found.start).total_seconds() == 600
    assert found.zone == "Europe/Madrid"
    assert found.status is AppointmentStatus.CREATED
    assert found.status_given == "20"
    assert found.services == (("Padro_alta", "Alta al padró", True),)
    assert found.phone == "+34600000001"
    assert found.language is None
    assert found.updated_at == datetime(2025, 11, 21, 9, 5, 14, 236_000, tzinfo=UTC)


def test_the_recorded_appointment_of_the_queue_side_is_read_whole() -> None:
    found = of_queue()
    assert found.key == ("omac", "46/4711")
    assert found.office == "46"
    assert found.start == HALF_PAST_NINE  # 10:30 on the wall clock of the office
    assert found.status is AppointmentStatus.CREATED
    assert found.services == (("1", "Alta al padró", True),)
    assert found.phone == "+34600000001"
    assert found.phone_given == "600 000 001"
    assert found.updated_at == datetime(2026, 11, 21, 9, 5, 14, tzinfo=UTC)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24T09:30:00.000+0000",
        "2026-11-24T09:30:00+0000",
        "2026-11-24T09:30:00+00:00",
        "2026-11-24T09:30:00Z",
        "2026-11-24T10:30:00+01:00",
        "2026-11-24T10:30:00",
        "2026-11-24T10:30",
        "2026-11-24 10:30",
        1_795_512_600_000,
        "1795512600000",
    ],
)
def test_every_form_of_a_time_is_the_same_instant(written: object) -> None:
    """With a colon in the offset and without, in milliseconds, and on the office's wall clock."""
    assert of_calendar(start=written).start == HALF_PAST_NINE
    assert of_queue(startTime=written).start == HALF_PAST_NINE


def test_an_hour_that_exists_twice_is_the_first_one() -> None:
    """On 2026-10-25 the clock goes back at 3:00, so 2:30 is in summer time first."""
    assert moment_of("2026-10-25T02:30", MADRID) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment_of("2026-10-25T01:30", MADRID) == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert moment_of("2026-10-25T03:00", MADRID) == datetime(2026, 10, 25, 2, 0, tzinfo=UTC)


def test_an_hour_that_does_not_exist_is_counted_from_before_the_change() -> None:
    """On 2027-03-28 the clock goes forward at 2:00, so 2:30 is shown as 3:30."""
    found = moment_of("2027-03-28T02:30", MADRID)
    assert found == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert found.astimezone(MADRID).hour == 3


@pytest.mark.parametrize("day", ["2026-10-25", "2027-03-28"])
def test_office_hours_on_the_days_of_a_change_stay_what_the_office_wrote(day: str) -> None:
    for written in (f"{day}T09:00", f"{day}T17:30"):
        shown = of_queue(startTime=written).start.astimezone(MADRID)
        assert shown.strftime("%Y-%m-%dT%H:%M") == written


@pytest.mark.parametrize("written", [None, "", "demà", "2026-11-24", 1_763_714_983, True, [], {}, "9" * 50, -1, 1e30])
def test_a_start_that_cannot_be_read_makes_the_row_unreadable(written: object) -> None:
    """A day without an hour and a time in seconds are not guessed at."""
    with pytest.raises(UnreadableFieldError, match=r"^start "):
        of_calendar(start=written)


def test_an_end_that_cannot_be_read_or_is_before_the_start_is_the_start() -> None:
    assert of_calendar(end="demà").end == HALF_PAST_NINE
    assert of_calendar(end="2026-11-24T08:00:00+00:00").end == HALF_PAST_NINE


def test_the_zone_of_the_branch_is_the_zone_that_counts() -> None:
    branch = {"publicId": "46", "timeZone": "Atlantic/Canary"}
    found = of_calendar(branch=branch, start="2026-11-24T09:30:00")
    assert (found.zone, found.start) == ("Atlantic/Canary", HALF_PAST_NINE)


def test_a_zone_that_does_not_exist_is_replaced_by_that_of_the_settings() -> None:
    for branch in ({}, None, {"timeZone": "../../etc/passwd"}, {"timeZone": "Mart/Olimp"}, {"timeZone": 7}):
        assert of_calendar(branch=branch).zone == "Europe/Madrid"
    assert of_calendar(branch={"timeZone": "?", "fullTimeZone": "Europe/Lisbon"}).zone == "Europe/Lisbon"
    assert zone_of("Europe") is None


def test_the_deletion_of_a_citizen_is_not_taken_for_a_change_of_the_appointment() -> None:
    """``created`` and ``updated`` are milliseconds, ``deletionTimestamp`` is ISO; a broken one is only not known."""
    assert of_calendar(updated="mai").updated_at is None
    assert of_calendar(updated=None).updated_at is None


# --- telephones -------------------------------------------------------------------------------------------------------


def customers(*phones: str | None) -> list[dict[str, Any]]:
    return [{"phone": phone} for phone in phones]


def with_custom(**held: object) -> str:
    return json.dumps(held)


def test_the_number_of_the_booking_comes_before_that_of_the_citizen() -> None:
    custom = with_custom(phoneNumber="600000001")
    assert of_calendar(custom=custom, customers=customers("600000002")).phone == "+34600000001"
    assert of_calendar(custom=None, customers=customers("600000002", "600000003")).phone == "+34600000002"


def test_the_number_among_the_properties_is_the_last_one() -> None:
    citizens = [{"phone": None}, {"properties": {"phoneNumber": "600000003"}}]
    assert of_calendar(custom="", customers=citizens).phone == "+34600000003"
    assert of_queue(customers=citizens).phone == "+34600000003"


def test_the_telephone_of_a_companion_is_not_the_citizens() -> None:
    assert of_calendar(custom=None, customers=[{"phone": None, "name": "Nom"}, {"phone": "600000009"}]).phone == ""


def test_places_for_companions_without_data_are_skipped() -> None:
    assert of_calendar(custom=None, customers=[{}, {"phone": "600000002"}, {}]).phone == "+34600000002"


@pytest.mark.parametrize("written", ["600-000-001", "+34 600 000 001", "0034600000001", "34600000001"])
def test_a_number_is_e164_however_it_was_written(written: str) -> None:
    found = of_calendar(custom=with_custom(phoneNumber=written))
    assert (found.phone, found.phone_given) == ("+34600000001", written)


def test_a_number_that_cannot_be_dialled_gives_way_to_the_next_one() -> None:
    """Without any other, it is kept as it was written, for a person to look at."""
    custom = with_custom(phoneNumber="06-12")
    assert of_calendar(custom=custom, customers=customers("600000002")).phone == "+34600000002"
    found = of_calendar(custom=custom, customers=customers(None))
    assert (found.phone, found.phone_given) == ("", "06-12")


def test_a_number_that_is_written_as_a_number_is_read() -> None:
    assert of_calendar(custom=with_custom(phoneNumber=600000001)).phone == "+34600000001"


# --- custom -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("custom", [None, "", "  ", "null", "[]", '"text"', "7", 7, [], {}, '{"phoneNumber":null}'])
def test_a_custom_without_anything_is_no_fault(custom: object) -> None:
    found = of_calendar(custom=custom, customers=customers("600000002"))
    assert (found.phone, found.language) == ("+34600000002", None)


def test_a_custom_that_is_an_object_is_read_as_well() -> None:
    assert of_calendar(custom={"phoneNumber": "600000001", "lang": "es"}).language == "es"


@pytest.mark.parametrize(
    "custom",
    [
        '{"phoneNumber":"600000001","lang":"es","notes":"la "nota" amb cometes"}',
        '{"phoneNumber":"600000001","lang":"es",}',
        '{"phoneNumber":"600000001","lang":"es"',
        '{"phoneNumber":"600000001","lang":"es","notes":"línia\ntrencada"}',
    ],
)
def test_a_broken_custom_still_gives_its_simple_pairs(custom: str) -> None:
    """The booking app puts it together by hand, so a quotation mark in a note breaks it."""
    found = of_calendar(custom=custom, customers=customers("600000002"))
    assert (found.phone, found.language) == ("+34600000001", "es")


def test_a_custom_without_a_bottom_is_no_exception() -> None:
    assert of_calendar(custom="[" * 100_000, customers=customers("600000002")).phone == "+34600000002"


@pytest.mark.parametrize(
    ("lang", "language"),
    [("ca", "ca"), ("ca_ES", "ca"), ("es-ES", "es"), ("ES", "es"), ("cat", "ca"), ("en", None), ("", None), (7, None)],
)
def test_the_language_is_that_of_the_booking(lang: object, language: str | None) -> None:
    assert of_calendar(custom=with_custom(lang=lang)).language == language


@pytest.mark.parametrize(
    ("custom", "allowed"),
    [
        ('{"cancelEnabled":false}', False),
        ('{"cancelEnabled":"false"}', False),
        ('{"cancelEnabled":false,"infoText":"un "text" trencat"}', False),
        ('{"cancelEnabled":true}', True),
        ("{}", True),
        ("", True),
        (None, True),
    ],
)
def test_a_service_says_whether_its_appointments_may_be_cancelled(custom: object, allowed: bool) -> None:  # noqa: FBT001
    (service,) = of_calendar(services=[{"publicId": "P", "name": "N", "custom": custom}]).services
    assert service.may_cancel is allowed


def test_a_consent_is_milliseconds() -> None:
    found = of_calendar(customers=[{"phone": "600000001", "consentTimestamp": 1_763_714_983_927}])
    assert found.consented_at == datetime(2025, 11, 21, 8, 49, 43, 927_000, tzinfo=UTC)


# --- status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "word", "status"),
    [
        (10, "RESERVED", AppointmentStatus.RESERVED),
        (20, "CREATED", AppointmentStatus.CREATED),
        (21, "RESCHEDULED", AppointmentStatus.RESCHEDULED),
        (30, "ARRIVED", AppointmentStatus.ARRIVED),
        (40, "CALLED", AppointmentStatus.CALLED),
        (50, "COMPLETE", AppointmentStatus.COMPLETE),
        (51, "NO_SHOW", AppointmentStatus.NO_SHOW),
        (52, "ENDED_BY_RESET", AppointmentStatus.ENDED_BY_RESET),
        (53, "CANCELLED", AppointmentStatus.CANCELLED),
        (54, "NEVER_ARRIVED", AppointmentStatus.NO_SHOW),
    ],
)
def test_a_status_is_a_number_or_a_word(number: int, word: str, status: AppointmentStatus) -> None:
    assert of_calendar(status=number).status is of_calendar(status=str(number)).status is status
    assert of_queue(status=word).status is of_queue(status=word.lower()).status is status


@pytest.mark.parametrize("status", [99, 0, -1, "CONFIRMED", "", None, True, 20.5, [], "2" * 1000])
def test_an_unknown_status_is_never_one_that_is_reminded_of(status: object) -> None:
    found = of_calendar(status=status)
    assert found.status is AppointmentStatus.UNKNOWN
    assert found.status not in EXPECTED
    if isinstance(status, int) and not isinstance(status, bool):
        assert found.status_given == str(status)


def test_a_row_that_was_deleted_is_cancelled_whatever_its_status_says() -> None:
    assert of_calendar(deleted=True).status is AppointmentStatus.CANCELLED
    assert of_calendar(deleted=False).status is AppointmentStatus.CREATED


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, "", "../branches", "a/b", "a?b", "x" * 200, True, {}, "é"])
def test_an_id_that_cannot_stand_in_a_path_makes_the_row_unreadable(given: object) -> None:
    with pytest.raises(UnreadableFieldError, match="publicId is no id"):
        of_calendar(publicId=given)


def test_long_texts_are_cut() -> None:
    (service,) = of_calendar(services=[{"publicId": "P", "name": "x" * 10_000}]).services
    assert len(service.name) == 500


@pytest.mark.parametrize("field", list(calendar_row()))
@pytest.mark.parametrize("value", [None, "", 7, -1.5, [], [None], {}, True, "text", [[]], {"a": {}}])
def test_no_value_of_any_field_is_an_exception_of_another_kind(field: str, value: object) -> None:
    row = calendar_row(**{field: value})
    with suppress(UnreadableFieldError):
        calendar_appointment(row, source="omac", office="46", zone=MADRID)


# --- any value --------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted({*calendar_row(), *queue_row()})), JSON, max_size=8))
def test_a_row_of_any_values_is_read_or_unreadable_and_nothing_else(changes: dict[str, Any]) -> None:
    for read in (of_calendar, of_queue):
        with suppress(UnreadableFieldError):
            found = read(**changes)
            assert found.start <= found.end
            assert found.phone == "" or re.fullmatch(r"\+\d{6,15}", found.phone)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds of hypothesis
    st.sampled_from(TimeForm),
)
def test_every_instant_is_read_back_from_every_form(at: datetime, form: TimeForm) -> None:
    """Only an hour that exists twice is another instant, with the same wall clock."""
    at = at.replace(microsecond=0)
    found = moment_of(time_of(at, invented(offices=0, now=lambda: at), OrchestraFaults(time_form=form)), MADRID)
    shown = at.astimezone(MADRID)
    if form is TimeForm.LOCAL and shown.fold:
        assert found == at - timedelta(hours=1)
    else:
        assert found == at

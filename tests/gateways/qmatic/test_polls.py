"""Polls of both families over real sockets: what is complete, what is a fault, and what is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.qmatic import (
    NOW,
    TOMORROW,
    WEEK,
    calendar,
    calendar_row,
    of_calendar,
    of_queue,
    orchestra,
    queue,
    queue_row,
    saying,
    some_booking,
)
from vetlla.domain.appointments import EXPECTED, AppointmentStatus
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import AppointmentSource, OutcomeUnknownError, RefusedError
from vetlla.gateways.qmatic.orchestra_calendar import CalendarSettings, OrchestraCalendar, Reads, _is_whole
from vetlla.gateways.qmatic.reading import Asked, poll_of
from vetlla.simulator.qmatic.faults import Custom, OrchestraFaults, TimeForm
from vetlla.simulator.qmatic.world import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.simulator.qmatic.server import Orchestra


def gateway_calendar(simulator: Orchestra) -> AppointmentSource:
    return calendar(simulator, root="/rest/calendar-backend")


def public_calendar(simulator: Orchestra) -> AppointmentSource:
    return calendar(simulator, reads=Reads.PUBLIC)


def direct_queue(simulator: Orchestra) -> AppointmentSource:
    return queue(simulator, root="/qsystem/rest/appointment")


SOURCES = [calendar, gateway_calendar, public_calendar, queue, direct_queue]
every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda one: one.__name__)
BOTH = pytest.mark.parametrize("source", [calendar, queue], ids=lambda one: one.__name__)


@every_source
async def test_a_poll_has_every_appointment_of_its_office_and_days(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        found = await source(simulator).poll("1", TOMORROW, WEEK)
        booked = simulator.world.of(simulator.world.branches[0], TOMORROW, WEEK)
        assert (found.is_complete, found.faults) == (True, ())
        assert [one.start for one in found.appointments] == [one.start for one in booked]
        assert {one.office for one in found.appointments} == {"1"}
        assert {one.zone for one in found.appointments} == {"Europe/Madrid"}
        assert {one.status for one in found.appointments} == {AppointmentStatus.CREATED}


@every_source
async def test_one_appointment_is_the_same_alone_as_in_the_poll(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        reader = source(simulator)
        for one in (await reader.poll("1", TOMORROW, TOMORROW)).appointments:
            assert await reader.get(one.key) == one


@every_source
async def test_both_families_tell_the_same_of_a_citizen(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra(per_day=20) as simulator:
        found = (await source(simulator).poll("2", TOMORROW, TOMORROW)).appointments
        other = (await calendar(simulator).poll("2", TOMORROW, TOMORROW)).appointments
        assert [(one.start, one.end, one.phone, one.phone_given) for one in found] == [
            (one.start, one.end, one.phone, one.phone_given) for one in other
        ]
        assert any(one.phone for one in found)


@pytest.mark.parametrize("form", TimeForm)
async def test_every_form_of_time_gives_the_same_poll(form: TimeForm) -> None:
    async with orchestra() as simulator:
        well = await calendar(simulator).poll("1", TOMORROW, WEEK)
        simulator.faults.time_form = form
        assert await calendar(simulator).poll("1", TOMORROW, WEEK) == well


async def test_appointments_on_the_days_of_a_change_of_the_clock_keep_their_hour() -> None:
    async with orchestra() as simulator:
        world = simulator.world
        for day in ("2026-10-25", "2027-03-28"):
            booking = world.book(world.branches[0], (world.services[0],), world.local(f"{day}T10:30"))
            for form in TimeForm:
                simulator.faults.time_form = form
                for source in (calendar(simulator), queue(simulator)):
                    (found,) = (await source.poll("1", *([datetime.fromisoformat(day).date()] * 2))).appointments
                    assert found.start == booking.start
                    assert found.start.astimezone(world.zone).strftime("%H:%M") == "10:30"


async def test_a_broken_custom_loses_neither_the_appointment_nor_its_number() -> None:
    async with orchestra(per_day=20) as simulator:
        well = await calendar(simulator).poll("1", TOMORROW, TOMORROW)
        simulator.faults.custom = Custom.BROKEN
        found = await calendar(simulator).poll("1", TOMORROW, TOMORROW)
        assert found == well
        for custom in (Custom.NULL, Custom.EMPTY):
            simulator.faults.custom = custom
            found = await calendar(simulator).poll("1", TOMORROW, TOMORROW)
            assert (found.is_complete, len(found.appointments)) == (True, 20)


async def test_a_list_that_is_shorter_than_its_total_is_not_complete() -> None:
    async with orchestra() as simulator:
        simulator.faults.hidden = 2
        found = await calendar(simulator).poll("1", TOMORROW, TOMORROW)
        assert (found.is_complete, len(found.appointments), found.faults) == (False, 3, ())


def test_a_limit_that_is_reached_means_that_there_may_be_more() -> None:
    assert _is_whole({"totalResults": 3}, 3)
    assert not _is_whole({"totalResults": 4}, 3)
    assert _is_whole({"limit": None}, 3)
    assert _is_whole({"limit": 4}, 3)
    assert not _is_whole({"limit": 3}, 3)
    assert not _is_whole({"totalResults": "?", "limit": 3}, 3)


@BOTH
async def test_a_row_that_cannot_be_read_is_a_fault_and_the_others_count(
    source: Callable[..., AppointmentSource],
) -> None:
    async with orchestra() as simulator:
        simulator.faults.bad_rows = 2
        found = await source(simulator).poll("1", TOMORROW, TOMORROW)
        assert (found.is_complete, len(found.appointments)) == (False, 3)
        (fault,) = found.faults
        assert fault.endswith("is no time (2 rows)")


@BOTH
async def test_an_empty_list_is_a_complete_poll_without_appointments(source: Callable[..., AppointmentSource]) -> None:
    """Whether it can be true is decided by the caller, who knows what there was before."""
    async with orchestra() as simulator:
        simulator.faults.empty_list = True
        found = await source(simulator).poll("1", TOMORROW, TOMORROW)
        assert (found.is_complete, found.appointments) == (True, ())


@BOTH
async def test_a_cancelled_appointment_is_absent_or_shown_as_cancelled(
    source: Callable[..., AppointmentSource],
) -> None:
    async with orchestra() as simulator:
        reader = source(simulator)
        before = (await reader.poll("1", TOMORROW, TOMORROW)).appointments
        some_booking(simulator).status = Status.CANCELLED
        assert len((await reader.poll("1", TOMORROW, TOMORROW)).appointments) == len(before) - 1
        assert await reader.get(before[0].key) is None
        simulator.faults.cancelled_stay = True
        found = await reader.get(before[0].key)
        assert found is not None
        assert found.status is AppointmentStatus.CANCELLED


@BOTH
async def test_a_reservation_is_shown_and_not_expected(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        some_booking(simulator).status = Status.RESERVED
        found = (await source(simulator).poll("1", TOMORROW, TOMORROW)).appointments[0]
        assert found.status is AppointmentStatus.RESERVED
        assert found.status not in EXPECTED


# --- caches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
@BOTH
async def test_another_offices_rows_out_of_a_cache_are_left_out(
    source: Callable[..., AppointmentSource],
    named: bool,  # noqa: FBT001
) -> None:
    """The default cache of Qmatic's gateway does not look at the query, so office 2 gets the rows of office 1."""
    async with orchestra(faults=OrchestraFaults(stale_s=60, stale_ignores_query=True, names_branch=named)) as simulator:
        reader = source(simulator)
        assert (await reader.poll("1", TOMORROW, TOMORROW)).is_complete
        found = await reader.poll("2", TOMORROW, TOMORROW)
        assert (found.is_complete, found.appointments) == (False, ())
        assert found.faults == ("a row is of another office: does a gateway answer from its cache? (5 rows)",)


@BOTH
async def test_rows_of_other_days_out_of_a_cache_are_left_out(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra(faults=OrchestraFaults(stale_s=60, stale_ignores_query=True)) as simulator:
        reader = source(simulator)
        assert (await reader.poll("1", TOMORROW, TOMORROW)).is_complete
        found = await reader.poll("1", WEEK, WEEK)
        assert (found.is_complete, found.appointments) == (False, ())


async def test_a_poll_teaches_which_office_a_public_id_is() -> None:
    """Rows of some installations name their branch by ``publicId`` alone."""
    async with orchestra(faults=OrchestraFaults(names_branch=False)) as simulator:
        reader = calendar(simulator)
        assert (await reader.poll("2", TOMORROW, TOMORROW)).is_complete
        (one, *_) = (await reader.poll("1", TOMORROW, TOMORROW)).appointments
        assert one.office == "1"
        assert await reader.get(one.key) == one


async def test_an_installation_whose_rows_have_another_number_than_its_list_needs_names() -> None:
    """Qmatic's own booking app knows two numbers of a branch, ``id`` and ``qpId``."""
    day = of_calendar().start.date()
    row = calendar_row()
    async with saying({"appointmentList": [row], "meta": {"totalResults": 1}}) as way:
        assert not (
            await OrchestraCalendar(CalendarSettings(name="omac", connection=way)).poll("7", day, day)
        ).is_complete
        named = CalendarSettings(name="omac", connection=way, public_ids={row["branch"]["publicId"]: "7"})
        found = await OrchestraCalendar(named).poll("7", day, day)
        assert found.is_complete
        assert [one.office for one in found.appointments] == ["7"]


async def test_the_list_of_branches_says_which_office_a_public_id_is() -> None:
    """Rows of the public API have no number of the branch, and after a start no poll has taught it."""
    async with orchestra() as simulator:
        (one, *_) = (await calendar(simulator).poll("2", TOMORROW, TOMORROW)).appointments
        reader = calendar(simulator, reads=Reads.PUBLIC)
        assert await reader.get(one.key) == one
        assert await reader.get(one.key) == one
        lists = [path for _, path, _ in simulator.calls if path.endswith("/branches")]
        assert lists == ["/calendar-backend/api/v1/branches"]


async def test_the_settings_say_which_office_a_public_id_is() -> None:
    async with orchestra(faults=OrchestraFaults(names_branch=False)) as simulator:
        names = {one.public_id: str(one.id) for one in simulator.world.branches}
        one = await calendar(simulator, public_ids=names).get(
            (await calendar(simulator).poll("2", TOMORROW, TOMORROW)).appointments[0].key
        )
        assert one is not None
        assert one.office == "2"


# --- errors -----------------------------------------------------------------------------------------------------------


def way_faults() -> list[tuple[OrchestraFaults, str]]:
    return [
        (OrchestraFaults(login_page=True), "a page of HTML"),
        (OrchestraFaults(redirect=True), "redirect"),
        (OrchestraFaults(not_json=True), "not JSON"),
        (OrchestraFaults(cut_before=True), "the connection broke"),
        (OrchestraFaults(cut_after=True), "the connection broke"),
        (OrchestraFaults(silent_after=True), "did not answer in time"),
        (OrchestraFaults(status=401), "HTTP 401"),
        (OrchestraFaults(status=503), "HTTP 503"),
        (OrchestraFaults(status=500, error_code="E999"), "E999"),
        (OrchestraFaults(status=404), "40|path"),
    ]


@pytest.mark.parametrize(("fault", "text"), way_faults())
@every_source
async def test_a_poll_that_fails_is_an_error_and_never_an_empty_list(
    source: Callable[..., AppointmentSource], fault: OrchestraFaults, text: str
) -> None:
    async with orchestra(faults=fault) as simulator:
        with pytest.raises(LinkError, match=text):
            await source(simulator).poll("1", TOMORROW, WEEK)


@pytest.mark.parametrize(("fault", "text"), way_faults())
@every_source
async def test_a_get_that_fails_is_an_error_and_never_a_missing_appointment(
    source: Callable[..., AppointmentSource], fault: OrchestraFaults, text: str
) -> None:
    """Also 404, as long as the path has not been seen to work: then nothing is known of the appointment."""
    async with orchestra() as simulator:
        key = (await source(simulator).poll("1", TOMORROW, TOMORROW)).appointments[0].key
        simulator.faults = fault
        with pytest.raises(LinkError, match=text) as caught:
            await source(simulator).get(key)
        assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize("gone", ["404", "500+E142"])
@every_source
async def test_an_appointment_that_does_not_exist_is_none(source: Callable[..., AppointmentSource], gone: Any) -> None:  # noqa: ANN401 - a word
    async with orchestra() as simulator:
        simulator.faults.gone = gone
        reader = source(simulator)
        key = (await reader.poll("1", TOMORROW, TOMORROW)).appointments[0].key
        some_booking(simulator).status = Status.CANCELLED
        assert await reader.get(key) is None
        assert await source(simulator).get(key) is None


async def test_a_wrong_root_is_an_error_of_the_path_and_not_of_the_appointment() -> None:
    async with orchestra() as simulator:
        key = (await calendar(simulator).poll("1", TOMORROW, TOMORROW)).appointments[0].key
        with pytest.raises(LinkError, match="is no path of Orchestra"):
            await calendar(simulator, root="/calendar").get(key)
        with pytest.raises(RefusedError, match="HTTP 404"):
            await queue(simulator, root="/rest/other").get(key._replace(id="1/4712"))


@BOTH
async def test_an_office_that_does_not_exist_is_an_error(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        with pytest.raises(RefusedError):
            await source(simulator).poll("99", TOMORROW, TOMORROW)


async def test_a_slow_vpn_is_waited_for() -> None:
    async with orchestra(faults=OrchestraFaults(delay_s=0.2)) as simulator:
        assert (await calendar(simulator).poll("1", TOMORROW, TOMORROW)).is_complete
        simulator.faults.delay_s = 2.0
        with pytest.raises(LinkError, match="did not answer in time"):
            await calendar(simulator, way={"answer_s": 0.1}).poll("1", TOMORROW, TOMORROW)
        with pytest.raises(LinkError, match="did not answer in time"):
            await calendar(simulator, way={"whole_s": 0.1}).poll("1", TOMORROW, TOMORROW)


async def test_a_host_that_is_not_there_is_an_error() -> None:
    async with orchestra() as simulator:
        reader = calendar(simulator)
    with pytest.raises(LinkError, match="no connection"):
        await reader.poll("1", TOMORROW, TOMORROW)


async def test_an_answer_that_is_too_large_is_an_error() -> None:
    async with orchestra() as simulator:
        with pytest.raises(LinkError):
            await calendar(simulator, way={"max_body": 1_000}).poll("1", TOMORROW, WEEK)


@pytest.mark.parametrize("fault", [one for one, _ in way_faults()])
async def test_no_error_names_a_citizen_or_a_password(fault: OrchestraFaults) -> None:
    async with orchestra(faults=fault) as simulator:
        for source in (calendar(simulator), queue(simulator)):
            with pytest.raises(LinkError) as caught:
                await source.poll("1", TOMORROW, WEEK)
            assert "600000" not in str(caught.value)
            assert simulator.doors.password not in str(caught.value).replace(simulator.url, "")


# --- rows -------------------------------------------------------------------------------------------------------------


def polled(*rows: Any, max_rows: int = 100) -> Any:  # noqa: ANN401 - any JSON
    day = of_calendar().start.date()
    return poll_of(Asked("46", day, day), rows, lambda row: of_calendar(**row), max_rows=max_rows)


def test_rows_that_are_no_objects_are_faults() -> None:
    found = polled(calendar_row(), None, [], "row", 7)
    assert (len(found.appointments), found.faults, found.is_complete) == (1, ("a row is no object (4 rows)",), False)


def test_the_same_row_twice_counts_once_and_different_ones_are_a_fault() -> None:
    assert polled(calendar_row(), calendar_row()).faults == ()
    found = polled(calendar_row(), calendar_row(status=53))
    assert found.faults == ("two different rows have the same id",)
    assert [one.status for one in found.appointments] == [AppointmentStatus.CANCELLED]


def test_more_rows_than_the_bound_are_a_fault() -> None:
    found = polled(*(calendar_row(publicId=f"a{number}") for number in range(9)), max_rows=3)
    assert (len(found.appointments), found.is_complete) == (3, False)


def test_faults_are_counted_and_name_no_citizen() -> None:
    found = polled(*({"start": f"600000{number:03}"} for number in range(40)))
    assert found.faults == ("start is no time in milliseconds since 1970 (40 rows)",)


def test_the_day_of_a_row_is_that_of_its_office() -> None:
    """An hour before midnight in Lleida is another day in UTC in summer."""
    day = datetime(2026, 7, 1, tzinfo=UTC).date()
    rows = [queue_row(startTime="2026-07-01T00:30")]
    found = poll_of(Asked("46", day, day), rows, lambda row: of_queue(**row))
    assert found.is_complete


def test_the_monday_of_the_tests_is_one() -> None:
    assert NOW.weekday() == 0

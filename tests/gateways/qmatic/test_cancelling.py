"""Cancellations: one DELETE, and no outcome that is not known is told as if it were."""

from __future__ import annotations

from http import HTTPMethod
from typing import TYPE_CHECKING

import pytest

from tests.rigs.qmatic import TOMORROW, calendar, deletes, orchestra, queue, some_booking
from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import AppointmentSource, CancelOutcome, OutcomeUnknownError, RefusedError
from vetlla.gateways.qmatic.access import Session
from vetlla.simulator.qmatic.faults import Gone, OrchestraFaults
from vetlla.simulator.qmatic.world import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.simulator.qmatic.server import Orchestra


def queue_alone(simulator: Orchestra) -> AppointmentSource:
    """Return a source of an installation that exposes no calendar."""
    return queue(simulator, calendar_root="")


every_source = pytest.mark.parametrize("source", [calendar, queue, queue_alone], ids=lambda one: one.__name__)


async def key_of(source: AppointmentSource) -> AppointmentKey:
    return (await source.poll("1", TOMORROW, TOMORROW)).appointments[0].key


@every_source
async def test_a_cancellation_frees_the_slot_with_one_delete(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        reader = source(simulator)
        booking, key = some_booking(simulator), await key_of(reader)
        assert await reader.cancel(key) is CancelOutcome.DONE
        assert booking.status is Status.CANCELLED
        assert deletes(simulator) == 1
        assert booking.start in simulator.world.free(booking.branch, TOMORROW)


@pytest.mark.parametrize("gone", Gone)
@every_source
async def test_a_second_cancellation_says_that_it_is_gone(source: Callable[..., AppointmentSource], gone: Gone) -> None:
    """404, or the status 500 with E142 in the headers: installations differ."""
    async with orchestra(faults=OrchestraFaults(gone=gone)) as simulator:
        reader = source(simulator)
        key = await key_of(reader)
        assert await reader.cancel(key) is CancelOutcome.DONE
        assert await reader.cancel(key) is CancelOutcome.GONE


@every_source
async def test_what_the_source_shows_as_cancelled_is_gone(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra(faults=OrchestraFaults(cancelled_stay=True)) as simulator:
        reader = source(simulator)
        key = await key_of(reader)
        some_booking(simulator).status = Status.CANCELLED
        assert await reader.cancel(key) is CancelOutcome.GONE


@pytest.mark.parametrize(
    "fault",
    [OrchestraFaults(cut_after=True, on=HTTPMethod.DELETE), OrchestraFaults(silent_after=True, on=HTTPMethod.DELETE)],
)
@every_source
async def test_a_connection_that_breaks_after_the_call_was_written_leaves_the_outcome_unknown(
    source: Callable[..., AppointmentSource], fault: OrchestraFaults
) -> None:
    """The slot is free, the caller does not know, and no second DELETE was written by itself."""
    async with orchestra() as simulator:
        reader = source(simulator)
        booking, key = some_booking(simulator), await key_of(reader)
        simulator.faults = fault
        with pytest.raises(OutcomeUnknownError):
            await reader.cancel(key)
        assert deletes(simulator) == 1
        assert booking.status is Status.CANCELLED
        simulator.faults = OrchestraFaults()
        assert await reader.get(key) is None  # so the outcome can be learned


@every_source
async def test_a_call_that_broke_before_orchestra_saw_it_has_an_unknown_outcome_too(
    source: Callable[..., AppointmentSource],
) -> None:
    """The caller cannot tell the two apart, because the call was written."""
    async with orchestra() as simulator:
        reader = source(simulator)
        booking, key = some_booking(simulator), await key_of(reader)
        simulator.faults = OrchestraFaults(cut_before=True, on=HTTPMethod.DELETE)
        with pytest.raises(OutcomeUnknownError):
            await reader.cancel(key)
        assert (booking.status, deletes(simulator)) == (Status.CREATED, 1)


@pytest.mark.parametrize("source", [calendar, queue_alone], ids=lambda one: one.__name__)
async def test_a_host_that_is_not_there_means_that_nothing_was_sent(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        reader = source(simulator)
        key = await key_of(reader)
    with pytest.raises(LinkError) as caught:
        await reader.cancel(key)
    assert not isinstance(caught.value, OutcomeUnknownError | RefusedError)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302, 200])
@every_source
async def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(
    source: Callable[..., AppointmentSource], status: int
) -> None:
    """A gateway that gives up may have passed the call on, and a login page is no answer of Orchestra."""
    async with orchestra() as simulator:
        reader = source(simulator)
        key = await key_of(reader)
        simulator.faults = OrchestraFaults(status=status, on=HTTPMethod.DELETE)
        with pytest.raises(OutcomeUnknownError, match=f"HTTP {status}"):
            await reader.cancel(key)
        assert deletes(simulator) == 1


@pytest.mark.parametrize(("status", "code"), [(401, ""), (403, ""), (400, ""), (429, ""), (500, "8058"), (500, "E440")])
@every_source
async def test_a_refusal_was_certainly_not_carried_out(
    source: Callable[..., AppointmentSource], status: int, code: str
) -> None:
    async with orchestra() as simulator:
        reader = source(simulator)
        booking, key = some_booking(simulator), await key_of(reader)
        simulator.faults = OrchestraFaults(status=status, error_code=code, on=HTTPMethod.DELETE)
        with pytest.raises(RefusedError) as caught:
            await reader.cancel(key)
        assert caught.value.code == (code or str(status))
        assert booking.status is Status.CREATED


@every_source
async def test_an_appointment_that_became_a_visit_is_refused(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        reader = source(simulator)
        key = await key_of(reader)
        some_booking(simulator).status = Status.ARRIVED
        with pytest.raises(RefusedError) as caught:
            await reader.cancel(key)
        assert caught.value.code == "8058"


@every_source
async def test_gone_is_not_believed_while_a_get_shows_the_appointment(
    source: Callable[..., AppointmentSource],
) -> None:
    """A wrong path has the same 404, and the citizen would be told that the slot is free."""
    async with orchestra() as simulator:
        reader = source(simulator)
        key = await key_of(reader)
        simulator.faults = OrchestraFaults(status=404, on=HTTPMethod.DELETE)
        with pytest.raises(OutcomeUnknownError, match="still shows it as created"):
            await reader.cancel(key)


async def test_gone_is_not_believed_if_no_get_can_confirm_it() -> None:
    async with orchestra() as simulator:
        reader = calendar(simulator)
        key = await key_of(reader)
        await reader.cancel(key)
        simulator.faults = OrchestraFaults(status=503, on=HTTPMethod.GET)
        with pytest.raises(OutcomeUnknownError, match="no GET could confirm it"):
            await reader.cancel(key)


async def test_a_gateway_that_wants_a_referer_gets_one() -> None:
    async with orchestra(faults=OrchestraFaults(needs_referer=True)) as simulator:
        key = await key_of(calendar(simulator))
        with pytest.raises(RefusedError) as caught:
            await calendar(simulator, way={"referer": ""}).cancel(key)
        assert caught.value.code == "403"
        assert await calendar(simulator).cancel(key) is CancelOutcome.DONE


async def test_a_session_that_orchestra_forgot_does_not_write_the_call_twice() -> None:
    """The refused call was not looked at; the one with the password is the only one that counts."""
    async with orchestra() as simulator:
        doors = simulator.doors
        reader = calendar(simulator, way={"access": Session(doors.user, doors.password)})
        key = await key_of(reader)
        doors.forget()
        assert await reader.cancel(key) is CancelOutcome.DONE
        assert [status for method, _, status in simulator.calls if method == "DELETE"] == [401, 204]


async def test_the_queue_side_learns_from_the_calendar_what_may_not_be_cancelled() -> None:
    """Its own rows do not say it."""
    async with orchestra() as simulator:
        key = await key_of(queue(simulator))
        booking = some_booking(simulator)
        booking.services = (next(one for one in simulator.world.services if not one.may_cancel),)
        (service,) = (await calendar(simulator).poll("1", TOMORROW, TOMORROW)).appointments[0].services
        assert not service.may_cancel
        with pytest.raises(RefusedError) as caught:
            await queue(simulator).cancel(key)
        assert caught.value.code == "cancelEnabled"
        assert (booking.status, deletes(simulator)) == (Status.CREATED, 0)


async def test_the_queue_side_does_not_cancel_an_appointment_of_another_hour() -> None:
    """The calendar's appointment of that number must be the same one."""
    async with orchestra() as simulator:
        key = await key_of(queue(simulator))
        with pytest.raises(LinkError, match="of another hour"):
            await queue(simulator, zone="Atlantic/Canary").cancel(key)
        assert deletes(simulator) == 0


@every_source
async def test_an_id_that_is_none_reaches_no_network(source: Callable[..., AppointmentSource]) -> None:
    async with orchestra() as simulator:
        for text in ("", "../../branches", "1/../2", "a/b/c"):
            key = AppointmentKey("omac", text)
            assert await source(simulator).get(key) is None
            with pytest.raises(LinkError):
                await source(simulator).cancel(key)
        assert not simulator.calls

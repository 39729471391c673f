"""Answers that are JSON and not what was asked for: each is an error, and none is taken for an appointment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs.qmatic import TOMORROW, calendar_row, queue_row, saying
from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.errors import ConfigError, LinkError
from vetlla.gateways.qmatic.client import Connection
from vetlla.gateways.qmatic.orchestra_calendar import CalendarSettings, OrchestraCalendar, Reads
from vetlla.gateways.qmatic.orchestra_queue import OrchestraQueue, QueueSettings

ID = str(calendar_row()["publicId"])
NO_ROWS: list[Any] = [None, 7, "text", True, {}, {"appointmentList": None}, {"appointmentList": {}}]


def calendar(connection: Connection, **more: Any) -> OrchestraCalendar:  # noqa: ANN401 - as there
    return OrchestraCalendar(CalendarSettings(name="omac", connection=connection, **more))


def queue(connection: Connection, **more: Any) -> OrchestraQueue:  # noqa: ANN401 - as there
    return OrchestraQueue(QueueSettings(name="omac", connection=connection, **more))


@pytest.mark.parametrize("body", [*NO_ROWS, []])
async def test_a_list_of_another_shape_is_an_error_of_the_calendars_poll(body: object) -> None:
    async with saying(body) as connection:
        with pytest.raises(LinkError, match="without appointmentList"):
            await calendar(connection).poll("46", TOMORROW, TOMORROW)


@pytest.mark.parametrize("body", NO_ROWS)
async def test_a_list_of_another_shape_is_an_error_of_the_queue_sides_poll(body: object) -> None:
    async with saying(body) as connection:
        with pytest.raises(LinkError, match="is no list"):
            await queue(connection).poll("46", TOMORROW, TOMORROW)


@pytest.mark.parametrize("body", [None, 7, [], {}, {"appointment": None}, {"appointment": calendar_row(start="demà")}])
async def test_an_appointment_of_another_shape_is_an_error_and_not_none(body: object) -> None:
    """None would mean that it was cancelled."""
    async with saying(body) as connection:
        with pytest.raises(LinkError):
            await calendar(connection).get(AppointmentKey("omac", ID))
        with pytest.raises(LinkError):
            await queue(connection).get(AppointmentKey("omac", "46/4711"))


async def test_another_appointment_than_asked_for_is_an_error() -> None:
    async with saying({"appointment": calendar_row(publicId="another")}) as connection:
        with pytest.raises(LinkError, match="another appointment"):
            await calendar(connection, reads=Reads.PUBLIC).get(AppointmentKey("omac", ID))
    async with saying(queue_row(branchId=47)) as connection:
        with pytest.raises(LinkError, match="another appointment"):
            await queue(connection).get(AppointmentKey("omac", "46/4711"))


async def test_an_appointment_without_its_wrapper_is_read() -> None:
    """Versions of Orchestra differ in this."""
    async with saying(calendar_row()) as connection:
        found = await calendar(connection).get(AppointmentKey("omac", ID))
        assert found is not None
        assert found.office == "46"


@pytest.mark.parametrize("zone", ["", "Mart/Olimp", "../../etc/passwd"])
async def test_a_zone_that_does_not_exist_is_a_fault_of_the_settings(zone: str) -> None:
    connection = Connection(url="http://127.0.0.1:9")
    with pytest.raises(ConfigError, match="no time zone"):
        calendar(connection, zone=zone)
    with pytest.raises(ConfigError, match="no time zone"):
        queue(connection, zones={"46": zone})

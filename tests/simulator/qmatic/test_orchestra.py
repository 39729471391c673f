"""What the simulated Orchestra does with appointments, over real sockets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPMethod
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.rigs.qmatic import (
    BODY,
    NOW,
    PUBLIC,
    TOMORROW,
    WEEK,
    answer_of,
    book_path,
    calendar,
    orchestra,
    some_booking,
)
from vetlla.domain.errors import ConfigError
from vetlla.simulator.qmatic.faults import OrchestraFaults
from vetlla.simulator.qmatic.server import Orchestra
from vetlla.simulator.qmatic.world import Status, TakenError, invented

if TYPE_CHECKING:
    from vetlla.simulator.qmatic.world import World

ADMIN = "/simulator"


async def test_the_same_seed_gives_the_same_appointments() -> None:
    def one(seed: int) -> list[tuple[str, datetime, str | None]]:
        world = invented(seed=seed, per_day=10, now=lambda: NOW)
        return [(b.public_id, b.start, b.phone_of_booking) for b in world.bookings.values()]

    assert one(1) == one(1)
    assert one(1) != one(2)


async def test_only_reserved_telephone_numbers_are_invented() -> None:
    world = invented(per_day=100, now=lambda: NOW)
    phones = {
        text for b in world.bookings.values() for text in (b.phone_of_booking, b.customer and b.customer.phone) if text
    }
    digits = {"".join(letter for letter in text if letter.isdecimal())[-9:] for text in phones}
    assert len(digits) > 100
    assert all(number.startswith("600000") for number in digits)


async def test_appointments_are_on_working_days_in_office_hours_and_no_table_has_two_at_once() -> None:
    world = invented(per_day=60, now=lambda: NOW)
    seen = set()
    for one in world.bookings.values():
        shown = one.start.astimezone(world.zone)
        assert shown.weekday() < 5
        assert 9 <= shown.hour < 14
        seen.add((one.branch.id, one.start, one.table))
    assert len(seen) == len(world.bookings) == 2 * 60 * 10
    assert world.free(world.branches[0], TOMORROW)


async def test_a_slot_is_booked_once_and_can_be_booked_again_when_it_is_free() -> None:
    async with orchestra() as simulator:
        _, _, found = await answer_of(simulator, "POST", book_path(simulator), BODY)
        status, headers, _ = await answer_of(simulator, "POST", book_path(simulator), BODY)
        assert (status, headers["error_code"]) == (500, "E440")
        simulator.faults.taken = "404"
        status, headers, _ = await answer_of(simulator, "POST", book_path(simulator), BODY)
        assert (status, headers.get("error_code")) == (404, None)
        path = f"{PUBLIC}/appointments/{found['appointment']['publicId']}"
        assert (await answer_of(simulator, "DELETE", path))[0] == 204
        assert (await answer_of(simulator, "POST", book_path(simulator), BODY))[0] == 202


async def test_a_reservation_becomes_a_booking_by_confirm_and_by_nothing_else() -> None:
    """``confirm`` does not mean that the citizen will come."""
    async with orchestra() as simulator:
        path = book_path(simulator).removesuffix("book") + "reserve"
        status, _, found = await answer_of(simulator, "POST", path, {"services": [{"publicId": "IBI"}]})
        row = found["appointment"]
        assert (status, row["status"]) == (200, 10)
        confirm = f"{PUBLIC}/branches/appointments/{row['publicId']}/confirm"
        status, _, found = await answer_of(simulator, "POST", confirm, BODY)
        assert (status, found["appointment"]["status"]) == (200, 20)
        assert found["appointment"]["customers"][0]["phone"] == "600000001"
        assert (await answer_of(simulator, "POST", confirm, BODY))[0] == 404


def held(world: World) -> Any:  # noqa: ANN401 - a booking
    branch = world.branches[0]
    return world.book(branch, (world.services[0],), world.local("2026-12-05T09:00"), status=Status.RESERVED)


async def test_a_reservation_that_is_not_confirmed_ends() -> None:
    now = [NOW]
    world = invented(per_day=0, now=lambda: now[0])
    held(world)
    with pytest.raises(TakenError):
        held(world)
    now[0] += timedelta(minutes=6)
    assert held(world).status is Status.RESERVED


async def test_a_moved_appointment_has_another_hour_and_another_status_in_both_families() -> None:
    async with orchestra() as simulator:
        booking = some_booking(simulator)
        before = booking.updated_ms
        path = f"{PUBLIC}/appointments/{booking.public_id}/reschedule?start=2026-12-05T09:00&end=2026-12-05T09:20"
        status, _, found = await answer_of(simulator, "PUT", path)
        assert (status, found["appointment"]["status"]) == (200, 21)
        _, _, row = await answer_of(simulator, "GET", f"/rest/appointment/branches/1/appointments/{booking.number}")
        assert (row["startTime"], row["endTime"]) == ("2026-12-05T09:00", "2026-12-05T09:20")
        assert row["status"] == "RESCHEDULED"
        assert booking.updated_ms >= before


async def test_an_appointment_is_found_by_its_number_its_citizen_and_its_other_name() -> None:
    async with orchestra() as simulator:
        booking = some_booking(simulator)
        assert booking.customer is not None
        for path in (
            f"/calendar-backend/api/v1/appointments/search?qpId={booking.number}",
            f"/calendar-backend/api/v1/appointments/publicid/{booking.public_id}",
            f"/rest/calendar-backend/public/api/v2/appointments/{booking.public_id}",
        ):
            _, _, found = await answer_of(simulator, "GET", path)
            assert found["appointment"]["publicId"] == booking.public_id
        _, _, found = await answer_of(simulator, "GET", f"{PUBLIC}/customers/{booking.customer.public_id}/appointments")
        assert [row["publicId"] for row in found["appointmentList"]] == [booking.public_id]
        _, _, row = await answer_of(
            simulator, "GET", f"/qsystem/rest/appointment/appointments/external/{booking.public_id}"
        )
        assert row["id"] == booking.number


async def test_notes_and_custom_are_changed_by_put() -> None:
    async with orchestra() as simulator:
        booking = some_booking(simulator)
        path = f"{PUBLIC}/appointments/{booking.public_id}"
        body = {"notes": "confirmada", "custom": '{"lang":"es"}'}
        _, _, found = await answer_of(simulator, "PUT", path, body)
        assert found["appointment"]["notes"] == "confirmada"
        assert booking.language == "es"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    async with orchestra() as simulator:
        headers = {"X-Api-Key": simulator.doors.api_key}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(simulator.url + book_path(simulator), data=body) as response,
        ):
            assert response.status == 400


# --- switches ---------------------------------------------------------------------------------------------------------


async def admin(simulator: Orchestra, method: str, path: str, body: object = None) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{simulator.url}{ADMIN}/{path}", json=body) as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else await response.text()


async def test_faults_are_switched_while_it_runs() -> None:
    async with orchestra() as simulator:
        reader = calendar(simulator)
        _, shown = await admin(simulator, "PATCH", "faults", {"empty_list": True, "time_form": "epoch"})
        assert (shown["empty_list"], shown["time_form"]) == (True, "epoch")
        assert (await reader.poll("1", TOMORROW, WEEK)).appointments == ()
        _, shown = await admin(simulator, "DELETE", "faults")
        assert shown == OrchestraFaults().model_dump(mode="json")
        assert (await reader.poll("1", TOMORROW, WEEK)).appointments


@pytest.mark.parametrize(
    "wrong", [{"no_such": 1}, {"hidden": -1}, {"time_form": "x"}, {"delay_s": 1e9}, {"status": 999}]
)
async def test_a_fault_that_does_not_exist_is_refused_and_nothing_changes(wrong: dict[str, Any]) -> None:
    async with orchestra() as simulator:
        status, text = await admin(simulator, "PATCH", "faults", {"empty_list": True, **wrong})
        assert status == 400
        assert next(iter(wrong)) in text
        assert simulator.faults == OrchestraFaults()


def test_a_fault_may_concern_one_method_and_some_calls() -> None:
    faults = OrchestraFaults(status=503, on=HTTPMethod.DELETE, left=2)
    assert [faults.of_call(method).status for method in ("GET", "DELETE", "GET", "DELETE", "DELETE")] == [
        0,
        503,
        0,
        503,
        0,
    ]
    assert faults.status == 0
    assert [OrchestraFaults(status=503).of_call("GET").status for _ in range(3)] == [503] * 3


async def test_a_stale_cache_gives_the_first_answer_until_it_ends() -> None:
    async with orchestra(faults=OrchestraFaults(stale_s=0.2)) as simulator:
        reader = calendar(simulator)
        before = await reader.poll("1", TOMORROW, TOMORROW)
        some_booking(simulator).status = Status.CANCELLED
        assert await reader.poll("1", TOMORROW, TOMORROW) == before
        simulator.faults.stale_s = 0.0
        assert await reader.poll("1", TOMORROW, TOMORROW) != before


async def test_an_office_books_moves_and_cancels_by_the_switches() -> None:
    async with orchestra() as simulator:
        wanted = {"office": 2, "start": "2026-12-05T09:00", "phone": "600000007", "language": "es", "service": "IBI"}
        status, made = await admin(simulator, "POST", "appointments", wanted)
        assert (status, made["start"], made["phone"]) == (201, "2026-12-05T08:00:00+00:00", "600000007")
        one = f"appointments/{made['publicId']}"
        _, made = await admin(simulator, "PATCH", one, {"start": "2026-12-05T10:00"})
        assert (made["status"], made["start"]) == (21, "2026-12-05T09:00:00+00:00")
        _, made = await admin(simulator, "PATCH", one, {"status": 51, "phone": ""})
        assert (made["status"], made["phone"]) == (51, None)
        assert (await admin(simulator, "PATCH", one, {"status": 99}))[0] == 400
        assert (await admin(simulator, "DELETE", one))[0] == 204
        _, rows = await admin(simulator, "GET", "appointments")
        assert next(row for row in rows if row["publicId"] == made["publicId"])["status"] == 53


async def test_an_office_puts_an_appointment_in_between_when_no_place_is_free() -> None:
    async with orchestra() as simulator:
        for _ in range(3):
            status, _ = await admin(simulator, "POST", "appointments", {"start": "2026-12-05T09:00"})
            assert status == 201
        assert (await answer_of(simulator, "POST", book_path(simulator), BODY))[0] == 500


async def test_the_last_calls_and_the_offices_are_shown() -> None:
    async with orchestra() as simulator:
        await calendar(simulator).poll("1", TOMORROW, TOMORROW)
        _, calls = await admin(simulator, "GET", "calls")
        assert calls == [{"method": "GET", "path": "/calendar-backend/api/v1/appointments", "status": 200}]
        _, offices = await admin(simulator, "GET", "offices")
        assert [one["name"] for one in offices] == ["OMAC", "OGAT"]


async def test_it_listens_on_loopback_and_names_a_port_that_is_taken() -> None:
    async with orchestra() as simulator:
        assert simulator.url.startswith("http://127.0.0.1:")
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(ConfigError, match="cannot listen"):
            async with Orchestra(simulator.world, port=port):
                pass


async def test_a_call_without_an_answer_does_not_hold_up_the_end() -> None:
    async with orchestra(faults=OrchestraFaults(silent_after=True)) as simulator:
        with pytest.raises(Exception, match="did not answer in time"):
            await calendar(simulator).poll("1", TOMORROW, TOMORROW)
        began = datetime.now(UTC)
    assert datetime.now(UTC) - began < timedelta(seconds=5)

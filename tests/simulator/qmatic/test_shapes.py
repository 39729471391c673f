"""The simulator answers with the shapes that were recorded: the same names, and values of the same kind."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.rigs.qmatic import (
    BODY,
    PUBLIC,
    TOMORROW,
    answer_of,
    book_path,
    orchestra,
    recorded,
    some_booking,
)
from vetlla.simulator.qmatic.faults import Custom, Gone, OrchestraFaults, TimeForm

LIST = "/calendar-backend/api/v1/appointments"


def shape(value: object) -> Any:  # noqa: ANN401 - any JSON
    """Return the names and kinds of a value of JSON. A list is the shapes of its different items."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        shapes: list[Any] = []
        for one in value:
            if (found := shape(one)) not in shapes:
                shapes.append(found)
        return shapes
    return type(value).__name__


def differences(wanted: Any, found: Any, place: str = "") -> list[str]:  # noqa: ANN401 - shapes
    """Return where two shapes differ. null goes with anything, and an empty object or list with a whole one."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        missing = [f"{place}.{name} only on one side" for name in wanted.keys() ^ found.keys()]
        both = wanted.keys() & found.keys()
        return missing + [one for name in both for one in differences(wanted[name], found[name], f"{place}.{name}")]
    if isinstance(wanted, list) and isinstance(found, list):
        whole = [one for one in wanted if one != {}]
        return [text for one in found if one != {} and whole for text in differences(whole[0], one, f"{place}[]")]
    if "NoneType" in (wanted, found):
        return []
    return [] if wanted == found else [f"{place} is {found}, recorded {wanted}"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("calendar-list", f"{LIST}?branch=1&start=2026-11-24T00:00&end=2026-11-24T23:59"),
        ("calendar-appointment", f"{PUBLIC}/appointments/{{one}}"),
        ("calendar-branches", f"{PUBLIC}/branches"),
        ("calendar-services", f"{PUBLIC}/branches/{{branch}}/services"),
        ("calendar-services", f"{PUBLIC}/services/groups;servicePublicId=Padro_alta;servicePublicId=IBI"),
        ("calendar-dates", f"{PUBLIC}/branches/{{branch}}/dates;servicePublicId=Padro_alta;customSlotLength=10"),
        ("calendar-times", f"{PUBLIC}/branches/{{branch}}/dates/2026-11-24/times;servicePublicId=Padro_alta"),
        ("queue-list", "/rest/appointment/appointments/search?branchId=1&fromDate=2026-11-24&toDate=2026-11-24"),
    ],
)
async def test_an_answer_has_the_recorded_names_and_kinds(name: str, path: str) -> None:
    async with orchestra(per_day=30) as simulator:
        wanted = recorded(name)
        branch = simulator.world.branches[0].public_id
        filled = path.format(one=some_booking(simulator).public_id, branch=branch)
        status, _, found = await answer_of(simulator, "GET", filled)
        assert status == wanted["status"]
        assert found
        assert differences(shape(wanted["body"]), shape(found)) == []


async def test_a_booking_is_answered_with_202() -> None:
    async with orchestra() as simulator:
        wanted = recorded("calendar-book")
        status, _, found = await answer_of(simulator, "POST", book_path(simulator), BODY)
        assert status == wanted["status"] == 202
        assert differences(shape(wanted["body"]), shape(found)) == []


async def test_a_cancellation_is_answered_with_204_and_nothing() -> None:
    async with orchestra() as simulator:
        path = f"{PUBLIC}/appointments/{some_booking(simulator).public_id}"
        status, _, found = await answer_of(simulator, "DELETE", path)
        assert (status, found) == (recorded("calendar-cancelled")["status"], None)


async def test_errors_are_in_the_headers_with_the_recorded_names() -> None:
    async with orchestra(faults=OrchestraFaults(gone=Gone.HEADER)) as simulator:
        for name, method, path in (
            ("calendar-gone", "DELETE", f"{PUBLIC}/appointments/{'0' * 64}"),
            ("calendar-gone", "GET", f"{PUBLIC}/appointments/{'0' * 64}"),
            ("calendar-slot-taken", "POST", book_path(simulator)),
        ):
            if method == "POST":
                await answer_of(simulator, method, path, BODY)
            wanted = recorded(name)
            status, headers, _ = await answer_of(simulator, method, path, BODY if method == "POST" else None)
            assert status == wanted["status"]
            assert {key: headers[key] for key in wanted["headers"]} == wanted["headers"]


@pytest.mark.parametrize(
    ("faults", "start"),
    [
        (OrchestraFaults(), r"2026-11-24T\d\d:\d\d:00\.000\+0000"),
        (OrchestraFaults(time_form=TimeForm.COLON), r"2026-11-24T\d\d:\d\d:00\+00:00"),
        (OrchestraFaults(time_form=TimeForm.LOCAL), r"2026-11-24T\d\d:\d\d:00"),
        (OrchestraFaults(time_form=TimeForm.EPOCH), r"1795\d{9}"),
    ],
)
async def test_times_are_written_in_the_form_that_was_chosen(faults: OrchestraFaults, start: str) -> None:
    async with orchestra(faults=faults) as simulator:
        _, _, found = await answer_of(simulator, "GET", f"{LIST}?branch=1&start=2026-11-24&end=2026-11-24")
        for row in found["appointmentList"]:
            assert re.fullmatch(start, str(row["start"]))
            assert isinstance(row["created"], int)


async def test_a_custom_is_broken_null_or_empty_as_chosen() -> None:
    async with orchestra() as simulator:
        found = {}
        for custom in Custom:
            simulator.faults.custom = custom
            _, _, answer = await answer_of(simulator, "GET", f"{LIST}?branch=1&start=2026-11-24&end=2026-11-24")
            found[custom] = answer["appointmentList"][0]["custom"]
        assert found[Custom.NULL] is None
        assert found[Custom.EMPTY] == ""
        assert found[Custom.WHOLE].endswith("}")
        assert '"nota"' in found[Custom.BROKEN]


def test_the_comparison_of_shapes_sees_what_differs() -> None:
    assert differences(shape({"a": 1}), shape({"b": 1}))
    assert differences(shape({"a": 1}), shape({"a": "1"}))
    assert differences(shape([{"a": [1]}]), shape([{"a": ["1"]}]))
    assert differences(shape({"a": {}}), shape({"a": []}))
    assert not differences(shape({"a": None}), shape({"a": "1"}))
    assert not differences(shape([{"a": 1}, {}]), shape([{"a": 2}, {"a": 3}]))


def test_tomorrow_of_the_tests_is_the_recorded_day() -> None:
    assert TOMORROW.isoformat() == "2026-11-24"

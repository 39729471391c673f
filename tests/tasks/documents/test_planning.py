"""Planning the documents, changes of their calendar, deliveries and rejections."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import RULES, book, recorded, register_homes, scrap, told
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.errors import UsageError
from vetlla.service.documents.deliverables import parse_deliverables
from vetlla.service.documents.due import Contract, all_due
from vetlla.tasks.documents import delivering, planning
from vetlla.tasks.documents.planning import PLANNING, Window
from vetlla.tasks.duties import book as duties

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from vetlla.service.documents.delivery import Delivery
    from vetlla.tasks.documents.planning import PlannedDocuments

CONTRACT = Contract(date(2024, 4, 1), date(2024, 4, 1), date(2027, 3, 31))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return register_homes(tmp_path_factory.mktemp("documents"))


def calendar(**days: int) -> dict[str, object]:
    """Return a calendar of monthly documents, each with its days after the end of the month."""
    rule = {"rule": "monthly", "unit": "natural days"}
    one = {"ca": "a", "en": "a", "basis": "contract", "clause": "c"}
    return {code: one | {"due": [rule | {"after": after}]} for code, after in days.items()}


def plan(
    connection: sqlite3.Connection,
    wanted: dict[str, object],
    at: str = "2025-03-02T00:00",
    days: tuple[str, str] = ("2025-03-01", "2025-05-31"),
) -> PlannedDocuments:
    """Plan a calendar at a time."""
    due = all_due(parse_deliverables(wanted, "test"), CONTRACT, RULES.calendar)
    window = Window(date.fromisoformat(days[0]) if days[0] else None, date.fromisoformat(days[1]))
    recording = recorded(at)._replace(source=PLANNING)
    return planning.plan(connection, RULES, due, window, recording, by="T1")


def days(found: list[Delivery]) -> list[tuple[str, str]]:
    """Return period and due day."""
    return [(one.period, str(delivering.day_of(RULES, one))) for one in found]


def test_planning_again_changes_nothing(state: Path) -> None:
    with scrap(state) as connection:
        done = plan(connection, calendar(invoice=5))
        expected = [("2025-02", "2025-03-05"), ("2025-03", "2025-04-05"), ("2025-04", "2025-05-05")]
        assert days(done.opened) == expected
        assert plan(connection, calendar(invoice=5))[:3] == ([], [], 3)
        later = plan(connection, calendar(invoice=5), days=("2025-04-01", "2025-06-30"))
        assert (days(later.opened), later.kept) == ([("2025-05", "2025-06-05")], 3)


def test_a_pause_of_planning_is_caught_up(state: Path) -> None:
    """What was due in the pause is opened: it is late, or was delivered in its time."""
    with scrap(state) as connection:
        first = plan(connection, calendar(invoice=5, yearly=40), days=("", "2025-03-20"))
        assert days(first.opened) == [("2025-02", "2025-03-05"), ("2025-01", "2025-03-12")]
        again = plan(connection, calendar(invoice=5, yearly=40), at="2025-05-20T00:00", days=("", "2025-06-10"))
        assert again.first == date(2025, 3, 13)
        assert [(one.code, *day) for one, day in zip(again.opened, days(again.opened), strict=True)] == [
            ("invoice", "2025-03", "2025-04-05"),
            ("invoice", "2025-04", "2025-05-05"),
            ("invoice", "2025-05", "2025-06-05"),
            ("yearly", "2025-02", "2025-04-09"),
            ("yearly", "2025-03", "2025-05-10"),
            ("yearly", "2025-04", "2025-06-09"),
        ]
        assert again.opened[0].standing.verdict is DutyVerdict.BREACHED
        event = told("document", "invoice", "", "2025-04-03T10:00", receipt="E7")
        done = delivering.deliver(connection, RULES, "2025-03", event, recorded("2025-05-20T00:00"))
        assert done.standing.verdict is DutyVerdict.KEPT
        assert plan(connection, calendar(invoice=5, yearly=40), "2025-05-20T00:00", ("", "2025-06-10")).opened == []


def test_a_first_day_behind_a_pause_names_what_is_left_out(state: Path) -> None:
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5), days=("", "2025-03-20"))
        done = plan(connection, calendar(invoice=5), at="2025-05-20T00:00", days=("2025-05-20", "2025-06-10"))
        assert [one.period for one in done.opened] == ["2025-05"]
        assert [(one.period, str(one.day)) for one in done.missed] == [
            ("2025-03", "2025-04-05"), ("2025-04", "2025-05-05"),
        ]  # fmt: skip


def test_a_document_that_is_new_in_the_calendar_is_owed_from_the_day_of_its_planning(state: Path) -> None:
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5), days=("", "2025-06-30"))
        done = plan(connection, calendar(invoice=5, extra=1), at="2025-04-20T00:00", days=("", "2025-06-30"))
        assert days(done.opened) == [("2025-04", "2025-05-01"), ("2025-05", "2025-06-01")]


def test_another_day_moves_what_is_open_and_not_late(state: Path) -> None:
    """February's was delivered and March's is late; only April's gets its new day."""
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5))
        event = told("document", "invoice", "", "2025-03-04T10:00", receipt="E1")
        delivering.deliver(connection, RULES, "2025-02", event, recorded("2025-03-04T11:00"))
        done = plan(connection, calendar(invoice=8), at="2025-04-20T00:00")
        assert days(done.cancelled) == [("2025-04", "2025-05-05")]
        assert days(done.opened) == [("2025-04", "2025-05-08")]
        assert plan(connection, calendar(invoice=8), at="2025-04-21T00:00")[:3] == ([], [], 3)
        found = planning.deliveries(connection, RULES, "invoice", recorded("2025-04-21T00:00").now_us)
        assert [one.standing.verdict for one in found] == [
            DutyVerdict.KEPT, DutyVerdict.BREACHED, DutyVerdict.CANCELLED, DutyVerdict.OPEN,
        ]  # fmt: skip
        back = plan(connection, calendar(invoice=5), at="2025-04-22T00:00")
        assert days(back.opened) == [("2025-04", "2025-05-05")]


def test_a_document_that_is_no_longer_owed_is_called_off(state: Path) -> None:
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5, extra=5))
        done = plan(connection, calendar(invoice=5))
        assert [one.code for one in done.cancelled] == ["extra"] * 3
        again = plan(connection, calendar(invoice=5, extra=5))
        assert [one.code for one in again.opened] == ["extra"] * 3


def test_what_a_person_called_off_stays_so(state: Path) -> None:
    with scrap(state) as connection:
        first = plan(connection, calendar(invoice=5)).opened[0]
        event = told("document", "invoice", "cancelled", "2025-03-03T10:00")
        duties.record(connection, RULES, first.standing.duty.id, event, recorded("2025-03-03T11:00"))
        assert plan(connection, calendar(invoice=6), at="2025-03-04T00:00").opened[0].period == "2025-03"


def test_a_rejected_document_is_owed_again(state: Path) -> None:
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5))
        found = []
        for act, at in ((delivering.deliver, "03T10"), (delivering.reject, "04T10"), (delivering.deliver, "07T10")):
            event = told("document", "invoice", "", f"2025-03-{at}:00", receipt="E1")
            found.append(act(connection, RULES, "2025-02", event, recorded("2025-03-08T00:00")))
        one = found[-1]
        assert (one.rejected, one.standing.verdict, one.proof["receipt"]) == (1, DutyVerdict.BREACHED, "E1")
        assert plan(connection, calendar(invoice=9), at="2025-03-08T00:00").opened[0].period == "2025-03"


def test_a_period_must_be_named_if_several_are_expected(state: Path) -> None:
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5))
        event = told("document", "invoice", "", "2025-04-02T10:00", receipt="E1")
        with pytest.raises(UsageError, match="several periods: 2025-02, 2025-03"):
            delivering.deliver(connection, RULES, "", event, recorded("2025-04-02T11:00"))
        delivering.deliver(connection, RULES, "2025-02", event, recorded("2025-04-02T11:00"))
        done = delivering.deliver(connection, RULES, "", event, recorded("2025-04-02T11:00"))
        assert done.period == "2025-03"
        with pytest.raises(UsageError, match="2025-03 is delivered already"):
            delivering.deliver(connection, RULES, "2025-03", event, recorded("2025-04-02T11:00"))
        with pytest.raises(UsageError, match="2024-01 is not owed"):
            delivering.deliver(connection, RULES, "2024-01", event, recorded("2025-04-02T11:00"))


def test_acts_on_a_document_are_in_order_of_time(state: Path) -> None:
    with scrap(state) as connection:
        plan(connection, calendar(invoice=5))
        sent = told("document", "invoice", "", "2025-03-04T10:00", receipt="E1")
        delivering.deliver(connection, RULES, "2025-02", sent, recorded("2025-03-05T00:00"))
        early = told("document", "invoice", "", "2025-03-03T10:00")
        with pytest.raises(UsageError, match="was delivered later than that"):
            delivering.reject(connection, RULES, "2025-02", early, recorded("2025-03-05T00:00"))


def test_the_proof_is_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "invoice.xml"
    file.write_bytes(b"abc")
    assert delivering.proof_of(file, "E1") == {
        "file": "invoice.xml",
        "bytes": "3",
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "receipt": "E1",
    }
    file.write_bytes(b"")
    for wrong in (file, tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError):
            delivering.proof_of(wrong, "")
    with pytest.raises(UsageError, match="needs a proof"):
        delivering.proof_of(None, "")


def test_requests_are_kept_apart_from_the_calendar(state: Path) -> None:
    with scrap(state) as connection:
        text = {"ca": "a", "en": "a", "basis": "contract", "clause": "c"}
        rule = {"rule": "request", "after": 10, "unit": "working days"}
        deliverables = parse_deliverables({"protocols": text | {"due": [rule]}} | calendar(invoice=5), "test")
        event = told("document", "protocols", "", "2025-04-14T10:00", ref="R1")
        one = delivering.request(connection, RULES, deliverables, event, recorded("2025-04-14T11:00"))
        assert days([one]) == [("R1", "2025-04-30")]
        assert plan(connection, {}, at="2025-04-15T00:00")[:3] == ([], [], 0)
        with pytest.raises(UsageError, match="not owed on request"):
            delivering.request(
                connection, RULES, deliverables, event._replace(subject="invoice"), recorded("2025-04-14T11:00")
            )


def test_a_plan_is_kept(tmp_path: Path) -> None:
    state = register_homes(tmp_path)
    with book(state) as connection:
        plan(connection, calendar(invoice=5))
    with book(state) as connection:
        assert plan(connection, calendar(invoice=5))[:3] == ([], [], 3)

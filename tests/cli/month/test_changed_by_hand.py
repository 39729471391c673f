"""Rows that were changed so that no reader understands them are named, and so is what only the audit proves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.cli.month.closed import close, tamper, tamper_journal, verified
from tests.rigs.journals import journal, report, write_a_story
from vetlla.domain.calls import CallRecord, Direction, Origin, Tie, TieMethod
from vetlla.domain.clock import ManualClock, SystemClock, to_us
from vetlla.store.calls.write import CallBook, add_tie
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

UNREADABLE = {
    "homes": "UPDATE home_facts SET active = 'x'",
    "homes ": "UPDATE home_facts SET base = CAST(x'ff' AS TEXT)",
    "people": "UPDATE person_facts SET user_type = 'Z', programmes = 'x'",
    "movements": "UPDATE movements SET day = '2025-02-30'",
    "calls": "UPDATE call_records SET direction = 'x'",
    "ties": "UPDATE call_ties SET method = 'x'",
    "duties.fault": "UPDATE duty_events SET details = '{' WHERE kind = 'fault'",
    "duties.fault ": "UPDATE duty_events SET at_us = 'x' WHERE kind = 'fault'",
}
"""Part of the record (the space only tells two of one apart) -> a change by hand that no reader of it understands."""


def test_a_row_that_cannot_be_read_any_longer_is_named(service: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    for what, rows in (
        ("people", "code,home,user_type\nP1,H1,A\n"),
        ("devices", "type,serial,ownership,place,home,first_installed\nterminal_gsm,T1,municipal,home,H1,2020-05-02\n"),
    ):
        (tmp_path / f"{what}.csv").write_text(rows, encoding="utf-8")
        assert service("inventory", "import", tmp_path / f"{what}.csv", "--what", what).status == 0
    clock = SystemClock()
    with transaction(state_dir, clock) as connection:
        book, start_us = CallBook(connection, ""), to_us(datetime(2025, 10, 6, 9, tzinfo=UTC))
        book.begin(Origin.ROWS, at_us=clock.now().utc_us, by="x", file="calls.csv")
        call = book.add_call("C1")
        book.add_record(call, CallRecord(direction=Direction.IN, started=start_us, ready=start_us, ended=start_us + 1))
        add_tie(connection, call, Tie(TieMethod.BY_HAND, "H1"), clock.now().utc_us)
    close(service)
    assert verified(service) == (0, [])
    file = state_dir / "registry.db"
    intact = file.read_bytes()
    for name, sql in UNREADABLE.items():
        tamper(state_dir, sql)
        done = service("month", "verify", "2025-10", "--json")
        assert done.status == 1, (name, done.error)
        assert name.strip() in {one["subject"] for one in done.json if one["kind"] == "input"}
        file.write_bytes(intact)


def test_a_journal_that_cannot_be_read_any_longer_is_named(service: Vetlla, state_dir: Path) -> None:
    write_a_story(state_dir)
    close(service, month="2026-01")
    intact = (state_dir / "journal.db").read_bytes()
    for subject, sql in (
        ("signals", "UPDATE signals SET priority = 77"),
        ("journal", "DELETE FROM audit WHERE id < 20"),
        ("journal", "UPDATE signals SET code = 'x', raw = x'00' WHERE id = 30"),
        ("journal", "UPDATE alarms SET outcome = 'false_alarm'"),
        ("journal", "UPDATE alarms SET home = 'H-0002'"),
    ):
        tamper_journal(state_dir, sql)
        status, found = verified(service, month="2026-01")
        assert status == 1
        assert ("input", subject) in found
        (state_dir / "journal.db").write_bytes(intact)


def test_a_change_of_what_came_after_the_close_is_only_told(service: Vetlla, state_dir: Path) -> None:
    write_a_story(state_dir)
    close(service, month="2026-01")
    with journal(state_dir, ManualClock(datetime(2026, 12, 1, tzinfo=UTC))) as scribe:
        scribe.commit(report(70))
        scribe.flush()
    assert verified(service, month="2026-01") == (0, [])
    tamper_journal(state_dir, "UPDATE signals SET code = 'x' WHERE id = (SELECT max(id) FROM signals)")
    assert verified(service, month="2026-01") == (0, [("information", "journal")])

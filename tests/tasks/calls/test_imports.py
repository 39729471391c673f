"""Imports of calls into a real registry: any order, any part again, and against a slow model."""

from __future__ import annotations

import sqlite3
import tempfile
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.journals import alarm, journal
from tests.rigs.registered_people import put
from vetlla.domain.alarms import State
from vetlla.domain.calls import AlarmMethod, CallRecord, Origin, TieMethod
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.columns import Effect
from vetlla.domain.homes import Home
from vetlla.service.calls.asterisk.cdr import CdrReader
from vetlla.service.calls.asterisk.lines import CDR_LINES, QUEUE_EVENTS
from vetlla.service.calls.asterisk.queue_log import COLUMNS, QueueLogReader
from vetlla.service.calls.columns import CALLS
from vetlla.service.calls.joining import joined, merged, overlaid
from vetlla.service.local_time import LocalTime
from vetlla.store.calls import queries
from vetlla.store.journal.batch import Note
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.calls.imports import CallImport, CallRows, ImportedCalls, import_calls
from vetlla.tasks.calls.tying import tie_by_hand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.calls import PhoneCall

MADRID = ZoneInfo("Europe/Madrid")
LOCAL = LocalTime(MADRID)
READERS: dict[Origin, Any] = {
    Origin.CDR: CdrReader(LOCAL),
    Origin.QUEUE_LOG: QueueLogReader(),
    Origin.ROWS: CallRows(LOCAL),
}
KINDS: dict[Origin, Any] = {Origin.CDR: CDR_LINES, Origin.QUEUE_LOG: QUEUE_EVENTS, Origin.ROWS: CALLS}
CLOCK = ManualClock()
NOON = 1_793_703_600
"""2026-11-03 12:00 in Madrid."""

Row = tuple[Origin, dict[str, str]]


def cdr(call: int, **values: str) -> Row:
    """Return a line of the call detail records."""
    line = {
        "src": "900000001", "dst": "100", "lastapp": "Queue", "dstchannel": "PJSIP/101-00000001",
        "start": "2026-11-03 12:00:00", "end": "2026-11-03 12:05:00", "disposition": "ANSWERED",
        "uniqueid": f"{NOON}.{call}",
    }  # fmt: skip
    return Origin.CDR, line | values


def event(call: int, second: int, *fields: str) -> Row:
    """Return a line of the log of the queues."""
    values = (str(NOON + second), f"{NOON}.{call}", *fields)
    return Origin.QUEUE_LOG, dict(zip(COLUMNS, values, strict=False))


def row(call: int, **values: str) -> Row:
    """Return a row of a file of calls."""
    return Origin.ROWS, {"external_id": f"{NOON}.{call}"} | values


def take(state: Path, rows: Sequence[Row], **options: bool) -> list[ImportedCalls]:
    """Import rows, each run of rows of one kind as a file."""
    done = []
    files: list[tuple[Origin, list[dict[str, str]]]] = []
    for origin, values in rows:
        if not files or files[-1][0] is not origin:
            files.append((origin, []))
        files[-1][1].append(values)
    for origin, file in files:
        about = CallImport(origin, "", "ana", "file", MADRID, 300 * SECOND_US)
        checked = ((number, KINDS[origin].check(values)) for number, values in enumerate(file, start=2))
        done.append(import_calls(state, CLOCK, about, checked, READERS[origin], **options))
    return done


def kept(state: Path) -> dict[str, PhoneCall]:
    """Return the calls of a registry by their id."""
    with snapshot(state, CLOCK) as connection:
        return {call.key.external: call for call in queries.calls(connection, joined)}


def facts(state: Path) -> int:
    """Return how many facts about calls a registry has."""
    with snapshot(state, CLOCK) as connection:
        tables = ("calls", "call_records", "call_ties", "call_imports")
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def model(rows: Sequence[Row]) -> dict[str, CallRecord]:
    """Return what all rows say of each call, by reading all of them at once."""
    said: dict[str, dict[Origin, list[CallRecord]]] = {}
    for number, (origin, values) in enumerate(rows):
        found = READERS[origin].read(number, KINDS[origin].check(values))
        if isinstance(found, tuple):
            said.setdefault(found[0], {}).setdefault(origin, []).append(found[1])
    return {
        external: joined(
            {origin: reduce(overlaid if origin is Origin.ROWS else merged, of) for origin, of in origins.items()}
        )
        for external, origins in said.items()
    }


ROWS = [
    *(cdr(call, src=number) for call, number in ((1, "900000001"), (2, "900000002"), (3, "101"))),
    cdr(2, src="900000002", disposition="NO ANSWER", end="2026-11-03 12:04:00"),
    cdr(4, src="101", dst="900000001", lastapp="Dial", answer="2026-11-03 12:00:05"),
    event(1, 1, "q", "NONE", "ENTERQUEUE", "", "900000001", "1"),
    event(1, 9, "q", "maria", "CONNECT", "8", "x", "3"),
    event(1, 300, "q", "maria", "COMPLETECALLER", "8", "291", "1"),
    event(2, 1, "q", "NONE", "ENTERQUEUE", "", "900000002", "1"),
    event(2, 4, "q", "maria", "RINGNOANSWER", "3000"),
    event(2, 5, "q", "NONE", "EXITWITHTIMEOUT", "1", "1", "4"),
    event(2, 6, "q2", "NONE", "ENTERQUEUE", "", "900000002", "1"),
    event(2, 40, "q2", "joan", "CONNECT", "34", "x", "3"),
    event(3, 1, "q", "NONE", "ENTERQUEUE", "", "101", "1"),
    event(3, 30, "q", "NONE", "ABANDON", "1", "1", "29"),
    row(1, recording="a.wav", recording_sha256="0" * 64),
    row(5, party="service"),
]
slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slow
@given(st.permutations(ROWS), st.lists(st.sampled_from(ROWS), max_size=5))
def test_files_in_any_order_give_the_same_calls(rows: list[Row], again: list[Row]) -> None:
    """Rows of all files in any order, cut anywhere and some of them twice, join to what all of them say at once."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        take(state, [*rows, *again])
        found = kept(state)
        assert {external: call.record for external, call in found.items()} == model(ROWS)
        before = facts(state)
        for done in take(state, rows):
            assert done.effects[Effect.NEW] == done.effects[Effect.CHANGED] == 0
        assert facts(state) == before


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.sampled_from(["in", "out"]),
        "started": st.sampled_from(["2026-11-03T12:00:00+01:00", "2026-11-03 12:00:01"]),
        "answered": st.sampled_from(["2026-11-03 12:00:08", "2026-11-03 12:00:09"]),
        "agent": st.sampled_from(["maria", "joan"]),
        "caller": st.sampled_from(["900000001", "+34 900 000 002"]),
        "outcome": st.sampled_from(["answered", "busy"]),
    },
)


@slow
@given(st.lists(st.tuples(st.integers(1, 3), VALUES), min_size=1, max_size=8))
def test_corrections_by_rows_supersede(values: list[tuple[int, dict[str, str]]]) -> None:
    """A later row wins with what it gives; each change is one more fact, and no change is none."""
    rows = [row(call, **given_values) for call, given_values in values]
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        changes = 0
        for number, one in enumerate(rows, start=1):
            before = model(rows[: number - 1])
            (done,) = take(state, [one])
            after = model(rows[:number])
            assert {external: call.record for external, call in kept(state).items()} == after
            external = one[1]["external_id"]
            effect = Effect.NEW if external not in before else Effect.CHANGED
            assert done.effects[effect if done.effects[Effect.UNCHANGED] == 0 else Effect.UNCHANGED] == 1
            changes += done.effects[Effect.UNCHANGED] == 0
        with sqlite3.connect(state / "registry.db") as connection:
            assert connection.execute("SELECT count(*) FROM call_records").fetchone()[0] == changes


def test_a_bad_row_keeps_everything_out(tmp_path: Path) -> None:
    """All or nothing; with the good rows asked for, they alone are kept. A dry run keeps nothing."""
    rows = [row(1, direction="in"), row(2, started="2026-10-25 02:30:00"), row(3, started="2026-03-29 02:30:00")]
    (done,) = take(tmp_path, rows)
    assert [(fault.row, fault.column) for fault in done.faults] == [(3, "started"), (4, "started")]
    assert kept(tmp_path) == {}
    take(tmp_path, rows, dry_run=True, keep_good_rows=True)
    assert kept(tmp_path) == {}
    take(tmp_path, rows, keep_good_rows=True)
    assert list(kept(tmp_path)) == [f"{NOON}.1"]


def test_a_row_that_contradicts_an_earlier_one_is_a_fault(tmp_path: Path) -> None:
    """The times of one call's rows stay in order, also over several imports."""
    take(tmp_path, [row(1, started="2026-11-03 12:00:00")])
    (done,) = take(tmp_path, [row(1, ended="2026-11-03 11:00:00")])
    assert [(fault.row, fault.column, fault.reason) for fault in done.faults] == [
        (2, "ended", "lies before started of the same call")
    ]


def register(state: Path, code: str, *phones: str) -> None:
    """Register a home with telephones."""
    with transaction(state, CLOCK) as connection:
        put(connection, Home(code=code, district="01", base="N", level=1, alone=False, phones=phones))


def test_ties_follow_the_registry_only_until_there_is_one(tmp_path: Path) -> None:
    """A call without a home is looked at again; a call that has one keeps it, whatever becomes of the number."""
    (done,) = take(tmp_path, [cdr(1)])
    assert done.ties == {TieMethod.UNKNOWN: 1}
    register(tmp_path, "H1", "900 000 001")
    (done,) = take(tmp_path, [cdr(1)])
    assert (done.effects, done.ties) == ({Effect.UNCHANGED: 1}, {TieMethod.PHONE: 1})
    register(tmp_path, "H2", "900000001")
    take(tmp_path, [cdr(1), cdr(2)])
    found = kept(tmp_path)
    assert found[f"{NOON}.1"].tie.home == "H1"
    assert found[f"{NOON}.2"].tie.homes == ("H1", "H2")
    tied = tie_by_hand(tmp_path, CLOCK, f"{NOON}.2", "H2", reason="she said so", by="ana", window_us=0).call
    assert tied.tie.home == "H2"
    take(tmp_path, [cdr(2, end="2026-11-03 12:06:00"), event(2, 1, "q", "NONE", "ENTERQUEUE", "", "900000001")])
    assert kept(tmp_path)[f"{NOON}.2"].tie == tied.tie


def test_calls_are_tied_to_alarms_of_the_journal(tmp_path: Path) -> None:
    """By the operator who worked on the alarm around the call, or by the call's id in a note."""
    register(tmp_path, "H1", "900000001")
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        batch = scribe.batch()
        at = (NOON + 5) * SECOND_US
        for number, operator in ((1, "maria"), (2, "joan"), (3, "maria")):
            late = at + 3600 * SECOND_US * (number == 3)
            values = {"home": "H1", "opened_us": at, "claimed_us": late, "operator": operator, "state": State.CLAIMED}
            batch.alarms[number] = alarm(number, clock, **values)
        batch.notes.append(Note(2, at, "joan", f"called back, {NOON}.4"))
        scribe.write(batch)
    take(tmp_path, [event(1, 1, "q", "NONE", "ENTERQUEUE", "", "900000001"), cdr(4)])
    assert kept(tmp_path)[f"{NOON}.1"].tie.alarm is None  # no operator answered yet
    take(tmp_path, [event(1, 9, "q", "SIP/maria", "CONNECT", "8", "x", "3")])
    found = {external[-1]: call.tie for external, call in kept(tmp_path).items()}
    assert (found["1"].alarm, found["1"].alarm_method) == (1, AlarmMethod.AGENT)
    assert (found["4"].alarm, found["4"].alarm_method) == (2, AlarmMethod.NOTE)

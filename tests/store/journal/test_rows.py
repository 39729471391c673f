"""Values become rows and are read back unchanged."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.journals import alarm, arrival, journal, reject, report
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.clock import ManualClock, to_datetime, to_us
from vetlla.domain.signals import AccountId, Event, Flag, Kind, Phase, Position, Priority, Reason, Signal
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.rows import ALARM_COLUMNS, SIGNAL_COLUMNS, SignalRows, alarm_from, alarm_row, reject_row
from vetlla.store.journal.stored import reject_from, signal_from
from vetlla.store.sqlite.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENT = st.none() | st.integers(0, to_us(datetime(2200, 1, 1, tzinfo=UTC))).map(to_datetime)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
POSITIONS = st.builds(
    Position,
    latitude=NUMBER,
    longitude=NUMBER,
    altitude_m=st.none() | NUMBER,
    accuracy_m=st.none() | NUMBER,
    source=TEXT,
    at=MOMENT,
)
SIGNALS = st.builds(
    Signal,
    protocol=TEXT,
    id=st.builds(AccountId, TEXT, TEXT, TEXT),
    event=st.builds(Event, st.sampled_from(Kind), st.sampled_from(Phase), TEXT, TEXT),
    raw=st.binary(min_size=1, max_size=40),
    device=TEXT,
    area=TEXT,
    text=TEXT,
    sequence=TEXT,
    occurred_at=MOMENT,
    sent_at=MOMENT,
    position=st.none() | POSITIONS,
    measurements=st.dictionaries(TEXT, NUMBER, max_size=3),
    details=st.dictionaries(TEXT, TEXT, max_size=3),
    identity=st.binary(max_size=16),
    sealed_with=TEXT,
    buffered=st.booleans(),
    repeated=st.booleans(),
    part=st.integers(1, 50),
    parts=st.integers(1, 50),
)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """Make an empty journal in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection, "journal", ":memory:", ManualClock())
    yield connection
    connection.close()


def kept(database: sqlite3.Connection, table: str, values: tuple[Any, ...], columns: tuple[str, ...]) -> sqlite3.Row:
    """Insert a row and read it back."""
    database.execute(f"DELETE FROM {table}")
    marks = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
    (row,) = database.execute(f"SELECT * FROM {table}").fetchall()
    assert isinstance(row, sqlite3.Row)
    return row


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signal=SIGNALS)
def test_a_signal_is_read_back_unchanged(database: sqlite3.Connection, signal: Signal) -> None:
    """Every signal that a decoder can make is stored without losing or changing any value."""
    flags = (Flag.BUFFERED if signal.buffered else Flag(0)) | (Flag.REPEATED if signal.repeated else Flag(0))
    rows = SignalRows(commit=1)
    rows.add_signal(signal, arrival(ManualClock()), number=1, home="", priority=Priority.LIFE, flags=flags, alarm=None)

    assert signal_from(kept(database, "signals", rows.signals[0], SIGNAL_COLUMNS)) == signal


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(SIGNALS, min_size=1, max_size=12), min_size=1, max_size=3))
def test_batches_are_read_back_from_the_journal_unchanged(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Signal]]
) -> None:
    """The real file holds every signal once and in order."""
    directory = tmp_path_factory.mktemp("journal")
    with journal(directory) as scribe:
        for batch in batches:
            flags = [int(signal.buffered) | 2 * int(signal.repeated) for signal in batch]
            written = scribe.batch()
            came = arrival(scribe.clock)
            written.signals = [
                scribe.row(signal, came, scribe.next_signal + place, written.commit, flags=flag)
                for place, (signal, flag) in enumerate(zip(batch, flags, strict=True))
            ]
            scribe.write(written)
        with Archive(directory) as archive:
            stored = list(history.stream(archive, history.signals()))

    assert [one.signal for one in stored] == [signal for batch in batches for signal in batch]
    assert [one.id for one in stored] == list(range(1, len(stored) + 1))


def test_values_that_the_intake_adds_are_kept(tmp_path: Path) -> None:
    """Home, priority, alarm, path, stamps and the time from the first byte to the queue are stored."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(), home="H-0001", priority=Priority.HOME_RISK, alarm=7, flags=Flag.ON_TEST)
        scribe.flush()
        with Archive(tmp_path) as archive:
            stored = history.signal(archive, 1)

    assert stored is not None
    assert (stored.home, stored.priority, stored.alarm, stored.flags) == (
        "H-0001", Priority.HOME_RISK, 7, Flag.ON_TEST,
    )  # fmt: skip
    assert (stored.listener, stored.transport, stored.peer) == ("dc09", "tcp", "192.0.2.7:40000")
    assert stored.received_us - stored.established_us == 1000
    assert (stored.committed_us, stored.ready_us) == (stored.received_us + 200, stored.received_us + 300)
    assert stored.t2_us == 1300
    assert (stored.answered_us, stored.closed_us, stored.duplicates) == (None, None, 0)
    assert stored.t3_us is None


@pytest.mark.parametrize(
    ("made", "t3_s"),
    [
        ({}, 20),  # became ready with its alarm
        ({"ready_mono_us": -4_999_700}, 15),  # joined 5 s later
        ({"ready_mono_us": -20_000_300}, 0),  # joined as it was answered
        ({"ready_mono_us": -90_000_300}, 0),  # joined while the operator was speaking
        ({"answered_us": None, "t3_us": None}, None),  # is still waiting
        ({"boot": 2, "ready_mono_us": None}, 20.9997),  # was answered after a reboot, by the wall clock
        ({"answered_us": None, "closed_us": 7_000_000}, 20),  # closed without an answer
    ],
)
def test_every_signal_has_its_own_t3(tmp_path: Path, made: dict[str, Any], t3_s: float | None) -> None:
    """The time runs from ready until its alarm was answered or closed, on the clock that is never stepped."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        now_us = clock.now().utc_us
        opened = {"ready_us": now_us, "ready_mono_us": 300, "answered_us": now_us + 21_000_000, "t3_us": 20_000_000}
        batch = scribe.signals([report()], alarm=1)
        batch.alarms[1] = alarm(1, clock, **opened | made)
        scribe.write(batch)
        scribe.flush()
        with Archive(tmp_path) as archive:
            stored = history.signal(archive, 1)

    assert stored is not None
    assert stored.t3_us == (None if t3_s is None else round(t3_s * 1e6))


def test_a_routine_report_was_answered_by_the_receiver(tmp_path: Path) -> None:
    """A routine report did not wait for an operator."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(), priority=Priority.ROUTINE)
        scribe.flush()
        with Archive(tmp_path) as archive:
            stored = history.signal(archive, 1)

    assert stored is not None
    assert stored.t3_us == 0


def test_stamps_lost_with_the_receiver_are_absent_not_invented(tmp_path: Path) -> None:
    """The next commit writes the stamps of a commit, so they are missing after a crash in between."""
    with journal(tmp_path) as scribe:
        scribe.commit(report())
        with Archive(tmp_path) as archive:
            stored = history.signal(archive, 1)

    assert stored is not None
    assert (stored.committed_us, stored.ready_us, stored.t2_us) == (None, None, None)


@pytest.mark.parametrize("outcome", [None, *AlarmOutcome])
@pytest.mark.parametrize("state", State)
def test_an_alarm_is_read_back_unchanged(
    database: sqlite3.Connection, state: State, outcome: AlarmOutcome | None
) -> None:
    """Every column of an alarm is read back unchanged, in every state."""
    whole = alarm(
        3,
        ManualClock(),
        state=state,
        outcome=outcome,
        unknown_account=True,
        runaway=True,
        chained_to=2,
        ready_us=5,
        ready_mono_us=6,
        t2_us=7,
        t3_us=8,
        lease_mono_us=9,
        operator="maria",
        escalated=2,
        warned_us=10,
        overdue_us=11,
        due_mono_us=12,
        lapsed_us=13,
        escalated_us=14,
        escalated_by="berta",
        escalated_why="door locked",
    )

    assert alarm_from(kept(database, "alarms", alarm_row(whole), ALARM_COLUMNS)) == whole


@pytest.mark.parametrize("who", [None, AccountId("1", "L0", "00aF")])
@pytest.mark.parametrize("reason", Reason)
def test_a_reject_is_read_back_unchanged(database: sqlite3.Connection, reason: Reason, who: AccountId | None) -> None:
    """A reject is useful as evidence only if it is exact."""
    evidence = reject(reason=reason, id=who, raw=bytes(range(256)))
    columns = (
        "at_us", "listener", "transport", "peer", "protocol", "reason", "receiver", "line", "account", "text", "raw",
    )  # fmt: skip

    stored = reject_from(kept(database, "rejects", reject_row(arrival(ManualClock()), evidence), columns))

    assert stored.reject == evidence
    assert (stored.transport, stored.peer) == ("tcp", "192.0.2.7:40000")

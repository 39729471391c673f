"""Positions of sinks in the journal, the signals that a sink reads, and what removals leave for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import journal, report
from tests.rigs.removals import PLACE, terms
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.errors import StoreError
from vetlla.domain.onward import Backlog, KeptSink
from vetlla.domain.removal import Erasure
from vetlla.domain.signals import AccountId
from vetlla.receiver.sinks.filters import Filter
from vetlla.settings.sinks.mqtt import MqttSink
from vetlla.store.erasure import steps_of
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.due import due
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.outbox import JournalOutbox
from vetlla.store.journal.retention import round_of
from vetlla.store.journal.sink_rows import read_sinks, waits_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.journals import Scribe

DAY_S = 86_400
CITY = KeptSink("city", 4, 1, 2, 3, 5, "sara", "their server moves")


@pytest.fixture
def scribe(tmp_path: Path) -> Iterator[Scribe]:
    """Return a journal with ten signals, one an hour."""
    with journal(tmp_path, ManualClock()) as opened:
        for number in range(10):
            opened.commit(report(number, position=PLACE), home="H-1")
            moved(opened, 3_600)
        yield opened


def outbox_of(scribe: Scribe) -> JournalOutbox:
    return JournalOutbox(scribe.journal.path.parent, lambda: scribe.journal.file)


def moved(scribe: Scribe, seconds: float) -> None:
    assert isinstance(scribe.clock, ManualClock)
    scribe.clock.advance(seconds)


def keep(scribe: Scribe, *sinks: KeptSink) -> None:
    batch = scribe.batch()
    batch.sinks = {one.name: one for one in sinks}
    assert not batch.empty
    assert not batch.vital
    scribe.journal.write(batch)


def left(scribe: Scribe, *sinks: str, **days: int) -> list[int]:
    """Do a round of removals with these sinks configured; return the signals that are left."""
    work = round_of(scribe.journal.connection, terms(scribe.clock, **days)._replace(sinks=sinks), scribe.clock)
    while scribe.journal.take(work) is not None:
        pass
    return [row["id"] for row in scribe.journal.connection.execute("SELECT id FROM signals ORDER BY id")]


# --- rows -------------------------------------------------------------------------------------------------------------


def test_a_row_is_read_as_it_was_written(scribe: Scribe) -> None:
    """A later row of the same sink replaces the earlier one; a starting receiver gets all of them."""
    keep(scribe, CITY, KeptSink("bus", 9, 1))
    keep(scribe, CITY._replace(position=7, paused_us=None))
    assert read_sinks(scribe.journal.connection) == (KeptSink("bus", 9, 1), CITY._replace(position=7, paused_us=None))
    assert scribe.journal.recover(0).sinks == read_sinks(scribe.journal.connection)


def test_a_failed_batch_leaves_its_positions_to_the_next(scribe: Scribe) -> None:
    """The newer position wins."""
    failed, following = scribe.batch(), scribe.batch()
    failed.sinks = {"city": CITY, "bus": KeptSink("bus", 1, 1)}
    following.sinks = {"city": CITY._replace(position=9)}
    following.keep_from(failed)
    assert following.sinks == {"city": CITY._replace(position=9), "bus": KeptSink("bus", 1, 1)}


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_sink_reads_in_order_and_within_its_bounds(scribe: Scribe) -> None:
    """The writer goes on meanwhile, and what it wrote is seen by the next read."""
    outbox = outbox_of(scribe)
    try:
        records = outbox.after(3, 8, 3)
        assert [record.number for record in records] == [4, 5, 6]
        assert (records[0].home, records[0].signal.position, records[0].signal.raw) == ("H-1", PLACE, b"")
        assert outbox.backlog(3, 8) == Backlog(5, records[0].received_us)
        assert outbox.backlog(10, 10) == Backlog(0, None)
        scribe.commit(report(10), home="H-1")
        assert [record.number for record in outbox.after(10, 99, 9)] == [11]
    finally:
        outbox.close()


def test_another_file_with_the_name_of_the_journal_is_not_read(scribe: Scribe, tmp_path: Path) -> None:
    """It may lack signals, and a sink that read it would pass what it never sent."""
    outbox = outbox_of(scribe)
    try:
        assert len(outbox.after(0, 10, 10)) == 10
        with journal(tmp_path / "other", ManualClock()) as other:
            other.commit(report(1), home="H-9")
        scribe.journal.path.rename(tmp_path / "moved")
        (tmp_path / "other" / JOURNAL).rename(scribe.journal.path)
        with pytest.raises(StoreError):
            outbox.after(0, 10, 10)
        with pytest.raises(StoreError):
            outbox.backlog(0, 10)
        scribe.journal.path.unlink()
        (tmp_path / "moved").rename(scribe.journal.path)
        assert len(outbox.after(0, 10, 10)) == 10
    finally:
        outbox.close()


def test_a_time_becomes_numbers(scribe: Scribe) -> None:
    """The range holds exactly what was received in the time."""
    outbox = outbox_of(scribe)
    stamps = [record.received_us for record in outbox.after(0, 10, 10)]
    try:
        assert outbox.numbers(stamps[2], stamps[5]) == (3, 5)
        assert outbox.numbers(stamps[2] + 1, None) == (4, 10)
        assert outbox.numbers(None, stamps[1]) == (1, 1)
        first, last = outbox.numbers(stamps[9] + 3 * 3_600 * SECOND_US, None)
        assert first > last
        first, last = outbox.numbers(None, stamps[0])
        assert first > last
    finally:
        outbox.close()


def test_an_erased_home_is_recognised(scribe: Scribe) -> None:
    """Its signals keep their numbers and say nothing, so no filter lets them pass."""
    erasure = Erasure("H-1", ("0003",), "sara")
    scribe.commit(report(3, id=AccountId("", "", "0003")), home="H-1")
    moved(scribe, 40 * DAY_S)
    work = steps_of(scribe.journal.connection, erasure, {}, scribe.clock, 0)
    while scribe.journal.take(work) is not None:
        pass
    outbox = outbox_of(scribe)
    try:
        erased = [record for record in outbox.after(0, 11, 11) if record.is_erased]
    finally:
        outbox.close()
    assert [record.number for record in erased] == [4, 11]
    sink = MqttSink(kind="mqtt", name="bus", host="broker.example")
    assert not any(map(Filter(sink).wants, erased))
    assert Filter(sink).wants(erased[0]._replace(home="H-1"))


# --- removals ---------------------------------------------------------------------------------------------------------


def test_a_removal_leaves_what_a_sink_has_not_passed(scribe: Scribe) -> None:
    """The slowest configured sink counts, even while it is paused; a former one does not."""
    keep(scribe, CITY, KeptSink("bus", 7, 1), KeptSink("former", 0, 1))
    moved(scribe, 100 * DAY_S)
    scribe.commit(report(99), home="H-1")  # the newest signal always stays
    assert left(scribe, "city", "bus", signals=30) == [5, 6, 7, 8, 9, 10, 11]
    assert left(scribe, "bus", signals=30) == [8, 9, 10, 11]
    assert left(scribe, signals=30) == [11]


def test_places_wait_for_sinks_and_raw_bytes_do_not(scribe: Scribe) -> None:
    """A place is sent, and raw bytes are not."""
    keep(scribe, CITY)
    moved(scribe, 100 * DAY_S)
    scribe.commit(report(99), home="H-1")
    left(scribe, "city", positions=30)
    with_more = scribe.journal.connection.execute("SELECT id FROM signals WHERE more IS NOT NULL").fetchall()
    assert with_more[0]["id"] == 5
    left(scribe, "city", raw=30)
    with_raw = scribe.journal.connection.execute("SELECT id FROM signals WHERE raw <> x''").fetchall()
    assert [row["id"] for row in with_raw] == [11]


def test_a_removal_tells_for_which_sink_it_waits(scribe: Scribe) -> None:
    """Nothing is told of a sink that has passed all that is too old; a dry run counts the same rows."""
    read = scribe.journal.connection.execute
    keep(scribe, CITY)
    moved(scribe, 100 * DAY_S)
    scribe.commit(report(99), home="H-1")

    def waits(*sinks: str) -> str:
        by = terms(scribe.clock, signals=30)._replace(sinks=sinks)
        return waits_for(lambda sql, values: read(sql, values).fetchall(), by)

    assert (waits("city"), waits(), waits("unknown")) == ("city", "", "")
    with Archive(scribe.journal.path.parent) as archive:
        (one,) = due(archive.read, terms(scribe.clock, signals=30)._replace(sinks=("city",)))
    assert one.rows == 4
    keep(scribe, CITY._replace(position=10))
    assert waits("city") == ""

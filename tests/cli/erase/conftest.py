"""A service with a home that left and one that stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cli.erase.left import HOMES
from tests.rigs.journals import alarm, journal, reject, report
from tests.rigs.journals import arrival as arrived
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import AccountId, Position
from vetlla.store.journal.batch import Entry, Note
from vetlla.store.journal.rows import reject_row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

PEOPLE = "code,home,user_type\nP-1,H-1,A\nP-2,H-2,A\n"
PLACE = Position(latitude=41.38, longitude=2.17, accuracy_m=None, altitude_m=None, source="gps", at=None)


@pytest.fixture
def place(state_dir: Path, vetlla: Vetlla, tmp_path: Path) -> Path:
    """Make a service with two homes: the first left last year; both had an alarm a month before that."""
    (tmp_path / "homes.csv").write_text(HOMES, encoding="utf-8")
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    for what in ("homes", "people"):
        done = vetlla("inventory", "import", tmp_path / f"{what}.csv", "--what", what)
        assert done.status == 0, done.error
    for account in ("0001", "0002"):
        assert vetlla("accounts", "set", account, "--home", f"H-{account[-1]}").status == 0
    clock = ManualClock(datetime.now(UTC) - timedelta(days=200))
    with journal(state_dir, clock) as scribe:
        for number in (1, 2):
            who = AccountId("", "0", f"000{number}")
            said = report(number, id=who, text="in the bath", position=PLACE, raw=b"Carrer Major 7 %d" % number)
            batch = scribe.signals([said] * 3, home=f"H-{number}", alarm=number)
            now_us = clock.now().utc_us
            batch.alarms[number] = alarm(
                number, clock, home=f"H-{number}", account=f"000{number}", state=State.CLOSED,
                outcome=AlarmOutcome.HELP_SENT, closed_us=now_us, t2_us=7, t3_us=9,
            )  # fmt: skip
            detail: dict[str, object] = {"outcome": "help_sent", "t2_us": 7, "t3_us": 9}
            batch.audit += [
                Entry(now_us, "receiver", "open", f"alarm {number}", {}),
                Entry(now_us, "maria", "note", f"alarm {number}", {}),
                Entry(now_us, "maria", "close", f"alarm {number}", detail),
            ]
            batch.notes.append(Note(number, now_us, "maria", "hip broken"))
            batch.rejects.append(reject_row(arrived(clock), reject(id=who, raw=b"Carrer Major 7 %d" % number)))
            scribe.write(batch)
        clock.advance(199 * 86_400)
        scribe.commit(report(2, id=AccountId("", "0", "0002")), home="H-2")
    return tmp_path

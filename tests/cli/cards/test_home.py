"""``vetlla home`` as the people who read cards type it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.rigs.cards import CARD, SECRETS, keep
from tests.rigs.journals import alarm, journal
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.cards import CARD as FORM
from vetlla.domain.clock import ManualClock, SystemClock
from vetlla.domain.supervision import KeptDevice
from vetlla.service.supervision.rules import Health

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def known(state_dir: Path, vetlla: Vetlla, tmp_path: Path) -> Path:
    """Make a home with a card, an account, a device, a closed alarm and an open one."""
    keep(state_dir, CARD)
    assert vetlla("accounts", "set", "0001", "--home", "H-0001").status == 0
    (tmp_path / "homes.csv").write_text("code,district,base,level,alone\nH-0001,01,NORD,2,yes\n", encoding="utf-8")
    device = "terminal_gsm,T1,municipal,home,H-0001,0001,2024-05-02\n"
    devices = "type,serial,ownership,place,home,account,first_installed\n"
    (tmp_path / "devices.csv").write_text(devices + device, encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    assert vetlla("inventory", "import", tmp_path / "devices.csv").status == 0
    clock = ManualClock()
    clock.advance((SystemClock().now().utc_us - clock.now().utc_us) / 1e6 - 60)
    with journal(state_dir, clock) as scribe:
        batch = scribe.batch()
        now_us = clock.now().utc_us
        batch.alarms[1] = alarm(
            1, clock, home="H-0001", account="0001", state=State.CLOSED, outcome=AlarmOutcome.TEST, closed_us=now_us
        )
        batch.alarms[2] = alarm(2, clock, home="H-0001", account="0001")
        batch.alarms[3] = alarm(3, clock, home="H-0002", account="0002")
        ok, new = Health.OK.value, Health.NOT_SUPERVISED.value
        batch.supervision.units += [
            KeptDevice(0, "0001", "", "", "", ok, now_us, now_us, 0, 900, 3, "", 0, 0, 0, 0),
            KeptDevice(1, "0001", "T9", "", "", new, 0, 0, 0, 900, 3, "", 0, 0, 0, 0),
        ]
        scribe.write(batch)
    return state_dir


@pytest.mark.usefixtures("known")
def test_a_home_is_shown_with_what_else_is_known_of_it(vetlla: Vetlla) -> None:
    """The card, recent alarms, accounts, devices, and how they are heard; each section has its rows."""
    (shown,) = vetlla("home", "H-0001", "--alarm", 2, "--json").json
    assert FORM.validate_python(shown["card"]) == CARD
    sections = shown["sections"]
    assert [(one["alarm"], one["state"], one["outcome"]) for one in sections["alarms"]] == [
        (2, "waiting", None),
        (1, "closed", "test"),
    ]
    assert [one["account"] for one in sections["accounts"]] == ["0001"]
    assert [one["device"] for one in sections["devices"]] == ["terminal_gsm:T1"]
    assert [(one["account"], one["state"]) for one in sections["supervision"]] == [
        ("0001", "ok"),
        ("0001", "not_supervised"),
    ]
    assert [one["since"] is None for one in sections["supervision"]] == [False, True]
    assert shown["unread"] == {}
    text = vetlla("home", "H-0001", "--alarm", 2).out
    assert [word for word in SECRETS if word not in text] == []
    assert "terminal_gsm:T1" in text
    assert "1970" not in text
    assert [(one["home"], one["alarm"]) for one in vetlla("cards", "readers", "--json").json] == [("H-0001", 2)] * 2


def test_a_reading_needs_a_reason(vetlla: Vetlla, known: Path) -> None:
    """An alarm of another home, or no alarm at all, is no reason; without one nothing is shown."""
    for words in ((), ("--reason", "  "), ("--alarm", 3), ("--alarm", 99)):
        done = vetlla("home", "H-0001", *words)
        assert (done.status, done.out) == (os.EX_USAGE, "")
        assert "--reason" in done.error
    tried = [(one["did"], one["alarm"]) for one in vetlla("cards", "readers", "--json").json]
    assert tried == [("refused", None), ("refused", None), ("refused", 3), ("refused", 99)]
    (known / "journal.db").unlink()
    assert vetlla("home", "H-0001", "--alarm", 99).status == 0  # the journal is lost, and a person waits


def test_without_its_key_a_home_is_shown_without_its_card(vetlla: Vetlla, known: Path) -> None:
    """The sections come first, then the error with its remedy and its exit status."""
    (known / "cards.toml").unlink()
    done = vetlla("home", "H-0001", "--alarm", 2, "--json")
    assert done.status == os.EX_CONFIG
    assert done.json[0]["card"] is None
    assert len(done.json[0]["sections"]["alarms"]) == 2
    assert "restore its file" in done.error


def test_a_home_without_a_card_is_shown(vetlla: Vetlla, state_dir: Path) -> None:
    """An unknown home is an error; a state directory that is not there is one, too."""
    assert vetlla("accounts", "set", "0005", "--home", "H-0005").status == 0
    done = vetlla("home", "H-0005", "--reason", "test")
    assert (done.status, "H-0005 has no card" in done.talk, "0005" in done.out) == (0, True, True)
    assert vetlla("home", "H-0005", "--reason", "test", "--state-dir", state_dir / "no").status == os.EX_IOERR

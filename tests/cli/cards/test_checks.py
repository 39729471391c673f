"""What doctor and check-config say about cards."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.rigs.cards import CARD, keep
from tests.rigs.journals import alarm, journal
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.cards import ReadReason
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import AccessError
from vetlla.store.cards.opening import CARDS, LOCK
from vetlla.tasks.cards.reading import check_reason

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Vetlla


def test_the_checks_name_what_is_wrong_with_the_cards(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """Permissions, a missing key, and a key that does not open the cards, each with its remedy."""
    place = keep(state_dir, CARD)
    other = tmp_path / "other"
    other.mkdir()
    wrong_key = keep(other).key_file.read_bytes()

    def found() -> tuple[str, str]:
        rows = vetlla("doctor", "--json").json
        (one,) = [one for one in rows if one["check"] == "cards"]
        warned = [
            one["text"] for one in vetlla("check-config", "--json").json[0]["warnings"] if one["check"] == "cards"
        ]
        assert warned == ([one["text"]] if one["level"] == "critical" else [])
        return one["level"], one["text"]

    assert found() == ("ok", "1 cards")
    (state_dir / CARDS).chmod(0o644)
    assert found()[0] == "critical"
    (state_dir / CARDS).chmod(0o600)
    place.key_file.write_bytes(wrong_key)
    assert found() == ("critical", f"{place.key_file}: does not open 1 of 1 cards")
    place.key_file.unlink()
    assert found() == ("critical", f"{place.key_file}: the key of the cards is missing")
    (state_dir / CARDS).unlink()
    level, text = found()
    assert (level, "the card file is missing" in text) == ("critical", True)
    (state_dir / LOCK).unlink()
    assert found() == ("ok", "none")


def test_an_alarm_that_was_closed_long_ago_is_no_reason(vetlla: Vetlla, state_dir: Path) -> None:
    """One that was closed an hour ago is; a journal that the user may not read leaves the number to count."""
    keep(state_dir, CARD)
    now = SystemClock().now().utc_us
    with journal(state_dir, SystemClock()) as scribe:
        batch = scribe.batch()
        for number, hours in ((1, 25), (2, 1)):
            batch.alarms[number] = alarm(
                number, scribe.clock, home="H-0001", state=State.CLOSED, outcome=AlarmOutcome.HELP_SENT,
                closed_us=now - hours * 3_600_000_000,
            )  # fmt: skip
        scribe.write(batch)
    done = vetlla("home", "H-0001", "--alarm", "1", "--only-card")
    assert (done.status, "closed more than 24 hours ago" in done.error, "--reason" in done.error) == (64, True, True)
    assert vetlla("home", "H-0001", "--alarm", "2", "--only-card").status == 0


def test_a_journal_without_permission_does_not_refuse_the_card(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of the alarm counts then."""

    def refused(*_: object) -> None:
        raise AccessError("no permission", remedy="none")

    monkeypatch.setattr("vetlla.tasks.cards.reading.Archive", refused)
    check_reason(state_dir, SystemClock(), "H-0001", ReadReason(7))


def test_what_is_open_stands_beside_the_card(vetlla: Vetlla, tmp_path: Path, state_dir: Path) -> None:
    """Calls without numbers, visits, faults, duties, keys and emergencies, for a person and for a machine."""
    keep(state_dir, CARD)
    homes = "code,district,base,level,alone,active,phones\nH-0001,01,NORD,2,yes,2018-01-01/,900000001\n"
    (tmp_path / "homes.csv").write_text(homes, encoding="utf-8")
    now = SystemClock().now().utc_us // 1_000_000
    started, ended = (datetime.fromtimestamp(now - ago, UTC).isoformat() for ago in (600, 300))
    call = f"external_id,direction,started,answered,ended,caller\n1,in,{started},{started},{ended},900000001\n"
    (tmp_path / "calls.csv").write_text(call, encoding="utf-8")
    day = ("--at", "2026-01-02T10:00")
    for words in (
        ("inventory", "import", tmp_path / "homes.csv", "--what", "homes"),
        ("calls", "import", tmp_path / "calls.csv"),
        ("duties", "open", "fault", "H-0001", *day),
        ("duties", "open", "umo_1", "H-0001", *day),
        ("duties", "open", "visit", "H-0001", *day, "--from", "2026-01-05T09:00", "--to", "2026-01-05T11:00"),
        (
            "custody",
            "cede",
            "H-0001",
            "--code",
            "K1",
            "--place",
            "hook 1",
            "--authorisation",
            "A1",
            "--may-return",
            "P1",
        ),
    ):
        done = vetlla(*words)
        assert done.status == 0, done.error
    (answer,) = vetlla("home", "H-0001", "--reason", "test", "--json").json
    sections = answer["sections"]
    names = ("emergencies", "calls", "visits", "faults", "keys")
    assert [len(sections[name]) for name in names] == [1, 1, 1, 1, 1]
    assert {one["kind"] for one in sections["duties"]} == {"fault", "umo_1", "visit"}
    assert (sections["keys"][0]["place"], sections["calls"][0]["talk_s"]) == ("hook 1", 300)
    assert (list(answer["unread"]), "900000001" in json.dumps(sections)) == (["alarms"], False)  # there is no journal
    shown = vetlla("home", "H-0001", "--reason", "test").out
    assert [name for name in (*names, "duties") if name.capitalize() not in shown] == []

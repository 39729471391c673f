"""``vetlla cards`` and ``vetlla home`` as the people who keep and read cards type them."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.cards import CARD, SECRETS, assert_sealed, keep
from tests.rigs.journals import alarm, journal
from vetlla.cli.cards.commands import CARD_BYTES_MAX
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.cards import CARD as FORM
from vetlla.domain.cards import ReadReason
from vetlla.domain.clock import ManualClock, SystemClock
from vetlla.domain.errors import AccessError
from vetlla.domain.supervision import KeptDevice
from vetlla.service.supervision.rules import Health
from vetlla.store.cards.opening import CARDS, LOCK
from vetlla.tasks.cards.reading import check_reason

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

ROWS = """\
home,what,code,name,languages,order,telephones,has_key,floor
H-0001,home,,,,,,,3
H-0001,person,P-0001,Sra. Invenció,ca;es,,,,
H-0001,contact,,Berta Fictícia,,2,900000102,sí,
H-0001,contact,,Pol Fictici,,1,900 000 101,no,
H-0002,person,P-0002,Sr. Figurat,,,,,
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cards.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_cards_are_imported_once(vetlla: Vetlla, state_dir: Path, file: Path) -> None:
    """The first import needs a key; a dry run writes nothing; the second import changes nothing."""
    assert vetlla("cards", "import", file).status == os.EX_CONFIG
    assert vetlla("cards", "rekey").status == 0
    assert vetlla("cards", "import", file, "--dry-run").out.endswith("(dry run: nothing was written)\n")
    for counts in ({"new": 2, "changed": 0, "unchanged": 0}, {"new": 0, "changed": 0, "unchanged": 2}):
        (told,) = vetlla("cards", "import", file, "--json").json
        assert {name: told[name] for name in counts} == counts
    file.write_text(ROWS.replace("900000102", "900000109"), encoding="utf-8")
    assert vetlla("cards", "import", file, "--json").json[0]["changed"] == 1
    (shown,) = vetlla("home", "H-0001", "--reason", "test", "--only-card", "--json").json
    assert [one["telephones"] for one in shown["card"]["contacts"]] == [["900 000 101"], ["900000109"]]
    assert_sealed(*state_dir.iterdir())


def test_a_bad_row_imports_nothing(vetlla: Vetlla, state_dir: Path, file: Path) -> None:
    """Every fault is told, and the good rows wait for the next import."""
    keep(state_dir)
    file.write_text(ROWS + "H-0003,contact,,Ona,,,12,,\nH-0003,contact,,Quim,,,,,2\n", encoding="utf-8")
    done = vetlla("cards", "import", file, "--json")
    assert done.status == os.EX_USAGE
    assert [(one["row"], one["column"]) for one in done.json] == [(7, "telephones"), (8, "floor")]
    assert "Quim" not in done.out + done.talk
    assert {one["value"] for one in done.json} == {"(not shown)"}, "cron would mail it"
    assert "H-0001 has no card" in vetlla("home", "H-0001", "--reason", "test", "--only-card").talk


@pytest.mark.parametrize(
    "content",
    [
        "home,what,code,name\nH-0001,Ona,P-1,\n",
        "home,what,code,name\nOna\x07,person,P-1,x\n",
        "home,what,code,name\nH-0001,person,Ona,x\nH-0001,person,Ona,x\n",
        "home,what,name,order,has_key\nH-0001,contact,x,Ona,\nH-0001,contact,x,,Ona\n",
        "H-0001,person,P-1,Ona\nH-0002,person,P-2,Ona\n",
        "home,what,code,name\nH-0001,person,P-1,x,Ona\n",
        'home,what,code,name\nH-0001,person,P-1,"Ona',
    ],
)
def test_no_message_about_a_file_has_a_word_of_it(vetlla: Vetlla, state_dir: Path, file: Path, content: str) -> None:
    """One separator too many puts a name into any column, and a file without headings puts one into row 1."""
    keep(state_dir)
    file.write_text(content, encoding="utf-8")
    for words in ((), ("--json",), ("--dry-run",)):
        done = vetlla("cards", "import", file, *words)
        assert (done.status, "Ona" in done.out + done.talk + done.error) == (os.EX_USAGE, False)


def test_an_export_is_imported_unchanged(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """It needs a reason, and counts as a reading."""
    keep(state_dir, CARD)
    out = tmp_path / "out.xlsx"
    assert vetlla("cards", "export", out).status == os.EX_USAGE
    assert not out.exists()
    assert vetlla("cards", "export", out, "--reason", "hand-over").status == 0
    assert vetlla("cards", "import", out, "--json").json[0]["unchanged"] == 1
    (one,) = vetlla("cards", "readers", "H-0001", "--json").json
    assert (one["did"], one["home"], one["reason"]) == ("export", None, "hand-over")


def test_only_its_owner_can_open_an_export(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """The file has health notes in clear, and an umask of 0 or an older file under its name opens it to no other."""
    keep(state_dir, CARD)
    out = tmp_path / "out.csv"
    out.touch()
    out.chmod(0o666)
    before = os.umask(0)
    try:
        assert vetlla("cards", "export", out, "--reason", "hand-over").status == 0
    finally:
        os.umask(before)
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_card_is_set_as_it_is_shown(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """The JSON of `home` is the JSON of `set`; what is wrong in it is named without its content."""
    keep(state_dir, CARD)
    (shown,) = vetlla("home", "H-0001", "--reason", "edit", "--json").json
    card = shown["card"]
    assert FORM.validate_python(card) == CARD
    assert vetlla("cards", "set", "H-0001", "-", "--json", stdin=json.dumps(card)).json[0]["changed"] is False
    (tmp_path / "card.json").write_text(json.dumps({**card, "floor": "4"}), encoding="utf-8")
    assert vetlla("cards", "set", "H-0001", tmp_path / "card.json").out == "home H-0001: card set\n"
    for wrong, where in (
        ({**card, "home": "H-0002"}, "another home"),
        ({**card, "contacts": [{"name": "Ona", "telephones": ["12"]}]}, "contacts.0.telephones.0: "),
        ({**card, "people": [{"name": "Ona"}]}, "people.0.code: "),
        ({**card, "Sra. Ona": "4"}, "has a field that no card has"),
        ({**card, "people": [{"code": "P-1"}, {"code": "P-1"}]}, "two people have the same code"),
        ([], "no JSON object"),
    ):
        done = vetlla("cards", "set", "H-0001", "-", stdin=json.dumps(wrong))
        assert done.status == os.EX_USAGE
        assert where in done.error
        assert "Ona" not in done.error
    assert vetlla("cards", "set", "H-0001", "-", stdin="{").status == os.EX_USAGE
    (tmp_path / "long.json").write_text(json.dumps(card) + " " * CARD_BYTES_MAX, encoding="utf-8")
    for source, text in (("-", (tmp_path / "long.json").read_text("utf-8")), (tmp_path / "long.json", None)):
        assert "is longer than" in vetlla("cards", "set", "H-0001", source, stdin=text).error
    assert vetlla("cards", "verify", "--json").json[0]["whole"] is True


def test_an_erased_card_is_gone(vetlla: Vetlla, state_dir: Path) -> None:
    """The log keeps the code of the home and its readers; an erasure needs no key."""
    place = keep(state_dir, CARD, replace(CARD, home="H-0002"))
    assert vetlla("home", "H-0001", "--reason", "test").status == 0
    assert vetlla("cards", "erase", "H-0001", "--dry-run").out == "home H-0001: card would be erased\n"
    assert vetlla("cards", "erase", "H-0001").status == os.EX_USAGE  # there is no terminal to confirm at
    place.key_file.rename(state_dir / "away")
    assert vetlla("cards", "erase", "H-0001", "--yes", "--json").json == [
        {"home": "H-0001", "erased": True, "dry_run": False}
    ]
    (state_dir / "away").rename(place.key_file)
    assert vetlla("cards", "erase", "H-0001", "--yes").status == os.EX_USAGE
    assert len(vetlla("cards", "readers", "H-0001", "--json").json) == 1
    assert vetlla("cards", "verify").status == 0
    assert vetlla("home", "H-0002", "--reason", "test", "--only-card").status == 0


def test_verify_names_the_home_of_a_changed_card(vetlla: Vetlla, state_dir: Path) -> None:
    """The exit status tells a program."""
    keep(state_dir, CARD)
    assert vetlla("cards", "verify").status == 0
    with closing(sqlite3.connect(state_dir / CARDS, isolation_level=None)) as db:
        db.execute("UPDATE cards SET sealed = zeroblob(99)")
    done = vetlla("cards", "verify", "--json")
    assert (done.status, done.json[0]["whole"]) == (1, False)
    assert [one["home"] for one in done.json[0]["damage"]] == ["H-0001"]
    assert vetlla("cards", "verify").out.startswith("home H-0001: ")


def test_verify_finds_an_older_copy_by_the_head_that_was_kept(vetlla: Vetlla, state_dir: Path) -> None:
    """The head is the last line, so that a command can keep it and give it back."""
    keep(state_dir, CARD)
    older = (state_dir / CARDS).read_bytes()
    assert vetlla("home", "H-0001", "--reason", "test").status == 0
    head = vetlla("cards", "verify").out.splitlines()[-1]
    assert head.startswith("3:")
    assert vetlla("cards", "verify", "--expect", head, "--json").json == [
        {"whole": True, "head": head, "cards": 1, "damage": []}
    ]
    (state_dir / CARDS).write_bytes(older)
    assert vetlla("cards", "verify").status == 0
    done = vetlla("cards", "verify", "--expect", head)
    assert (done.status, "the file is an older copy" in done.out) == (1, True)
    assert vetlla("cards", "verify", "--expect", "3:12").status == os.EX_USAGE


def test_what_is_damaged_is_named_and_left_out(vetlla: Vetlla, state_dir: Path, tmp_path: Path, file: Path) -> None:
    """Export, rekey and import do the others, and their exit status says that one is missing."""
    keep(state_dir, CARD, replace(CARD, home="H-0002"))
    with closing(sqlite3.connect(state_dir / CARDS, isolation_level=None)) as db:
        db.execute("UPDATE cards SET sealed = zeroblob(99) WHERE home = 'H-0002'")
    out = tmp_path / "out.csv"
    for words in (("export", out, "--reason", "test"), ("rekey",), ("rekey", "--finish"), ("import", file)):
        done = vetlla("cards", *words)
        assert (done.status, "left out: home H-0002: the card is not the one" in done.talk) == (1, True), words
    assert "H-0001" in out.read_text(encoding="utf-8")
    assert "H-0002" not in out.read_text(encoding="utf-8")
    (told,) = vetlla("cards", "import", file, "--json").json
    assert [one["home"] for one in told["left_out"]] == ["H-0002"]
    assert vetlla("cards", "set", "H-0002", "-", stdin='{"floor": "4"}').status == 0
    (told,) = vetlla("cards", "rekey", "--finish", "--json").json
    assert (told["cards"], told["rotating"], told["left_out"]) == (2, False, [])


# --- a home -----------------------------------------------------------------------------------------------------------


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


# --- doctor and check-config ------------------------------------------------------------------------------------------


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

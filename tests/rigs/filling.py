"""Fills a place by the installed commands, so that each command of ``lived_in`` has something to show or to change."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.cli.conftest import DEVICES
from tests.rigs.daemon import vetlla
from tests.rigs.journals import journal
from tests.rigs.registered_homes import keep_key
from tests.rigs.reminders_desk import BIEL, OFFICE, DeskWorld
from tests.rigs.terminal import Terminal
from vetlla.domain.clock import SystemClock, to_datetime, to_us
from vetlla.domain.duties import NewEvent
from vetlla.domain.messages import Channel
from vetlla.domain.supervision import DayOf, KeptDevice, LedgerDay, Stretch
from vetlla.domain.support import ContactWay, TicketAct
from vetlla.store.registry.transaction import transaction
from vetlla.store.reminders import citizens, offices
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.support import desk
from vetlla.tasks.support.desk import ActRecord
from vetlla.tasks.support.levels import load_levels

if TYPE_CHECKING:
    from tests.rigs.lived_in import Place

ALARMS = 12
HOUR_US = 3_600_000_000
REPLIES = 24
ACCOUNTS = 12
KEYS = 24
TICKETS = 12
BEFORE: dict[str, TicketAct | None] = {
    "support answer": None,
    "support pause": None,
    "support resume": TicketAct.PAUSED,
    "support solve": None,
    "support reopen": TicketAct.SOLVED,
    "support severity": None,
}
"""Commands that need a ticket of their own for each call, and what was done to it before."""


def filled(place: Place) -> Place:
    """Return the place with content of every subject, when its receiver has taken it."""
    _register(place)
    _report(place)
    _dispatch(place)
    _sanction(place)
    _remind(place)
    _support(place)
    _owe(place)
    _agenda(place)
    place.daemon.await_log("sink.blocked", signal=3)
    return place


def _register(place: Place) -> None:
    directory, state = place.directory, place.state_dir
    accounts = "".join(f"A{number:03},H-{number:04},60\n" for number in range(1, ACCOUNTS + 1))
    (directory / "accounts.csv").write_text(f"account,home,interval_s\n{accounts}", encoding="utf-8")
    (directory / "line.capture").write_text("2026-12-01T04:39:01.123456Z < 35303131\n", encoding="utf-8")
    (directory / "key.hex").write_text("00" * 16, encoding="utf-8")
    (directory / "homes.csv").write_text(
        "code,district,base,level,alone,active\nH1,01,NORD,2,yes,2018-01-01/\nH2,01,NORD,3,no,2018-01-01/\n"
        "H3,01,NORD,3,no,2018-01-01/2020-01-01\nH5,01,NORD,2,no,2018-01-01/\n",
        encoding="utf-8",
    )
    (directory / "people.csv").write_text(
        "code,home,user_type,programmes\nP1,H1,A,home_safety:2024-01-01/\n", encoding="utf-8"
    )
    (directory / "devices.csv").write_text(f"{DEVICES}ucr,U2,municipal,warehouse,,2024-W05,,\n", encoding="utf-8")
    (directory / "cards.csv").write_text("home,what,code,name\nH1,person,P-1,Sra. Invenció\n", encoding="utf-8")
    (directory / "card.json").write_text('{"address": "Carrer Inventat 3"}', encoding="utf-8")
    (directory / "calls.csv").write_text(
        "external_id,direction,started,caller\nC1,in,2024-05-02T10:00:00+02:00,900000001\n", encoding="utf-8"
    )
    (directory / "duties.csv").write_text(
        "kind,subject,event,at\nfault,H1,detected,2026-11-02\nfault,H2,detected,2026-11-02\n", encoding="utf-8"
    )
    (directory / "probe.toml").write_text(
        f'[[component]]\nname = "rows"\nkind = "file"\npath = "{directory}/accounts.csv"\nmax_age_s = 86400\n',
        encoding="utf-8",
    )
    (directory / "probes.ndjson").write_text(
        '{"machine": "probe-1", "component": "window", "part": "access", "started": "2024-05-02T10:00:00Z",'
        ' "duration_us": 5000, "result": "failed", "reason": "status 503, expected 200", "through": "",'
        ' "account": ""}\n',
        encoding="utf-8",
    )
    for number in range(KEYS):
        keep_key(state, f"key{number}", bytes([number] * 16))
    for words in (
        ("accounts", "import", str(directory / "accounts.csv")),
        ("supervision", "pause", "A002", "--reason", "installer"),
        ("inventory", "import", str(directory / "homes.csv"), "--what", "homes"),
        ("inventory", "import", str(directory / "people.csv"), "--what", "people"),
        ("inventory", "import", str(directory / "devices.csv"), "--day", "2024-04-01"),
        ("cards", "rekey"),
        ("cards", "import", str(directory / "cards.csv")),
        ("home", "H1", "--reason", "question"),
        ("calls", "import", str(directory / "calls.csv")),
        ("probe", "import", str(directory / "probes.ndjson")),
        ("duties", "import", str(directory / "duties.csv")),
        ("renewals", "plan", "--from", "2024-05-01", "--to", "2032-12-31", "--no-growth"),
        ("month", "close", "2025-01"),
    ):
        done = vetlla(*words, state_dir=state)
        assert done.returncode == 0, done.stderr
    place.fault = _number(place, "faults", "open", "H1", "--device", "ucr:U1")
    interval = ("--from", "2090-12-03T09:00", "--to", "2090-12-03T10:00")
    place.visit = _number(place, "visits", "schedule", "H1", *interval, "--purpose", "fault", "--for", place.fault)


def _number(place: Place, *words: object) -> int:
    """Run a command that opens a duty; return its number."""
    done = vetlla(*map(str, words), "--json", state_dir=place.state_dir)
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["id"])


def _agenda(place: Place) -> None:
    people = place.directory / "new_people.csv"
    people.write_text("code,home,user_type\nP9,H2,A\n", encoding="utf-8")
    done = vetlla("inventory", "import", str(people), "--what", "people", state_dir=place.state_dir)
    assert done.returncode == 0, done.stderr
    rules, clock = load_rules(), SystemClock()
    now_us = clock.now().utc_us
    recording = Recording(now_us, "test")
    blank = NewEvent("follow_up", "H1", "", now_us - HOUR_US)
    promised = blank._replace(begin_us=now_us - HOUR_US, end_us=to_us(datetime(2090, 1, 1, tzinfo=UTC)))
    with transaction(place.state_dir, clock) as connection:
        place.calls["call"] = book.open_duty(connection, rules, promised, recording).duty.id
        tried = book.open_duty(connection, rules, promised._replace(subject="H2"), recording).duty.id
        for attempt in range(1, 4):
            told = blank._replace(event="no_answer", at_us=now_us - HOUR_US + attempt)
            book.record(connection, rules, tried, told, recording)
        new = blank._replace(kind="familiarisation", subject="P9")
        place.calls |= {"tried": tried, "welcome": book.open_duty(connection, rules, new, recording).duty.id}


def _report(place: Place) -> None:
    directory, state = place.directory, place.state_dir
    for number in range(1, ALARMS + 1):
        with Terminal(place.daemon.port, f"A{number:03}") as terminal:
            frame = terminal.alarm()
            (directory / "frame.hex").write_text(frame.hex(), encoding="utf-8")
            terminal.send(terminal.build("ADM-CID", "0900", f"#A{number:03}|1602 00 001][X002.17E][Y41.38N".encode()))
            terminal.reply()
    done = vetlla("db", "backup", str(directory / "backup"), state_dir=state)
    assert done.returncode == 0, done.stderr
    shutil.copytree(directory / "backup", directory / "copy")
    with journal(directory / "month") as scribe:
        batch = scribe.batch()
        batch.supervision.units.append(KeptDevice(0, "A001", "", "1", "", 1, 1, 1, 0, 900, 3, "", 0, 0, 0, 0))
        block = Stretch(0)
        block.put(DayOf(0, 900, 3, 86_400, 96, 905, 0, 1))
        batch.supervision.add_stretch("2026-10-01", block)
        batch.supervision.days.append(LedgerDay("2026-10-01", 0, 5.0))
        scribe.write(batch)


def _dispatch(place: Place) -> None:
    """Let three homes of the inventory call: one waits for a unit, to one a unit goes, and in one it has got in."""
    calls: list[tuple[str, ...]] = []
    for number, home in enumerate(("H1", "H2", "H5"), start=ALARMS + 1):
        account = f"S{number:03}"
        done = vetlla("accounts", "set", account, "--home", home, state_dir=place.state_dir)
        assert done.returncode == 0, done.stderr
        with Terminal(place.daemon.port, account) as terminal:
            terminal.alarm()
        calls.append(("type", str(number), "I"))
    for words in (
        *(("units", "add", f"UMO-{number:02}", "--base", "NORD") for number in range(1, 5)),
        ("units", "off", "UMO-04"),
        *calls,
        ("send", "14", "--unit", "UMO-01"),
        ("send", "15", "--unit", "UMO-03"),
        ("access", "15"),
    ):
        done = vetlla("dispatch", *words, state_dir=place.state_dir)
        assert done.returncode == 0, done.stderr


def _sanction(place: Place) -> None:
    """Record a fault by hand, and plan a corrective action."""
    for words in (("record", "S07", "--reason", "uniform"), ("action", "add", "ANS5", "line", "--who", "Q1")):
        done = vetlla("sanctions", *words, state_dir=place.state_dir)
        assert done.returncode == 0, done.stderr


def _remind(place: Place) -> None:
    (place.directory / "optouts.csv").write_text("phone\n+34600000004\n", encoding="utf-8")
    (place.directory / "reminders.toml").write_text(f'state_dir = "{place.state_dir}"\n', encoding="utf-8")
    now = to_datetime(SystemClock().now().utc_us)
    with DeskWorld.opened(place.state_dir, now - timedelta(minutes=30)) as world:
        world.live()
        for number in range(3, REPLIES + 1):
            world.writes(BIEL, f"Una pregunta: {number}", Channel.SMS)
        with atomic(world.db):
            offices.pause(world.db, OFFICE, now, None, why="closed", by="tests")
            citizens.opt_out(world.db, world.citizen(BIEL), Channel, now, "reply")


def _support(place: Place) -> None:
    levels, clock = load_levels(), SystemClock()
    now = to_datetime(clock.now().utc_us)
    recorded = ActRecord(now, now, "tests")
    with opened(place.state_dir, clock) as db:
        for before in BEFORE.values():
            for _ in range(TICKETS):
                made = desk.open_ticket(
                    db, levels, "critical", "a question", way=ContactWay.PHONE, reference="", recorded=recorded
                )
                if before:
                    desk.act_on(db, levels, made.ticket.id, before, "waits", recorded=recorded)


def _owe(place: Place) -> None:
    """Record a complaint, keys in every state, and the documents of a month."""
    directory, state = place.directory, place.state_dir
    (directory / "keys.csv").write_text(
        "home,key,event,at,by,place,authorisation,may_return,reason,certificate\n"
        "H1,K1,,2025-01-01 10:00,,hook 1,A1,P1,,\nH2,K2,,2025-01-01 10:00,,hook 2,A2,P2,,\n"
        "H2,K2,destroyed,2025-02-01 10:00,T1,,,,,K2.pdf\nH3,K3,,2019-01-01 10:00,,hook 3,A3,P3,,\n"
        "H3,K3,taken,2025-02-01 10:00,T1,,,,return,\nH2,K4,,2025-01-01 10:00,,hook 4,A4,P2,,\n"
        "H2,K4,lost,2025-02-01 10:00,T1,,,,,\n",
        encoding="utf-8",
    )
    (directory / "counted.csv").write_text("key,place\nK1,hook 2\n", encoding="utf-8")
    (directory / "lines.ndjson").write_text(
        '{"month": "2025-03", "concept": "umo", "amount": "99.00", "vat": "4"}\n', encoding="utf-8"
    )
    (directory / "lines.csv").write_text("concept,units,price,amount,vat\numo,1,99,99,4\n", encoding="utf-8")
    for words in (
        ("complaints", "open", "H1", "--at", "2025-03-05T10:00", "--json"),
        ("custody", "import", str(directory / "keys.csv")),
        ("documents", "plan", "--from", "2025-03-01", "--until", "2025-03-31"),
        ("documents", "deliver", "inventory", "--receipt", "E1", "--at", "2025-03-04T10:00"),
    ):
        done = vetlla(*words, state_dir=state)
        assert done.returncode == 0, done.stderr
        if words[0] == "complaints":
            place.complaint = json.loads(done.stdout)["id"]

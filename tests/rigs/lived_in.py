"""A place where every command has output: a running receiver with alarms, accounts, keys and an inventory."""

from __future__ import annotations

import itertools
import json
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import DEVICES
from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.hook_server import hook_server
from tests.rigs.journals import journal
from tests.rigs.permissions import reachable_directory
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
    from collections.abc import Iterator
    from pathlib import Path

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

INVOCATIONS = {
    "status": "status",
    "check-config": "check-config --config {dir}/vetlla.toml",
    "doctor": "doctor --config {dir}/vetlla.toml",
    "board": "board --once",
    "simulate dial": "simulate dial --to 127.0.0.1:{port} --homes 1 --closed --reports 1",
    "simulate mqtt": "simulate mqtt --homes 1 --export {new}",
    "simulate year": "simulate year --homes 10 --year 2025 --out {new}",
    "simulate receiver": "simulate receiver --accept 127.0.0.1:0 --rate 0.001 --duration 0.1",
    "demo": "demo --help",
    "receiver": "receiver --help",
    "home": "home H1 --reason question",
    "cards import": "cards import {dir}/cards.csv",
    "cards export": "cards export {new}.csv --reason question",
    "cards set": "cards set H3 {dir}/card.json",
    "cards erase": "cards erase H1 --dry-run",
    "cards readers": "cards readers",
    "cards verify": "cards verify",
    "cards rekey": "cards rekey --key-file {new} --state-dir {dir}/month",
    "queue list": "queue list",
    "queue watch": "queue watch",
    "queue show": "queue show 1",
    "queue claim": "queue claim 1 --force",
    "queue answer": "queue answer {alarm} --force",
    "queue note": "queue note 1 remembered",
    "queue close": "queue close {alarm} --outcome other --force",
    "queue handover": "queue handover 1 root --force",
    "queue escalate": "queue escalate 1",
    "queue test": "queue test A003 --for 600",
    "supervision list": "supervision list --state unknown",
    "supervision show": "supervision show A001",
    "supervision incidents": "supervision incidents --all",
    "supervision pause": "supervision pause A001 --for 600 --reason installer --dry-run",
    "supervision resume": "supervision resume A002 --dry-run",
    "supervision report": "supervision report --month 2026-10 --state-dir {dir}/month",
    "sinks list": "sinks list",
    "sinks pause": "sinks pause quiet --reason moving",
    "sinks resume": "sinks resume quiet",
    "sinks replay": "sinks replay city --from-signal 1 --reason lost --dry-run",
    "sinks skip": "sinks skip city --reason known --dry-run",
    "sinks test": "sinks test city",
    "sinks check": "sinks check",
    "accounts import": "accounts import {dir}/accounts.csv",
    "accounts list": "accounts list",
    "accounts show": "accounts show A001",
    "accounts set": "accounts set A001 --home H-0001",
    "accounts remove": "accounts remove A001 --dry-run",
    "keys set": "keys set {key} --hex --replace --from-file {dir}/key.hex",
    "keys rotate": "keys rotate {key} --generate --out {new}",
    "keys pad": "keys pad {key} --long",
    "keys remove": "keys remove {key}",
    "keys list": "keys list",
    "signals list": "signals list",
    "signals show": "signals show 1",
    "signals tail": "signals tail",
    "signals export": "signals export",
    "position show": "position show A001",
    "rejects list": "rejects list",
    "audit list": "audit list",
    "audit verify": "audit verify",
    "db backup": "db backup {new}",
    "db verify": "db verify {dir}/backup",
    "db prune": "db prune --dry-run",
    "erase": "erase --home H3 --dry-run",
    "db restore": "db restore {dir}/backup --dry-run --state-dir {dir}/copy",
    "decode": "decode dc09 {dir}/frame.hex",
    "capture": "capture --guess {dir}/line.capture",
    "probe-line": "probe-line --tcp 127.0.0.1:{port} --for 0.1",
    "inventory import": "inventory import {dir}/homes.csv --what homes",
    "inventory export": "inventory export {new}.csv",
    "inventory list": "inventory list",
    "inventory at": "inventory at 2024-05-01",
    "inventory find": "inventory find T1",
    "inventory show": "inventory show H1",
    "inventory history": "inventory history terminal_gsm:T1",
    "inventory add": "inventory add smoke S9 --dry-run",
    "inventory install": "inventory install smoke:S1 H2 --dry-run",
    "inventory move": "inventory move terminal_gsm:T1 H2 --dry-run",
    "inventory remove": "inventory remove terminal_gsm:T1 --dry-run",
    "inventory replace": "inventory replace ucr:U1 ucr:U2 --dry-run",
    "inventory repair": "inventory repair terminal_gsm:T1 --dry-run",
    "inventory maintain": "inventory maintain terminal_gsm:T1 --dry-run",
    "inventory battery": "inventory battery ucr:U1 --dry-run",
    "inventory transfer": "inventory transfer smoke:S1 municipal --dry-run",
    "inventory retire": "inventory retire smoke:S1 --dry-run",
    "inventory check": "inventory check",
    "inventory digital": "inventory digital",
    "inventory parameters": "inventory parameters",
    "inventory sample": "inventory sample --out {new} --homes 10",
    "inventory report": "inventory report --month 2024-05",
    "homes show": "homes show H1",
    "homes history": "homes history H1",
    "homes set": "homes set H1 --level 3 --dry-run",
    "people show": "people show P1",
    "people history": "people history P1",
    "people set": "people set P1 --user-type B --dry-run",
    "dispatch type": "dispatch type 13 II --dry-run",
    "dispatch send": "dispatch send 13 --unit UMO-02 --dry-run",
    "dispatch recalled": "dispatch recalled 14 --reason diverted --dry-run",
    "dispatch arrived": "dispatch arrived 14 --dry-run",
    "dispatch access": "dispatch access 14 --dry-run",
    "dispatch no-access": "dispatch no-access 14 --reason locked --dry-run",
    "dispatch cancelled": "dispatch cancelled 14 --reason neighbour --dry-run",
    "dispatch finished": "dispatch finished 15 --dry-run",
    "dispatch show": "dispatch show 13",
    "dispatch board": "dispatch board",
    "dispatch propose": "dispatch propose 13",
    "dispatch check": "dispatch check",
    "dispatch report": "dispatch report",
    "dispatch units add": "dispatch units add UMO-09 --base NORD --dry-run",
    "dispatch units list": "dispatch units list",
    "dispatch units on": "dispatch units on UMO-04 --dry-run",
    "dispatch units off": "dispatch units off UMO-02 --dry-run",
    "maintenance due": "maintenance due --within 3000",
    "renewals due": "renewals due --to 2040-01-01",
    "renewals plan": "renewals plan --from 2024-05-01 --dry-run",
    "renewals show": "renewals show",
    "renewals agree": "renewals agree 1 --dry-run",
    "renewals export": "renewals export {new}.ics",
    "renewals forecast": "renewals forecast",
    "calls import": "calls import {dir}/calls.csv",
    "calls export": "calls export {new}.csv",
    "calls list": "calls list --since 2024-01-01",
    "calls show": "calls show C1",
    "calls tie": "calls tie C1 H1 --reason known --dry-run",
    "calls report": "calls report --month 2024-05",
    "calls verify": "calls verify --recordings {dir}",
    "visits schedule": "visits schedule H1 --from 2090-12-04T09:00 --to 2090-12-04T10:00 --dry-run",
    "visits move": "visits move {visit} --from 2090-12-04T09:00 --to 2090-12-04T10:00 --dry-run",
    "visits arrived": "visits arrived {visit} --dry-run",
    "visits done": "visits done {visit} --dry-run",
    "visits absent": "visits absent {visit} --dry-run",
    "visits cancel": "visits cancel {visit} --reason moved --dry-run",
    "visits list": "visits list",
    "visits route": "visits route --day 2090-12-03",
    "visits free": "visits free --base NORD",
    "visits from-plan": "visits from-plan --dry-run",
    "faults open": "faults open H1 --device terminal_gsm:T1 --dry-run",
    "faults solve": "faults solve {fault} --dry-run",
    "faults cancel": "faults cancel {fault} --reason unplugged --dry-run",
    "faults from-alarms": "faults from-alarms --dry-run",
    "faults list": "faults list",
    "faults show": "faults show {fault}",
    "faults report": "faults report --month 2026-11",
    "agenda plan": "agenda plan --month {month} --dry-run",
    "agenda next": "agenda next --dry-run",
    "agenda done": "agenda done {call} --dry-run",
    "agenda called": "agenda called {welcome} --dry-run",
    "agenda no-answer": "agenda no-answer {call} --dry-run",
    "agenda postpone": "agenda postpone {call} --to 2089-12-30 --dry-run",
    "agenda unanswered": "agenda unanswered {tried} --dry-run",
    "agenda list": "agenda list",
    "agenda report": "agenda report --month {month}",
    "budget tender": "budget tender",
    "budget execution": "budget execution --invoices {dir}/lines.ndjson",
    "budget residual": "budget residual --on 2027-03-31",
    "budget offer": "budget offer --price essential=0.19",
    "reminders understand": "reminders understand {dir}/homes.csv",
    "reminders segments": "reminders segments {dir}/homes.csv",
    "reminders run": "reminders run --help",
    "reminders dispatch": "reminders dispatch --dry-run",
    "reminders doctor": "reminders doctor --config {dir}/reminders.toml",
    "reminders list": "reminders list",
    "reminders show": "reminders show 1",
    "reminders inbox list": "reminders inbox list",
    "reminders inbox answer": "reminders inbox answer {reply} --close",
    "reminders inbox teach": "reminders inbox teach 1 confirm --language ca --phrase allà --dry-run",
    "reminders optout list": "reminders optout list",
    "reminders optout add": "reminders optout add +34600000002",
    "reminders optout remove": "reminders optout remove +34600000003",
    "reminders optout import": "reminders optout import {dir}/optouts.csv",
    "reminders optout export": "reminders optout export {new}.csv --phones",
    "reminders pause": "reminders pause {office} --why closed",
    "reminders resume": "reminders resume {office}",
    "reminders pauses": "reminders pauses",
    "reminders report": "reminders report --from 2026-11-01 --to 2026-11-30",
    "reminders arms": "reminders arms --from 2026-11-01 --to 2026-11-30",
    "reminders channels list": "reminders channels list",
    "reminders channels resume": "reminders channels resume whatsapp",
    "reminders export": "reminders export --out {new}",
    "reminders erase": "reminders erase --phone +34600000001 --dry-run",
    "reminders retire": "reminders retire",
    "reminders texts lint": "reminders texts lint",
    "reminders texts approve": "reminders texts approve --all --party {office} --person Maria",
    "reminders texts approvals": "reminders texts approvals",
    "reminders texts preview": "reminders texts preview --kind reminder",
    "duties open": "duties open fault H1",
    "duties event": "duties event 1 arrived",
    "duties withdraw": "duties withdraw 2 --reason wrong --dry-run",
    "duties show": "duties show 1",
    "duties list": "duties list",
    "duties due": "duties due",
    "duties kinds": "duties kinds",
    "duties import": "duties import {dir}/duties.csv",
    "duties export": "duties export {new}.csv",
    "duties reindex": "duties reindex --dry-run",
    "duties check": "duties check",
    "support open": "support open low question",
    "support answer": "support answer {ticket}",
    "support pause": "support pause {ticket} --why waiting",
    "support resume": "support resume {ticket}",
    "support solve": "support solve {ticket}",
    "support reopen": "support reopen {ticket} --why unsolved",
    "support severity": "support severity {ticket} low --why smaller",
    "support note": "support note 1 remembered",
    "support list": "support list",
    "support show": "support show 1",
    "support check": "support check",
    "support report": "support report",
    "support levels": "support levels",
    "support redact": "support redact 1 --yes",
    "sla report": "sla report --month 2025-03 --ans 19",
    "complaints open": "complaints open --service",
    "complaints acknowledge": "complaints acknowledge {complaint} --dry-run",
    "complaints answer": "complaints answer {complaint} --dry-run",
    "complaints judge": "complaints judge {complaint} pertinent --dry-run",
    "complaints list": "complaints list",
    "complaints show": "complaints show {complaint}",
    "complaints report": "complaints report --month 2025-03",
    "custody cede": "custody cede H1 --code K9 --place hook --authorisation A --may-return P --dry-run",
    "custody take": "custody take K1 --by T1 --reason check --dry-run",
    "custody bring-back": "custody bring-back K3 --dry-run",
    "custody move": "custody move K1 --place other --dry-run",
    "custody use": "custody use K3 --alarm 1 --dry-run",
    "custody lost": "custody lost K1 --dry-run",
    "custody found": "custody found K4 --dry-run",
    "custody return": "custody return K1 --to P --receipt R --dry-run",
    "custody destroy": "custody destroy K1 --certificate {new}.html --dry-run",
    "custody certificate": "custody certificate K2 {new}.html",
    "custody list": "custody list",
    "custody show": "custody show K1",
    "custody check": "custody check",
    "custody left": "custody left --dry-run",
    "custody inventory": "custody inventory {dir}/counted.csv",
    "custody import": "custody import {dir}/keys.csv",
    "custody export": "custody export {new}.csv",
    "documents plan": "documents plan --from 2025-03-01 --until 2025-04-30 --dry-run",
    "documents calendar": "documents calendar --from 2025-03-01 --until 2025-03-31",
    "documents due": "documents due",
    "documents list": "documents list",
    "documents deliver": "documents deliver invoice --period 2025-02 --receipt E1 --dry-run",
    "documents reject": "documents reject inventory --period 2025-02 --reason wrong --dry-run",
    "documents request": "documents request protocols --dry-run",
    "reminders demo": "reminders demo --help",
    "reminders simulate-qmatic": "reminders simulate-qmatic --for 0.1 --offices 1 --per-day 1",
    "reminders simulate-channels": "reminders simulate-channels --for 0.1",
}
"""One call of each command. Words in braces are filled in, with new numbers and names for each call."""


class Place:
    """The directory, and calls of commands on it."""

    def __init__(self, directory: Path, daemon: Daemon) -> None:
        self.directory = directory
        self.state_dir = daemon.state_dir
        self.daemon = daemon
        self.fault = self.visit = 0
        """Numbers of a fault and of the visit for it."""
        self.complaint = 0
        self.calls = {"call": 0, "tried": 0, "welcome": 0}
        """Numbers of calls of the agenda: a follow-up, one that was tried often, a familiarisation call."""
        self._numbers = itertools.count(1)
        self._alarms = itertools.cycle(range(2, ALARMS + 1))
        self._replies = itertools.cycle(range(3, REPLIES + 1))
        self._tickets = {path: itertools.count(place * TICKETS + 1) for place, path in enumerate(BEFORE)}
        self._keys = itertools.cycle(f"key{number}" for number in range(KEYS))

    def words(self, path: str) -> list[str]:
        """Return the words that call a command."""
        text = INVOCATIONS[path]
        return text.format(
            dir=self.directory,
            port=self.daemon.port,
            alarm=next(self._alarms) if "{alarm}" in text else 0,
            key=next(self._keys) if "{key}" in text else "",
            reply=next(self._replies) if "{reply}" in text else 0,
            ticket=next(self._tickets[path]) if "{ticket}" in text else 0,
            fault=self.fault,
            visit=self.visit,
            complaint=self.complaint,
            office=OFFICE,
            month=f"{to_datetime(SystemClock().now().utc_us):%Y-%m}",
            **self.calls,
            new=self.directory / f"new{next(self._numbers)}",
        ).split()

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment that points the commands to the place."""
        return {
            "VETLLA_STATE_DIR": str(self.state_dir),
            "VETLLA_CONFIG": str(self.directory / "vetlla.toml"),
            "VETLLA_REMINDERS_DIR": str(self.state_dir),
            "VETLLA_REMINDERS_CONFIG": str(self.directory / "reminders.toml"),
        }


@contextmanager
def lived_in() -> Iterator[Place]:
    """Make such a place, in a directory that every user of the machine may enter."""
    with reachable_directory() as directory, hook_server() as hook:
        hook.answer = _refuse_later_ones
        sinks = hook.table(directory) + hook.table(directory, name="quiet", kinds=["co"])
        with running(directory, config=f"[store]\nmin_free_mib = 1\n{sinks}") as daemon:
            yield _filled(Place(directory, daemon))


def _refuse_later_ones(signals: list[dict[str, Any]]) -> int:
    """Return the answer of a city that takes the first two signals, so that its sink is blocked on the third."""
    return 400 if any(one["number"] > 2 for one in signals) else 200


def _filled(place: Place) -> Place:
    _register(place)
    _report(place)
    _dispatch(place)
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
        ("duties", "import", str(directory / "duties.csv")),
        ("renewals", "plan", "--from", "2024-05-01", "--to", "2032-12-31", "--no-growth"),
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

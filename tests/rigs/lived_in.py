"""A place where every command has output: a running receiver with alarms, accounts, keys and an inventory."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.rigs.daemon import Daemon, running
from tests.rigs.filling import ALARMS, BEFORE, KEYS, REPLIES, TICKETS, filled
from tests.rigs.hook_server import hook_server
from tests.rigs.permissions import reachable_directory
from tests.rigs.reminders_desk import OFFICE
from vetlla.domain.clock import SystemClock, to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    "probe run": "probe run --config {dir}/probe.toml",
    "probe import": "probe import {dir}/probes.ndjson",
    "probe list": "probe list --since 2024-01-01",
    "probe report": "probe report --month 2024-05",
    "probe verify": "probe verify --month 2024-05",
    "probe incident add": "probe incident add --component window --from 2h --until 1h --note known",
    "probe incident list": "probe incident list --month 2024-05",
    "month close": "month close 2025-02 --dry-run",
    "month verify": "month verify 2025-01",
    "month show": "month show 2025-01",
    "month list": "month list",
    "month export": "month export 2025-01 {new}",
    "sla report": "sla report --month 2025-03 --ans 19",
    "sla explain": "sla explain 19 --month 2025-03",
    "sla watch": "sla watch",
    "invoice make": "invoice make --month 2025-03",
    "invoice explain": "invoice explain essential --month 2025-03",
    "invoice check": "invoice check {dir}/lines.csv --month 2025-03",
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
            yield filled(Place(directory, daemon))


def _refuse_later_ones(signals: list[dict[str, Any]]) -> int:
    """Return the answer of a city that takes the first two signals, so that its sink is blocked on the third."""
    return 400 if any(one["number"] > 2 for one in signals) else 200

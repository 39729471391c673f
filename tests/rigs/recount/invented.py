"""A small record at random in which each rule of the invoice has something to decide. It is made with commands only."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

MADRID: Final = ZoneInfo("Europe/Madrid")
HOMES: Final = 36
PEOPLE: Final = 50
PILOTS: Final = 262
"""Devices of one pilot line: some more than are free."""
DAYS: Final = 62
"""Days in which things happen. They begin within one month and end within another."""
TYPES: Final = (
    "terminal_pstn", "terminal_gsm", "terminal_ip", "ucr", "smoke", "gas", "passivity", "door", "geolocator",
    "fall_ucr", "oral", "smartwatch", "remote_fall", "voice_extender",
)  # fmt: skip
OWNERS: Final = ("leased", "leased", "leased", "municipal", "offered")
PROGRAMMES: Final = ("home_safety", "mimal", "carers", "early_detection")
Row = dict[str, str]


class Inventor:
    """Writes a record by commands. What a command refuses is not in the record."""

    def __init__(self, vetlla: Vetlla, folder: Path, seed: int, first: date) -> None:
        """Say where the files of imports are written, and on which day things begin to happen."""
        self.vetlla = vetlla
        self.folder = folder
        self.random = Random(seed)
        self.first = first
        self.done: dict[str, int] = {}
        """How often each kind of command was taken."""
        self._files = 0
        self._calls = 0

    def begin(self) -> None:
        """Register homes, people and devices, and let things happen to them."""
        before = (self.first - timedelta(days=40)).isoformat()
        self._import("homes", [self._home(number) for number in range(HOMES)], "--day", before)
        self._import("people", [self._person(number) for number in range(PEOPLE)], "--day", before)
        self._import("devices", [self._device(number) for number in range(90)])
        self._import("devices", [self._pilot(number) for number in range(PILOTS)])
        for number in range(DAYS):
            self._happen(self.first + timedelta(days=number))
        self._duties(160)

    def correct(self) -> None:
        """Record later what was not known, and correct what was wrong, all about the same days."""
        for _ in range(25):
            day = self._day()
            home, person = self._code("H", HOMES), self._code("P", PEOPLE)
            self._try("homes set", home, "--level", self.random.choice("123"), "--from", day, "--correct")
            self._try("homes set", home, "--suspended", self._periods(2), "--from", day, "--correct")
            self._try("people set", person, "--home", self._code("H", HOMES), "--from", day, "--correct")
            self._try("people set", person, "--programmes", self._programmes(), "--from", day, "--correct")
            self._try("people set", person, "--active", self._periods(1), "--from", day, "--correct")
        for number in range(15):
            self._happen(self.first + timedelta(days=DAYS + number % 3))
        self._duties(40)
        calls = self.vetlla("duties", "list", "--json").json
        for duty in self.random.sample(calls, 25):
            events = self.vetlla("duties", "show", duty["id"], "--json").json[0]["events"]
            self._try("duties withdraw", self.random.choice(events)["id"], "--reason", "recorded in error")

    def _import(self, what: str, rows: list[Row], *words: str) -> None:
        self._files += 1
        file = self.folder / f"{what}-{self._files}.csv"
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        group = ("duties", "import") if what == "duties" else ("inventory", "import", "--what", what)
        done = self.vetlla(*group, file, "--partial", *words)
        assert done.status in {0, 65}, done.error

    def _try(self, command: str, *words: object) -> None:
        if self.vetlla(*command.split(), *words).status == 0:
            self.done[command] = self.done.get(command, 0) + 1

    def _code(self, letter: str, number: int) -> str:
        return f"{letter}{self.random.randrange(number):03}"

    def _day(self) -> str:
        return (self.first + timedelta(days=self.random.randrange(DAYS))).isoformat()

    def _periods(self, most: int) -> str:
        """Return a number of periods that do not touch, at most ``most``, the last one often without an end."""
        days = sorted(self.random.sample(range(-20, DAYS + 10), 2 * self.random.randint(0, most)))
        texts = [(self.first + timedelta(days=day)).isoformat() for day in days]
        if texts and self.random.random() < 0.3:
            texts[-1] = ""
        return ";".join(f"{begin}/{end}" for begin, end in zip(texts[::2], texts[1::2], strict=True))

    def _programmes(self) -> str:
        some = self.random.sample(PROGRAMMES, self.random.choice((0, 1, 1, 2)))
        return ";".join(f"{name}:{period}" for name in some for period in self._periods(1).split(";") if period)

    def _home(self, number: int) -> Row:
        always = self.random.random() < 0.6
        return {
            "code": f"H{number:03}", "district": "01", "base": "NORD", "alone": "no",
            "level": self.random.choice("123"),
            "active": "2018-01-01/" if always else self._periods(2),
            "suspended": self._periods(2) if self.random.random() < 0.5 else "",
        }  # fmt: skip

    def _person(self, number: int) -> Row:
        return {
            "code": f"P{number:03}", "home": self._code("H", HOMES), "user_type": "A", "programmes": self._programmes(),
            "active": self._periods(2) if self.random.random() < 0.3 else "",
            "suspended": self._periods(2) if self.random.random() < 0.3 else "",
        }  # fmt: skip

    def _device(self, number: int) -> Row:
        kind = self.random.choice(TYPES)
        at_home = self.random.random() < 0.6
        since = self.first - timedelta(days=self.random.randrange(35))
        return {
            "type": kind, "serial": f"S{number:04}", "ownership": self.random.choice(OWNERS), "made": "2023-W40",
            "place": "home" if at_home else "warehouse", "home": self._code("H", HOMES) if at_home else "",
            "since": since.isoformat(), "first_installed": since.isoformat() if at_home else "",
        }  # fmt: skip

    def _pilot(self, number: int) -> Row:
        """Return a device of choice. Many came into homes on the same days, and the last ones early."""
        owner = self.random.choice(("leased", "leased", "municipal"))
        since = self.first + timedelta(days=self.random.randrange(-30, 20))
        first = since - timedelta(days=self.random.randrange(60))
        home = self._code("H", HOMES)
        return {
            "type": "choice", "serial": f"C{number:04}", "ownership": owner, "made": "2023-W40", "place": "home",
            "home": home, "since": since.isoformat(), "first_installed": first.isoformat(),
        }  # fmt: skip

    def _happen(self, day: date) -> None:
        """Let a few things happen on a day."""
        on = ("--day", day.isoformat())
        listed = self.vetlla("inventory", "list", "--json").json
        devices = [one for one in listed if one["type"] != "choice" or self.random.random() < 0.05]
        homes = [_name(one) for one in devices if one["place"] == "home"]
        stock = [_name(one) for one in devices if one["place"] == "warehouse"]
        for device in self.random.sample(stock, min(len(stock), 1)):
            self._try("inventory install", device, self._code("H", HOMES), *on)
        for device in self.random.sample(homes, min(len(homes), 2)):
            what = self.random.choice(("move", "remove", "remove", "retire", "transfer"))
            words = {"move": (self._code("H", HOMES),), "transfer": (self.random.choice(OWNERS),)}
            if what != "retire" or self.random.random() < 0.2:
                self._try(f"inventory {what}", device, *words.get(what, ()), *on)
        pairs = [(old, new) for old in homes for new in stock if old.split(":")[0] == new.split(":")[0]]
        pairs += [(old, new) for old in homes for new in stock if old[:9] == new[:9] == "terminal_"][:2]
        for pair in self.random.sample(pairs, min(len(pairs), 1)):
            how = self.random.choice(((), ("--keep",), ("--keep",), ("--renewal",)))
            self._try("inventory replace", *pair, *on, *how)
        if self.random.random() < 0.2:
            since = ("--from", day.isoformat())
            self._try("people set", self._code("P", PEOPLE), "--home", self._code("H", HOMES), *since)
            self._try("homes set", self._code("H", HOMES), "--level", self.random.choice("123"), *since)

    def _duties(self, number: int) -> None:
        """Import calls and emergencies, each with a reference of its own."""
        rows: list[Row] = []
        for _ in range(number):
            self._calls += 1
            rows += self.random.choice((self._follow_up, self._follow_up, self._revaluation, self._emergency))()
        self._import("duties", rows)
        for duty in self.vetlla("duties", "list", "--kind", "umo_1", "--kind", "umo_2", "--open", "--json").json:
            if self.random.random() < 0.3:
                other = "II" if duty["kind"] == "umo_1" else "I"
                at = datetime.fromisoformat(duty["opened"]) + timedelta(hours=30)
                self._try("dispatch type", f"D{duty['id']}", other, "--at", at.isoformat())

    def _moment(self) -> datetime:
        """Return a moment, often near midnight or on a day on which the month or the clock changes."""
        day = date.fromisoformat(self._day())
        if self.random.random() < 0.3:
            day = day.replace(day=1) - timedelta(days=self.random.randint(0, 1))
        hour = self.random.choice((0, 23, self.random.randrange(24)))
        return datetime.combine(day, time(hour, self.random.randrange(60), self.random.randrange(60)), MADRID)

    def _row(self, kind: str, subject: str, event: str, at: datetime, **more: str) -> Row:
        empty = {"from": "", "to": "", "team": "", "details": ""}
        ref = f"R{self._calls}"
        when = at.astimezone(ZoneInfo("UTC")).isoformat()
        return {"kind": kind, "subject": subject, "event": event, "at": when, "ref": ref, **empty, **more}

    def _call(self, kind: str, subject: str, ends: tuple[str, ...], details: str) -> list[Row]:
        at = self._moment()
        plan = at - timedelta(days=self.random.randint(1, 20))
        promise = {"from": plan.date().isoformat(), "to": (at + timedelta(days=3)).date().isoformat()}
        rows = [self._row(kind, subject, "planned", plan, details=details, **promise)]
        for end in ends:
            rows.append(self._row(kind, subject, end, at))
            at += timedelta(minutes=7)
        return rows

    def _follow_up(self) -> list[Row]:
        ends = self.random.choice(
            (
                *(5 * [("answered",)]),
                ("cancelled",),
                ("replaced",),
                ("unanswered", "answered"),
                ("answered", "cancelled"),
                (),
            )
        )
        return self._call("follow_up", self._code("H", HOMES // 3), ends, "")

    def _revaluation(self) -> list[Row]:
        ends = self.random.choice((("answered",), ("answered",), ("unanswered",), ("cancelled", "answered")))
        person = self._code("P", PEOPLE)
        details = json.dumps({"home": self._code("H", HOMES)}) if self.random.random() < 0.3 else ""
        return self._call("revaluation", person, ends, details)

    def _emergency(self) -> list[Row]:
        """Return an emergency to which one or two units are sent, called away, or called off."""
        course = self.random.choice((
            "sent U1 arrived U1 access U1 finished", "sent U1 access U1 finished", "sent U1 cancelled", "sent U1",
            "sent U1 recalled U1 cancelled", "sent U1 recalled U1 sent U2 arrived U2",
            "sent U1 sent U2 access U2 finished", "sent U1 arrived U1 sent U2",
            "sent U1 recalled U1 sent U1 no_access U1 finished", "cancelled", "sent U1 sent U2 recalled U2",
            "sent U1 no_access U1 sent U2 recalled U2 finished", "sent U1 arrived U1 recalled U1 sent U2",
            "sent sent access", "sent recalled sent arrived", "sent U1 sent access",
            "sent U1 sent u1 access U1 finished", "sent U1 arrived U1 sent U2 recalled U2",
            "sent U1 no_access U1 sent U2 access U2 finished", "sent U1 recalled U1 sent U2 recalled U2 sent U3", "",
        )).split()  # fmt: skip
        kind, home, at = self.random.choice(("umo_1", "umo_2")), self._code("H", HOMES), self._moment()
        rows = [self._row(kind, home, "communicated", at)]
        for place, word in enumerate(course):
            if word[0] not in "Uu":
                at += timedelta(minutes=self.random.choice((1, 4, 30)))
                team = course[place + 1] if place + 1 < len(course) and course[place + 1][0] in "Uu" else ""
                rows.append(self._row(kind, home, word, at, team=team))
        return rows


def _name(device: dict[str, str]) -> str:
    return f"{device['type']}:{device['serial']}"

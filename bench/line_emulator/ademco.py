"""Frames of the Ademco 685, and of the MX8000 and others in its mode."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.line_emulator.found import Found
from bench.line_emulator.messages import Content
from bench.line_emulator.surgard import CONTACT_ID_CODES, high_speed

if TYPE_CHECKING:
    from random import Random

    from bench.line_emulator.messages import Home

HEX = "0123456789ABCDEF"
USER_CODES = frozenset("4")
"""First digit of the Contact ID codes (openings, access) whose last field is a user and not a contact."""


@dataclass(slots=True)
class Ademco685:
    """A receiver that writes like the 685."""

    receiver: int = 1
    trailing_space: bool = True
    """One space stands before the end mark of Contact ID frames and heartbeats."""
    zone_digits: int = 3
    caps: bool = False
    """CAPS variant: event and zone are one decimal number 16 * E + Z of three digits, and ``A`` ends such a frame."""
    name: str = "ademco685"
    mix: dict[str, float] = field(
        default_factory=lambda: {
            "contact-id": 60.0, "3x1": 8.0, "4x1": 8.0, "4x2": 14.0, "high-speed": 7.0, "system": 3.0,
        },
    )  # fmt: skip

    def _group(self, line: int) -> str:
        return HEX[line % 16]

    def _head(self, line: int) -> str:
        return f"{HEX[self.receiver % 16]}{self._group(line)}"

    def _found(self, line: int, account: str, code: str, area: str, zone: str) -> Found:
        return Found(HEX[self.receiver % 16], self._group(line), account, code, area, zone)

    def event(self, kind: str, home: Home, line: int, rng: Random) -> Content:
        makers = {
            "contact-id": self._contact_id,
            "3x1": self._three_one,
            "4x1": self._four_one,
            "4x2": self._four_two,
            "high-speed": self._high_speed,
            "system": self._system,
        }
        return makers[kind](home, line, rng)

    def _contact_id(self, home: Home, line: int, rng: Random) -> Content:
        qualifier = rng.choices("ERP", (6, 3, 1))[0]
        code, area = rng.choice(CONTACT_ID_CODES), f"{rng.randrange(100):02}"
        zone = f"{rng.randrange(10**self.zone_digits):0{self.zone_digits}}"
        of = "U" if code[0] in USER_CODES else "C"
        tail = " " if self.trailing_space else ""
        text = f"{self._head(line)} {home.account} 18 {qualifier}{code} {area} {of}{zone}{tail}"
        return Content("contact-id", text, (self._found(line, home.account, qualifier + code, area, zone),))

    def _three_one(self, home: Home, line: int, rng: Random) -> Content:
        return self._one("3x1", "0" + home.account[-3:], line, rng)

    def _four_one(self, home: Home, line: int, rng: Random) -> Content:
        return self._one("4x1", home.account[-4:], line, rng)

    def _one(self, kind: str, account: str, line: int, rng: Random) -> Content:
        event = rng.choice(HEX[1:])
        shown = f"{16 * HEX.index(event):03}" if self.caps else event
        return Content(kind, f"{self._head(line)} {account} {shown}", (self._found(line, account, event, "", ""),))

    def _four_two(self, home: Home, line: int, rng: Random) -> Content:
        account = home.account[-4:]
        event, zone = rng.choice(HEX[1:]), rng.choice(HEX[1:])
        shown = f"{16 * HEX.index(event) + HEX.index(zone):03}" if self.caps else f"{event} {zone}"
        return Content("4x2", f"{self._head(line)} {account} {shown}", (self._found(line, account, event, "", zone),))

    def _high_speed(self, home: Home, line: int, rng: Random) -> Content:
        account = home.account[-4:]
        channels, ninth = high_speed(rng)
        found = [self._found(line, account, state, "", str(n)) for n, state in enumerate(channels, 1) if state != "5"]
        text = f"{self._head(line)} {account} {channels[:4]} {channels[4:]} {ninth}"
        return Content("high-speed", text, (*found, self._found(line, account, ninth, "", "")))

    def _system(self, _home: Home, line: int, rng: Random) -> Content:
        word, event, zone = rng.choice(("RCVA", "RCVB", "LINE")), rng.choice(HEX), rng.choice(HEX)
        found = self._found(line, word, event, "", zone)
        return Content("system", f"{self._head(line)} {word} {event} {zone}", (found,))

    def caller_id(self, _home: Home, _line: int, _telephone: str) -> Content | None:
        return None

    def two_way(self, _line: int) -> Content | None:
        return None

    def heartbeat(self) -> str:
        return "00 OKAY @" + (" " if self.trailing_space else "")

    def frame(self, text: str) -> bytes:
        # Only events with such a number end with A: OKAY, RCVA and RCVB have the letter inside.
        number = self.caps and text.count(" ") == 2 and text[-4:-3] == " " and text[-3:].isdigit()
        return self.bare(text) + (b"A" if number else b"\r")

    def bare(self, text: str) -> bytes:
        return b"\n" + text.encode("ascii")

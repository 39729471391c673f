"""Frames of the Sur-Gard family: MLR2, MLR2000, System I to 5, and those who emulate them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.line_emulator.found import Found
from bench.line_emulator.messages import Content

if TYPE_CHECKING:
    from random import Random

    from bench.line_emulator.messages import Home

DC4 = b"\x14"
CONTACT_ID_CODES = (
    "100", "101", "102", "110", "111", "113", "114", "115", "118", "120", "121", "122", "123", "130", "131", "134",
    "137", "140", "151", "154", "158", "159", "162", "300", "301", "302", "305", "309", "311", "321", "330", "344",
    "350", "354", "373", "380", "381", "384", "401", "402", "408", "441", "461", "570", "601", "602", "606", "607",
)  # fmt: skip
"""Codes of SIA DC-05 that telecare and burglar panels send."""
SIA_CODES = (
    "BA", "BR", "BT", "CL", "FA", "FR", "GA", "HA", "HR", "MA", "MR", "OP", "PA", "PR", "QA", "RP", "TA", "WA",
    "XT", "YP", "YT", "ZA",
)  # fmt: skip
"""Codes of SIA DC-03 that carry a zone or a user."""
STATUS_CODES = ("SC", "YY", "RU", "YK", "YC")
NUMERIC = {"E": "1", "R": "3", "P": "6"}
PANEL_BYTES = 66
"""Longest panel data of a SIA block, in bytes."""
ACCOUNT_WIDTH = 10
"""Width of the account in a basic frame: six spaces and four digits, or four spaces and six digits."""


@dataclass(slots=True)
class SurGard:
    """A receiver of the family, with the options in which its models differ."""

    receiver: int = 1
    line_width: int = 1
    """Characters of the line: 1 on MLR2 and SLR, 3 on MLR2000 and System II to 5, up to 7 by option."""
    end: bytes = DC4
    """DC4, CR LF, or empty (TRIKDIS calls it SurgardNoEnd)."""
    numeric: bool = False
    """Qualifiers are 1, 3 and 6 in place of E, R and P."""
    account_first: bool = False
    """The account stands before ``18`` and no space does: ``5011123418113001015``."""
    space: bool = False
    """One space stands before the account of a Contact ID frame."""
    status_mark: str = "0"
    """Header of the receiver's own status: ``0``, or ``S`` by option."""
    name: str = "surgard"
    mix: dict[str, float] = field(
        default_factory=lambda: {
            "contact-id": 70.0, "sia": 10.0, "basic": 10.0, "pulse": 5.0, "high-speed": 3.0, "status": 2.0,
        },
    )  # fmt: skip

    def line(self, line: int) -> str:
        """Return the line as the header has it: one character (1-9, then letters), or digits with leading zeros."""
        if self.line_width == 1:
            return str(line) if line <= 9 else chr(ord("A") + line - 10)
        return f"{line:0{self.line_width}}"

    def _head(self, mark: str, line: int) -> str:
        return f"{mark}{self.receiver:02}{self.line(line)}"

    def event(self, kind: str, home: Home, line: int, rng: Random) -> Content:
        makers = {
            "contact-id": self._contact_id,
            "sia": self._sia,
            "basic": self._basic,
            "pulse": self._pulse,
            "high-speed": self._high_speed,
            "status": self._status,
        }
        return makers[kind](home, line, rng)

    def _found(self, line: int, account: str, code: str, area: str, zone: str) -> Found:
        return Found(f"{self.receiver:02}", self.line(line), account, code, area, zone)

    def _contact_id(self, home: Home, line: int, rng: Random) -> Content:
        qualifier = rng.choices("ERP", (6, 3, 1))[0]
        code, area, zone = rng.choice(CONTACT_ID_CODES), f"{rng.randrange(100):02}", f"{rng.randrange(1000):03}"
        shown = NUMERIC[qualifier] if self.numeric else qualifier
        tail = f"{shown}{code}{area}{zone}"
        space = " " if self.space else ""
        body = f"{home.account}18{tail}" if self.account_first else f" 18{space}{home.account}{tail}"
        found = self._found(line, home.account, qualifier + code, area, zone)
        return Content("contact-id", self._head("5", line) + body, (found,))

    def _sia(self, home: Home, line: int, rng: Random) -> Content:
        """Return a block of one to five events; the area stays in force until the next ``ri``."""
        panel = rng.choice(("", "", f"ti{rng.randrange(24):02}:{rng.randrange(60):02}/"))
        found: list[Found] = []
        area = ""
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            code, zone = rng.choice(SIA_CODES), f"{rng.randrange(1000):03}"
            part = "/" if found else ""
            wanted = str(rng.randrange(1, 9))
            if wanted != area and (not found or rng.random() < 0.5):
                part += f"ri{wanted}" + rng.choice(("/", ""))
                area = wanted
            if code in {"OP", "CL"} and rng.random() < 0.5:
                part += f"id{zone}"
            part += code + zone
            if len(panel) + len(part) > PANEL_BYTES:
                break
            panel += part
            found.append(self._found(line, home.account, code, area, zone))
        return Content("sia", f"{self._head('S', line)}[#{home.account}|N{panel}]", tuple(found))

    def _plain(self, line: int, account: str, tail: str) -> str:
        return f"{self._head('1', line)}{account:>{ACCOUNT_WIDTH}} {tail}"

    def _basic(self, home: Home, line: int, rng: Random) -> Content:
        """Return a 4/2 or a DTMF 4/3 event: the zone may have leading zeros or leading spaces."""
        code, area, zone = rng.choice("ARTOCBF"), rng.choice(" 123456789"), rng.randrange(1000)
        shown = rng.choice((f"{zone:03}", f"{zone:>3}"))
        found = self._found(line, home.account, code, area, str(zone))
        return Content("basic", self._plain(line, home.account, f"{code}{area}{shown}"), (found,))

    def _pulse(self, home: Home, line: int, rng: Random) -> Content:
        """Return a 3/1 or 4/1 event: a digit is the event, without an area."""
        account = home.account[-rng.choice((3, 4)) :]
        code, zone = rng.choice("ARTOCBF"), rng.choice("0123456789")
        found = self._found(line, account, code, "", zone)
        return Content("pulse", self._plain(line, account, f"{code}   {zone}"), (found,))

    def _high_speed(self, home: Home, line: int, rng: Random) -> Content:
        account = home.account[-4:]
        channels, ninth = high_speed(rng)
        text = f"{self._head('8', line)}{account} {channels[:4]} {channels[4:]} {ninth}"
        return Content("high-speed", text, self.channels(line, account, channels, ninth))

    def channels(self, line: int, account: str, channels: str, ninth: str) -> tuple[Found, ...]:
        """Return the channels that are not normal, and what the ninth character says."""
        found = [self._found(line, account, state, "", str(n)) for n, state in enumerate(channels, 1) if state != "5"]
        return (*found, self._found(line, account, ninth, "", ""))

    def _status(self, _home: Home, line: int, rng: Random) -> Content:
        """Return a status of the receiver: of its processor (line 0), or of a transmitter on IP behind a line."""
        code = rng.choice(STATUS_CODES)
        detail = f"{rng.randrange(10_000):04}"
        if code in {"YK", "YC"}:
            account = f"{rng.randrange(10_000):010}"
            found = self._found(line, account, code, "", "")
            text = f"{self._head(self.status_mark, line)}[#{account}|N{code}*192.0.2.{rng.randrange(1, 255)}*]"
            return Content("status", text, (found,))
        found = self._found(0, "0000", code, "", detail)
        return Content("status", f"{self._head(self.status_mark, 0)}[#0000|N{code}{detail}]", (found,))

    def caller_id(self, home: Home, line: int, telephone: str) -> Content | None:
        text = f"{self._head('4', line)}{home.account[-6:]:>6}{telephone:>10}"
        return Content("caller-id", text, (), telephone)

    def two_way(self, line: int) -> Content | None:
        shown = f" 0{self.line(line)}" if self.line_width == 1 else f" {line:02}"
        return Content("two-way", self._plain(line, "0000", f"P {shown}"), ())

    def heartbeat(self) -> str:
        line = "1" if self.line_width == 1 else "0" * self.line_width
        return f"1{self.receiver:02}{line}{'':11}@{'':4}"

    def frame(self, text: str) -> bytes:
        return text.encode("ascii") + self.end

    def bare(self, text: str) -> bytes:
        return text.encode("ascii")


def high_speed(rng: Random) -> tuple[str, str]:
    """Return eight channels (most of them 5, normal) and the ninth character of an Ademco High Speed message."""
    channels = ["5"] * 8
    for place in rng.sample(range(8), rng.randrange(1, 5)):
        channels[place] = rng.choice("12346")
    return "".join(channels), rng.choice("7789")

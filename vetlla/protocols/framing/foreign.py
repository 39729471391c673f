"""Recognises another protocol on a port by its first bytes, so that the log can name it.

The protocol of a port is configured, never guessed from its number. The first bytes show whether that protocol came.

Patterns are matched only at the very start of a connection, after NUL, CR, LF and blanks. Each ends at the byte that
decides it, so that the result does not depend on how the bytes were cut. If an alarm panel speaks the protocol, the
text tells the installer what to do, because a panel with the wrong setting leaves its home without a receiver.

A modem in front of a panel may send lines of its own before it passes a report on: its registration, with commas in it,
or a keep-alive. Such a line is named only if no frame follows it, and the connection stays open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Hangup, Reason, Reject

if TYPE_CHECKING:
    from vetlla.domain.signals import Item

HEAD: Final = 96
"""Bytes that are enough to recognise every protocol below; the DSC envelope with the frame's opening is the longest."""

_INTERNET: Final = "it is most likely a scanner; do not open this port to the whole internet"
_SET_DC09: Final = "set the panel's reporting to SIA DC-09"
_LINE_RECEIVER: Final = "point it at the port for line receivers"
_SUR_GARD: Final = (
    rb"(?:\0\0[\x00-\x10][\x00-\x99])?"
    rb"(?:[5Q][0-9A-F]{2}[0-9A-Z]{1,7} ?[159]8[0-9A-F]{4}|[13][0-9A-F]{2}[0-9A-Z]{1,7} {4}"
    rb"|[S0][0-9A-F]{2}[0-9A-Z]{1,7}\[|8[0-9A-F]{7,13} [0-9]{4} )"
)
_ADEMCO_685: Final = (
    rb"[0-9A-F]{2,4} (?:OKAY @|(?:RCV[AB]|LINE) |[0-9A-F]{3,6} "
    rb"(?:[159]8 ?[ERP136][0-9]{3} |[0-9]{4} [0-9]{4} [0-9]|[0-9A-F] ?[0-9A-F]?[\r\n]))"
)
_PATTERNS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) [/*hH]", "HTTP", _INTERNET),
    (rb"\x16\x03[\x00-\x04]", "a TLS hello", "set the terminal to no TLS, or point it at the TLS listener"),
    (rb"SSH-", "SSH", _INTERNET),
    (rb"(?:OPTIONS|REGISTER|INVITE|ACK|BYE|CANCEL|SUBSCRIBE|NOTIFY|MESSAGE) sips?:", "SIP", _INTERNET),
    (rb"\*[0-9]+\r\n\$[0-9]|AUTH [^\r\n]{1,40}\r\n", "Redis", _INTERNET),
    (rb"\x03\x00\x00[\x00-\xff]", "RDP", _INTERNET),
    (rb"\x10[\x00-\xff]{1,2}\x00\x04MQTT", "MQTT", "point the device at the MQTT broker"),
    (rb"\x05\x01\x81\x59\x68|F#[0-9A-F]{3}", "the DC-03 link protocol (Galaxy Ethernet module)", _SET_DC09),
    (rb"SR[0-9]{4}L[0-9]{4} |LFQ=[0-9]+#CRC=", "the Aritech ATS protocol (OH)", _SET_DC09),
    (
        rb"_[\x00-\xff]{27}\n(?:[0-9A-Fa-f]{4}|[\x00-\xff]{2})0[0-9A-Fa-f]{3}\"",
        "DC-09 inside a DSC TL envelope",
        "the answer would need that envelope too; set the communicator to plain DC-09",
    ),
    (_SUR_GARD, "Sur-Gard", _LINE_RECEIVER),
    (_ADEMCO_685, "Ademco 685", _LINE_RECEIVER),
    (rb"a[0-9]{2}[0-9A-Z] [0-9A-F]{4}[159]8[ERP136][0-9]{3}", "Radionics 6500", _LINE_RECEIVER),
)
_MODEM: Final = "a modem may have sent this line, and no report came after it. If there is no modem: "
_LINES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"[0-9A-Za-z_.-]{1,20}(?:,[^,\x00-\x1f\"]{0,40}){2,9}\r?\n", "CSV-IP", _MODEM + _SET_DC09),
    (rb"(?:PING|INFO)\r\n", "Redis", _MODEM + _INTERNET),
)
"""Lines that a modem may send, too."""
_OTHER_PORT: Final = "point the device at the port for that protocol"
_OURS: Final[tuple[tuple[bytes, str], ...]] = (
    (rb"(?:[0-9A-Fa-f]{4}|\n[\x00-\xff]{2})0[0-9A-Fa-f]{3}\"[*A-Z]", "DC-09"),
    (rb"\xab[\x00-\x1f][\x00-\xff][\x00-\x20][\x00-\xff]{4}[\x01-\x04\x7e\x7f]", "Eview"),
    (rb"\[[0-9A-Za-z]{2}\*[0-9A-Za-z]{4,20}\*[0-9A-Za-z]", "the watch protocol (3G)"),
    (rb"![0-9A-Z],", "MiniFinder Pico"),
    (rb"(?:\+(?:RESP|BUFF|ACK):|AT\+)GT[0-9A-Z]{3}[,=]", "Queclink @Track"),
    (rb"(?:IW|TRV)[A-Y]P[0-9A-Z]{2}", "Thinkrace"),
    (rb"tc/[0-9]", "the telecare convention over MQTT"),
    (rb"\x78\x78[\x00-\xff]", "GT06 (vehicle trackers)"),
)
"""Patterns of our own protocols, with the title that each decoder gives to its guard; GT06 has no decoder here."""
_KNOWN: Final = tuple(
    (re.compile(rb"[\x00\r\n ]*(?:" + start + rb")"), name, hint, reason)
    for start, name, hint, reason in (
        *((*row, Reason.FOREIGN) for row in _PATTERNS),
        *((*row, _OTHER_PORT, Reason.WRONG_PORT) for row in _OURS),
    )
)
_KNOWN_LINES: Final = tuple(
    (re.compile(rb"[\x00\r\n ]*(?:" + start + rb")"), name, hint) for start, name, hint in _LINES
)

VISONIC_TOKENS: Final = "VIS-"
"""Visonic PowerLink uses DC-09's envelope with tokens of its own ("VIS-BBA", "VIS-ACK")."""


class Foreign(NamedTuple):
    """A protocol that does not belong on the port, with its name, a remedy, and the bytes that showed it."""

    name: str
    hint: str
    raw: bytes
    reason: Reason = Reason.FOREIGN


def recognise(head: bytes, own: str = "") -> Foreign | None:
    """Return the protocol of a connection's first bytes, if it is one of these but not ``own``.

    None means that it is not known, or not known yet.
    """
    for pattern, name, hint, reason in _KNOWN:
        if name != own and (found := pattern.match(head, 0, HEAD)) is not None:
            return Foreign(name, hint, found[0], reason)
    return None


def recognise_line(head: bytes) -> Foreign | None:
    """Return the protocol of a first line. Call this only if no frame followed, because a modem may have sent it."""
    for pattern, name, hint in _KNOWN_LINES:
        if (found := pattern.match(head, 0, HEAD)) is not None:
            return Foreign(name, hint, found[0])
    return None


class ForeignProtocolGuard:
    """Detects another protocol from the first bytes of a connection and rejects the connection once.

    After a frame of the port's own protocol, other bytes are line noise.
    """

    def __init__(self, protocol: str, title: str, opening: re.Pattern[bytes]) -> None:
        """Take the registry's name, the protocol's title in the table above, and the pattern that opens its frames."""
        self._protocol = protocol
        self._title = title
        self._opening = opening
        self._head: bytes | None = b""
        self.is_foreign = False

    @property
    def is_waiting(self) -> bool:
        """True while the first bytes show neither the port's own protocol nor another one."""
        return self._head is not None

    def look(self, data: bytes) -> list[Item]:
        """Take the connection's next bytes; return the reject and the hang-up if they show another protocol."""
        if self._head is None:
            return []
        head = (self._head + data)[:HEAD] if self._head else data[:HEAD]
        if self._opening.match(head):
            self._head = None
            return []
        own = self._opening.search(head)
        self._head = head if own is None and len(head) < HEAD else None
        foreign = recognise(head if own is None else head[: own.end()], self._title)
        if foreign is not None:
            return self.reject_foreign(foreign)
        if own is not None or self._head is not None:
            return []
        return [*self._name(recognise_line(head))]

    def finish(self) -> list[Item]:
        """Take the end of the connection; return a reject for a first line that no frame followed."""
        head, self._head = self._head, None
        return [*self._name(recognise_line(head))] if head else []

    def reject_foreign(self, foreign: Foreign) -> list[Item]:
        """Return the reject that names the peer's protocol and the hang-up, once. Later only good frames count."""
        self._head = None
        if self.is_foreign:
            return []
        named = self._name(foreign)
        return [*named, *(Hangup(text=reject.text) for reject in named)]

    def _name(self, foreign: Foreign | None) -> list[Reject]:
        if foreign is None:
            return []
        self.is_foreign = True
        text = f"this is {foreign.name}, not {self._title}: {foreign.hint}"
        return [Reject(protocol=self._protocol, reason=foreign.reason, raw=foreign.raw, text=text)]

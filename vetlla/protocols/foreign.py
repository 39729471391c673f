"""What else arrives on an alarm port: known by its first bytes, so that the log names it instead of guessing.

Patterns are matched at the very start of a connection only, behind NUL, CR, LF and blanks, and each ends where it is
decided, so that the verdict does not depend on how the bytes were cut. A protocol that an alarm panel speaks is worth
a sentence to the installer: a panel set to the wrong one is a home without a receiver.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

HEAD: Final = 96
"""Bytes that suffice to know every protocol below; the longest is the DSC envelope with the frame's opening."""

_INTERNET: Final = "a scanner most likely; this port should not be open to the whole internet"
_SET_DC09: Final = "set the panel's reporting to SIA DC-09"
_LINE_RECEIVER: Final = "point it at the port for line receivers"
_PATTERNS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) [/*hH]", "HTTP", _INTERNET),
    (rb"\x16\x03[\x00-\x04]", "a TLS hello", "set the terminal to no TLS, or point it at the TLS listener"),
    (rb"SSH-", "SSH", _INTERNET),
    (rb"(?:OPTIONS|REGISTER|INVITE|ACK|BYE|CANCEL|SUBSCRIBE|NOTIFY|MESSAGE) sips?:", "SIP", _INTERNET),
    (rb"\*[0-9]+\r\n\$[0-9]|(?:PING|INFO|AUTH [^\r\n]{1,40})\r\n", "Redis", _INTERNET),
    (rb"\x03\x00\x00[\x00-\xff]", "RDP", _INTERNET),
    (rb"\x10[\x00-\xff]{1,2}\x00\x04MQTT", "MQTT", "point the device at the MQTT broker"),
    (rb"\x05\x01\x81\x59\x68|F#[0-9A-F]{3}", "the DC-03 link protocol (Galaxy Ethernet module)", _SET_DC09),
    (rb"SR[0-9]{4}L[0-9]{4} |LFQ=[0-9]+#CRC=", "the Aritech ATS protocol (OH)", _SET_DC09),
    (rb"[0-9A-Za-z_.-]{1,20}(?:,[^,\x00-\x1f\"]{0,40}){2,9}\r?\n", "CSV-IP", _SET_DC09),
    (
        rb"_[\x00-\xff]{27}\n(?:[0-9A-Fa-f]{4}|[\x00-\xff]{2})0[0-9A-Fa-f]{3}\"",
        "DC-09 inside a DSC TL envelope",
        "its answer would need that envelope too; set the communicator to plain DC-09",
    ),
    (rb"5[0-9A-F]{3,9} ?18[0-9A-F]{4,10}[ERP][0-9A-F]{8,9}[\x14\r]", "Sur-Gard Contact ID", _LINE_RECEIVER),
    (rb"S[0-9A-F]{3,9}\[#[0-9A-F]{3}", "Sur-Gard SIA", _LINE_RECEIVER),
    (rb"1[0-9A-F]{3,9} {5,20}@", "a Sur-Gard heartbeat", _LINE_RECEIVER),
    (rb"00 OKAY @|[0-9A-F]{2,3} [0-9A-F]{4,6} 18 [ERP][0-9A-F]{3} ", "Ademco 685", _LINE_RECEIVER),
)
_KNOWN: Final = tuple((re.compile(rb"[\x00\r\n ]*(?:" + start + rb")"), name, hint) for start, name, hint in _PATTERNS)

VISONIC_TOKENS: Final = "VIS-"
"""Visonic PowerLink wears DC-09's envelope with tokens of its own ("VIS-BBA", "VIS-ACK")."""


class Foreign(NamedTuple):
    """A protocol that is not ours: its name, what to do about it, and the bytes that gave it away."""

    name: str
    hint: str
    raw: bytes


def recognise(head: bytes) -> Foreign | None:
    """Return what the first bytes of a connection are, if they are one of these protocols; None: not known (yet)."""
    for pattern, name, hint in _KNOWN:
        found = pattern.match(head, 0, HEAD)
        if found is not None:
            return Foreign(name, hint, found[0])
    return None

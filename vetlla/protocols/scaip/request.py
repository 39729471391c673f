"""The request of a terminal (fact sheet of telecare over IP, 1.2): every field as it came, and what it means.

What is missing is taken for the most urgent: without a message type it is an alarm, without a status a manual one. The
message type is read before the status, because a heartbeat has none, or that of an alarm (TeleAlarm sends 0009).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.codes.scaip import MANUAL_ALARM, UNKNOWN, spelled
from vetlla.protocols.scaip.answer import AnswerStatus
from vetlla.protocols.scaip.markup import escaped, read_markup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.protocols.scaip.markup import Element

ROOT: Final = "mrq"
REF_MOST: Final = 64
"""Most characters of a reference. The standard has 16, and the answer repeats what came."""
CID_MOST: Final = 32
"""Most characters of a controller's id. The standard has 16 digits."""
CODE_MOST: Final = 5
"""Most digits of a code. The standard has four; some terminals put another zero in front."""
REQUESTS_MOST: Final = 8
"""Most requests of one body. No terminal is known to send two."""


class MessageType(StrEnum):
    """What a request is (``mty``)."""

    ALARM = "ME"
    """An alarm or another event."""
    RESET = "RE"
    """An alarm that is withdrawn."""
    INFORMATION = "IN"
    """More about an alarm."""
    HEARTBEAT = "PI"


_TYPES: Final = {one.value: one for one in MessageType}


class ScaipRequest(NamedTuple):
    """One request. Unknown elements are kept with the others."""

    fields: dict[str, list[str]]
    """The texts of each element as they came. What stands in ``lge`` is called ``lge/geo``, ``lge/tim``, ``lge/gga``.
    """
    is_orderly: bool
    """False if the document was broken, so that something may be missing."""

    def first(self, name: str) -> str:
        """Return the first text of an element without blanks around it; "" without one."""
        values = self.fields.get(name)
        return values[0].strip() if values else ""

    def contradicts(self, name: str) -> bool:
        """Return True if an element came several times with different texts."""
        values = self.fields.get(name, ())
        return len(values) > 1 and len({value.strip() for value in values}) > 1

    @property
    def ref(self) -> str:
        """The terminal's reference."""
        return self.first("ref")

    @property
    def cid(self) -> str:
        """The controller's id, which is the account. Doro puts a blank in front of it."""
        return self.first("cid")

    @property
    def type(self) -> MessageType:
        """What it is. A type that is unknown, or contradicts another one, is an alarm."""
        given = self.first("mty").upper()
        return MessageType.ALARM if self.contradicts("mty") else _TYPES.get(given, MessageType.ALARM)

    @property
    def code(self) -> str:
        """Device type and status as the code tables spell them; "" for what is no alarm and has no status.

        A status that is no number, or contradicts another one, is that of a manual alarm.
        """
        dty, stc = self._digits("dty"), self._digits("stc")
        if not stc:
            if self.type is not MessageType.ALARM and not self.first("stc"):
                return ""
            stc = MANUAL_ALARM
        return spelled(dty or UNKNOWN, stc)

    @property
    def addresses(self) -> list[str]:
        """Where the unit can be called (``crd``): ``sip:``, ``tel:``, ``gsm:``, ``sip-pp:`` or ``no-voice:``."""
        return [value.strip() for value in self.fields.get("crd", ()) if value.strip()]

    @property
    def wants_call_back(self) -> bool:
        """True if the unit does not call, and waits to be called (``cha``)."""
        return self.first("cha").lstrip("0") == "1"

    @property
    def more_follows(self) -> bool:
        """True if the terminal will send an additional message (``ame``)."""
        return self.first("ame").lstrip("0") == "1"

    def objection(self) -> AnswerStatus:
        """Return the status that its answer has. Whatever it is, the request may be a call for help.

        Texts that are longer than the standard allows, and codes without their zeros, are no objection.
        """
        if not self.ref or not self.cid:
            return AnswerStatus.MISSING if self.is_orderly else AnswerStatus.BAD_FORMAT
        if len(self.ref) > REF_MOST or len(self.cid) > CID_MOST:
            return AnswerStatus.TOO_LONG
        codes = [name for name in ("dty", "stc", "lco", "dco") if self.first(name) and not self._digits(name)]
        if codes or any(self.contradicts(name) for name in ("ref", "cid")):
            return AnswerStatus.WRONG_DATA
        return AnswerStatus.ACCEPTED if self.is_orderly else AnswerStatus.BAD_FORMAT

    def _digits(self, name: str) -> str:
        """Return a code; "" if it is missing, no number, or contradicts another one."""
        given = self.first(name)
        is_code = given.isascii() and given.isdigit() and len(given) <= CODE_MOST
        return given if is_code and not self.contradicts(name) else ""


def read_requests(body: bytes) -> list[ScaipRequest]:
    """Return the requests of a body. Usually it has one; more than ``REQUESTS_MOST`` are not read.

    The beginning of the root element may be missing: then all elements are one request, if one of them is known.
    """
    markup = read_markup(body)
    whole = markup.is_orderly and not markup.has_declaration
    requests: list[ScaipRequest] = []
    within: dict[int, dict[str, list[str]]] = {}
    for element in markup.elements:
        if element.path[-1] == ROOT:
            fields = within.pop(len(element.path) - 1, {})
            requests.append(ScaipRequest(fields, whole))
        elif ROOT in element.path:
            at = len(element.path) - 1 - element.path[::-1].index(ROOT)
            _add(within.setdefault(at, {}), element.path[at + 1 :], element)
    if not requests:
        fields = {}
        for element in markup.elements:
            _add(fields, element.path[-1:], element)
        requests = [ScaipRequest(fields, is_orderly=False)] if fields.keys() & {"cid", "ref", "dty", "stc"} else []
    return requests[:REQUESTS_MOST]


def write_request(fields: Iterable[tuple[str, str]]) -> bytes:
    """Return the body of a request, with its elements in the given order. Names with a slash stand in one ``lge``."""
    plain: list[str] = []
    place: list[str] = []
    for name, value in fields:
        around, _, own = name.rpartition("/")
        (place if around else plain).append(f"<{own}>{escaped(value)}</{own}>")
    geo = f"<lge>{''.join(place)}</lge>" if place else ""
    return f"<mrq>{''.join(plain)}{geo}</mrq>".encode()


def _add(fields: dict[str, list[str]], path: tuple[str, ...], element: Element) -> None:
    fields.setdefault("/".join(path), []).append(element.text)

"""Delivery receipts of SMPP 3.4: as a text (appendix B), or as parameters (5.3.2.12 and 5.3.2.35), or as both.

    id:1001 sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:DELIVRD err:000 text:...

An SMSC may answer a submit with a number in hexadecimal and write it in decimal in the receipt, so ids are compared in
one form. The parameter has the form of the answer.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.messages import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

RECEIPT: Final = 0x04
"""``esm_class & TYPE`` of a receipt (SMPP 3.4, 5.2.12)."""
TYPE: Final = 0x3C
_ID: Final = 0x001E
_STATE: Final = 0x0427
_NETWORK_ERROR: Final = 0x0423

_STATES: Final = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
"""Values of the parameter ``message_state``, with the words of the text."""
_DELIVERIES: Final = {
    "ENROUTE": Delivery.SENT,
    "BUFFERED": Delivery.SENT,
    "ACCEPTD": Delivery.SENT,
    "DELIVRD": Delivery.DELIVERED,
    "EXPIRED": Delivery.FAILED,
    "DELETED": Delivery.FAILED,
    "UNDELIV": Delivery.FAILED,
    "REJECTD": Delivery.FAILED,
}
_FIELD: Final = re.compile(r"\b(id|stat|err):\s*(\S+)", re.IGNORECASE)


class IdForm(StrEnum):
    """How an SMSC writes the number of a message."""

    SAME = "same"
    """It is no number, or it is written in the same way everywhere."""
    HEX = "hex"
    DECIMAL = "decimal"


class Receipt(NamedTuple):
    """What an SMSC says about a message."""

    id: str
    """In the form that ``one_form`` gives."""
    delivery: Delivery | None
    """None for a state that says nothing, such as ``UNKNOWN``."""
    state: str
    detail: str


def one_form(given: str, form: IdForm) -> str:
    """Return an id so that its forms are equal: a number in decimal. One that is no number stays as it is."""
    text = given.rstrip("\0").strip()
    if form is IdForm.SAME:
        return text
    try:
        return str(int(text, 16 if form is IdForm.HEX else 10))
    except ValueError:
        return text


def receipt_of(
    esm_class: int, text: bytes, parameters: Mapping[int, bytes], *, answers: IdForm, receipts: IdForm
) -> Receipt | None:
    """Return the receipt in a packet; None if it is a citizen's message, or a receipt that names no message.

    ``answers`` is the form of ids in answers to submits and in parameters, ``receipts`` the form in texts.
    """
    is_receipt = esm_class & TYPE == RECEIPT or _ID in parameters
    if not is_receipt:
        return None
    fields = {name.lower(): value for name, value in _FIELD.findall(text.decode("latin-1").partition(" text:")[0])}
    told = parameters.get(_ID, b"").rstrip(b"\0").decode("latin-1")
    name = one_form(told, answers) if told else one_form(fields.get("id", ""), receipts)
    if not name:
        return None
    state = fields.get("stat", "").upper()
    if parameters.get(_STATE):
        state = _STATES.get(parameters[_STATE][0], state)
    return Receipt(name, _DELIVERIES.get(state), state, _detail(fields, parameters))


def _detail(fields: Mapping[str, str], parameters: Mapping[int, bytes]) -> str:
    network = parameters.get(_NETWORK_ERROR, b"")
    if len(network) == 3:
        return f"network {network[0]} error {int.from_bytes(network[1:], 'big')}"
    return f"err:{fields['err']}" if fields.get("err", "000") not in {"", "0", "000"} else ""

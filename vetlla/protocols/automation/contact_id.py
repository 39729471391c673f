"""Translates any event into Contact ID, the one code that all automation systems read.

A code of Contact ID is passed as it is. A code of another system is looked up in ``tables/contact_id_of_codes.csv``,
and an event whose code is not there by its kind, in ``tables/contact_id_of_kinds.csv``. No event is lost: a kind
without a code of its own has a general code of the same priority, and the translation says that it is not exact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind, Phase
from vetlla.protocols.automation.reports import NO_AREA, NO_DEVICE, ContactId
from vetlla.protocols.codes.rows import read_rows
from vetlla.protocols.codes.tables import CONTACT_ID

if TYPE_CHECKING:
    from vetlla.domain.signals import Event

_CODE: Final = re.compile(r"[0-9]{3}")
_HEX: Final = re.compile(r"[0-9A-F]+")


class Translation(NamedTuple):
    """An event in Contact ID."""

    event: ContactId
    is_exact: bool
    """False if the code is a general one, which says less than the event."""


class _OfKind(NamedTuple):
    code: str
    device_code: str
    """Code of an event that names a device: the battery of a pendant, not that of its terminal."""
    is_exact: bool


_OF_KINDS: Final = {
    Kind(row["kind"]): _OfKind(row["code"], row["device_code"], row["exact"] == "yes")
    for row in read_rows("contact_id_of_kinds.csv")
}
_OF_CODES: Final = {
    (row["system"], row["code"]): (row["contact_id"], Phase(row["phase"]) if row["phase"] else None)
    for row in read_rows("contact_id_of_codes.csv")
}


def contact_id_of(event: Event, *, device: str = "", area: str = "") -> Translation:
    """Return the event in Contact ID. A device or area that its fields cannot hold is written as none (zeros)."""
    where, which = _digits(area, len(NO_AREA)), _digits(device, len(NO_DEVICE))
    if event.system == CONTACT_ID.system and _CODE.fullmatch(event.code):
        return Translation(ContactId(event.phase, event.code, where, which), is_exact=True)
    if (found := _OF_CODES.get((event.system, event.code))) is not None:
        code, phase = found
        return Translation(ContactId(phase or event.phase, code, where, which), is_exact=True)
    row = _OF_KINDS[event.kind]
    code = row.device_code if which != NO_DEVICE else row.code
    return Translation(ContactId(event.phase, code, where, which), row.is_exact)


def _digits(text: str, width: int) -> str:
    """Return hexadecimal digits, filled up with zeros; only zeros if the text has other characters or more digits."""
    digits = text.strip().lstrip("0").upper()
    return digits.rjust(width, "0") if _HEX.fullmatch(digits) and len(digits) <= width else "0" * width

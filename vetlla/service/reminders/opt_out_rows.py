"""Columns of a list of opt-outs: that of the city, or of a provider."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from typing_extensions import TypedDict

from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind, words
from vetlla.domain.messages import Channel
from vetlla.domain.telephones import e164

_CHANNELS: Final = {
    "whatsapp": (Channel.WHATSAPP,),
    "sms": (Channel.SMS,),
    "both": (Channel.WHATSAPP, Channel.SMS),
}
_WITHOUT_PLUS: Final = re.compile(r"34[6-9][0-9]{8}", re.ASCII)
_SOURCES: Final = ("reply", "operator", "import", "provider")


def phone_of(cell: str) -> str:
    """Return a telephone number as E.164. Raises ValueError if the text has none.

    Providers write the number of Spain also without its plus: ``34600000001``.
    """
    found = e164(f"+{cell}" if _WITHOUT_PLUS.fullmatch(cell) else cell)
    if not found:
        raise ValueError("no telephone number: write +34600000001, or 600000001 for one of Spain")
    return found


def _moment(cell: str) -> datetime:
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError("no time: write 2026-11-21T10:30:00Z") from None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


class OptOutRow(TypedDict):
    """A telephone that gets nothing more."""

    phone: Annotated[str, ReadBy(phone_of), Cell(Holds.TEXT)]
    channel: Annotated[tuple[Channel, ...], words(_CHANNELS, "a channel is whatsapp, sms or both")] | None
    at: Annotated[datetime, ReadBy(_moment), Cell(Holds.TEXT)] | None
    how: Annotated[str, words({one: one for one in _SOURCES}, f"should be one of {', '.join(_SOURCES)}")] | None


OPT_OUTS: Final = RowKind(OptOutRow)

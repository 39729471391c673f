"""Makers' meanings of codes that the standards leave open, or define in another way (``tables/makers.csv``).

One maker may use a code for a call, and another maker may use it for a status. Two rules keep the call an alarm:

1. A maker's meaning that is more urgent than the standard's holds for all terminals. It is in the standard's table,
   with the maker in brackets: ND (Ajax) is a disarming under duress from every terminal. The same holds for the meaning
   of a code that is no alarm by the standard, nor by the class of its first letter.
2. A less urgent meaning holds only for accounts for which a person registered this maker, and is in ``makers.csv``. For
   all other accounts, a code that is not in the standard but has the first letter of an alarm is a ``general_alarm``,
   such as PE (Ajax: photo by scenario on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.accounts import Maker
from vetlla.domain.signals import Kind, Phase
from vetlla.protocols.codes import tables as codes
from vetlla.protocols.codes.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.signals import Event, Signal

DETAIL: Final = "maker"
"""Detail that names the maker, in a signal that was read by the maker's table."""


class Meaning(NamedTuple):
    """A maker's meaning of a code."""

    name: str
    kind: Kind
    phase: Phase | None
    """None if the event's qualifier decides."""


def _read() -> dict[Maker, dict[tuple[str, str], Meaning]]:
    makers: dict[Maker, dict[tuple[str, str], Meaning]] = {maker: {} for maker in Maker}
    for row in read_rows("makers.csv"):
        phase = Phase(row["phase"]) if row["phase"] else None
        makers[Maker(row["maker"])][row["system"], row["code"]] = Meaning(row["name"], Kind(row["kind"]), phase)
    return makers


MAKERS: Final[Mapping[Maker, Mapping[tuple[str, str], Meaning]]] = _read()


def as_meant_by(maker: Maker, signal: Signal) -> Signal:
    """Return the signal with its event as the maker means it; its details then name the maker."""
    event = signal.event
    meaning = MAKERS[maker].get((event.system, event.code))
    if meaning is None:
        return signal
    meant = event._replace(kind=meaning.kind, phase=meaning.phase or event.phase)
    return signal._replace(event=meant, details={**signal.details, DETAIL: maker.value})


def name_of(event: Event, maker: Maker | None) -> str:
    """Return the maker's name for an event's code, or the standard's name if the maker has none."""
    meaning = MAKERS[maker].get((event.system, event.code)) if maker is not None else None
    return meaning.name if meaning is not None else codes.name_of(event)

"""The writers of line receivers' dialects, by the names of the protocols that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import UsageError
from vetlla.protocols.automation.ademco685 import Ademco685Writer
from vetlla.protocols.automation.radionics6500 import Radionics6500Writer
from vetlla.protocols.automation.surgard import SurgardWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vetlla.protocols.automation.fields import LineForm, Writer

WRITERS: Final[Mapping[str, Callable[[LineForm], Writer]]] = {
    "ademco685": Ademco685Writer,
    "radionics6500": Radionics6500Writer,
    "surgard": SurgardWriter,
}


def writer_of(protocol: str, form: LineForm) -> Writer:
    """Return a writer of a protocol. Raises UsageError if no receiver writes it, or if it cannot have a setting."""
    if protocol not in WRITERS:
        raise UsageError(f"no line receiver writes {protocol!r}", remedy=f"use one of: {', '.join(WRITERS)}")
    return WRITERS[protocol](form)

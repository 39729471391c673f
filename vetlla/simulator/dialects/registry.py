"""The protocols of simulated homes, one line each. The names are those of the receiver's registry of protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import UsageError
from vetlla.protocols.automation.writers import WRITERS
from vetlla.simulator.dialects import dc09, eview, minifinder, queclink, thinkrace, watch3g

if TYPE_CHECKING:
    from vetlla.simulator.dialects.dialect import Dialect

_OURS: Final[tuple[Dialect, ...]] = (
    dc09.DIALECT,
    eview.DIALECT,
    minifinder.DIALECT,
    queclink.DIALECT,
    thinkrace.DIALECT,
    watch3g.DIALECT,
)
DIALECTS: Final = {dialect.name: dialect for dialect in _OURS}


def find(name: str) -> Dialect:
    """Return the dialect of a protocol. Raises UsageError if the simulator does not have it."""
    if name in WRITERS:
        raise UsageError(
            f"no home speaks {name}: a line receiver does", remedy=f"use `vetlla simulate receiver --protocol {name}`"
        )
    if name not in DIALECTS:
        raise UsageError(f"no simulated home speaks {name!r}", remedy=f"use one of {', '.join(DIALECTS)}")
    return DIALECTS[name]

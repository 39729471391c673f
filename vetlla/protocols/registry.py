"""The protocols Vetlla speaks: one line each. Third parties add theirs by an entry point in ``vetlla.protocols``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from vetlla.errors import ConfigError
from vetlla.protocols import dc09, eview, minifinder, mqtt, queclink, thinkrace, watch3g
from vetlla.protocols.decoder import Description

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.protocols.decoder import Decoder, KeyLookup

GROUP: Final = "vetlla.protocols"
"""Entry point group: each entry loads a ``Description``."""


def _line(name: str, summary: str, make: Callable[[KeyLookup], Decoder], max_pending: int) -> Description:
    return Description(name=name, summary=summary, make=make, max_pending=max_pending)


_OURS: Final = (
    _line("dc09", "SIA DC-09 over TCP or UDP", dc09.Dc09Decoder, dc09.MAX_PENDING),
    _line("eview", "Eview (EV-07B, MiniFinder) over TCP", eview.EviewDecoder, eview.MAX_PENDING),
    _line("minifinder", "MiniFinder Pico / EV-07S text over TCP", minifinder.MinifinderDecoder, minifinder.MAX_PENDING),
    _line("mqtt", "Telecare over MQTT 5, the open convention tc/1", mqtt.MqttDecoder, mqtt.MAX_PENDING),
    _line("queclink", "Queclink @Track text over TCP or UDP", queclink.QueclinkDecoder, queclink.MAX_PENDING),
    _line("thinkrace", "Thinkrace IW / TRV text over TCP", thinkrace.ThinkraceDecoder, thinkrace.MAX_PENDING),
    _line("watch3g", "Bracket protocol of 3G/4G watches over TCP", watch3g.Watch3gDecoder, watch3g.MAX_PENDING),
)
PROTOCOLS: Final = {description.name: description for description in _OURS}


def load_protocols() -> dict[str, Description]:
    """Return our protocols and those of installed third parties, by name.

    Raises ConfigError when a third party's entry cannot be loaded or takes a name that is already used.
    """
    protocols = dict(PROTOCOLS)
    for entry in entry_points(group=GROUP):
        remedy = f"remove or update the package {entry.dist.name if entry.dist else '?'}"
        try:
            description = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the protocol {entry.name!r} ({entry.value}) cannot be loaded", remedy=remedy) from error
        if not isinstance(description, Description) or description.name in protocols:
            raise ConfigError(f"the protocol {entry.name!r} ({entry.value}) is no new Description", remedy=remedy)
        protocols[description.name] = description
    return protocols

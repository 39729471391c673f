"""The protocols that Vetlla speaks. Third parties add theirs by an entry point in the group ``vetlla.protocols``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import ConfigError
from vetlla.protocols import ademco685, minifinder, queclink, radionics6500, thinkrace
from vetlla.protocols.asterisk import decoder as asterisk
from vetlla.protocols.asterisk import recording as spool_recording
from vetlla.protocols.codes.foreign_codes import coded
from vetlla.protocols.dc09 import decoder as dc09
from vetlla.protocols.decoder import LINE, Description, MessageDescription
from vetlla.protocols.eview import decoder as eview
from vetlla.protocols.mqtt import decoder as mqtt
from vetlla.protocols.mqtt import recording
from vetlla.protocols.scaip import decoder as scaip
from vetlla.protocols.scaip import recording as scaip_recording
from vetlla.protocols.surgard import decoder as surgard
from vetlla.protocols.watch3g import decoder as watch3g

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.protocols.decoder import AnyDescription, Decoder, KeyLookup

GROUP: Final = "vetlla.protocols"
"""Entry point group. Each entry loads a ``Description`` or a ``MessageDescription``."""


_TCP: Final = ("tcp",)
_BOTH: Final = ("tcp", "udp")
_LINE: Final = (LINE,)


def _stream(
    name: str, summary: str, make: Callable[[KeyLookup], Decoder], max_pending: int, transports: tuple[str, ...]
) -> Description:
    return Description(name=name, summary=summary, make=make, max_pending=max_pending, transports=transports)


_OURS: Final[tuple[AnyDescription, ...]] = (
    Description(
        name="ademco685",
        summary="Ademco 685 automation output of line receivers",
        make=ademco685.Ademco685Decoder,
        max_pending=ademco685.MAX_PENDING,
        transports=_LINE,
        options=ademco685.OPTIONS,
        tune=ademco685.tune,
    ),
    MessageDescription(
        name="asterisk",
        summary="Spool files of Asterisk's AlarmReceiver()",
        make=asterisk.AsteriskDecoder,
        recorded=spool_recording.messages,
    ),
    _stream("dc09", "SIA DC-09 over TCP or UDP", dc09.Dc09Decoder, dc09.MAX_PENDING, _BOTH),
    _stream("eview", "Eview (EV-07B, MiniFinder) over TCP", eview.EviewDecoder, eview.MAX_PENDING, _TCP),
    _stream("minifinder", "MiniFinder Pico over TCP", minifinder.MinifinderDecoder, minifinder.MAX_PENDING, _TCP),
    MessageDescription(
        name="mqtt",
        summary="Telecare over MQTT 5, convention tc/1",
        make=mqtt.MqttDecoder,
        recorded=recording.messages,
    ),
    _stream("queclink", "Queclink @Track over TCP or UDP", queclink.QueclinkDecoder, queclink.MAX_PENDING, _BOTH),
    _stream(
        "radionics6500",
        "Radionics D6500 and Bosch Conettix in 6500 mode",
        radionics6500.Radionics6500Decoder,
        radionics6500.MAX_PENDING,
        _LINE,
    ),
    MessageDescription(
        name="scaip",
        summary="SCAIP (CLC/TS 50134-9) over SIP",
        make=scaip.ScaipDecoder,
        recorded=scaip_recording.messages,
    ),
    Description(
        name="surgard",
        summary="Sur-Gard automation output of line receivers",
        make=surgard.SurgardDecoder,
        max_pending=surgard.MAX_PENDING,
        transports=_LINE,
        options=surgard.OPTIONS,
        tune=surgard.tune,
    ),
    _stream("thinkrace", "Thinkrace IW / TRV over TCP", thinkrace.ThinkraceDecoder, thinkrace.MAX_PENDING, _TCP),
    _stream("watch3g", "Bracket protocol of watches over TCP", watch3g.Watch3gDecoder, watch3g.MAX_PENDING, _TCP),
)
PROTOCOLS: Final = {description.name: description for description in _OURS}


def load_protocols() -> dict[str, AnyDescription]:
    """Return our protocols and those of installed third parties, by name.

    Raises ConfigError if a third party's entry cannot be loaded, is no Description or takes a name that is in use.
    """
    protocols = dict(PROTOCOLS)
    for entry in entry_points(group=GROUP):
        remedy = f"remove or update the package {entry.dist.name if entry.dist else '?'}"
        try:
            description = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the protocol {entry.name!r} ({entry.value}) cannot be loaded", remedy=remedy) from error
        if not isinstance(description, Description | MessageDescription) or description.name in protocols:
            text = f"the protocol {entry.name!r} ({entry.value}) is no Description, or its name is in use"
            raise ConfigError(text, remedy=remedy)
        protocols[description.name] = coded(description)
    return protocols

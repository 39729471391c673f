"""Settings of how often devices must report."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from vetlla.domain.devices import DeviceType
from vetlla.settings.section import LONGEST_WAIT_S, MOST, Seconds, Section, Zone

LEDGER_MONTHS_MAX = 1_200
"""A century in months."""


class AlarmPolicy(StrEnum):
    """Devices whose loss opens an alarm. Every loss is recorded and shown."""

    ALL = "all"
    TERMINALS = "terminals"
    NONE = "none"


class SupervisionSettings(Section):
    """How often devices must report, and what the receiver does when they do not."""

    intervals_s: Mapping[DeviceType, Annotated[int, Field(ge=1, le=32 * 86_400)]] = {}
    """Interval by type of device (inventory): seconds between two signs of life, if the account sets no interval."""
    allowed_misses: Annotated[int, Field(ge=1, le=100)] = 3
    """A device that misses this number of signs of life in a row is lost. An account may set another number."""
    tolerance_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 5
    """How long after its due time a sign of life may still arrive."""
    alarms: AlarmPolicy = AlarmPolicy.ALL
    """Devices whose loss opens a TECHNICAL alarm: all, terminals or none."""
    incident_devices: Annotated[int, Field(ge=2, le=MOST)] = 10
    """Number of losses with a common label within ``incident_window_s`` that make one incident."""
    incident_window_s: Seconds = 60
    """See ``incident_devices``."""
    incident_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a small group (a cell) whose loss within one interval is one incident; at least three devices."""
    timezone: Zone = "Europe/Madrid"
    """Time zone in which the service's days begin."""
    ledger_months: Annotated[int, Field(ge=1, le=LEDGER_MONTHS_MAX)] = 24
    """How long the daily records of each device are kept."""

"""Settings of how long the receiver keeps its data."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vetlla.settings.section import Section

DAY_S = 86_400
DAYS_MAX = 36_525
"""A century. For a longer time use 0, which means for ever."""
Days: TypeAlias = Annotated[int, Field(ge=0, le=DAYS_MAX)]


class RetentionSettings(Section):
    """How long the receiver keeps its data, in whole days by the wall clock; 0 means for ever.

    Neither tender names a time for these data. The Barcelona contract (PCAP) names times for what they have to prove.
    The law (article 5.1.c and 5.1.e of Regulation (EU) 2016/679) forbids keeping personal data longer than needed, and
    clause 15 of the PCAP obliges the contractor to comply with it.
    """

    signals_days: Days = 730
    """How long signals and operators' notes on their alarms are kept; alarms themselves stay, with *t2* and *t3*.

    The guarantee lasts for two years (PCAP 21). A standard that is missed in several months of one year counts as a
    graver fault (PCAP 17), so each month must be proven for at least a year. The ledger of devices (ANS 13,
    ``supervision.ledger_months``) is kept for the same time."""
    raw_days: Days = 183
    """How long the bytes of a signal are kept; they prove how it was read.

    Faults within six months are counted together (PCAP 17). After that time the decoded signal is enough."""
    rejects_days: Days = 183
    """How long rejects and refusals are kept; the reason is the same as for ``raw_days``."""
    positions_days: Days = 30
    """How long the position of a device is kept; the bytes that contain it are removed with it.

    A position serves the emergency and later questions. Complaints are answered within 7 days (PCAP 16.19)."""

    def shortest_s(self) -> float:
        """Return the shortest of these times in seconds; times without end do not count."""
        days = (self.signals_days, self.raw_days, self.rejects_days, self.positions_days)
        return min((one for one in days if one), default=DAYS_MAX) * DAY_S

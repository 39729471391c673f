"""The 23 service levels of tender 20220428, section 16."""

from __future__ import annotations

from typing import Final, NamedTuple


class Level(NamedTuple):
    """A service level as the tender numbers it."""

    ans: int
    subject: str
    """What is judged, for people who read English; documents have their own words."""

    @property
    def clause(self) -> str:
        """Where the tender says it."""
        return f"16.{self.ans}"


LEVELS: Final = tuple(
    Level(number, subject)
    for number, subject in enumerate(
        (
            "Programmed visits in their promised interval",
            "Installations in term, of essential and personalised telecare",
            "Follow-up calls at their period, by support level of the home",
            "Familiarisation calls to new users, and calls to their contacts",
            "t2: the communication is ready to be attended in 20 s",
            "t3: communications that come in are answered in 15 s, none after 30 s",
            "Communications registered, recorded and kept in the file",
            "Quality measures in every communication",
            "Revaluations of the support level at their period",
            "Follow-up visits at their period",
            "Type I emergencies reached in 35 minutes, the offered share in 30",
            "Type II emergencies reached in 90 minutes",
            "Automatic check of all terminals and UCR at its period",
            "Faults solved in term, and their visits scheduled in term",
            "Devices renewed before the end of their useful life",
            "Equipment recovered and keys returned after a user left",
            "Preventive maintenance done as planned",
            "Availability of the information system",
            "Complaints, claims and suggestions answered in term",
            "Pertinent complaints and claims against active users",
            "Availability of the systems for the city's control",
            "Obligations of the contract and the city's protocols",
            "Documents delivered and registered in form and term",
        ),
        start=1,
    )
)
NUMBERS: Final = tuple(level.ans for level in LEVELS)

"""Options and columns that the commands of calls share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import KindsFile, duty_rules
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.parameters import load_on
from vetlla.cli.kit.registry import CLOCK, today
from vetlla.domain.calls import ERASED, number_of
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.masking import masked_phone
from vetlla.service.calls.follow_up import least_seconds
from vetlla.service.calls.proofs import lacks
from vetlla.service.calls.ties import alarm_reason, home_reason
from vetlla.service.local_time import zone_of
from vetlla.tasks.calls.agenda import CallCounting
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from vetlla.domain.calls import PhoneCall, Tie
    from vetlla.service.parameters import Reading

COLUMNS: Final = (
    "call", "external_id", "started", "direction", "number", "agent", "t3_s", "talk_s", "outcome", "home", "alarm",
)  # fmt: skip
Numbers = Annotated[
    bool, typer.Option("--numbers", help="Show whole telephone numbers. Default: their last digits only.")
]
Zone = Annotated[str, typer.Option("--zone", metavar="NAME", help="Time zone of the PBX. Default: the parameter zone.")]


class AgendaOptions(NamedTuple):
    """Options with the rules by which a call that came in counts as one of the agenda."""

    kinds: KindsFile = None
    no_agenda: Annotated[bool, typer.Option("--no-agenda", help="Do not count calls as calls of the agenda.")] = False

    def counting(self, path: Path | None, command: str) -> tuple[Reading, CallCounting | None]:
        """Return the parameters in force today, and how calls are counted. Raises ConfigError."""
        if self.no_agenda:
            return load_on(path), None
        rules = duty_rules(self.kinds, path)  # reads the parameters, too: a pipe can be read only once
        reading = rules.parameters.on(today())
        recording = Recording(CLOCK.now().utc_us, f"vetlla calls {command}")
        return reading, CallCounting(rules, least_seconds(reading), recording, actor())


def zone_from(named: str, reading: Reading) -> ZoneInfo:
    """Return the zone that an option names, or else the parameter. Raises ConfigError."""
    return zone_of(named or reading.text("zone"))


def window_us(reading: Reading) -> int:
    """Return how long before and after a call its alarm may have been worked on."""
    return reading.integer("calls.alarm_window_s") * SECOND_US


def shown_number(number: str, *, whole: bool) -> str:
    """Return a number, or its last digits only."""
    return number if whole or number == ERASED else masked_phone(number)


def seconds(duration_us: int | None) -> float | None:
    """Return a duration in seconds; None for None."""
    return None if duration_us is None else duration_us / SECOND_US


def call_row(call: PhoneCall, *, numbers: bool) -> dict[str, Any]:
    """Return a call for a table."""
    record, tie, t3 = call.record, call.tie, seconds(call.t3)
    begun = record.started if record.started is not None else record.ready
    return {
        "call": call.id,
        "external_id": call.key.external,
        "started": "" if begun is None else to_the_second(begun),
        "direction": record.direction,
        "number": shown_number(number_of(record), whole=numbers),
        "agent": record.agent,
        "t3_s": None if t3 is None else f"{t3:g}",
        "talk_s": call.talk_s,
        "outcome": record.outcome,
        "home": tie.home or " | ".join(tie.homes),
        "alarm": tie.alarm or " | ".join(map(str, tie.alarms)),
    }


def call_fields(call: PhoneCall, *, numbers: bool) -> dict[str, Any]:
    """Return a call for a machine."""
    record = call.record
    return {
        "call": call.id,
        "source": call.key.source,
        "external_id": call.key.external,
        "direction": record.direction,
        "started": iso(record.started),
        "ready": iso(record.ready),
        "answered": iso(record.answered),
        "ended": iso(record.ended),
        "t3_s": seconds(call.t3),
        "talk_s": call.talk_s,
        "agent": record.agent,
        "caller": shown_number(record.caller, whole=numbers),
        "called": shown_number(record.called, whole=numbers),
        "queue": record.queue,
        "outcome": record.outcome,
        "recording": record.recording,
        "recording_sha256": record.digest.hex(),
        "party": record.party,
        "lacks": list(lacks(call)),
        **tie_fields(call.tie),
        "files": list(call.origins),
    }


def tie_fields(tie: Tie) -> dict[str, Any]:
    """Return a tie for a machine."""
    return {
        "home": tie.home,
        "homes": list(tie.homes),
        "home_method": tie.method,
        "home_why": home_reason(tie),
        "alarm": tie.alarm,
        "alarms": list(tie.alarms),
        "alarm_method": tie.alarm_method,
        "alarm_why": alarm_reason(tie),
    }

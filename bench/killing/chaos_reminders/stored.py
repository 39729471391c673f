"""What the service's database says after the last run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.store.reminders import audit
from vetlla.store.reminders.opening import opened

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.clock import Clock

_HANDLED: Final = "SELECT channel, provider_id FROM replies WHERE handled_us IS NOT NULL"
_CONFIRMED: Final = "SELECT name, confirmed_start_us FROM appointments WHERE confirmed_start_us IS NOT NULL"
_UNKNOWN_SMS: Final = """
SELECT appointment, start_us, sending_us FROM outbox
WHERE kind = 'reminder' AND channel = 'sms' AND state = 'failed' AND reason = 'unknown_outcome'
"""


class Stored(NamedTuple):
    """What only the database can tell."""

    handled: set[tuple[str, str]] = set()  # noqa: RUF012 - a NamedTuple's default, which no code changes
    """Channel and id of each reply that was handled."""
    confirmed: dict[str, int] = {}  # noqa: RUF012 - likewise
    """The hour that was confirmed, by appointment."""
    unknown_sms: dict[tuple[str, int], list[int]] = {}  # noqa: RUF012 - likewise
    """When reminders by SMS were handed over whose outcome stayed unknown, by appointment and hour."""
    damages: tuple[str, ...] = ()


def stored(state_dir: Path, clock: Clock) -> Stored:
    """Return what the database says, and whether it is whole."""
    with opened(state_dir, clock) as db:
        damages = [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        damages += [f"audit record {one.id} is not sound" for one in audit.records(db) if not one.is_sound]
        unknown = defaultdict(list)
        for row in db.execute(_UNKNOWN_SMS):
            unknown[row["appointment"], row["start_us"]].append(row["sending_us"])
        return Stored(
            handled={(row["channel"], row["provider_id"]) for row in db.execute(_HANDLED)},
            confirmed={row["name"]: row["confirmed_start_us"] for row in db.execute(_CONFIRMED)},
            unknown_sms=dict(unknown),
            damages=tuple(damages),
        )

"""Kinds, parameters and events of duties for tests, and a registry to keep them in."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from vetlla.domain.clock import ManualClock, to_us
from vetlla.domain.duties import DutyEvent, NewEvent
from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.terms import DutyRules
from vetlla.service.parameters import Basis, Parameter, Parameters, Value
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

MADRID = ZoneInfo("Europe/Madrid")
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
LOCAL = (date(2026, 5, 25), date(2026, 9, 24))
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NOW_US = to_us(NOW)


def us(text: str, zone: ZoneInfo = MADRID) -> int:
    """Return the microseconds UTC of a local time such as ``2026-11-02 09:00``."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=zone))


def kind(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - a table of TOML
    """Return the table of a kind: a fault of a home, which a pause stops; ``changes`` replace keys."""
    table: dict[str, Any] = {
        "title": "A fault",
        "subject": "home",
        "opens": "detected",
        "events": ["arrived", "absent", "paused", "resumed"],
        "ends": ["solved"],
        "cancels": ["cancelled"],
        "clock": "limit",
        "limit": "limit",
        "clause": "clause 1",
        "stops": {"paused": {"until": ["resumed"]}, "absent": {"until": ["arrived"], "if": "absent_stops"}},
    }
    table |= changes
    return {key: value for key, value in table.items() if value is not None}


def promising(clock: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - a table of TOML
    """Return the table of a visit that promises a time: an interval or a date."""
    limit = "limit" if clock == "interval" else None
    table = kind(
        opens="scheduled", events=["moved", "arrived", "absent"], ends=["done"], promises=["scheduled", "moved"],
        judged={"arrived": "", "absent": "absent_counts", "done": ""}, clock=clock, limit=limit, stops=None,
    )  # fmt: skip
    return table | changes


def parameter(name: str, value: Value, unit: str, since: date = date(2000, 1, 1)) -> Parameter:
    """Return an assumed parameter."""
    return Parameter(name=name, value=value, unit=unit, valid_from=since, basis=Basis.ASSUMED, ref="PPT")


def rules(
    limit: int = 2,
    unit: str = "working days",
    *,
    zone: str = "Europe/Madrid",
    stops: bool = True,
    counts: bool = True,
    fingerprint: str = "a",
    **kinds: dict[str, Any],
) -> DutyRules:
    """Return rules with a limit; without ``kinds`` they have one, ``fault``."""
    entries = [
        parameter("zone", zone, "time zone"),
        parameter("holidays.local", LOCAL, "dates"),
        parameter("limit", limit, unit),
        parameter("absent_stops", "yes" if stops else "no", "yes or no"),
        parameter("absent_counts", "yes" if counts else "no", "yes or no"),
    ]
    return DutyRules(parse_kinds(kinds or {"fault": kind()}, "duties.toml"), Parameters(entries), fingerprint)


def told(event: str, at: str | int, ref: str = "", **more: Any) -> NewEvent:  # noqa: ANN401 - fields of an event
    """Return an event of a fault in home H1; times are local texts or microseconds."""
    for name in ("begin_us", "end_us"):
        if isinstance(more.get(name), str):
            more[name] = us(more[name])
    fields: dict[str, Any] = {"kind": "fault", "subject": "H1"} | more
    return NewEvent(event=event, at_us=us(at) if isinstance(at, str) else at, ref=ref, **fields)


def recorded(*events: NewEvent) -> list[DutyEvent]:
    """Return events as they were recorded one after the other, numbered from 1."""
    return [DutyEvent(number, event, "test", number) for number, event in enumerate(events, start=1)]


@contextmanager
def registry(state_dir: Path) -> Iterator[sqlite3.Connection]:
    """Yield a registry for one change."""
    with transaction(state_dir, ManualClock(NOW)) as connection:
        yield connection

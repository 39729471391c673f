"""The emergencies in the street of a month, and the proof of the offered share of ANS 11 (tender 20220428, 13.2.b)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import MINUTE_US, to_datetime
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, tzinfo

    from vetlla.domain.emergencies import EmergencyType
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.report import Figures

_TYPES: Final = (
    FigureColumn("type", Form.NAME),
    FigureColumn("judged"),
    FigureColumn("within_share"),
    FigureColumn("within_limit"),
    FigureColumn("breached"),
    FigureColumn("grave"),
    FigureColumn("no_access"),
    FigureColumn("cancelled"),
    FigureColumn("open"),
    FigureColumn("mobilised"),
)
_PROOF: Final = (
    FigureColumn("emergency", Form.NAME),
    FigureColumn("home", Form.NAME),
    FigureColumn("first_communication", Form.MOMENT),
    FigureColumn("arrived", Form.MOMENT),
    FigureColumn("access", Form.MOMENT),
    FigureColumn("minutes"),
    FigureColumn("within_share", Form.WORD),
    FigureColumn("within_limit", Form.WORD),
    FigureColumn("outcome", Form.WORD),
)
_JUDGED: Final = frozenset({DutyVerdict.KEPT, DutyVerdict.BREACHED})


def emergency_types(figures: Mapping[EmergencyType, Figures]) -> FigureTable:
    """Return the counts of each type; only type I has a share that is to be reached in a shorter time."""
    rows = tuple(
        (
            kind.value,
            one.emergencies,
            one.within_share if kind.value == "I" else None,
            one.within_limit,
            len(one.breaches),
            len(one.worse),
            one.no_access,
            one.cancelled,
            one.open,
            one.mobilised,
        )
        for kind, one in figures.items()
    )
    return FigureTable(name="emergencies", columns=_TYPES, rows=rows)


def proof(
    emergencies: Iterable[StreetEmergency], share_us: Callable[[StreetEmergency], int], zone: tzinfo
) -> FigureTable:
    """Return every emergency of type I by itself, in the order of the first communications.

    Minutes run from the first communication until the unit got in, and are rounded up to a tenth. An emergency that
    goes on as type II is not among them, because it counts there. ``share_us`` returns the time of the share.
    """
    found = sorted(emergencies, key=lambda one: (one.opened_us, one.id))
    rows = tuple(_row(one, share_us(one), zone) for one in found if not _is_elsewhere(one))
    return FigureTable(name="type_1", columns=_PROOF, rows=rows)


def _is_elsewhere(one: StreetEmergency) -> bool:
    return one.is_retyped and one.standing.verdict is DutyVerdict.CANCELLED


def _row(one: StreetEmergency, share_us: int, zone: tzinfo) -> tuple[str | Decimal | datetime | None, ...]:
    standing = one.standing
    is_reached = standing.judging is not None
    is_kept = standing.verdict is DutyVerdict.KEPT
    in_share, in_limit = is_kept and standing.elapsed_us <= share_us, is_kept
    judged = standing.verdict in _JUDGED
    return (
        one.label,
        one.home,
        _local(one.opened_us, zone),
        _local(one.arrived_us, zone),
        _local(one.access_us, zone),
        Decimal(-(-standing.elapsed_us * 10 // MINUTE_US)).scaleb(-1) if is_reached else None,
        _yes(in_share) if judged else None,
        _yes(in_limit) if judged else None,
        standing.verdict.value,
    )


def _yes(is_true: bool) -> str:  # noqa: FBT001 - the value of a cell
    return "yes" if is_true else "no"


def _local(at_us: int | None, zone: tzinfo) -> datetime | None:
    return None if at_us is None else to_datetime(at_us).astimezone(zone)

"""Makes the month's report of the emergencies in the street."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.codes import bases_as_written, code_key
from vetlla.domain.emergencies import EmergencyType
from vetlla.service.calendar import add_months
from vetlla.service.dispatch.report import count
from vetlla.store.homes import queries as registered
from vetlla.tasks.dispatch import figures, looking

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import date

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.report import Figures
    from vetlla.service.duties.terms import DutyRules


class Part(NamedTuple):
    """The figures of the whole service, of a district or of a base."""

    of: str
    """``service``, ``district`` or ``base``."""
    name: str
    figures: Mapping[EmergencyType, Figures]


class MonthReport(NamedTuple):
    """The report of one month."""

    offered: int
    """Percentage of type I that has to be reached in the time of the share."""
    share_minutes: int
    parts: Sequence[Part]
    """The whole service first."""
    footnotes: Sequence[str]

    @property
    def is_kept(self) -> bool:
        """Return True if the whole service kept ANS 11 and 12."""
        return all(
            row.keeps_limit and row.keeps_share(0 if row.type is EmergencyType.II else self.offered)
            for row in self.parts[0].figures.values()
        )


def month_report(connection: sqlite3.Connection, rules: DutyRules, first: date, now_us: int) -> MonthReport:
    """Return the report of the month with this first day, on the calendar of the service.

    Raises ConfigError or UsageError for a parameter that cannot be used.
    """
    after = add_months(first, 1)
    since_us, until_us = (rules.calendar.begin_of(day.toordinal()) for day in (first, after))
    found = looking.began_in(connection, rules, since_us, until_us, now_us)
    homes = registered.homes(connection, sorted({one.home for one in found})) if found else {}
    read = rules.parameters.on(after - timedelta(days=1))
    share_minutes, offered = read.integer("umo.share_minutes", least=1), read.integer("umo.offered_share")
    for name in ("duty.umo_1.limit", "duty.umo_2.limit", "duty.umo.no_access_counts"):
        read.entry(name)

    def share_us(one: StreetEmergency) -> int:
        return figures.reading(rules, one.opened_us).integer("umo.share_minutes", least=1) * MINUTE_US

    districts: dict[str, list[StreetEmergency]] = {}
    bases: dict[str, list[StreetEmergency]] = {}
    spelled = bases_as_written(home.base for home in homes.values())
    for one in found:
        home = homes.get(one.home)
        districts.setdefault(home.district if home else "", []).append(one)
        base = one.base or (home.base if home else "")
        bases.setdefault(spelled.setdefault(code_key(base), base), []).append(one)
    parts = [Part("service", "", count(found, share_us))]
    for of, groups in (("district", districts), ("base", bases)):
        parts += [Part(of, name, count(group, share_us)) for name, group in sorted(groups.items())]
    return MonthReport(offered, share_minutes, parts, read.footnotes())

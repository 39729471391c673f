"""Which homes and people the service attends on a day, from their facts. Days are texts such as 2025-03-09."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rigs.recount.exports import Exports, Row


class Record:
    """Answers about homes and people on a day, as docs/inventory.md and docs/invoice.md say them."""

    def __init__(self, exports: Exports) -> None:
        """Take the facts."""
        self.homes = exports.homes
        self.people = exports.people

    def level(self, home: str, day: str) -> str:
        """Return the support level of a home."""
        return on(self.homes[home], "level", day)

    def in_service(self, home: str, day: str) -> bool:
        """Return True if an active period of the home has the day."""
        return within(last(self.homes[home], "active"), day)

    def home_of(self, person: str, day: str) -> str:
        """Return the home in which the person lives on that day."""
        return on(self.people[person], "home", day)

    def attended(self, person: str, day: str) -> bool:
        """Return True if the person is active and not suspended on that day. Each list is taken by itself."""
        own, home = self.people[person], self.homes[self.home_of(person, day)]
        active = last(own, "active") or last(home, "active")
        suspended = last(own, "suspended") or last(home, "suspended")
        return within(active, day) and not within(suspended, day)

    def programmes(self, person: str, day: str) -> set[str]:
        """Return the programmes in which the person is on that day, attended or not."""
        whole = last(self.people[person], "programmes")
        pairs = [part.split(":") for part in whole.split(";") if part]
        return {name for name, period in pairs if within(period, day)}


def on(facts: list[Row], field: str, day: str) -> str:
    """Return the value with the latest day up to this one; of several, the one that was recorded last."""
    value, since = "", ""
    for fact in facts:
        begins = fact["from"] or ""
        if fact["field"] == field and since <= begins <= day:
            value, since = fact["value"], begins
    return value


def last(facts: list[Row], field: str) -> str:
    """Return the list that was recorded last, whatever its day."""
    found = ""
    for fact in facts:
        if fact["field"] == field:
            found = fact["value"]
    return found


@cache
def within(periods: str, day: str) -> bool:
    """Return True if one of the periods, such as 2025-01-01/2025-02-28;2025-06-01/, has the day."""
    for period in periods.split(";"):
        if period:
            begin, end = period.split("/")
            if begin <= day and (not end or day <= end):
                return True
    return False

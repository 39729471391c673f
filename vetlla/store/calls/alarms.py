"""Reads from the journal which alarms were worked on in a time, for the ties of calls."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import AlarmFacts
from vetlla.store.journal.history import Log, Question, stream

if TYPE_CHECKING:
    import sqlite3

    from vetlla.store.journal.archive import Archive


def _facts(row: sqlite3.Row) -> AlarmFacts:
    return AlarmFacts(*tuple(row))


_ALARMS: Final = Log(
    table="alarms",
    stamp="opened_us",
    value=_facts,
    columns="s.id, s.home, s.operator, s.claimed_us, s.answered_us,"
    " coalesce((SELECT group_concat(text, char(10)) FROM notes WHERE alarm_id = s.id), '') AS notes",
)


def alarms_by_home(archive: Archive, since_us: int, until_us: int) -> dict[str, list[AlarmFacts]]:
    """Return the alarms that were opened in a time, by home. Those without a home are left out."""
    found: defaultdict[str, list[AlarmFacts]] = defaultdict(list)
    for one in stream(archive, Question(log=_ALARMS, since_us=since_us, until_us=until_us)):
        if one.home:
            found[one.home].append(one)
    return dict(found)

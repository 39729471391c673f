"""What stands beside a card: facts about the home from the other databases. Each section is one function.

A section that cannot be read says why, and the others are shown all the same, because an operator needs what there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.errors import AccessError, ConfigError, StoreError
from vetlla.service.supervision.rules import Health
from vetlla.store.accounts.table import find_accounts
from vetlla.store.inventory import queries as inventory
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.registry.transaction import snapshot
from vetlla.store.supervision.history import last_heard
from vetlla.tasks.cards import beside
from vetlla.tasks.cards.beside import RECENT_S, HomeAsked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ALARMS_MAX: Final = 20
"""Most alarms: an operator looks for a pattern of the last days and not for a history."""


class HomeSection(NamedTuple):
    """One section: its rows, or why it cannot be shown."""

    name: str
    rows: list[Mapping[str, Any]]
    problem: str = ""


def _alarms(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    since_us = asked.clock.now().utc_us - RECENT_S * SECOND_US
    with Archive(asked.state_dir) as archive:
        found = history.alarms_of_home(archive, asked.home, since_us=since_us, limit=ALARMS_MAX)
    for alarm in found:
        yield {
            "alarm": alarm.id,
            "opened": iso(alarm.opened_us),
            "priority": alarm.priority.name,
            "state": alarm.state.value,
            "why": alarm.why,
            "operator": alarm.operator,
            "outcome": alarm.outcome.value if alarm.outcome else None,
        }


def _accounts(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    with snapshot(asked.state_dir, asked.clock) as registry:
        for account in find_accounts(registry, home=asked.home):
            yield {"account": account.account, "receiver": account.receiver, "line": account.line}


def _devices(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    with snapshot(asked.state_dir, asked.clock) as registry:
        for kept in inventory.fleet(registry, home=asked.home):
            yield {
                "device": f"{kept.device.type}:{kept.device.serial}",
                "model": kept.device.model,
                "account": kept.device.account,
                "since": kept.standing.last_moved.isoformat(),
                "last_battery": kept.last_battery.isoformat() if kept.last_battery else None,
            }


def _supervision(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    with snapshot(asked.state_dir, asked.clock) as registry:
        accounts = sorted({account.account for account in find_accounts(registry, home=asked.home)})
    if not accounts:
        return
    with Archive(asked.state_dir) as archive:
        found = last_heard(archive, accounts)
    for one in found:
        yield {
            "account": one.account,
            "device": one.device,
            "state": Health(one.state).word,
            "since": iso(one.since_us or None),  # 0 before it was heard for the first time
            "last_heard": iso(one.heard_us) if one.heard_us else None,
        }


SECTIONS: Final[Mapping[str, Callable[[HomeAsked], Iterable[Mapping[str, Any]]]]] = {
    "alarms": _alarms,
    "accounts": _accounts,
    "devices": _devices,
    "supervision": _supervision,
    "emergencies": beside.emergencies,
    "calls": beside.calls,
    "visits": beside.visits,
    "faults": beside.faults,
    "duties": beside.duties,
    "keys": beside.keys,
}
"""Name of each section, and the function that reads its rows; in the order in which they are shown."""


def sections_of(asked: HomeAsked) -> list[HomeSection]:
    """Return all sections about a home."""
    return [_section(asked, name) for name in SECTIONS]


def _section(asked: HomeAsked, name: str) -> HomeSection:
    try:
        return HomeSection(name, list(SECTIONS[name](asked)))
    except (StoreError, AccessError, ConfigError) as error:
        return HomeSection(name, [], str(error.args[0]))

"""Checks the inventory: each rule is one function that yields everything that breaks the rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import BUTTONS, DIGITAL, LAST_WEEK, TERMINALS, DeviceRecord, Ownership, Place
from vetlla.domain.findings import Finding, Level
from vetlla.domain.homes import Home, Person, ServiceState, UserType
from vetlla.service.calendar import add_months
from vetlla.service.inventory.leading_zeros import pairs
from vetlla.service.inventory.lifetimes import Lives
from vetlla.service.inventory.movements import name
from vetlla.service.inventory.upkeep import attended, intervals, upkeep_due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from vetlla.service.parameters import Reading


_ZEROS = "differ only in leading zeros: did a spreadsheet lose them?"


class Breach(NamedTuple):
    """One thing that breaks a rule."""

    home: str
    device: str
    text: str


@dataclass(frozen=True, kw_only=True)
class CheckInput:
    """All data that the rules read, as of one day."""

    day: date
    fleet: Sequence[DeviceRecord]
    homes: Mapping[str, Home]
    people: Sequence[Person]
    reading: Reading
    accounts: Mapping[str, frozenset[str]]
    """The receiver's accounts, each with the homes for which it is registered; empty if it has no home."""
    unknown: Mapping[str, int]
    """Unregistered accounts that the receiver heard, with the number of reports."""

    @cached_property
    def installed(self) -> list[DeviceRecord]:
        """The devices in homes."""
        return [kept for kept in self.fleet if kept.standing.place is Place.HOME]

    @cached_property
    def staying(self) -> list[DeviceRecord]:
        """The devices in homes that have not left the service; those of the others are recovered, not renewed."""
        return [
            kept
            for kept in self.installed
            if (home := self.homes.get(kept.standing.home)) is not None and home.active_from(self.day)
        ]


class Rule(NamedTuple):
    """A rule: its name, how severe a break is, what it demands, and the function that checks it."""

    name: str
    level: Level
    asks: str
    find: Callable[[CheckInput], Iterator[Breach]]


def old_at_installation(known: CheckInput) -> Iterator[Breach]:
    """Tender, section 15: new equipment is at most 6 months old at its first installation."""
    months = known.reading.integer("new.max_age")
    for kept in known.fleet:
        made, first = kept.device.made, kept.device.first_installed
        if made is None or first is None:
            continue
        monday = date.fromisocalendar(made.year, min(made.week, LAST_WEEK - 1), 1)
        if add_months(monday + timedelta(days=6), months) < first:
            yield _of(kept, f"made {made}, first installed {first}")


def person_without_ucr(known: CheckInput) -> Iterator[Breach]:
    """Tender, 13.1.g: every user has a UCR, except users of type C; a user may leave before the home does."""
    needed = Counter(
        person.home
        for person in known.people
        if person.user_type is not UserType.C
        and (lives := known.homes.get(person.home)) is not None
        and person.state_on(known.day, lives) is not ServiceState.OUT
    )
    there = Counter(kept.standing.home for kept in known.installed if kept.device.type in BUTTONS)
    for home, number in sorted(needed.items()):
        if _attended(known, home) and there[home] < number:
            yield Breach(home, "", f"{number} users and {there[home]} UCR")


def home_without_terminal(known: CheckInput) -> Iterator[Breach]:
    """Every attended home must have a terminal, because without one its users cannot call."""
    have = {kept.standing.home for kept in known.installed if kept.device.type in TERMINALS}
    for code in known.homes:
        if _attended(known, code) and code not in have:
            yield Breach(code, "", "attended, no terminal")


def level_3_not_digital(known: CheckInput) -> Iterator[Breach]:
    """Tender, 13.1.g: all homes of level 3 have a GSM-IP terminal."""
    have = {kept.standing.home for kept in known.installed if kept.device.type is DIGITAL}
    for code, home in known.homes.items():
        if home.level == 3 and _attended(known, code) and code not in have:
            yield Breach(code, "", "level 3 without GSM-IP terminal")


def past_end_of_life(known: CheckInput) -> Iterator[Breach]:
    """Tender, section 16, standard 15: a device is renewed before the end of its useful life."""
    lives = Lives(known.reading)
    for kept in known.staying:
        ends = lives.end(kept)
        if ends is not None and ends <= known.day:
            yield _of(kept, f"useful life ended {ends}")


def near_end_of_life(known: CheckInput) -> Iterator[Breach]:
    """Yield the devices that must be renewed soon."""
    lives = Lives(known.reading)
    soon = add_months(known.day, known.reading.integer("renewal.near"))
    for kept in known.staying:
        ends = lives.end(kept)
        if ends is not None and known.day < ends <= soon:
            yield _of(kept, f"useful life ends {ends}")


def guarantee(known: CheckInput) -> Iterator[Breach]:
    """Tender, section 15: leased equipment has a guarantee of 3 years from its first installation."""
    months = known.reading.integer("guarantee")
    for kept in known.fleet:
        device = kept.device
        if kept.standing.ownership is not Ownership.LEASED or device.first_installed is None:
            continue
        promised = add_months(device.first_installed, months)
        if device.guarantee_until is None or device.guarantee_until < promised:
            yield _of(kept, f"guarantee until {device.guarantee_until or 'never'}, should last until {promised}")


def unknown_account(known: CheckInput) -> Iterator[Breach]:
    """Yield the accounts that the receiver heard but that are not registered."""
    for account, times in sorted(known.unknown.items()):
        yield Breach("", "", f"account {account} was heard {times} times and is not registered")


def account_elsewhere(known: CheckInput) -> Iterator[Breach]:
    """Compare with the receiver: it must have the account of every installed terminal in the right home, and no others.

    If the inventory has no account for a terminal, the receiver must have one for its home.
    """
    if not known.accounts:
        return
    heard = frozenset[str]().union(*known.accounts.values())
    for kept in known.installed:
        if kept.device.type not in TERMINALS:
            continue
        account, home = kept.device.account, kept.standing.home
        registered = known.accounts.get(account) if account else None
        if not account and home not in heard:
            yield _of(kept, "the receiver has no account for its home")
        elif account and registered is None:
            yield _of(kept, f"the receiver has no account {account}")
        elif registered and home not in registered:
            yield _of(kept, f"the receiver has account {account} in home {', '.join(sorted(registered))}")
    for account, homes in sorted(known.accounts.items()):
        for home in sorted(homes - known.homes.keys()):
            yield Breach(home, "", f"the receiver has account {account} in this home, which is not registered")


def two_places(known: CheckInput) -> Iterator[Breach]:
    """One device cannot be in two homes: only one device may have an IMEI, an account, or a serial and model."""
    terminals = [kept for kept in known.installed if kept.device.type in TERMINALS]
    for mark, those, value_of in (
        ("imei", known.installed, lambda kept: kept.device.imei),
        ("account", terminals, lambda kept: kept.device.account),
        ("serial", known.installed, lambda kept: (kept.device.serial, kept.device.model)),
        ("terminal of home", terminals, lambda kept: kept.standing.home),
    ):
        values = list(map(value_of, those))
        twice = {value for value, times in Counter(values).items() if times > 1 and value}
        several: defaultdict[object, list[DeviceRecord]] = defaultdict(list)
        for value, kept in zip(values, those, strict=True) if twice else ():
            if value in twice:
                several[value].append(kept)
        for value, found in several.items():
            text = " ".join(filter(None, value)) if isinstance(value, tuple) else value
            where = ", ".join(f"{name(kept.device)} in {kept.standing.home}" for kept in found)
            yield _of(found[0], f"{mark} {text} belongs to {where}")


def leading_zeros(known: CheckInput) -> Iterator[Breach]:
    """Find codes that differ only in leading zeros: a spreadsheet may have removed them from one of the two.

    Both may be right. But if a terminal calls as 0123 and is registered as 123, the receiver does not know its home.
    """
    accounts = {kept.device.account: _of(kept, "") for kept in known.fleet}
    accounts |= {account: accounts.get(account, Breach("", "", "")) for account in (*known.accounts, *known.unknown)}
    for short, long in pairs(accounts):
        where = accounts[short] if accounts[short].device else accounts[long]
        yield where._replace(text=f"account {_said(known, short)} and {_said(known, long)} {_ZEROS}")
    serials: defaultdict[str, dict[str, DeviceRecord]] = defaultdict(dict)
    for kept in known.fleet:
        serials[kept.device.type][kept.device.serial] = kept
    for of_type in serials.values():
        for short, long in pairs(of_type):
            yield _of(of_type[short], f"serial {short} and {long} {_ZEROS}")
    homes = {*known.homes, *frozenset().union(*known.accounts.values())}
    for what, codes in (("home", homes), ("person", {person.code for person in known.people})):
        for short, long in pairs(codes):
            yield Breach(short if what == "home" else "", "", f"{what} {short} and {long} {_ZEROS}")


def _said(known: CheckInput, account: str) -> str:
    return f"{account} (heard, not registered)" if account in known.unknown else account


def not_recovered(known: CheckInput) -> Iterator[Breach]:
    """Tender, section 16, standard 16: equipment is recovered within 15 days of leaving the service."""
    days = timedelta(days=known.reading.integer("recovery"))
    for kept in known.installed:
        home = known.homes.get(kept.standing.home)
        if home is None or home.active_on(known.day):
            continue
        left = max((period.until for period in home.active if period.until), default=None)
        if left is None or known.day - left > days:
            yield _of(kept, f"home not attended since {left or 'ever'}")


def upkeep_overdue(known: CheckInput) -> Iterator[Breach]:
    """Tender, section 16, standard 17: all preventive maintenance is done."""
    overdue = upkeep_due(known.fleet, intervals(known.reading), known.day - timedelta(days=1))
    for one in attended(overdue, known.homes, known.day):
        yield _of(one.kept, f"{one.kind} was due {one.due}")


RULES = (
    Rule("home_without_terminal", Level.CRITICAL, "attended homes have a terminal", home_without_terminal),
    Rule("person_without_ucr", Level.CRITICAL, "users have a UCR, except type C", person_without_ucr),
    Rule("past_end_of_life", Level.CRITICAL, "devices are renewed before their life ends", past_end_of_life),
    Rule("two_places", Level.CRITICAL, "a device is in one place", two_places),
    Rule("account_elsewhere", Level.CRITICAL, "the receiver knows each terminal's account", account_elsewhere),
    Rule("level_3_not_digital", Level.WARNING, "homes of level 3 are digital", level_3_not_digital),
    Rule("near_end_of_life", Level.WARNING, "no device's life ends soon", near_end_of_life),
    Rule("old_at_installation", Level.WARNING, "equipment is new when first installed", old_at_installation),
    Rule("guarantee", Level.WARNING, "leased equipment has its guarantee", guarantee),
    Rule("not_recovered", Level.WARNING, "equipment of homes that left is recovered", not_recovered),
    Rule("upkeep_overdue", Level.WARNING, "batteries and checks are done in time", upkeep_overdue),
    Rule("unknown_account", Level.WARNING, "callers are registered", unknown_account),
    Rule("leading_zeros", Level.WARNING, "codes differ in more than leading zeros", leading_zeros),
)


def check(known: CheckInput, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return everything that breaks the rules, in the order of the rules."""
    return [
        Finding(check=rule.name, level=rule.level, text=breach.text, home=breach.home, device=breach.device)
        for rule in rules
        for breach in rule.find(known)
    ]


def _attended(known: CheckInput, home: str) -> bool:
    return home in known.homes and known.homes[home].active_on(known.day)


def _of(kept: DeviceRecord, text: str) -> Breach:
    return Breach(kept.standing.home, name(kept.device), text)

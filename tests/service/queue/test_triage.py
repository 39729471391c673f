"""A signal gets the right priority, and joins an open alarm or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vetlla.domain.accounts import Account, Remap
from vetlla.domain.alarms import Alarm, State
from vetlla.domain.clock import Instant, to_datetime
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Priority, Signal
from vetlla.service.queue.triage import PRIORITIES, age, is_old, joins, weigh

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = Account(account="1234")
NOW_US = 1_767_225_600_000_000
NOW = Instant(NOW_US, 1_000_000)


def signal(kind: Kind = Kind.FALL, phase: Phase = Phase.NEW, *, code: str = "102", repeated: bool = False) -> Signal:
    return Signal(
        protocol="dc09",
        id=AccountId("", "0", "1234"),
        event=Event(kind, phase, code, "ADM-CID"),
        raw=b"\n\r",
        repeated=repeated,
    )


def alarm(
    priority: Priority = Priority.TECHNICAL, state: State = State.WAITING, *, holder_active: bool = True
) -> Alarm:
    """Return an alarm whose operator's lease ends after NOW, or has just ended."""
    return Alarm(
        id=7,
        home="H1",
        account="1234",
        kind=Kind.FAULT,
        priority=priority,
        why="fault 300",
        first_signal=1,
        established_us=0,
        opened_us=0,
        state=state,
        lease_mono_us=NOW.mono_us + holder_active,
    )


def priority_of(said: Signal, account: Account | None = HOME) -> Priority:
    return weigh(said, account, PRIORITIES)[1]


def test_every_kind_has_its_line() -> None:
    """Every kind of event has a priority, so the table covers every report."""
    assert set(PRIORITIES) == set(Kind)


@pytest.mark.parametrize(
    "kind", [Kind.PERSONAL_EMERGENCY, Kind.FALL, Kind.SMOKE, Kind.GAS, Kind.CO, Kind.DURESS, Kind.GENERAL_ALARM]
)
def test_people_in_danger_come_first(kind: Kind) -> None:
    """Danger to a life is LIFE without any configuration."""
    assert PRIORITIES[kind] is Priority.LIFE


def test_unknown_codes_reach_a_person() -> None:
    """An unknown code opens an alarm."""
    assert PRIORITIES[Kind.UNKNOWN] < Priority.ROUTINE


@pytest.mark.parametrize("kind", Kind)
def test_still_present_weighs_as_much_as_new(kind: Kind) -> None:
    """A status report is as urgent as a new one, because the report of the beginning may have been lost."""
    assert priority_of(signal(kind, Phase.STATUS)) is priority_of(signal(kind, Phase.NEW)) is PRIORITIES[kind]


@pytest.mark.parametrize("kind", Kind)
def test_ends_and_repetitions_open_nothing(kind: Kind) -> None:
    """The end of a condition and a repeated report are ROUTINE."""
    assert priority_of(signal(kind, Phase.RESTORE)) is Priority.ROUTINE
    assert priority_of(signal(kind, repeated=True)) is Priority.ROUTINE


@pytest.mark.parametrize("kind", Kind)
def test_an_emergency_marked_as_reported_before_is_urgent_if_none_is_known(kind: Kind) -> None:
    """The first report may have gone to another receiver or been lost."""
    priority = weigh(signal(kind, repeated=True), HOME, PRIORITIES, is_known=False)[1]
    is_emergency = PRIORITIES[kind] in {Priority.LIFE, Priority.HOME_RISK}
    assert priority is (PRIORITIES[kind] if is_emergency else Priority.ROUTINE)


@pytest.mark.parametrize(
    ("behind_s", "buffered", "said"),
    [
        (None, False, ""),
        (None, True, "kept back by the device for an unknown time"),
        (120, False, ""),
        (0, True, ""),
        (121, False, "happened 2 min 1 s before it came, by its clock"),
        (18_000, True, "happened 5 h 0 min before it came, by its clock"),
        (-120, False, ""),
        (-90_000, True, "its clock is 1 d 1 h fast"),
    ],
)
def test_an_old_report_is_described_with_its_age(behind_s: int | None, said: str, *, buffered: bool) -> None:
    """The age of an old report is shown by the device's clock, and the text is recognised as one of an old report."""
    occurred_at = None if behind_s is None else to_datetime(NOW_US - behind_s * 1_000_000)
    told = age(signal()._replace(occurred_at=occurred_at, buffered=buffered), NOW_US)
    assert told == said
    assert is_old(f"fall bit2; {told}") is said.startswith(("happened", "kept"))


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("kind", Kind)
def test_unregistered_callers_are_always_seen(kind: Kind, phase: Phase) -> None:
    """An operator sees every report of an unregistered account, and its emergencies stay emergencies."""
    unregistered = priority_of(signal(kind, phase), None)
    assert unregistered <= Priority.TECHNICAL
    assert unregistered <= priority_of(signal(kind, phase))


def test_a_home_may_mean_something_else_by_a_code() -> None:
    """A home's own remap changes the kind and so the priority of that code only."""
    home = Account(account="1234", remaps={"120": Remap(Kind.FALL, None)})
    event, priority = weigh(signal(Kind.INTRUSION, code="120"), home, PRIORITIES)
    assert event == Event(Kind.FALL, Phase.NEW, "120", "ADM-CID")
    assert priority is Priority.LIFE
    assert weigh(signal(Kind.INTRUSION, code="130"), home, PRIORITIES)[0].kind is Kind.INTRUSION


def test_a_remap_may_set_the_priority_alone() -> None:
    """A remap without a kind keeps the kind and changes the priority, except for a restore."""
    home = Account(account="1234", remaps={"602": Remap(None, Priority.HOME_RISK)})
    event, priority = weigh(signal(Kind.PERIODIC_TEST, code="602"), home, PRIORITIES)
    assert (event.kind, priority) == (Kind.PERIODIC_TEST, Priority.HOME_RISK)
    assert weigh(signal(Kind.PERIODIC_TEST, Phase.RESTORE, code="602"), home, PRIORITIES)[1] is Priority.ROUTINE


def test_a_remap_to_the_most_urgent_counts() -> None:
    """LIFE is the number 0, but it still counts as a priority that was set."""
    home = Account(account="1234", remaps={"150": Remap(None, Priority.LIFE)})
    assert weigh(signal(Kind.VITALS, code="150"), home, PRIORITIES)[1] is Priority.LIFE


def test_the_service_table_is_the_one_that_counts() -> None:
    """Priorities come from the given table, which contains the overrides of the configuration."""
    table: Mapping[Kind, Priority] = {**PRIORITIES, Kind.DOOR: Priority.LIFE}
    assert weigh(signal(Kind.DOOR), HOME, table)[1] is Priority.LIFE


@pytest.mark.parametrize("holder_active", [True, False])
@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("state", [State.WAITING, State.CLAIMED])
def test_unanswered_alarms_take_every_signal(state: State, priority: Priority, *, holder_active: bool) -> None:
    """All signals of the home join an alarm that is not answered."""
    assert joins(alarm(state=state, holder_active=holder_active), priority, NOW)


@pytest.mark.parametrize(
    ("priority", "holder_active", "expected"),
    [
        (Priority.TECHNICAL, True, True),
        (Priority.ROUTINE, True, True),
        (Priority.HOME_RISK, True, False),
        (Priority.LIFE, True, False),
        (Priority.TECHNICAL, False, False),
        (Priority.LIFE, False, False),
    ],
)
def test_answered_alarms_take_more_of_the_same_under_active_eyes(
    priority: Priority, *, holder_active: bool, expected: bool
) -> None:
    """A signal joins an answered alarm only while its operator is active, and never if it is more urgent."""
    answered = alarm(Priority.TECHNICAL, State.ANSWERED, holder_active=holder_active)
    assert joins(answered, priority, NOW) is expected

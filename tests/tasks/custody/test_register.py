"""The chain of custody: whatever is recorded in whatever order, one person has a key, as in a slow model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.homes_on_record import RULES, book, recorded, register_homes, scrap, told
from vetlla.domain.errors import UsageError
from vetlla.service.custody.chain import KeyAct, KeyState, Misdeed
from vetlla.tasks.custody import register

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

NOW = recorded("2025-12-01T00:00")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return register_homes(tmp_path_factory.mktemp("custody"))


def cede(connection: sqlite3.Connection, home: str, code: str, at: str = "2025-01-01T00:00") -> None:
    """Take a key into custody."""
    event = told("key", home, "", at, ref=code, place=f"hook {code}", may_return="P1", authorisation="A1")
    register.cede(connection, RULES, event, NOW)


class Told(NamedTuple):
    """An act of a test: what, on which minute of a day, and the person."""

    act: KeyAct
    minute: int
    by: str

    @property
    def at(self) -> str:
        """Its time."""
        return f"2025-02-01T{self.minute // 60:02}:{self.minute % 60:02}"


OFTEN = [KeyAct.TAKEN, KeyAct.USED, KeyAct.BROUGHT_BACK]
"""What does not end a chain early."""
acts = st.builds(
    Told,
    st.sampled_from([*OFTEN * 4, *(act for act in KeyAct if act is not KeyAct.CEDED)]),
    st.integers(0, 40),
    st.sampled_from(["T1", "T2", "T3"]),
)


MOVES = {
    ("hook", "stored"): "hook",
    ("hook", "taken"): "person",
    ("person", "used"): "person",
    ("person", "brought_back"): "hook",
    ("lost", "found"): "hook",
} | {(where, end): end for where in ("hook", "person") for end in ("lost", "returned", "destroyed")}
"""Where a key is after an act; what is not here cannot be."""


def replayed(accepted: list[Told]) -> tuple[str, str] | None:
    """Return where a key is and who has it after these acts, in order of time; None if one of them cannot be."""
    where, holder = "hook", ""
    minutes: dict[int, list[Told]] = {}
    for one in accepted:
        minutes.setdefault(one.minute, []).append(one)
    for minute in sorted(minutes):
        for act, _, by in minutes[minute]:
            if (where, act.value) not in MOVES:
                return None
            where = MOVES[where, act.value]
            holder = (by if act is KeyAct.TAKEN else holder) if where == "person" else ""
    return where, holder


WHERE = {
    KeyState.IN_PLACE: "hook",
    KeyState.OUT: "person",
    KeyState.LOST: "lost",
    KeyState.RETURNED: "returned",
    KeyState.DESTROYED: "destroyed",
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts, max_size=14))
def test_any_order_of_acts_leaves_one_holder(state: Path, sequence: list[Told]) -> None:
    """Acts are told in any order of time; impossible ones are refused and change nothing."""
    accepted: list[Told] = []
    with scrap(state) as connection:
        cede(connection, "H1", "K1")
        for one in sequence:
            if any(one.minute == other.minute for other in accepted):
                continue  # the next test is about acts of one minute
            event = told("key", "", one.act.value, one.at, by=one.by, to="P1")
            is_possible = replayed([*accepted, one]) is not None
            if is_possible:
                register.act(connection, RULES, "K1", event, NOW)
                accepted.append(one)
            else:
                with pytest.raises(UsageError):
                    register.act(connection, RULES, "K1", event, NOW)
            key = register.key_named(connection, RULES, "K1")
            assert (WHERE[key.state], key.holder) == replayed(accepted)
            assert not key.impossible
            assert (key.holder != "") == (key.state is KeyState.OUT)
            assert [event.told.event for event in key.duty.events[1:]] == [
                other.act.value for other in sorted(accepted, key=lambda other: other.minute)
            ]


def test_acts_of_one_minute_are_possible_in_their_order(state: Path) -> None:
    """A technician tells all of them in the evening, to the minute."""
    with scrap(state) as connection:
        cede(connection, "H1", "K1")
        for name in ("taken", "used", "brought_back"):
            register.act(connection, RULES, "K1", told("key", "", name, "2025-02-01T10:00", alarm="7"), NOW)
        key = register.key_named(connection, RULES, "K1")
        assert (key.state, key.misdeeds, key.impossible) == (KeyState.IN_PLACE, (), ())


def test_a_refusal_says_who_has_the_key(state: Path) -> None:
    with scrap(state) as connection:
        cede(connection, "H1", "K1")
        register.act(connection, RULES, "K1", told("key", "", "taken", "2025-02-01T10:00", by="T7"), NOW)
        with pytest.raises(UsageError, match="K1 is out, and T7 has it"):
            register.act(connection, RULES, "K1", told("key", "", "taken", "2025-02-01T11:00", by="T8"), NOW)
        with pytest.raises(UsageError, match="K1 is in its place"):
            register.act(connection, RULES, "K1", told("key", "", "used", "2025-02-01T09:00", by="T8"), NOW)


def test_an_act_in_the_past_must_leave_later_acts_possible(state: Path) -> None:
    with scrap(state) as connection:
        cede(connection, "H1", "K1")
        register.act(connection, RULES, "K1", told("key", "", "taken", "2025-02-01T10:00"), NOW)
        with pytest.raises(UsageError, match="taken of event 2, which came later, would not be possible"):
            register.act(connection, RULES, "K1", told("key", "", "destroyed", "2025-01-20T10:00"), NOW)


def test_a_code_opens_one_home(state: Path) -> None:
    with scrap(state) as connection:
        cede(connection, "H1", "K1")
        with pytest.raises(UsageError, match="it opens H1, and is in its place"):
            cede(connection, "H2", "K1")
        register.act(connection, RULES, "K1", told("key", "", "returned", "2025-02-01T10:00", to="P1"), NOW)
        with pytest.raises(UsageError, match="H1 had a key K1 before"):
            cede(connection, "H1", "K1", "2025-03-01T00:00")
        cede(connection, "H2", "K1", "2025-03-01T00:00")
        assert register.key_named(connection, RULES, "K1").home == "H2"


def test_grave_faults_stay_on_record(state: Path) -> None:
    with scrap(state) as connection:
        cede(connection, "H1", "K1")
        for event, more in (
            ("taken", {}),
            ("used", {"alarm": "7"}),
            ("used", {}),
            ("lost", {}),
            ("found", {"place": "hook 9"}),
            ("returned", {"to": "P2"}),
        ):
            number = len(register.key_named(connection, RULES, "K1").duty.events)
            register.act(connection, RULES, "K1", told("key", "", event, f"2025-02-0{number}T10:00", **more), NOW)
        key = register.key_named(connection, RULES, "K1")
        assert [misdeed for _, misdeed in key.misdeeds] == [Misdeed.NO_EMERGENCY, Misdeed.LOST, Misdeed.WRONG_PERSON]
        assert key.place == "hook 9"


def test_a_changed_key_is_kept(tmp_path: Path) -> None:
    """What is recorded is there for the next command."""
    state = register_homes(tmp_path)
    with book(state) as connection:
        cede(connection, "H1", "K1")
    with book(state) as connection:
        register.act(connection, RULES, "K1", told("key", "", "taken", "2025-02-01T10:00", by="T9"), NOW)
    with scrap(state) as connection:
        assert [key.holder for key in register.keys(connection, RULES)] == ["T9"]

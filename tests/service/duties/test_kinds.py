"""The file of kinds: what it may say, and each message about what it may not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.rigs.duties import kind, parameter, promising, rules
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.terms import DutyRules
from vetlla.service.parameters import Parameters, Value
from vetlla.tasks.duties.rules import load_rules


def refusal(**changes: Any) -> str:  # noqa: ANN401 - keys of a kind
    """Return the message about a kind with these keys."""
    with pytest.raises(ConfigError) as caught:
        parse_kinds({"fault": kind(**changes)}, "mine.toml")
    return str(caught.value.args[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "mine.toml: fault.title: Field required"),
        ({"tilte": "x"}, "mine.toml: fault.tilte: Extra inputs are not permitted"),
        ({"subject": "house"}, "mine.toml: fault.subject: Input should be 'home', 'person', 'device'"),
        ({"opens": "Opened"}, "mine.toml: fault.opens: String should match pattern"),
        ({"ends": []}, "mine.toml: fault.ends: Tuple should have at least 1 item"),
        ({"clock": "sun"}, "mine.toml: fault.clock: Input should be 'limit', 'interval', 'date' or 'none'"),
        ({"ans": 0}, "mine.toml: fault.ans: Input should be greater than or equal to 1"),
        ({"limit": ""}, "mine.toml: fault: clock limit needs limit"),
        ({"clock": "none", "stops": None}, "mine.toml: fault: clock none takes no limit"),
        ({"promises": ["detected"]}, "mine.toml: fault: the opening promises a time if the clock is interval or date"),
        ({"clock": "none", "limit": None}, "mine.toml: fault: only a clock with a limit can stop"),
        ({"stops": {"asleep": {"until": ["resumed"]}}}, "mine.toml: fault: the kind has no event asleep"),
        ({"stops": {"paused": {"until": ["awake"]}}}, "mine.toml: fault: the kind has no event awake"),
        ({"stops": {"paused": {"until": []}}}, "mine.toml: fault.stops.paused.until: Tuple should have at least 1"),
        ({"ends": ["arrived"]}, "mine.toml: fault: an event is named twice"),
        ({"worse": {"over": 0, "is": "grave", "clause": "17"}}, "mine.toml: fault.worse.over: Input should be greater"),
    ],
)
def test_a_bad_kind_is_refused(changes: dict[str, Any], message: str) -> None:
    assert refusal(**changes).startswith(message)


def test_a_promise_needs_a_clock_that_reads_it() -> None:
    with pytest.raises(ConfigError, match="the opening promises a time"):
        parse_kinds({"visit": promising("date", promises=["moved"])}, "mine.toml")
    with pytest.raises(ConfigError, match="only a clock with a limit can be exceeded by a share of it"):
        parse_kinds({"visit": promising("date", worse={"over": 50, "is": "grave", "clause": "17"})}, "mine.toml")
    with pytest.raises(ConfigError, match=r"mine.toml: Visit.\[key\]: String should match"):
        parse_kinds({"Visit": promising("date")}, "mine.toml")


def test_events_that_only_judge_are_events_of_the_kind() -> None:
    found = parse_kinds({"umo": kind(judged={"access": ""}, stops=None)}, "x").kind("umo")
    assert found.all_events[-3:] == ("access", "solved", "cancelled")
    assert found.happens_once == {"detected", "solved", "cancelled"}


def test_an_unknown_kind_is_a_usage_error() -> None:
    kinds = rules().kinds
    assert kinds.find("umo") is None
    with pytest.raises(UsageError, match="there is no kind of duty 'umo'"):
        kinds.kind("umo")


# --- parameters -------------------------------------------------------------------------------------------------------


def changed(name: str, value: Value | None, unit: str = "", known: DutyRules | None = None) -> DutyRules:
    """Return rules with another value of a parameter; None removes it."""
    known = known or rules()
    entries = [entry for other in known.parameters.names() for entry in known.parameters.all(other) if other != name]
    return DutyRules(known.kinds, Parameters(entries if value is None else [*entries, parameter(name, value, unit)]))


def with_limit(value: Value, unit: str) -> DutyRules:
    return changed("limit", value, unit)


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        (2, "weeks", "parameter limit is 2 weeks, and not a whole number of minutes, hours, natural days"),
        (Decimal("1.5"), "hours", "parameter limit is 1.5 hours, and not a whole number"),
        ("two", "hours", "parameter limit is two hours, and not a whole number"),
        (0, "hours", "parameter limit is not between 1 and 10000 hours"),
        (100_001, "minutes", "parameter limit is not between 1 and 100000 minutes"),
        (3_000, "working days", "parameter limit is not between 1 and 2500 working days"),
    ],
)
def test_a_bad_limit_is_refused(value: Value, unit: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_limit(value, unit).terms("fault", 0)
    assert str(caught.value.args[0]).startswith(message)


def test_the_largest_limits_fit_in_the_calendar() -> None:
    for value, unit in ((2_500, "working days"), (3_660, "days"), (120, "months"), (100_000, "minutes")):
        known = with_limit(Decimal(value), unit)
        assert known.terms("fault", 0).amount == value


def test_what_a_kind_needs_of_the_parameters() -> None:
    with pytest.raises(ConfigError, match="parameter zone is missing"):
        changed("zone", None)
    with pytest.raises(ConfigError, match="parameter zone: there is no time zone 'Europe'"):
        changed("zone", "Europe")
    for name in ("limit", "absent_stops"):
        with pytest.raises(ConfigError, match=f"parameter {name} is missing"):
            changed(name, None).terms("fault", 0)
    with pytest.raises(ConfigError, match="parameter absent_stops is 'maybe'"):
        changed("absent_stops", "maybe").terms("fault", 0)
    with pytest.raises(ConfigError, match="parameter absent_stops is 1"):
        changed("absent_stops", 1).terms("fault", 0)
    with pytest.raises(ConfigError, match="parameter limit of kind visit is not in minutes or hours"):
        rules(2, "working days", visit=promising("interval")).terms("visit", 0)


# --- the installed file -----------------------------------------------------------------------------------------------


def test_the_installed_kinds_can_be_used() -> None:
    """Every kind has its parameters in force since the contract began, and an event that ends it."""
    known = load_rules()
    for name in known.kinds.names():
        terms = known.terms(name, 1_712_000_000_000_000)
        assert terms.judged <= set(terms.kind.all_events), name
        assert terms.kind.clause, name
    assert {known.kinds.kind(name).ans for name in known.kinds.names()} >= {
        1,
        2,
        3,
        4,
        9,
        10,
        11,
        12,
        14,
        15,
        16,
        17,
        19,
        22,
        23,
    }

"""Faults of ANS 11 and 12, ceilings to the cent, and what one more breach would add."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.service.sanctions.making import START, case, facts_of, short, terms_with
from vetlla.domain.errors import ConfigError
from vetlla.domain.sanctions import Arrivals, FaultClass, FaultFacts, LevelMonth
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.sanctions.ledger import OBLIGATION, ledger, outlook

MINUTE = 60_000_000


def arrivals(level: LevelMonth, ans: int = 11) -> FaultFacts:
    """Return facts of one month with the figures of one level."""
    return FaultFacts({START: {ans: level}}, START, START, [], [ans])


def test_17_an_arrival_more_than_half_too_late_is_grave() -> None:
    level = LevelMonth(LevelVerdict.NOT_KEPT, 3, worse=("7", "9"))
    (found,) = ledger(arrivals(level, 12), terms_with())
    assert (found.fault, found.about, found.day) == ("S27", "ANS 12", date(2024, 4, 30))
    assert [one.number for one in found.cases] == ["7", "9"]
    assert found.assumed == ("sanctions.arrival", "sanctions.base")
    assert not ledger(arrivals(level._replace(worse=())), terms_with())


@pytest.mark.parametrize(("total", "faults"), [(105, []), (106, ["S27"])])
def test_17_the_average_of_the_month_if_so_agreed(total: int, faults: list[str]) -> None:
    """Two arrivals with a limit of 35 minutes: an average of 52.5 minutes is equal to the limit and a half."""
    level = LevelMonth(LevelVerdict.NOT_KEPT, 1, ("7",), arrivals=Arrivals(2, total * MINUTE, 35 * MINUTE))
    assert [one.fault for one in ledger(arrivals(level), terms_with(arrival="average"))] == faults


def test_13_2_b_the_offered_share_missed_is_very_grave_if_more_than_80_was_offered() -> None:
    level = LevelMonth(LevelVerdict.NOT_KEPT, 1, missed=frozenset({"share"}))
    (found,) = ledger(arrivals(level), terms_with(offered=90))
    assert (found.fault, found.fault_class, found.ceiling) == ("S31", FaultClass.VERY_GRAVE, Decimal("3346590.46"))
    assert not ledger(arrivals(level), terms_with(offered=80)), "80 % is what every contractor owes"
    assert not ledger(arrivals(level._replace(missed=frozenset({"limit"}))), terms_with(offered=90))


@pytest.mark.parametrize(
    ("base", "minor", "grave", "very_grave"),
    [
        ("net", "1003977.14", "2007954.28", "3346590.46"),
        ("gross", "1050444.84", "2100889.68", "3501482.80"),
    ],
)
def test_17_ceilings_of_3_and_6_and_10_percent_to_the_cent(base: str, minor: str, grave: str, very_grave: str) -> None:
    expected = {"minor": minor, "grave": grave, "very_grave": very_grave, "penalty": "3346590.46"}
    assert {one.value: str(money) for one, money in terms_with(base=base).ceilings.items()} == expected


def test_20_2_d_a_deduction_has_its_amount_and_leads_to_nothing() -> None:
    cases = [case("20.2.d", f"2025-0{month}-10", str(month))._replace(amount=Decimal("350.00")) for month in (1, 2, 3)]
    found = ledger(facts_of({}, cases=cases), terms_with())
    assert [(one.fault_class, str(one.ceiling), one.assumed) for one in found] == [
        (FaultClass.DEDUCTION, "350.00", ())
    ] * 3


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sanctions\.year is 'lunar'"):
        terms_with(year="lunar")


def test_the_outlook_names_only_what_one_more_breach_adds() -> None:
    facts = facts_of({5: "XX.", 6: "XXX", 8: "..."})
    found = {one.about: one for one in outlook(facts, terms_with(), date(2024, 6, 20))}
    assert short(found["ANS 5"].would_add) == ["S29 2024-06-30 ANS 5"]
    assert (found["ANS 5"].verdict, found["ANS 5"].missed) == (LevelVerdict.KEPT, 2)
    assert (found["ANS 6"].would_add, found["ANS 6"].missed) == ((), 3)
    assert not found["ANS 8"].would_add
    assert [one.fault for one in found[OBLIGATION].would_add] == ["S10"]
    before = ledger(facts, terms_with())
    assert short(before) == ["S29 2024-06-30 ANS 6"]


def test_the_order_of_the_cases_changes_nothing() -> None:
    cases = [case("S07", "2025-01-10", "2"), case("S07", "2025-01-10", "1"), case("S10", "2025-01-09", "3")]
    one, other = (ledger(facts_of({}, cases=given), terms_with()) for given in (cases, cases[::-1]))
    assert one == other


def test_a_document_with_two_faults_is_refused() -> None:
    with pytest.raises(ConfigError, match="a late ens is S26 and S47"):
        terms_with(technical_documents="ens", pay_documents="hr_documents, ens")

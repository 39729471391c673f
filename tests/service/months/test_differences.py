"""How two results differ: a field, a new object of a list, and nothing for equal ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.service.months.differences import FieldDifference, differences
from vetlla.service.months.sealing import canonical

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["ans", "x"]), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_equal_values_have_no_difference(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert list(differences(value, value)) == []


@given(JSON, JSON)
def test_values_with_other_bytes_have_one_unless_null_stands_for_absent(one: Any, other: Any) -> None:  # noqa: ANN401
    assert bool(list(differences(one, other))) <= (canonical(one) != canonical(other))


def test_a_field_of_a_level_is_named_by_its_level() -> None:
    before = [{"ans": 13, "numerator": 1}, {"ans": 14, "numerator": 5, "breached": []}]
    breach = {"what": "fault", "number": "3", "begun": "2026-10-02", "home": "H1"}
    after = [{"ans": 13, "numerator": 1}, {"ans": 14, "numerator": 4, "breached": [breach]}]
    assert list(differences(before, after)) == [
        FieldDifference("[ans=14].breached[what=fault,number=3,begun=2026-10-02]", None, breach),
        FieldDifference("[ans=14].numerator", 5, 4),
    ]


def test_a_new_fault_and_a_new_case_are_one_difference_each() -> None:
    cases = [{"what": "recorded", "number": str(number), "day": "2026-10-02", "ans": None} for number in (1, 2)]
    one = {"fault": "S10", "about": "x", "day": "2026-10-02", "cases": cases[:1]}
    new = {"fault": "S03", "about": "", "day": "2026-10-01", "cases": []}
    assert list(differences([one], [new, one | {"cases": [cases[1], cases[0]]}])) == [
        FieldDifference(
            "[fault=S10,about=x,day=2026-10-02].cases[what=recorded,number=2,day=2026-10-02]", None, cases[1]
        ),
        FieldDifference("[fault=S03,about=,day=2026-10-01]", None, new),
    ]


def test_objects_of_the_same_name_are_told_apart_by_their_place() -> None:
    before, after = [{"name": "a", "x": 1}, {"name": "a", "x": 2}], [{"name": "a", "x": 1}, {"name": "a", "x": 3}]
    assert list(differences(before, after)) == [FieldDifference("[name=a,#1].x", 2, 3)]


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, 1.0), ("1", 1)])
def test_another_type_is_a_difference(one: Any, other: Any) -> None:  # noqa: ANN401 - any JSON
    assert list(differences({"x": one}, {"x": other})) == [FieldDifference("x", one, other)]


def test_canonical_bytes_depend_on_the_value_alone() -> None:
    assert canonical({"b": 1, "a": "ç"}) == canonical({"a": "ç", "b": 1}) == b'{"a":"\\u00e7","b":1}\n'
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))
